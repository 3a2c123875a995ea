"""The channel: one request to a described gateway for each text.

A redirect is not followed: it would carry the text and the secrets to whom nobody named. What was
not understood is `Unknown`, so that no text goes twice by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import httpx2

from services.notify.channels.http.described import Gateway, filled
from services.notify.channels.http.reading import result_of
from services.notify.channels.window import window
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Unknown,
    Waiting,
    Word,
)

_SLICE: Final = 0.25
_LONGEST_ANSWER: Final = 65_536
_LONGEST_PAUSE: Final = 300.0
# Nothing was handed over: there was nobody to hand it to.
_BEFORE: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class HttpChannel:
    """Hands each letter to the gateway that is described; `secrets` fill its `{secret.name}`."""

    remote = True

    def __init__(self, name: str, gateway: Gateway, secrets: Mapping[str, str]) -> None:
        self.name = name
        self.gateway = gateway
        self.secrets = dict(secrets)
        self.idempotent = gateway.send.idempotent
        # At its usual level the library logs whole addresses, and a query may hold anything.
        for noisy in ("httpx2", "httpcore2"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._client: httpx2.Client | None = None
        self._throttled = 0  # how often in a row it had enough

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        waiting = iter(letters)
        first = next(waiting, None)
        while first is not None:
            taken, first = window(first, waiting, self.gateway.send.window)
            busy: Busy | None = None
            for word in self._hand_over(taken):
                if isinstance(word, Busy):
                    word = busy = self._longer(word, again=busy is not None)  # noqa: PLW2901
                yield word
            self._throttled = self._throttled if busy else 0
            if busy is not None:
                if first is not None:
                    yield busy
                return

    def close(self) -> None:
        """The pool opens again by itself."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def check(self) -> Iterator[Waiting]:
        """Reach the gateway's machine, with TLS, and send nothing; an error says what failed."""
        parts = httpx2.URL(self.gateway.send.url)
        address = str(parts.copy_with(path="/", query=None, fragment=None))
        with httpx2.Client(timeout=10.0, follow_redirects=False, trust_env=False) as client:
            client.head(address)
        yield Waiting()

    def _longer(self, word: Busy, *, again: bool) -> Busy:
        if not again:
            self._throttled += 1
        pause = word.seconds * 2.0 ** min(self._throttled - 1, 10)
        return Busy(word.reason, min(_LONGEST_PAUSE, pause))

    def _hand_over(self, taken: list[Letter]) -> Iterator[Word]:
        yield GoingOut(len(taken))
        asked = [_Request(self, letter) for letter in taken]
        end = time.monotonic() + 2 * self.gateway.send.timeout_seconds
        for each in asked:
            # One that drips its answer is waited for no longer.
            while not each.done.wait(_SLICE) and time.monotonic() < end:
                yield Waiting()
            yield each.result

    def opened(self) -> httpx2.Client:
        """The pool of connections."""
        if self._client is None:
            send = self.gateway.send
            self._client = httpx2.Client(
                timeout=send.timeout_seconds,
                follow_redirects=False,
                trust_env=False,
                # A gateway hangs up what is idle: better a new line than one that may be gone.
                limits=httpx2.Limits(keepalive_expiry=4.0),
            )
        return self._client


class _Request:
    """One text on its way, in a thread of its own: whoever waits may stop waiting."""

    def __init__(self, channel: HttpChannel, letter: Letter) -> None:
        self.done = threading.Event()
        self.result: Result = Unknown("http: no answer")
        self._channel, self._letter = channel, letter
        client = channel.opened()
        threading.Thread(target=self._run, args=(client,), name="notify.http", daemon=True).start()

    def _run(self, client: httpx2.Client) -> None:
        try:
            self.result = self._ask(client)
        except _BEFORE as away:
            self.result = Failed(f"http: {type(away).__name__}")
        except Exception as broken:  # noqa: BLE001 - whatever it was, the text may be out
            self.result = Unknown(f"http: {type(broken).__name__}")
        finally:
            self.done.set()

    def _ask(self, client: httpx2.Client) -> Result:
        gateway = self._channel.gateway
        end = time.monotonic() + gateway.send.timeout_seconds
        with client.stream(**self._request()) as answer:
            body = b""
            for piece in answer.iter_raw():
                body += piece
                if len(body) > _LONGEST_ANSWER or time.monotonic() > end:
                    return result_of(gateway, answer.status_code, None)
            return result_of(gateway, answer.status_code, body)

    def _request(self) -> dict[str, Any]:
        send, letter = self._channel.gateway.send, self._letter
        digits = letter.to.removeprefix("+")
        values = {
            "to": letter.to,
            "digits": digits,
            "local": f"0{digits.removeprefix('84')}",
            "text": letter.body,
            "id": letter.id,
        } | {f"secret.{name}": value for name, value in self._channel.secrets.items()}
        made: dict[str, Any] = {
            "method": send.method,
            "url": filled(send.url, values),
            # Nothing packed: a small answer may not become a large one.
            "headers": {"Accept-Encoding": "identity"} | filled(send.headers, values),
        }
        if send.query:
            made["params"] = filled(send.query, values)
        if send.json is not None:
            made["json"] = filled(send.json, values)
        if send.form is not None:
            made["data"] = filled(send.form, values)
        if send.basic is not None:
            made["auth"] = tuple(filled(send.basic, values))
        return made
