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

from bench.contest import Lost, carry
from bench.multiply import Originals, local_days, multiply
from bench.product.contestant import Product
from bench.product.dossiers import HandBack
from bench.schedule import Order
from bench.servers import SERVICES, Place, Servers
from shared.contract import names
from shared.contract.envelope import Envelope, encode

# One of so many is still being worked on; all others are finished and handed back.
OPEN_SHARE = 10
_PATIENCE = 120.0
_IN_VIETNAM = timedelta(hours=7)
_RESOLVED = 9  # status "Đã xử lý xong"

Counts = dict[str, dict[str, int]]


def fill(product: Product, servers: Servers, order: Order, whole: int) -> Counts:
    """Carry the few that are ordered to their end and make `whole` of them; rows by database."""
    began = datetime.now(UTC)
    carry(product, servers, order)
    place = product.place
    _hand_back(product, _answer(place))
    _until(lambda: _at_rest(place), "the databases never came to rest")
    ended = datetime.now(UTC)
    originals = Originals(began, ended, local_days(began, ended, _IN_VIETNAM))
    copies = max(1, -(-whole // order.count))

    def one(service: str) -> dict[str, int]:
        tables = importlib.import_module(f"services.{service}.storage.tables")
        return multiply(place.plain(service), tables.metadata, originals, copies)

    with ThreadPoolExecutor(len(SERVICES)) as pool:
        return dict(zip(SERVICES, pool.map(one, SERVICES), strict=True))


def _answer(place: Place) -> int:
    """Answer nine of ten tasks as their agencies; how many dossiers that finishes."""
    with psycopg.connect(place.plain("routing")) as connection:
        tasks = connection.execute("SELECT id, agency FROM tasks ORDER BY id").fetchall()
    answered = [each for index, each in enumerate(tasks) if index % OPEN_SHARE]
    broker = pika.BlockingConnection(pika.URLParameters(place.amqp_url))
    channel = broker.channel()
    channel.confirm_delivery()
    for task, agency in answered:
        channel.basic_publish(
            names.AGENCY_ANSWERS,
            names.answer_key(agency, "completed"),
            _completed(task, agency),
            pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json"),
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


def _at_rest(place: Place) -> bool:
    """Whether everything is sent, heard by all who read it, and told to the citizens."""
    made: dict[str, int] = {}
    heard: dict[str, int] = {}
    waiting = answers = 0
    for service in SERVICES:
        with psycopg.connect(place.plain(service), autocommit=True) as connection:
            waiting += _number(connection, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            facts = "SELECT count(*) FROM outbox WHERE exchange <> 'agency.tasks'"
            made[service] = _number(connection, facts)
            done = "SELECT count(*) FROM inbox WHERE state IN ('done', 'late')"
            heard[service] = _number(connection, done)
            if service == "routing":
                answers = _number(connection, "SELECT count(*) FROM answers")
            if service == "notify":
                unfinished = "SELECT count(*) FROM messages WHERE state <> 'sent'"
                waiting += _number(connection, unfinished)
    return waiting == 0 and heard == {
        "intake": made["routing"] + made["notify"],
        "routing": made["intake"] - _contacts(place) + answers,
        "notify": made["intake"] + made["routing"],
    }


def _contacts(place: Place) -> int:
    with psycopg.connect(place.plain("intake"), autocommit=True) as connection:
        contacts = "SELECT count(*) FROM outbox WHERE exchange = 'citizen.contacts'"
        return _number(connection, contacts)


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _until(reached: Callable[[], bool], else_say: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > end:
            raise Lost(else_say)
        time.sleep(0.2)
