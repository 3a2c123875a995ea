"""Asking intake where a dossier stands, at the door that is open to everybody, for a citizen's phone.

The limits are intake's own. The number that asks is named to it by a signed digest, so that each
phone is counted by itself and none is told.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import httpx2

from services.notify.domain.incoming import Answer
from services.notify.domain.values import spoken_time
from services.notify.usecases.answering import Later
from shared.identity.askers import HEADER, Askers
from shared.kernel.clock import parse_instant
from shared.log import get

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PATH: Final = "/api/v1/look-up"
_SECONDS: Final = 10.0
_LONGEST_WAIT: Final = 3600.0
_log = get("notify.answers")


class LookUp:
    """The door of intake, by its address or in this very process."""

    def __init__(self, address: str, secret: str) -> None:
        self._address = address
        self._askers = Askers(secret)
        self._client: httpx2.Client | None = None
        self._transport: httpx2.WSGITransport | None = None
        # At its usual level the library logs whole addresses.
        for noisy in ("httpx2", "httpcore2"):
            logging.getLogger(noisy).setLevel(logging.WARNING)

    def through(self, web: WSGIApplication) -> None:
        """Ask in this process: the city's web, where it is one with us."""
        self._transport = httpx2.WSGITransport(app=web)

    def ask(self, code: str, word: str, phone: str) -> Answer | Later:
        """What is told to this phone of the dossier; `Later` where intake cannot say it now."""
        if self._transport is None and not self._address:
            _log.error("answers.no_look_up", setting="LIENTHONG_LOOKUP_URL")
            return Later()
        self._client = self._client or self._made()
        asked = {"code": code, "word": word}
        try:
            answer = self._client.post(
                PATH, json=asked, headers={HEADER: self._askers.write(phone)}
            )
            return _read(answer)
        except (httpx2.HTTPError, ValueError, LookupError, TypeError) as broken:
            _log.warning("answers.look_up_failed", kind=type(broken).__name__)
            return Later()

    def close(self) -> None:
        """Let go of the line; it opens again by itself."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _made(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self._address or "http://localhost",
            transport=self._transport,
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )


def _read(answer: httpx2.Response) -> Answer | Later:
    if answer.status_code in (404, 422):
        return Answer("not_found")
    if answer.status_code == 429:
        return Later(min(_LONGEST_WAIT, float(answer.headers.get("Retry-After", "1"))))
    if answer.status_code != 200:
        _log.warning("answers.look_up_failed", status=answer.status_code)
        return Later()
    told = answer.json()
    language = "en" if told["language"] == "en" else "vi"
    due = told["due_at"]
    return Answer(
        "status",
        language,
        {
            "code": str(told["code"]),
            "status": str(told[f"status_{language}"]),
            "due": spoken_time(parse_instant(due), language, brief=True) if due else "",
            "hotline": str(told["hotline"]),
        },
    )
