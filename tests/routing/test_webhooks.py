"""Webhooks to agencies: every message once, in order, whatever the other side does; told when not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from partner.webhook import verify
from services.routing.app import build
from services.routing.delivery import webhooks as sending
from services.routing.delivery.posting import Poster
from services.routing.delivery.webhooks import Webhooks
from services.routing.domain.webhook import GIVE_UP, GRACE, LEASE, Webhook, secret_of
from services.routing.storage import webhooks as rows
from services.routing.storage.standing import MATTERS
from services.routing.storage.tables import tasks, webhooks
from services.routing.usecases import webhooks as wishes
from services.routing.usecases.pace import paces
from services.routing.usecases.remind import set_addresses
from shared.kernel.clock import RealClock
from shared.kernel.errors import InvalidInput, NotFound
from shared.kernel.ids import SeededIds
from shared.messaging import Bus
from tests.backends import EmbeddedBackend
from tests.routing.peer import Peer, hangs, peer, says
from tests.routing.test_book import book
from tests.routing.test_reminders import lists, pass_hours, vn
from tests.routing.town import Town, migrate, withdrawn
from tests.routing.worlds import NOW

OFFICE = "phuong-1"
KEY = "a key for tests alone, it opens no door"


def dossier_code(number: int) -> str:
    return f"000.00.01.H20-220301-{number:04}"


@pytest.fixture
def agency() -> Iterator[Peer]:
    with peer() as made:
        yield made


@pytest.fixture
def called(town: Town, agency: Peer) -> Town:
    """A town on each back end whose office has a webhook."""
    connect(town, agency)
    return town


def connect(town: Town, to: Peer, code: str = OFFICE, *skips: str) -> str:
    """The secret that the agency is given."""
    with town.service.store.begin() as uow:
        set_addresses(uow, town.rules, code, [f"{code}@x.example"], remove=False)
        nonce = wishes.set_webhook(uow, town.rules, code, to.url, skips, loopback=True)
    assert nonce is not None
    return secret_of(KEY, code, nonce)


def sender(town: Town, **more: Any) -> Webhooks:
    poster = Poster(loopback=True, seconds=more.pop("seconds", 60.0))
    return Webhooks(town.service.store, poster, KEY, **more)


def deliver(town: Town) -> None:
    loop = sender(town)
    while loop.step(0):
        pass
    loop.close()


def hook(town: Town, code: str = OFFICE) -> Webhook:
    with town.service.store.read() as connection:
        found = rows.of(connection, code)
    assert found is not None
    return found


def act(town: Town, do: Any, code: str = OFFICE) -> None:
    with town.service.store.begin() as uow:
        do(uow, code)


def receive(town: Town, count: int) -> None:
    for number in range(1, count + 1):
        town.receive(dossier_code(number))


def test_the_messages_of_the_door_come_signed_in_order_and_stand_in_the_book(
    town: Town, agency: Peer
) -> None:
    secret = connect(town, agency)
    receive(town, 2)
    town.intake(withdrawn(dossier_code(1)))
    deliver(town)
    assert [(each.fetched_at, each.fetched_by) for each in book(town)] == [(NOW, "webhook")] * 3
    door = town.web.get("/api/v1/tasks?after=0", headers=town.key(OFFICE)).json["items"]
    assert [json.loads(body) for _, body in agency.came] == door
    assert agency.numbers == [1, 2, 3]
    for headers, body in agency.came:
        verify([secret], headers, body, town.clock.now)
        assert headers["webhook-id"] == json.loads(body)["id"]
    assert (hook(town).cursor, hook(town).delivered, hook(town).failed) == (3, 3, 0)
    with town.service.store.read() as connection:
        repeat = set(connection.scalars(sa.select(tasks.c.repeat_at)))
    assert repeat == {None}, "what was taken need not be handed over again"


def test_what_fails_holds_back_its_own_agency_alone_and_is_tried_again_later(
    small_town: Town, agency: Peer
) -> None:
    called = small_town
    connect(called, agency)
    agency.tempers = [says(500), says(302, Location="/"), says(204)]
    with peer() as other:
        connect(called, other, "cong-an")
        receive(called, 3)
        called.grant(OFFICE, result_code="KQ.1")
        deliver(called)
        assert other.numbers == [1]
    assert agency.numbers == [1]
    assert (hook(called).failure, hook(called).cursor) == ("http 500", 0)
    deliver(called)
    assert agency.numbers == [1], "not before its time"
    for seconds in (7, 20):
        called.clock.advance(timedelta(seconds=seconds))
        deliver(called)
    assert agency.numbers == [1, 1, 1, 2, 3], "in order, each until it is taken"
    assert len({headers["webhook-id"] for headers, _ in agency.came}) == 3
    assert (hook(called).failing_since, hook(called).delivered, hook(called).failed) == (None, 3, 2)


def test_after_a_day_it_is_paused_its_staff_told_daily_and_resumed_without_loss(
    small_town: Town, agency: Peer
) -> None:
    town = small_town
    connect(town, agency, "bhxh")
    connect(town, agency)
    agency.tempers = [says(500)]
    receive(town, 1)
    with town.service.store.read() as connection:
        assert not [line for line in MATTERS.lines(connection, NOW) if "webhook" in line.name]
    while hook(town).paused is None:
        deliver(town)
        town.clock.set(hook(town).next_at or town.clock.now())
    assert town.clock.now() == NOW + GIVE_UP
    town.receive(dossier_code(2))
    before = len(agency.came)
    deliver(town)
    assert len(agency.came) == before, "nothing is sent while it is paused"
    pass_hours(town, vn(date(2022, 3, 3), 18))
    mails = lists(town)
    assert [mail["webhook_paused_at"] for mail in mails] == ["2022-03-02T02:00:00Z"] * 2, (
        "on the 2nd and the 3rd"
    )
    assert lists(town, "bhxh") == []
    with town.service.store.read() as connection:
        (line,) = (each for each in MATTERS.lines(connection, NOW) if "webhook" in each.name)
        (pace,) = (
            each for each in paces(connection, town.rules, town.clock.now()) if each.of.webhook
        )
    assert (line.name, line.count) == (f"webhook {OFFICE}", 4)
    assert pace.of.webhook is not None
    assert pace.of.webhook.paused == "http 500"
    agency.tempers, agency.came = [says(204)], []
    act(town, wishes.resume)
    deliver(town)
    assert agency.numbers == [1, 2, 3, 4]


def test_gone_pauses_at_once_and_a_trial_goes_all_the_same(small_town: Town, agency: Peer) -> None:
    town = small_town
    connect(town, agency)
    receive(town, 1)
    agency.tempers = [says(410)]
    deliver(town)
    assert hook(town).paused == "http 410"
    act(town, wishes.ask_trial)
    deliver(town)
    assert hook(town).trial == "http 410"
    agency.tempers = [says(204)]
    act(town, wishes.ask_trial)
    deliver(town)
    assert (hook(town).trial, hook(town).cursor, hook(town).paused) == ("ok", 0, "http 410")
    assert "sequence" not in json.loads(agency.came[-1][1])


def test_a_trial_that_fails_leaves_what_waits_to_its_time_and_a_good_one_goes_on(
    small_town: Town, agency: Peer
) -> None:
    town = small_town
    connect(town, agency)
    receive(town, 1)
    agency.tempers = [says(500), says(500), says(204)]
    deliver(town)
    planned = hook(town).next_at
    act(town, wishes.ask_trial)
    deliver(town)
    assert (len(agency.came), hook(town).next_at, hook(town).attempts) == (2, planned, 1)
    act(town, wishes.ask_trial)
    deliver(town)
    assert (len(agency.came), hook(town).cursor) == (4, 1)


def test_notices_may_be_left_out_and_what_is_left_out_is_not_called_fetched(
    small_town: Town, agency: Peer
) -> None:
    town = small_town
    connect(town, agency, OFFICE, "cancelled")
    receive(town, 1)
    town.intake(withdrawn(dossier_code(1)))
    town.receive(dossier_code(2))
    deliver(town)
    assert agency.numbers == [1, 3]
    assert [each.fetched_by for each in book(town)] == ["webhook", None, "webhook"]
    town.intake(withdrawn(dossier_code(2)))
    deliver(town)
    assert (agency.numbers, hook(town).cursor) == ([1, 3], 4)


def test_a_new_webhook_begins_with_the_tasks_that_are_open(small_town: Town, agency: Peer) -> None:
    town = small_town
    receive(town, 1)
    town.grant(OFFICE, result_code="KQ.1")
    town.clock.advance(timedelta(days=3))
    town.receive(dossier_code(2), received_at=town.clock.now())
    connect(town, agency)
    deliver(town)
    assert agency.numbers == [2]


def test_two_senders_at_once_send_each_message_once_and_in_order(
    called: Town, agency: Peer
) -> None:
    receive(called, 3)
    loops = [sender(called, me=name) for name in ("a", "b")]
    together = threading.Barrier(2)

    def work(loop: Webhooks) -> None:
        together.wait(10)
        for _ in range(6):
            loop.wake()
            loop.step(0)

    threads = [threading.Thread(target=work, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert agency.numbers == [1, 2, 3]


def test_what_a_dead_process_held_goes_on_after_its_lease_and_all_of_it_is_kept(
    called: Town, agency: Peer
) -> None:
    act(called, wishes.new_secret)
    act(called, wishes.ask_trial)
    kept = hook(called)
    assert len(kept.secrets) == 2
    assert kept.secrets[1].until == NOW + GRACE
    assert kept.trial_asked_at == NOW
    deliver(called)
    assert hook(called).trial == "ok"
    agency.came.clear()
    receive(called, 1)
    with called.service.store.begin() as uow:
        assert [each.agency for each in rows.claim(uow, "dead", 9)] == [OFFICE]
    deliver(called)
    assert agency.numbers == []
    called.clock.advance(LEASE)
    deliver(called)
    assert agency.numbers == [1]


def test_an_owner_who_acts_while_a_request_is_out_has_the_last_word(
    small_town: Town, agency: Peer
) -> None:
    """What came back since it was written down last is not noted; it comes again under its ids."""
    called = small_town
    connect(called, agency)
    receive(called, 2)

    def pauses(to: Any) -> None:
        act(called, wishes.pause)
        says(204)(to)

    agency.tempers = [pauses, says(204)]
    deliver(called)
    assert (hook(called).paused, hook(called).cursor, agency.numbers) == ("by hand", 0, [1, 2])
    assert [each.fetched_at for each in book(called)] == [None, None]
    act(called, wishes.resume)
    deliver(called)
    assert agency.numbers == [1, 2, 1, 2]
    assert agency.came[0][0]["webhook-id"] == agency.came[2][0]["webhook-id"]


def test_what_a_slow_agency_took_is_written_down_while_the_rest_is_sent(
    small_town: Town, agency: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = small_town
    connect(town, agency)
    receive(town, 3)
    monkeypatch.setattr(sending, "WRITE_SECONDS", 0.0)  # as of one that answers after a second
    seen: list[int] = []

    def looks(to: Any) -> None:
        seen.append(hook(town).cursor)
        says(204)(to)

    agency.tempers = [looks]
    deliver(town)
    assert seen == [0, 1, 2]
    assert hook(town).delivered == 3


def test_a_process_that_stood_still_too_long_sends_nothing_more(
    small_town: Town, agency: Peer
) -> None:
    town = small_town
    connect(town, agency)
    receive(town, 2)

    def stands_still(to: Any) -> None:
        town.clock.advance(LEASE)
        with town.service.store.begin() as uow:
            assert rows.claim(uow, "another", 9)
        says(204)(to)

    agency.tempers = [stands_still, says(204)]
    deliver(town)
    assert (agency.numbers, hook(town).cursor) == ([1], 0)


def test_one_that_hangs_holds_up_no_other(embedded: EmbeddedBackend, agency: Peer) -> None:
    """On the machine's clock each agency has a thread of its own."""
    embedded.migrated("routing", migrate)
    town = Town(embedded.settings("routing"))
    with peer() as stuck:
        stuck.tempers = [hangs]
        connect(town, stuck, "cong-an")
        connect(town, agency)
        receive(town, 1)
        town.grant(OFFICE, result_code="KQ.1")
        town.receive(dossier_code(2))
        service = build(
            embedded.settings("routing"), catalogue=town.rules, clock=RealClock(),
            ids=SeededIds(5), bus=Bus(town.settings.amqp_url),
        )  # fmt: skip
        loop = Webhooks(service.store, Poster(loopback=True, seconds=2.0), KEY)
        for _ in range(1000):
            loop.step(0.05)
            if agency.numbers == [1, 2]:
                break
        assert agency.numbers == [1, 2]
        assert hook(town, "cong-an").failure is None, "it is still waited for"
        for _ in range(1000):
            loop.step(0.05)
            if hook(town, "cong-an").failure:
                break
        loop.close()
        assert hook(town, "cong-an").failure == "timeout"
        service.close()
    town.close()


