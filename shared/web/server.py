"""Runs WSGI apps: waitress in threads of one process, gunicorn in containers.

Both finish the requests that are running when they are told to stop.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.messaging.loops.signals import told_to_stop
from shared.web.connections import BoundedServer, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DRAIN_SECONDS: Final = 8.0
_LOOK: Final = 0.2  # seconds between looks at the stop flag, should a wake-up get lost


class WebServer:
    """One app on one port, served by waitress in a thread of its own.

    Port 0 takes a free one; `port` tells which.  The port is bound at once, so an address that is
    taken is an OSError here and not later.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 8,
        limits: Limits | None = None,
    ) -> None:
        self.host = host
        bound = _bind(host, port)
        self.port: int = bound.getsockname()[1]
        self._sockets: dict[int, Any] = {}
        self._server = BoundedServer(
            app, bound, self._sockets, threads=threads, limits=limits or Limits()
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"web-{self.port}", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> WebServer:
        """Serve in a thread; returns at once."""
        self._thread.start()
        return self

    def stop(self, drain: float = DRAIN_SECONDS) -> bool:
        """Take no new connection, finish what is running; False where `drain` seconds were short."""
        if not self._thread.is_alive():
            self._close()
            return True
        self._drain = drain
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._server.pull_trigger()
        self._thread.join(drain + 1.0)
        return not self._thread.is_alive() and self._drained

    _drain: float = DRAIN_SECONDS
    _drained: bool = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turn(_LOOK)
        self._stop_listening()
        deadline = time.monotonic() + self._drain
        while self._busy() and time.monotonic() < deadline:
            self._turn(0.05)
        self._drained = not self._busy()
        self._close()

    def _turn(self, wait: float) -> None:
        self._server.tidy()
        self._server.asyncore.loop(timeout=wait, map=self._sockets, use_poll=True, count=1)

    def _stop_listening(self) -> None:
        self._server.accepting = False
        self._server.del_channel()
        self._server.socket.close()

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _close(self) -> None:
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=0.5)
        self._server.asyncore.close_all(self._sockets, ignore_all=True)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


@contextlib.contextmanager
def serving(*servers: WebServer) -> Iterator[None]:
    """Serve for the length of a block."""
    for server in servers:
        server.start()
    try:
        yield
    finally:
        for server in servers:
            server.stop()


def run(servers: Sequence[WebServer], *, on_stop: Callable[[], None] | None = None) -> bool:
    """Serve until SIGTERM or SIGINT, then stop all; True where every request was finished.

    To be called in the main thread.  `on_stop` runs after the last request, before return.
    """
    with told_to_stop() as wait:
        for server in servers:
            server.start()
        while not wait(1.0):  # a wait without a limit would keep signals out on Windows
            pass
        finished = [server.stop() for server in servers]
        if on_stop is not None:
            on_stop()
    return all(finished)


def run_gunicorn(
    build: Callable[[], WSGIApplication],
    *,
    host: str,
    port: int,
    workers: int = 1,
    threads: int = 8,
    on_stop: Callable[[], None] | None = None,
) -> None:
    """Serve under gunicorn until SIGTERM; `build` runs in each worker, after the fork.

    So no database or broker connection is ever shared between processes.  Never returns: gunicorn
    leaves with exit code 0 after the running requests.
    """
    from gunicorn.app.base import BaseApplication

    class _Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in _gunicorn_options(host, port, workers, threads).items():
                self.cfg.set(name, value)
            if on_stop is not None:
                self.cfg.set("worker_exit", lambda _server, _worker: on_stop())

        def load(self) -> WSGIApplication:
            return build()

    _Application().run()


def _gunicorn_options(host: str, port: int, workers: int, threads: int) -> dict[str, Any]:
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "worker_tmp_dir": "/dev/shm",  # noqa: S108 - the heartbeat file of a read-only container
        "graceful_timeout": int(DRAIN_SECONDS),
        "timeout": 60,
        "keepalive": 5,
        "accesslog": None,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
