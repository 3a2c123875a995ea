"""`./run bench routing`: how soon deadlines are judged, how fast webhooks go out, on PostgreSQL.

Beside the webhooks stands the least that the same job can cost: a line held open, one request for
each message, and one committed row that says how far it has come.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import click
import psycopg
import sqlalchemy as sa

from bench import deadlines
from bench.goals import Goal, at_path, judged, told
from bench.peers import peer
from bench.product.dossiers import Door, agencies, issue_keys, offices
from bench.servers import Place, Servers, found_or_started, fresh
from services.embedded.city import City, open_city
from services.routing.storage import webhooks as rows
from services.routing.usecases.remind import set_addresses
from services.routing.usecases.webhooks import set_webhook
from shared.events.names import ROUTING_TASKS
from shared.messaging.tables import LEDGERS
from shared.settings import Settings

_PATIENCE: Final = 600.0
_QUICK: Final = {"open_": 400, "due": 40, "flood": 200, "messages": 60, "rounds": 1, "after": 8.0}
GOALS: Final = (
    Goal(
        "judged",
        "what fell due together is judged and committed after",
        1.0,
        False,
        at_path("deadlines", "together", "committed_s"),
        " s",
    ),
)


@click.command()
@click.option("--open", "open_", default=100_000, show_default=True, help="Open steps.")
@click.option("--due", default=500, show_default=True, help="Of these fall due at one moment.")
@click.option("--flood", default=20_000, show_default=True, help="And in the second run.")
@click.option("--after", default=30.0, show_default=True, help="Seconds until that moment.")
@click.option("--workers", default=2, show_default=True, help="Processes that judge.")
@click.option("--messages", default=1_000, show_default=True, help="To send by webhook.")
@click.option("--rounds", default=3, show_default=True, help="In turn; medians are told.")
@click.option("--only", type=click.Choice(["deadlines", "webhooks"]), help="One part alone.")
@click.option("--quick", is_flag=True, help="All of it, small: does it run?")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def routing(*, only: str | None, quick: bool, target: Path | None, **sizes: Any) -> None:
    """Measure routing's dates and webhooks on PostgreSQL."""
    if quick:
        sizes |= {name: min(sizes[name], small) for name, small in _QUICK.items()}
    result: dict[str, Any] = {"sizes": sizes}
    with (
        found_or_started() as servers,
        tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder,
    ):
        if only != "webhooks":
            result["deadlines"] = {
                name: _judging(servers, Path(folder) / name, sizes, sizes[due])
                for name, due in (("together", "due"), ("flood", "flood"))
            }
        if only != "deadlines":
            result["webhooks"] = _webhooks(servers, Path(folder), sizes)
    result["goals"] = judged(result, GOALS)
    click.echo("\n".join(told(result["goals"])))
    if target is not None:
        target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


# --- dates ----------------------------------------------------------------------------------------


def _judging(servers: Servers, folder: Path, sizes: dict[str, Any], due: int) -> dict[str, Any]:
    """So many fall due at once among all that are open; how late, and how many a second."""
    folder.mkdir()
    with fresh(servers) as place:
        settings = Settings(
            service="routing", data_dir=folder, database_url=place.databases["routing"]
        )
        found, whole = deadlines.measure(
            replace(settings, log_level="error"),
            sizes["open_"], due, sizes["workers"], sizes["after"], _PATIENCE,
        )  # fmt: skip
    late = sorted(seconds for _, seconds in found)
    if len({task for task, _ in found}) != due or len(found) != due:
        raise click.ClickException(f"{len(found)} of {due} dates were judged, or one of them twice")
    measured = {
        "due": due,
        "taken_up_s": late[-1],
        "committed_s": whole,
        "per_second": due / whole,
    }
    click.echo(
        "{due} of {open_} at one moment: the last taken up after {taken_up_s:.2f} s, all committed "
        "after {committed_s:.2f} s; {per_second:.0f} a second".format(
            **measured, open_=sizes["open_"]
        )
    )
    return measured


# --- webhooks -------------------------------------------------------------------------------------


