"""How a client of the kit asks a door: inside this process, or over HTTP; and a browser on top.

Both ways give the same `Reply`. Must not: knowing what is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx2

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TIMEOUT_SECONDS: Final = 30.0
HERE: Final = "http://localhost"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door said."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"null")


class Door:
    """One door of a service, with a jar of cookies of its own; redirects are followed."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    @classmethod
    def at(cls, url: str) -> Door:
        """A door at an address."""
        return cls(
            httpx2.Client(
                base_url=url, timeout=TIMEOUT_SECONDS, follow_redirects=True, trust_env=False
            )
        )

    @classmethod
    def inside(cls, app: WSGIApplication) -> Door:
        """A door of this process, without a socket: a request is handled before `ask` returns."""
        line = httpx2.WSGITransport(app=app)
        return cls(httpx2.Client(transport=line, base_url=HERE, follow_redirects=True))

    def take_cookies_of(self, other: Door) -> None:
        """Be the same browser as another door's: the services stand at one address."""
        self._client.cookies.update(other._client.cookies)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request; `body` is sent as JSON, `form` as a form."""
        said = self._client.request(
            method,
            path,
            json=body,
            data=None if form is None else dict(form),
            params=None if query is None else dict(query),
            headers=dict(headers or {}),
        )
        return Reply(said.status_code, dict(said.headers), said.content)


class Browser:
    """Somebody at the pages of a service: keeps cookies, sends forms with the page's token."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def get(self, path: str) -> Reply:
        """Open a page."""
        return self._door.ask("GET", path)

    def post(self, path: str, form: Mapping[str, str], *, page: str | None = None) -> Reply:
        """Fill in the form that stands on `page` (the same address, if not given) and send it."""
        found = _TOKEN.search(self.get(page or path).text)
        token = {} if found is None else {"csrf_token": found[1]}
        return self._door.ask("POST", path, form={**form, **token})

    def sign_in(self, login: str, password: str) -> Reply:
        """Sign in, at intake's door; the person's own page is shown then."""
        told = {"login": login, "password": password, "next": "/tai-khoan"}
        return self.post("/dang-nhap", told)
