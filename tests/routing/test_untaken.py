"""A task that nobody has taken is handed over again: nothing is lost with an agency's queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pika
import pytest
import sqlalchemy as sa

from services.routing.storage import evidence
from services.routing.storage.handover import send_again
from services.routing.storage.pace import seen
from services.routing.storage.standing import lines
from services.routing.storage.tables import agency_queues as queue_rows
from services.routing.storage.tables import tasks
from services.routing.usecases import evidence as usecases
from services.routing.usecases.book import of_day
from services.routing.usecases.pass_time import due, pass_time
from services.routing.usecases.queues import close, queued
from services.routing.usecases.remind import set_addresses
from services.routing.usecases.rules import Rules
from shared.catalogue.model import UntakenRule
from shared.events import names
from shared.events.envelope import Envelope, decode
from shared.events.names import wire
from shared.kernel.calendar import Duration
from shared.kernel.clock import to_vn
from shared.messaging.tables import LEDGERS
from tests.backends import Backend
from tests.routing.town import Town, at, catalogue, migrate, withdrawn
from tests.routing.worlds import CALENDAR, NOW

CODE = "000.00.01.H20-220301-0001"
OFFICE = "phuong-1"
PATIENCE = Duration(4, "working_hour")
ALWAYS = date(2021, 1, 1)


RULES = {"queues": (OFFICE, "cong-an"), "untaken_rules": (UntakenRule(ALWAYS, None, PATIENCE),)}


@pytest.fixture
def town(backend: Backend) -> Iterator[Town]:
    backend.migrated("routing", migrate)
    made = Town(backend.settings("routing"), catalogue(**RULES))
    yield made
    made.close()


def lying(town: Town, code: str) -> list[Envelope]:
    """What lies on an agency's queue; it is taken off."""
    reader, found = town._reader(code), []
    while taken := reader.receive(50, 0.0 if town.bus.volatile else 1.0):
        reader.ack_through(taken[-1])
        found += [decode(each.body) for each in taken]
    return found


def purge(town: Town, code: str) -> None:
    """Empty an agency's queue, as its own rights allow it."""
    queue = names.agency_queue(code)
    if town.bus.volatile:
        assert lying(town, code)
        return
    with pika.BlockingConnection(pika.URLParameters(town.bus.url)) as line:
        emptied = line.channel().queue_purge(f"{town.bus.prefix}{queue}")
        assert emptied.method.message_count


def pass_hours(town: Town, until: datetime) -> None:
    """Let the clock ring at each instant up to this one."""
    (ticker,) = (loop for loop in town.service.loops if loop.name == "routing.deadlines")
    while (due := ticker.next_due()) is not None and due <= until:
        town.clock.set(max(due, town.clock.now()))
        town.rest()
    town.clock.set(until)
    town.rest()


def working(hours: int) -> datetime:
    return CALENDAR.add_minutes(NOW, hours * 60)


def test_a_task_whose_queue_was_emptied_comes_again_under_its_id_and_number(town: Town) -> None:
    town.receive(CODE)
    (handed,) = town.web.get("/api/v1/tasks?state=open", headers=town.key(OFFICE)).get_json()[
        "items"
    ]
    ledger = LEDGERS.outbox
    with town.service.store.read() as connection:
        mine = sa.select(ledger.c.id, ledger.c.sequence, ledger.c.body)
        row = connection.execute(mine.where(ledger.c.type == wire("task.assigned"))).one()
    purge(town, OFFICE)
    pass_hours(town, working(4) - timedelta(minutes=1))
    assert "step.repeated" not in town.names(CODE)
    pass_hours(town, working(4))
    (again,) = lying(town, OFFICE)
    assert (again.id, again.sequence, again.data["task"]) == (row.id, row.sequence, handed["task"])
    said = town.one(CODE, "step.repeated")
    assert (said["number"], said["task"], said["agency"]["code"]) == (1, handed["task"], OFFICE)
    assert at(said["repeated_at"]) == working(4)


