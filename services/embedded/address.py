"""One address for the three services of a process: each path goes to the service whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.web.rooms import owner

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class OneAddress:
    """A WSGI app of the web apps of all services, by name."""

    apps: Mapping[str, WSGIApplication]

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self.apps[owner(environ.get("PATH_INFO", ""))](environ, start)
