"""Databases that are full already: a few thousand dossiers carried to their end, then multiplied.

The few go through the running product like all others: submitted, answered over the broker, handed
back to the citizen. Only their rows are copied (bench/multiply.py), so every table and index has
the size and the spread that so many real dossiers would give.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pika
import psycopg
import sqlalchemy as sa

from bench.contest import Lost, carry
from bench.multiply import Originals, local_days, multiply
from bench.product.build import PRIVACY_KEYS
from bench.product.contestant import Product
from bench.product.dossiers import HandBack
from bench.schedule import Order
from bench.servers import SERVICES, Place, Servers
from shared.database import make_engine, sealing
from shared.database.keyring import KeyFile
from shared.database.resealing import open_all, tables_of
from shared.database.sealing import Sealer
from shared.events import names
from shared.events.envelope import Envelope, encode

# One of so many is still being worked on; all others are finished and handed back.
OPEN_SHARE = 10
_PATIENCE = 120.0
_IN_VIETNAM = timedelta(hours=7)
_RESOLVED = 9  # status "Đã xử lý xong"
_FACTS = ("outbox", "inbox")
_UNDONE = (
    "SELECT count(*) FROM outbox WHERE sent_at IS NULL",
    "SELECT count(*) FROM inbox WHERE state IN ('waiting', 'retry')",
)
_ON_ITS_WAY = {
    "notify": ("SELECT count(*) FROM messages WHERE state IN ('queued', 'failed', 'sending')",),
}
# So often, 0.2 s apart, everything must look the same: ten times what a fact takes on its way.
_QUIET_LOOKS = 10

Counts = dict[str, dict[str, int]]


def fill(product: Product, servers: Servers, order: Order, whole: int) -> Counts:
    """Carry the few that are ordered to their end and make `whole` of them; rows by database."""
    began = datetime.now(UTC)
    carry(product, servers, order)
    place = product.place
    _hand_back(product, _answer(place))
    _come_to_rest(place)
    ended = datetime.now(UTC)
    originals = Originals(began, ended, local_days(began, ended, _IN_VIETNAM))
    copies = max(1, -(-whole // order.count))

    def one(service: str) -> dict[str, int]:
        tables = importlib.import_module(f"services.{service}.storage.tables")
        lay_open(place.databases[service], tables.metadata)
        return multiply(place.plain(service), tables.metadata, originals, copies)

    with ThreadPoolExecutor(len(SERVICES)) as pool:
        return dict(zip(SERVICES, pool.map(one, SERVICES), strict=True))


def lay_open(url: str, metadata: sa.MetaData) -> None:
    """Write in clear what is sealed: PostgreSQL itself copies it, and puts other codes into it.

    The product reads it as what a version before has written.
    """
    engine = make_engine(url)
    sealing.give(engine, Sealer(KeyFile(PRIVACY_KEYS)))
    for table in tables_of(metadata):
        with engine.begin() as connection:
            open_all(connection, table)
    engine.dispose()


def _answer(place: Place) -> int:
    """Answer nine of ten tasks as their agencies; how many dossiers that finishes."""
    with psycopg.connect(place.plain("routing")) as connection:
        tasks = connection.execute("SELECT id, agency FROM tasks ORDER BY id").fetchall()
    answered = [each for index, each in enumerate(tasks) if index % OPEN_SHARE]
    address = pika.URLParameters(place.amqp_url)
    broker = pika.BlockingConnection(address)
    channel = broker.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(
        delivery_mode=2,
        content_type="application/cloudevents+json",
        user_id=address.credentials.username,
    )
    for task, agency in answered:
        channel.basic_publish(
            names.AGENCY_ANSWERS,
            names.answer_key(agency, "completed"),
            _completed(task, agency),
            properties,
            mandatory=True,
        )
    broker.close()
    return len(answered)


def _completed(task: str, agency: str) -> bytes:
    granted = {"outcome": "granted", "result_code": None, "document": f"TĐ-{task[-8:]}"}
    return encode(
        Envelope(
            id=f"{task}.completed",
            source=names.agency_source(agency),
            type=names.wire("answer.completed"),
            subject=task,
            time=datetime.now(UTC),
            data={"task": task, **granted, "reason": None, "amount_vnd": None},
        )
    )


def _hand_back(product: Product, finished: int) -> None:
    """Let the desks hand over all results, once intake has heard of them."""
    resolved = f"SELECT count(*) FROM dossiers WHERE status = {_RESOLVED}"
    with psycopg.connect(product.place.plain("intake"), autocommit=True) as connection:
        _until(
            lambda: _number(connection, resolved) == finished, "not every answer came to a result"
        )
        ready = f"SELECT code, office FROM dossiers WHERE status = {_RESOLVED} ORDER BY code"
        found = connection.execute(ready).fetchall()
    product.crew.ask(product.submitter, HandBack(tuple(found)), timeout=_PATIENCE + finished / 5)


def _come_to_rest(place: Place) -> None:
    """Wait until nothing is on its way and nothing has moved for a while, in all databases."""
    before: list[int] | None = None
    quiet = 0

    def rests() -> bool:
        nonlocal before, quiet
        now = _rows_of_facts(place)
        quiet = quiet + 1 if now is not None and now == before else 0
        before = now
        return quiet >= _QUIET_LOOKS

    _until(rests, "the databases never came to rest")


def _rows_of_facts(place: Place) -> list[int] | None:
    """How many facts were made and heard everywhere; None while something is on its way."""
    found = []
    for service in SERVICES:
        with psycopg.connect(place.plain(service), autocommit=True) as connection:
            if any(_number(connection, each) for each in _ON_ITS_WAY.get(service, ()) + _UNDONE):
                return None
            found += [_number(connection, f"SELECT count(*) FROM {name}") for name in _FACTS]
    return found


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _until(reached: Callable[[], bool], else_say: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > end:
            raise Lost(else_say)
        time.sleep(0.2)