def test_it_is_repeated_once_a_working_day_while_nobody_has_it(town: Town) -> None:
    town.receive(CODE)
    pass_hours(town, working(4 + 8 * 3))
    said = [data for name, data in town.facts(CODE) if name == "step.repeated"]
    assert [at(each["repeated_at"]) for each in said] == [working(4 + 8 * n) for n in range(4)]
    assert [each["number"] for each in said] == [1, 2, 3, 4]
    pass_hours(town, working(8 * 40))
    assert town.names(CODE).count("step.repeated") == 20, "then somebody telephones"


def test_when_the_lifetime_of_a_hand_over_ends_its_owner_is_told_until_somebody_has_it(
    town: Town,
) -> None:
    town.receive(CODE)
    with town.service.store.begin() as uow:
        set_addresses(uow, town.rules, OFFICE, ["truong@phuong1.example"], remove=False)
        uow.connection.execute(sa.update(tasks).where(tasks.c.agency == OFFICE).values(repeats=19))
    pass_hours(town, working(4))
    assert town.one(CODE, "step.repeated")["number"] == 20
    assert "phuong-1" not in ended(town)
    pass_hours(town, working(4 + 8))
    assert town.names(CODE).count("step.repeated") == 1, "nothing more is sent"
    assert "phuong-1" in ended(town)
    usecases.seal(town.service.store, usecases.signer_of(town.service.settings), [OFFICE])
    with town.service.store.read() as connection:
        (given,) = of_day(connection, OFFICE, to_vn(NOW).date())
        kinds = [row.kind for row in evidence.records(connection, OFFICE, 1, 9)]
        (pace,) = seen(connection, town.clock.now())
    assert (given.expired_at, kinds, pace.expired) == (working(4 + 8), ["published", "expired"], 1)
    pass_hours(town, working(4 + 16))
    told = [data["expired"] for _, data in town.facts(OFFICE) if "expired" in data]
    assert told[-1] == 1, "in the mail of the day"
    key = town.key(OFFICE)
    page = town.web.get("/nhiem-vu", headers=key).get_data(as_text=True)
    assert "Chưa ai nhận" in page
    assert "hết thời gian giao" in page
    assert town.web.get("/api/v1/tasks?after=0", headers=key).status_code == 200
    assert "phuong-1" not in ended(town), "whoever fetches it has it"


def ended(town: Town) -> str:
    """What operators are told of hand-overs that have ended."""
    with town.service.store.read() as connection:
        found = lines(connection, town.clock.now())
    return " ".join(each.name for each in found if "seen by nobody" in each.said.en)


def _take(town: Town, task: str) -> None:
    town.answer(OFFICE, "taken", task)


def _answer(town: Town, task: str) -> None:
    until = CALENDAR.add_days(NOW, 8)
    town.answer(OFFICE, "more_time_needed", task, reason="đông", until=until)


def _catch_up(town: Town, _task: str) -> None:
    assert town.web.get("/api/v1/tasks?after=0", headers=town.key(OFFICE)).status_code == 200


def _look(town: Town, task: str) -> None:
    assert town.web.get(f"/nhiem-vu/{task}", headers=town.key(OFFICE)).status_code == 200


def _withdraw(town: Town, _task: str) -> None:
    town.intake(withdrawn(CODE))


@pytest.mark.parametrize("act", [_take, _answer, _catch_up, _look, _withdraw])
def test_what_is_taken_answered_fetched_or_over_is_not_repeated(
    town: Town, act: Callable[[Town, str], None]
) -> None:
    town.receive(CODE)
    act(town, town.task(OFFICE))
    pass_hours(town, working(30))
    assert "step.repeated" not in town.names(CODE)


def test_an_agency_without_a_queue_of_its_own_is_not_sent_its_tasks_again(town: Town) -> None:
    town.receive(CODE)
    town.grant(OFFICE)
    town.task("cong-an")
    pass_hours(town, working(6))
    said = [data["agency"]["code"] for name, data in town.facts(CODE) if name == "step.repeated"]
    assert said == ["cong-an"], "the insurance works at the web door"


