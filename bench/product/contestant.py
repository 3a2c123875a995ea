"""The product as a contestant, on servers and embedded."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.crew import Crew
from bench.mail import MailSink
from bench.product.build import Where, migrate
from bench.product.dossiers import agencies, offices
from bench.product.embedded import Embedded
from bench.product.roles import Submit, Work
from bench.servers import SERVICES, Place, Servers, fresh
from bench.sink import AgencySink
from shared.catalogue import Catalogue, load
from shared.messaging import Bus
from shared.messaging.topology import agency_queues
from shared.settings import PROJECT

KINDS = ("vn.lienthong.task.assigned.v1",)


@dataclass
class Product:
    """Its crew at work, and where its databases and broker are."""

    crew: Crew
    place: Place
    name: str = "product"
    submitter: str = "submit"
    task_log: str = "agency"
    message_log: str = "notify work"
    task_word: str = "log"
    message_word: str = "log"


@contextmanager
def on_servers(
    servers: Servers, *, by_mail: bool = False, counting: bool = False, working: bool = True
) -> Iterator[Product]:
    """The product on fresh databases and a fresh virtual host; without `working`, the doors alone.

    With `by_mail` citizens are told by SMTP through a server of our own, else by the null channel.
    """
    catalogue = _catalogue()
    with fresh(servers) as place, tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder:
        mail = socket.create_server(("127.0.0.1", 0)) if by_mail else None
        smtp = f"smtp://127.0.0.1:{mail.getsockname()[1]}?starttls=no" if mail else None
        where = Where(place.databases, place.amqp_url, folder, smtp)
        migrate(where)
        crew = Crew(servers.broker_port if counting else 0)
        try:
            if mail is not None:
                crew.start("mail", MailSink, mail)
            crew.start("submit", Submit, where, offices(catalogue))
            if working:
                _start_work(crew, where, agencies(catalogue))
            crew.ready()
            yield Product(crew, place, message_log="mail" if mail else "notify work")
        finally:
            crew.stop()
            if mail is not None:
                mail.close()


def _start_work(crew: Crew, where: Where, codes: Sequence[str]) -> None:
    for name in SERVICES:
        crew.start(f"{name} work", Work, where, name)
    bus = Bus(where.amqp_url)
    bus.declare((), agency_queues(codes))  # also of those that have none by the catalogue
    bus.close()
    queues = [f"agency.{code}.tasks" for code in codes]
    crew.start("agency", AgencySink, where.amqp_url, queues, KINDS)


@contextmanager
def embedded() -> Iterator[Product]:
    """The product in one process on SQLite files of its own."""
    catalogue = _catalogue()
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder:
        databases = {name: f"sqlite:///{Path(folder) / f'{name}.db'}" for name in SERVICES}
        where = Where(databases, "memory://", folder)
        crew = Crew()
        try:
            crew.start("city", Embedded, where, offices(catalogue), agencies(catalogue))
            crew.ready()
            yield Product(
                crew,
                Place(databases, where.amqp_url),
                name="embedded",
                submitter="city",
                task_log="city",
                message_log="city",
                task_word="tasks",
                message_word="messages",
            )
        finally:
            crew.stop()


def _catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")
