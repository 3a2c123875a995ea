"""The operators' door of a process: /healthz, /readyz, /metrics.  Plain WSGI, no Flask, no key.

It stands on a port of its own that is not shown to the world; `HealthDoors` puts the two health
doors, not the metrics, before a service's public app.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shared.kernel.errors import LienThongError
from shared.messaging.metrics import CONTENT_TYPE as METRICS_TYPE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.messaging.loops.supervisor import Supervisor
    from shared.messaging.service import Service

_REMEMBERED: Final = 1.0  # seconds; a probe each second must not become a load of its own
_OK, _AWAY = "ok", "away"


@dataclass(slots=True)
class OpsApp:
    """The WSGI app of one process of one service.

    A process that runs loops needs the broker to be ready; one that only serves pages and the API
    does not: intake goes on accepting while the broker is away.
    """

    service: Service
    loops: Supervisor | None = None
    now: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: tuple[float, bool, dict[str, Any]] | None = None

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _answer(start, "405 Method Not Allowed", "text/plain", b"", ("Allow", "GET"))
        path = environ.get("PATH_INFO", "")
        if path == "/healthz":
            return self._health(start)
        if path == "/readyz":
            return self._ready(start)
        if path == "/metrics":
            return _answer(start, "200 OK", METRICS_TYPE, self.service.metrics.page())
        return _answer(start, "404 Not Found", "text/plain", b"not found\n")

    def _health(self, start: StartResponse) -> Iterable[bytes]:
        healthy = self.loops is None or self.loops.healthy()
        loops = {} if self.loops is None else dict(self.loops.report())
        return _json(start, {"healthy": healthy, "loops": loops}, good=healthy)

    def _ready(self, start: StartResponse) -> Iterable[bytes]:
        ready, parts = self._measured()
        return _json(start, {"ready": ready, "service": self.service.name, **parts}, good=ready)

    def _measured(self) -> tuple[bool, dict[str, Any]]:
        with self._lock:
            at = self.now()
            if self._last is None or at - self._last[0] > _REMEMBERED:
                self._last = (at, *self._measure())
            return self._last[1], self._last[2]

    def _measure(self) -> tuple[bool, dict[str, Any]]:
        database = _state(self.service.store.ping)
        broker = _state(self.service.bus.ping)
        parts: dict[str, Any] = {"database": database, "broker": broker}
        if self.loops is None:
            return database == _OK, parts
        parts["loops"] = dict(self.loops.report())
        return database == broker == _OK and self.loops.healthy(), parts


def _state(ping: Callable[[], object]) -> str:
    try:
        ping()
    except LienThongError:
        return _AWAY
    return _OK


def _json(start: StartResponse, body: Mapping[str, Any], *, good: bool) -> Iterable[bytes]:
    status = "200 OK" if good else "503 Service Unavailable"
    return _answer(start, status, "application/json", json.dumps(body).encode() + b"\n")


def _answer(
    start: StartResponse, status: str, kind: str, body: bytes, *headers: tuple[str, str]
) -> Iterable[bytes]:
    start(
        status,
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )
    return [body]


@dataclass(frozen=True, slots=True)
class HealthDoors:
    """A public app with /healthz and /readyz before it."""

    app: WSGIApplication
    ops: WSGIApplication

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        inside = environ.get("PATH_INFO") in ("/healthz", "/readyz")
        return (self.ops if inside else self.app)(environ, start)