def test_how_an_agency_is_reached_now_decides_whether_it_is_sent_its_task_again(town: Town) -> None:
    with town.service.store.begin() as uow:
        assert close(uow, town.rules, OFFICE)
    town.receive(CODE)
    pass_hours(town, working(8 * 2))
    assert "step.repeated" not in town.names(CODE), "the catalogue says amqp, its row says none"
    assert OFFICE not in ended(town)
    with town.service.store.begin() as uow:
        assert not queued(uow, town.rules, OFFICE)
        uow.connection.execute(sa.update(queue_rows).values(wanted=True))
        assert queued(uow, town.rules, OFFICE)
        assert not queued(uow, town.rules, "bhxh")


def test_a_hand_over_to_who_has_no_queue_ends_when_any_other_would(town: Town) -> None:
    with town.service.store.begin() as uow:
        close(uow, town.rules, OFFICE)
        set_addresses(uow, town.rules, OFFICE, ["truong@phuong1.example"], remove=False)
    town.receive(CODE)
    pass_hours(town, working(4 + 8 * 20 - 1))
    assert OFFICE not in ended(town)
    pass_hours(town, working(4 + 8 * 20))
    assert OFFICE in ended(town)
    with town.service.store.read() as connection:
        (given,) = of_day(connection, OFFICE, to_vn(NOW).date())
    assert (given.expired_at, given.repeats) == (working(4 + 8 * 20), 0)
    pass_hours(town, working(4 + 8 * 21))
    told = [data["expired"] for _, data in town.facts(OFFICE) if "expired" in data]
    assert told[-1] == 1, "in the mail of the day"
    page = town.web.get("/nhiem-vu", headers=town.key(OFFICE)).get_data(as_text=True)
    assert "hết thời gian giao" in page
    _look(town, town.task(OFFICE))
    assert OFFICE not in ended(town), "whoever opens it has it"


def test_several_workers_repeat_it_once(town: Town) -> None:
    for number in range(5):
        town.receive(f"000.00.01.H20-220301-{number:04d}")
    town.clock.set(working(4))
    gate, rules, failed = threading.Barrier(4), Rules(catalogue(**RULES)), []

    def work() -> None:
        gate.wait(10)
        try:
            with town.service.store.begin() as uow:
                pass_time(uow, due(uow, ()), rules)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    for number in range(5):
        assert town.names(f"000.00.01.H20-220301-{number:04d}").count("step.repeated") == 1


def test_a_message_is_found_in_a_long_stream_wherever_it_lies(town: Town) -> None:
    town.receive(CODE)
    outbox, streams = LEDGERS.outbox, LEDGERS.streams
    stream = f"{names.ROUTING_TASKS} {OFFICE}"
    many, step = 1500, timedelta(minutes=7)
    with town.service.store.begin() as uow:
        row: Any = uow.connection.execute(sa.select(outbox).where(outbox.c.stream == stream)).one()
        task = decode(bytes(row.body)).data["task"]
        first = NOW + timedelta(days=1)
        made = [
            {
                **{c.name: getattr(row, c.name) for c in outbox.c if c.name != "position"},
                "id": f"m-{n}",
                "sequence": n,
                "body": bytes(row.body).replace(task.encode(), f"t-{n}".encode()),
                "made_at": first + step * n,
                "sent_at": NOW,
            }
            for n in range(2, many)
        ]
        uow.connection.execute(outbox.insert(), made)
        uow.connection.execute(
            sa.update(streams).where(streams.c.stream == stream).values(last=many - 1)
        )
    pages: list[str] = []
    sa.event.listen(
        town.service.store.engine,
        "before_cursor_execute",
        lambda _c, _cur, asked, *_rest: pages.append(asked) if "outbox.body" in asked else None,
    )
    for n in (2, 3, 700, many - 1):
        with town.service.store.begin() as uow:
            assert send_again(uow, OFFICE, f"t-{n}", first + step * n)
    assert len(pages) == 4, "the bodies of one page for each, wherever it lies"
    with town.service.store.begin() as uow:
        assert not send_again(uow, OFFICE, "t-0", first)
        unsent = sa.select(outbox.c.sequence).where(outbox.c.sent_at.is_(None))
        assert sorted(uow.connection.execute(unsent).scalars()) == [2, 3, 700, many - 1]
