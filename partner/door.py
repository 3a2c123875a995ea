"""The HTTPS door of the city: tasks that were missed, and answers for who has no broker.

The door (what is asked) and the line to it (urllib, or what is handed in) are two classes.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from partner import diagnosis
from partner.errors import DoorRefused
from partner.messages import Answer
from partner.refusals import Refusal, of_door
from partner.settings import Tls
from partner.transport import Http

TIMEOUT = 30.0
FOR_GOOD = (400, 404, 409, 410, 413, 422)  # what trying again cannot change


@dataclass(frozen=True, slots=True)
class Page:
    """Some task messages; `next` is where the following page begins, None where that is untold."""

    bodies: list[bytes] = field(repr=False)
    next: int | None


@dataclass(frozen=True, slots=True)
class ByUrllib:
    """Requests over the network; the key goes over TLS alone (or stays at home)."""

    url: str
    tls: Tls | None = None
    allow_plain: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        at_home = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (
            parts.scheme == "http" and (at_home or self.allow_plain)
        ):
            raise DoorRefused("the key must not travel in the clear: the door needs https")

    def __call__(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(  # noqa: S310 - only http and https pass __post_init__
            self.url.rstrip("/") + path, method=method, data=body, headers=dict(headers)
        )
        context: ssl.SSLContext | None = (
            (self.tls or Tls()).context() if self.url.startswith("https:") else None
        )
        try:
            return _ask(request, context)
        except (OSError, ValueError, HTTPException) as broken:
            words = diagnosis.of(broken, secure=context is not None, shown=self._shown)
            raise DoorRefused(
                f"the door cannot be reached ({words.en})", vi=f"chưa tới được cổng ({words.vi})"
            ) from broken

    @property
    def _shown(self) -> bool:
        return self.tls is not None and self.tls.certificate is not None


def _ask(request: urllib.request.Request, context: ssl.SSLContext | None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(  # noqa: S310 - only http and https are made to requests
            request, timeout=TIMEOUT, context=context
        ) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


@dataclass(frozen=True, slots=True)
class Door:
    """What the door understands, with the agency's key."""

    http: Http = field(repr=False)
    key: str = field(repr=False)

    def tasks(self, after: int) -> Page:
        """The task messages with a number above `after`, in order, as many as one answer holds."""
        page = self._call("GET", f"/api/v1/tasks?after={after}")
        items = page.get("items") if isinstance(page, dict) else None
        if not isinstance(items, list):
            raise DoorRefused("the door's answer cannot be read")
        bodies = [json.dumps(item).encode() for item in items]  # ASCII: half characters as well
        following = page.get("next")
        return Page(bodies, following if isinstance(following, int) else None)

    def compare(self, days: list[Any]) -> Any:
        """Hand in what we have of some days; what the city says of them."""
        return self._call("POST", "/api/v1/tasks/day-sums", {"days": days})

    def send(self, answer: Answer) -> Refusal | None:
        """Hand in one answer; None where it counts, else why not. DoorRefused where it may yet.

        The same answer twice is harmless and gets the same reply.
        """
        data = dict(json.loads(answer.body)["data"])
        data.pop("task")
        body = {"answer_id": answer.id, "kind": answer.kind, **data}
        try:
            told = self._call("POST", f"/api/v1/tasks/{quote(answer.task, safe='')}/answers", body)
        except DoorRefused as refused:
            if refused.status not in FOR_GOOD:
                raise
            return of_door(answer, refused.problem, str(refused))
        if not isinstance(told, dict) or told.get("applied") is not False:
            return None
        return of_door(answer, told, "the task is closed")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        if body is None:
            return self.ask(method, path)
        sent = json.dumps(body, ensure_ascii=False).encode()
        return self.ask(method, path, sent, {"Content-Type": "application/json"})

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        about: Mapping[str, str] | None = None,
    ) -> Any:
        """What the door says, read as JSON; `about` are headers that describe the body."""
        told = _read(self._answer(method, path, body, about or {}) or b"null")
        if told is _NOTHING:
            raise DoorRefused("the door's answer cannot be read")
        return told

    def content(self, path: str) -> bytes:
        """What lies at an address of the door, as it is."""
        return self._answer("GET", path, None, {})

    def _answer(self, method: str, path: str, body: Any, about: Mapping[str, str]) -> bytes:
        """The body of a reply that is good; DoorRefused for every other."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Accept": "application/json",
            "Accept-Language": "en",
            **about,
        }
        status, said = self.http(method, path, body, headers)
        if 200 <= status < 300:
            return said
        told = _read(said or b"null")
        problem = told if isinstance(told, dict) else {}
        words = str(problem.get("detail") or problem.get("title") or "")
        raise DoorRefused(f"the door answered {status}: {words}", status, problem=problem)


_NOTHING = object()


def _read(body: bytes) -> Any:
    """JSON, a number beyond all measure as its digits; _NOTHING where it is none."""
    try:
        return json.loads(
            body, parse_int=lambda digits: int(digits) if len(digits) < 999 else digits
        )
    except (ValueError, RecursionError):
        return _NOTHING
