"""An agency's web server with tempers, for webhooks: real sockets, real HTTP. No test lives here."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Temper = Callable[[BaseHTTPRequestHandler], None]


def says(status: int, **headers: str) -> Temper:
    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.send_header("Content-Length", "0")
        to.end_headers()

    return answer


def hangs(to: BaseHTTPRequestHandler) -> None:
    to.rfile.read(1)  # until the other side has enough


def drips(to: BaseHTTPRequestHandler) -> None:
    """A head that never ends, a letter now and then."""
    to.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        to.wfile.write(b"x")
        time.sleep(0.02)


def never_ends(to: BaseHTTPRequestHandler) -> None:
    """A good answer with a body without end."""
    to.send_response(200)
    to.end_headers()
    while True:
        to.wfile.write(b"x" * 4096)


def hangs_up(to: BaseHTTPRequestHandler) -> None:
    to.close_connection = True
    to.connection.close()


@dataclass
class Peer:
    """What came, and how the next requests are answered; the last temper stays."""

    url: str = ""
    tempers: list[Temper] = field(default_factory=lambda: [says(204)])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def temper(self) -> Temper:
        return self.tempers.pop(0) if len(self.tempers) > 1 else self.tempers[0]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the messages, in the order in which they came."""
        return [int(json.loads(body)["sequence"]) for _, body in self.came]


@contextmanager
def peer(context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    known = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.came.append(({k.lower(): v for k, v in self.headers.items()}, body))
            known.temper()(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """The other side has hung up, as it should."""

    server = Server(("127.0.0.1", 0), Handler)
    scheme, host = "http", "127.0.0.1"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme, host = "https", "localhost"
    known.url = f"{scheme}://{host}:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