def _webhooks(servers: Servers, folder: Path, sizes: dict[str, Any]) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"product": [], "bare": []}
    with peer(_serve) as port, fresh(servers) as place:
        url = f"http://127.0.0.1:{port}/nhan"
        city = open_city(folder / "city", database=place.databases, webhook_loopback=True)
        city.migrate()
        try:
            for _ in range(sizes["rounds"]):
                waiting = _filed(city, sizes["messages"], url)
                rates["product"].append(sum(map(len, waiting.values())) / _sent(city))
                rates["bare"].append(
                    sum(map(len, waiting.values())) / _sent_barely(place, url, waiting)
                )
        finally:
            city.close()
    measured = {f"{name}_per_second": median(found) for name, found in rates.items()}
    measured["ratio"] = measured["product_per_second"] / measured["bare_per_second"]
    click.echo(
        "webhooks to {} agencies: {product_per_second:.0f} a second, the least app "
        "{bare_per_second:.0f}, ratio {ratio:.2f}".format(len(waiting), **measured)
    )
    return measured


def _filed(city: City, count: int, url: str) -> dict[str, list[bytes]]:
    """File dossiers, so that their tasks wait for the webhooks of their agencies; the bodies."""
    codes = offices(city.catalogue)
    door = Door(city.intake, codes, issue_keys(city.intake, codes), by_mail=False)
    named = agencies(city.catalogue)
    store = city.routing.store
    with store.begin() as uow:
        for agency in named:
            rows.remove(uow, agency)  # that of the round before would send already
    first = time.time_ns()
    for number in range(count):
        door.submit(first + number)
        if number % 50 == 0:
            city.pump()
    while city.pump():
        pass
    with store.begin() as uow:
        for agency in named:
            set_addresses(uow, city.catalogue, agency, ["may@x.example"], remove=False)
            set_webhook(uow, city.catalogue, agency, url, (), loopback=True)
    outbox = LEDGERS.outbox.c
    waiting = {}
    with store.read() as connection:
        for hook in rows.every(connection):
            mine = (
                outbox.stream == f"{ROUTING_TASKS} {hook.agency}",
                outbox.sequence > hook.cursor,
            )
            bodies = connection.scalars(sa.select(outbox.body).where(*mine))
            waiting[hook.agency] = [bytes(each) for each in bodies]
    return {agency: bodies for agency, bodies in waiting.items() if bodies}


def _sent(city: City) -> float:
    """Seconds until routing's own loop has sent all of it."""
    store = city.routing.store
    (loop,) = (each for each in city.loops if each.name == "routing.webhooks")
    loop.wake()
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE:
        loop.step(0.05)
        with store.read() as connection:
            left = [each for each in rows.every(connection) if each.last > each.cursor]
        if not left:
            break
        if any(each.failure for each in left):
            raise click.ClickException(f"a webhook failed: {left[0].failure}")
    return time.monotonic() - began


def _sent_barely(place: Place, url: str, waiting: dict[str, list[bytes]]) -> float:
    """Seconds for a thread an agency that posts each body and commits how far it has come."""
    plain, to = place.plain("routing"), urlsplit(url)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (agency text PRIMARY KEY, cursor int)")

    def send(agency: str, bodies: Sequence[bytes]) -> None:
        line = http.client.HTTPConnection(str(to.hostname), to.port)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("INSERT INTO bare VALUES (%s, 0) ON CONFLICT DO NOTHING", [agency])
            for number, body in enumerate(bodies):
                line.request("POST", to.path, body, {"Content-Type": "application/json"})
                if line.getresponse().read() or number < 0:
                    raise click.ClickException("the peer of the benchmark answers nothing")
                connection.execute(
                    "UPDATE bare SET cursor = cursor + 1 WHERE agency = %s", [agency]
                )
        line.close()

    threads = [threading.Thread(target=send, args=each) for each in waiting.items()]
    began = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join(_PATIENCE)
    return time.monotonic() - began


def _serve(told_to: Connection) -> None:
    """An agency's web server, which takes everything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    server.daemon_threads = True
    told_to.send(server.server_port)
    server.serve_forever()


class _Takes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
