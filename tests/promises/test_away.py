"""Promise 4: with the broker away intake goes on accepting; with a database away nothing is lost."""

from __future__ import annotations

import dataclasses
import itertools
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from shared.catalogue import Catalogue
from shared.kernel.errors import BrokerAway, DatabaseAway
from shared.settings import SERVICES, Settings
from shared.testing.proxy import FaultProxy
from shared.web.ops import OpsApp
from simulation.kit import Desk
from tests.backends import EmbeddedBackend, ServersBackend
from tests.embedded.townsfolk import INTERLINKED, unsent
from tests.promises.crashes import loop
from tests.promises.test_receipts import a_filing, ask
from tests.promises.town import Portrait, Town, check_as_calm, check_once

READERS = {"intake": "intake.facts", "routing": "routing.facts", "notify": "notify.facts"}


@contextmanager
def line_to(url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A line to a server that can be cut, and the URL of its near end."""
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with FaultProxy((parts.hostname, parts.port)) as proxy:
        yield proxy, url.replace(f":{parts.port}/", f":{proxy.port}/")


def becomes(town: Town, service: str, status: int) -> None:
    """What /readyz of that service says, if it is given the time to ask."""
    client = Client(OpsApp(town.city.services[service]))
    wait_for(lambda: client.get("/readyz").status_code == status)
    assert client.get("/healthz").status_code == 200


def check_calm(town: Town, calm: Mapping[str, Portrait], *codes: str) -> None:
    town.finish(*codes)
    for code in codes:
        check_as_calm(town.city, calm, code)
    check_once(town.city, *codes)


# --- the broker ---------------------------------------------------------------------------------------


@pytest.fixture
def far_broker(
    on_servers: ServersBackend, catalogue: Catalogue, calm: object
) -> Iterator[tuple[Town, FaultProxy]]:
    """A town whose line to the broker can be cut."""
    with line_to(on_servers.amqp_url()) as (proxy, url):

        def change(settings: Settings) -> Settings:
            return dataclasses.replace(settings, amqp_url=url)

        town = Town(on_servers, catalogue, change=change)
        yield town, proxy
        town.close()


def test_while_the_broker_is_away_intake_accepts_and_afterwards_everything_flows(
    far_broker: tuple[Town, FaultProxy], calm: Mapping[str, Portrait]
):
    town, proxy = far_broker
    early = town.desk().submit(INTERLINKED).code
    town.carry(lambda: town.desk().status(early) >= 4)
    proxy.cut()
    codes = [town.desk().submit(INTERLINKED).code for _ in range(3)]
    town.city.pump(tolerant=True)
    assert unsent(town.city) >= 6
    assert [town.desk().status(code) for code in codes] == [2, 2, 2]
    proxy.heal()
    check_calm(town, calm, early, *codes)


def test_a_line_cut_in_the_middle_of_publishing_loses_and_repeats_nothing(
    far_broker: tuple[Town, FaultProxy], calm: Mapping[str, Portrait]
):
    town, proxy = far_broker
    codes: list[str] = []
    for written in (0, 3, 8):
        town.city.pump(tolerant=True)
        codes += [town.desk().submit(INTERLINKED).code for _ in range(4)]
        publish_until_cut(town, proxy, written)
        proxy.heal()
        town.carry(lambda: unsent(town.city) == 0)
    check_calm(town, calm, *codes)


def publish_until_cut(town: Town, proxy: FaultProxy, written: int) -> None:
    """Intake's relay sends; the line is cut once so many messages are written."""
    relay = loop(town.city, "intake.relay")
    if relay._publisher is None:
        relay._publisher = town.city.bus.publisher()
    publisher = relay._publisher
    write, count = publisher._write, itertools.count()

    def write_until_cut(channel: Any, message: Any) -> None:
        if next(count) == written:
            proxy.cut()
        write(channel, message)

    with mock.patch.object(publisher, "_write", write_until_cut):
        with suppress(BrokerAway):
            relay.step(0)
    proxy.cut()  # also where all was written: before anything else is heard
    town.city.pump(tolerant=True)


# --- a database ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_while_a_database_is_away_nothing_is_acknowledged_and_nothing_lost(
    on_servers: ServersBackend, catalogue: Catalogue, calm: Mapping[str, Portrait], service: str
):
    with line_to(on_servers.settings(service).database_url) as (proxy, url):

        def change(settings: Settings) -> Settings:
            far = settings.service == service
            return dataclasses.replace(settings, database_url=url) if far else settings

        town = Town(on_servers, catalogue, change=change)
        code = town.desk().submit(INTERLINKED).code
        town.carry(lambda: town.desk().status(code) >= 4)
        becomes(town, service, 200)
        desk = town.desk()
        proxy.cut()
        becomes(town, service, 503)
        other = refused_or_filed(town, desk, service)
        _pump_in_trouble(town, service)
        proxy.heal()
        becomes(town, service, 200)
        check_calm(town, calm, code, *other)

        # And with a restart in the middle: what was taken and not acknowledged comes again.
        desk = town.desk()
        if service != "intake":
            town.city.pump()
            last = desk.submit(INTERLINKED).code
            proxy.cut()
            _pump_in_trouble(town, service)
            queue = READERS[service]
            for each in town.city.loops:
                each.close()
            town_bus = town.city.bus
            wait_for(lambda: town_bus.depth(queue) >= 1)
            proxy.heal()
            town.die()
            check_calm(town, calm, last)
        town.close()


def wait_for(done: Any) -> None:
    import time

    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def refused_or_filed(town: Town, desk: Desk, service: str) -> list[str]:
    """Intake without its database gives no receipt; the two others hinder no citizen."""
    reply = ask(desk, a_filing(town), "while it is away")
    if service == "intake":
        assert reply.status == 503
        return []
    assert reply.status == 201
    return [reply.json()["code"]]


def _pump_in_trouble(town: Town, service: str) -> None:
    """Each loop meets the trouble a few times; only those of this service meet it."""
    met = set()
    for _ in range(3):
        for each in town.city.loops:
            try:
                each.step(0)
            except DatabaseAway:
                met.add(each.name.partition(".")[0])
    # Intake's loops look only when there is something to send or to hear.
    assert met == {service} or (service == "intake" and not met)


@pytest.mark.parametrize("service", SERVICES)
def test_a_full_disk_refuses_receipts_and_loses_nothing(
    embedded: EmbeddedBackend, catalogue: Catalogue, calm: Mapping[str, Portrait], service: str
):
    town = Town(embedded, catalogue)
    desk = town.desk()
    early = desk.submit(INTERLINKED).code
    receipts, refused = [early], 0
    with disk_full(town, service):
        for number in range(12 if service == "intake" else 3):
            reply = ask(desk, a_filing(town), f"number {number}")
            if reply.status == 201:
                receipts.append(reply.json()["code"])
            else:
                assert reply.status == 503
                refused += 1
        troubled = False
        for each in town.city.loops:
            try:
                each.step(0)
            except DatabaseAway:
                troubled = True
    assert refused > 0 if service == "intake" else troubled
    check_calm(town, calm, *receipts)
    town.close()


@contextmanager
def disk_full(town: Town, service: str) -> Iterator[None]:
    """SQLite says SQLITE_FULL as soon as the file would have to grow."""
    engine = town.city.services[service].store.engine

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute("PRAGMA max_page_count=1")  # no less than there are, and no more

    def free(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute("PRAGMA max_page_count=1073741823")

    sa.event.listen(engine, "checkout", limit)
    try:
        yield
    finally:
        sa.event.remove(engine, "checkout", limit)
        sa.event.listen(engine, "checkout", free)
