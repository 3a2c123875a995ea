"""The operators' door of a process: /healthz, /readyz, /metrics.  Plain WSGI, no Flask, no key.

None of them waits for what it tells of: database and broker are asked in threads of their own.
It stands on a port of its own that is not shown to the world; `HealthDoors` puts the two health
doors, not the metrics, before a service's public app.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.kernel.clock import format_instant
from shared.messaging.metrics import CONTENT_TYPE as METRICS_TYPE
from shared.messaging.probe import Probe

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.messaging.loops.supervisor import Supervisor, Trouble
    from shared.messaging.service import Service

_REMEMBERED: Final = 1.0  # seconds; a probe each second must not become a load of its own
_PATIENCE: Final = 0.5  # seconds that a caller waits for a fresh answer
_SILENT: Final = 2.0  # seconds without an answer from which on a server counts as away
_OLD: Final = 10.0  # seconds; an older answer says nothing of now
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
    _probes: dict[str, Probe[bool]] = field(init=False)

    def __post_init__(self) -> None:
        asked = {"database": self.service.store.ping, "broker": self.service.bus.ping}
        self._probes = {name: _probe(ping, self.now) for name, ping in asked.items()}

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
        parts: dict[str, Any] = {}
        ages = {}
        for name, probe in self._probes.items():
            seen = probe.look()
            old = seen.age is None or seen.age > _OLD
            silent = seen.waiting > _SILENT
            parts[name] = _AWAY if old or silent or not seen.told else _OK
            ages[name] = None if seen.age is None else round(seen.age, 1)
        # Pages and the API do not need the broker.
        ready = parts["database"] == _OK and (self.loops is None or parts["broker"] == _OK)
        parts["age_seconds"] = ages
        if self.loops is not None:
            parts["loops"] = dict(self.loops.report())
            parts["failing"] = [_told(each) for each in self.loops.failing()]
            ready = ready and self.loops.ready()
        return _json(start, {"ready": ready, "service": self.service.name, **parts}, good=ready)


def _probe(ping: Callable[[], object], now: Callable[[], float]) -> Probe[bool]:
    def ask() -> bool:
        ping()
        return True

    return Probe(ask, fresh=_REMEMBERED, patience=_PATIENCE, now=now)


def _told(trouble: Trouble) -> dict[str, Any]:
    """Since when by the clock as it stands now: it may have been put right meanwhile."""
    since = datetime.now(UTC) - timedelta(seconds=trouble.seconds)
    return {
        "loop": trouble.loop,
        "kind": trouble.kind,
        "since": format_instant(since.replace(microsecond=0)),
        "seconds": round(trouble.seconds),
    }


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