def test_what_cannot_be_set_is_refused_with_every_fault(small_town: Town, agency: Peer) -> None:
    town = small_town
    with town.service.store.begin() as uow, pytest.raises(InvalidInput) as refused:
        wishes.set_webhook(uow, town.rules, OFFICE, "http://x.vn/", (), loopback=False)
    assert [each.place for each in refused.value.faults] == ["contacts", "url"]
    for do in (wishes.resume, wishes.pause, wishes.remove, wishes.ask_trial, wishes.new_secret):
        with town.service.store.begin() as uow, pytest.raises(NotFound):
            do(uow, OFFICE)
    connect(town, agency)
    act(town, wishes.remove)
    with town.service.store.read() as connection:
        assert rows.every(connection) == []


def test_an_address_that_is_changed_is_tried_at_once_and_keeps_its_place(
    small_town: Town, agency: Peer
) -> None:
    town = small_town
    with peer() as wrong:
        wrong.tempers = [says(404)]
        connect(town, wrong)
        receive(town, 2)
        deliver(town)
        assert wrong.numbers == [1]
    with town.service.store.begin() as uow:
        assert wishes.set_webhook(uow, town.rules, OFFICE, agency.url, (), loopback=True) is None, (
            "its secret stays"
        )
    deliver(town)
    assert agency.numbers == [1, 2]


def test_the_city_restored_from_a_backup_is_no_endless_loop(small_town: Town, agency: Peer) -> None:
    """The stream counts on far above what it has: nothing is there to be sent."""
    town = small_town
    connect(town, agency)
    receive(town, 1)
    deliver(town)
    with town.service.store.begin() as uow:
        known = rows.of(uow.connection, OFFICE)
        assert known is not None
        rows.put(uow, replace(known, cursor=0, delivered=0))
        uow.connection.execute(sa.update(webhooks).values(cursor=1))
        uow.connection.execute(sa.text("UPDATE streams SET last = 1000 WHERE last = 1"))
    deliver(town)
    assert (agency.numbers, hook(town).cursor) == ([1], 1000)
