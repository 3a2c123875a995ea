"""A line to the desk that a test cuts, and what it finds in the browser; no test lives here."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from services.intake.storage.tables import dossiers, slips
from shared.web.server import WebServer
from tests.browser import PATIENCE_MS
from tests.intake.rig import Desk

FORM = "/ho-so/moi/1.000001"
#: The next page that is opened is the worker's to answer, whether or not this one is.
READY = "() => navigator.serviceWorker.ready.then((found) => found.active?.state === 'activated')"
#: How many blank forms the browser keeps: the list, what waits, the slip, and those of the office.
KEPT = """async () => (await (await caches.open("lienthong-to-khai")).keys())
    .map((each) => new URL(each.url).pathname).sort()"""
ROWS = """() => lienthongQuay.rows().then(({ rows, locked }) =>
    ({ rows: rows.map(({ state, number, n }) => [n, state, number]), locked }))"""


class Line:
    """The server of one desk behind an address that stays; `mood` says what becomes of what is sent in.

    `up`; `silent` (it is done, the answer is lost); `down` (503); `foreign` (somebody else answers);
    `silent-then-down`; `no-blank` (503 for what the browser wants to keep).
    Moods but `up` and `down` touch only what is handed in.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.mood = "up"
        self.sent = 0
        self._server = WebServer(self._answer).start()
        self.port = self._server.port
        self.url = self._server.url

    def _answer(self, environ: Any, start: Any) -> Any:
        handed = environ["REQUEST_METHOD"] == "POST" and (
            environ["PATH_INFO"].startswith(("/ho-so/cho-gui/", "/ho-so/moi/"))
        )
        self.sent += handed
        blank = self.mood == "no-blank" and "trong=1" in environ.get("QUERY_STRING", "")
        if self.mood == "down" or blank:
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"away"]
        if handed and self.mood == "foreign":
            start("200 OK", [("Content-Type", "text/html")])
            return [b"<h1>Wi-Fi</h1>"]
        if handed and self.mood.startswith("silent"):
            b"".join(self.desk.web.wsgi_app(environ, lambda *_: None))  # type: ignore[arg-type]
            self.mood = self.mood.removeprefix("silent-then-") if "then" in self.mood else self.mood
            self._break(int(environ["REMOTE_PORT"]))
            start("500 Internal Server Error", [])
            return [b""]
        return self.desk.web.wsgi_app(environ, start)

    def _break(self, port: int) -> None:
        """The caller's connection ends here and now; nothing more is read or written."""
        for each in self._server._sockets.values():
            if getattr(each, "addr", None) and each.addr[1] == port:
                each.socket.shutdown(socket.SHUT_RDWR)
                return
        raise AssertionError(port)

    def stop(self) -> None:
        """Nobody listens at the address any more."""
        self._server.stop(drain=1.0)

    def begin(self) -> None:
        """Somebody listens at the same address again."""
        self._server = WebServer(self._answer, port=self.port).start()

    def filed(self) -> int:
        """How many dossiers there are."""
        return self._count(dossiers)

    def slips(self) -> int:
        """How many of them have a slip."""
        return self._count(slips)

    def _count(self, table: sa.Table) -> int:
        with self.desk.store.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def until(page: Any, script: str, holds: Callable[[Any], Any] = bool) -> Any:
    """What the script tells once that is so; a page's own waiting does not wait for promises."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not holds(told := page.evaluate(script)):
        assert time.monotonic() < end, told
        page.wait_for_timeout(50)
    return told


def settled(page: Any, site: str) -> None:
    """The browser has its key, its worker and the blank forms."""
    page.goto(f"{site}{FORM}")
    until(page, READY)
    until(page, KEPT, lambda kept: len(kept) >= 4)
    until(page, "() => lienthongQuay.who().then(Boolean)")


def fill(page: Any, name: str = "Nguyễn Thị Mai") -> None:
    """A whole form of the test's procedure."""
    page.locator("[name='f.full_name']").fill(name)
    page.locator("[name='f.birth_date']").fill("1990-05-04")
    page.locator("[name='p.to-khai.original']").fill("1")
    page.locator("[name='p.giay-to.copy']").fill("1")
    page.locator("[name='c.name']").fill(name)


def hand_in(page: Any) -> str:
    """Hand in what the form holds while the line is away; the number on the slip."""
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.wait_for_url("**/ho-so/cho-gui/giay#*")
    page.locator("#giay-tam").wait_for()
    number: str = page.locator("[data-slip='number']").inner_text()
    return number
