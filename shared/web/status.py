"""The page of the operators' port: how things stand, and who must do what. Plain WSGI, no key.

`/` is for people, `/status.json` for programs; everything else goes on to the app behind it. The
same lines as `lienthong status`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader

from shared.kernel.clock import Clock, format_instant, to_vn
from shared.messaging.overview import Part, look
from shared.messaging.standing import EXIT_CODES, PARTS, Line, worst

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.messaging.loops.supervisor import Supervisor
    from shared.messaging.service import Service

_REMEMBERED: Final = 2.0  # seconds
_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = _TEMPLATES / "lienthong" / "status.css"
#: A level in Vietnamese and English.
WORDS: Final = {
    "ok": ("tốt", "fine"),
    "note": ("để biết", "to know"),
    "act": ("PHẢI LÀM", "ACT"),
    "unknown": ("KHÔNG HỎI ĐƯỢC", "CANNOT TELL"),
}


def plain(lines: Sequence[Line], at: datetime) -> dict[str, Any]:
    """The lines as JSON; `exit` is what `lienthong status` ends with."""
    level = worst(lines)
    return {
        "level": level,
        "exit": EXIT_CODES[level],
        "at": format_instant(at),
        "lines": [
            {
                "part": line.part,
                "name": line.name,
                "level": line.level,
                "vi": line.said.vi,
                "en": line.said.en,
                "act_vi": line.act.vi if line.act else None,
                "act_en": line.act.en if line.act else None,
                "count": line.count,
                "oldest": format_instant(line.oldest) if line.oldest else None,
                "readers": line.readers,
            }
            for line in lines
        ],
    }


@cache
def _template() -> Any:
    room = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    return room.get_template("lienthong/status.html")


def page(lines: Sequence[Line], at: datetime) -> str:
    """The lines as a page in Vietnamese and English."""
    parts = [
        (titles, [line for line in lines if line.part == part]) for part, titles in PARTS.items()
    ]
    text: str = _template().render(
        parts=[each for each in parts if each[1]],
        levels=WORDS,
        level=worst(lines),
        at=f"{to_vn(at):%H:%M:%S %d/%m/%Y}",
    )
    return text


@dataclass(slots=True)
class StatusDoor:
    """The page before the operators' app of a process.

    One request at a time looks, the others get what was seen last: a server that hangs never takes
    the threads that answer the probes.
    """

    app: WSGIApplication
    look: Callable[[], Sequence[Line]]
    clock: Clock
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _seen: tuple[float, datetime, Sequence[Line]] | None = None

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == "/status.css":
            return _answer(start, "200 OK", "text/css", _STYLE.read_text(encoding="utf-8"))
        if path not in ("/", "/status.json") or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.app(environ, start)
        seen = self._now()
        if seen is None:
            return _answer(start, "503 Service Unavailable", "text/plain", "being looked at\n")
        _, at, lines = seen
        if path == "/":
            return _answer(start, "200 OK", "text/html", page(lines, at))
        return _answer(start, "200 OK", "application/json", json.dumps(plain(lines, at)) + "\n")

    def _now(self) -> tuple[float, datetime, Sequence[Line]] | None:
        if not self._looking.acquire(blocking=False):
            return self._seen
        try:
            if self._seen is None or time.monotonic() - self._seen[0] > _REMEMBERED:
                lines = self.look()
                self._seen = (time.monotonic(), self.clock.now(), lines)
            return self._seen
        finally:
            self._looking.release()


def operators_door(
    app: WSGIApplication, services: Mapping[str, Service], loops: Supervisor | None
) -> StatusDoor:
    """The page of these services before the operators' app of a process that runs `loops`."""
    parts = {
        name: Part(service.store, service.matters, service.bus)
        for name, service in services.items()
    }
    clock = next(iter(services.values())).store.clock

    def shown() -> list[Line]:
        if loops is None:
            return look(parts)
        return look(parts, loops.report(), {each.loop: each.seconds for each in loops.failing()})

    return StatusDoor(app, shown, clock)


def _answer(start: StartResponse, status: str, kind: str, text: str) -> Iterable[bytes]:
    body = text.encode()
    start(
        status,
        [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'self'"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [body]
