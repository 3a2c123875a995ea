"""Reconciliation: a purged queue, a lost store and a restored database are found and healed."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from partner import Arrival, Client, Compared, Message
from partner.__main__ import main
from partner.messages import Answer
from partner.store import Store as KitStore
from services.routing.storage.reconciliations import day_sums, kept, last_number
from services.routing.usecases.prune import prune
from services.routing.usecases.reconcile import TIMES, Standing, nightly, standing
from services.routing.usecases.rules import Rules
from shared.events import names
from shared.events.envelope import decode
from shared.kernel.clock import to_vn
from shared.messaging import epochs
from shared.messaging.acts import Reason
from shared.messaging.tables import LEDGERS
from simulation.links import door_without_a_socket
from tests.backends import Backend
from tests.journeys.backups import backup_of
from tests.routing.test_coordination import desk_key
from tests.routing.town import Town, received, withdrawn
from tests.routing.worlds import NOW
from tests.staff import carry_here

CODES = [f"000.00.01.H20-220301-{n:04d}" for n in range(1, 9)]
WARD = "phuong-1"
DAY = to_vn(NOW).date()
HOUR = timedelta(hours=1)


class Line:
    """The agency's queue by the town's own bus: while the agency waits, the town goes on."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._tags = itertools.count(1)
        self._taken: dict[int, Any] = {}

    def receive(self, wait: float) -> list[Arrival]:
        self._town.rest()
        reader = self._town._reader(WARD)
        taken = reader.receive(50, 0.0 if self._town.bus.volatile else min(wait, 0.2))
        arrived = []
        for each in taken:
            self._taken[tag := next(self._tags)] = each
            arrived.append(Arrival(bytes(each.body), tag, 1, redelivered=False))
        return arrived

    def take_one(self) -> Arrival | None:
        raise NotImplementedError

    def acknowledge(self, arrival: Arrival) -> None:
        self._town._reader(WARD).ack_through(self._taken.pop(arrival.tag))

    def publish(self, answer: Answer) -> bool:
        self._town.send(WARD, decode(answer.body).event(), id=answer.id)
        return True

    def close(self) -> None:
        pass


def ignore(_: Message) -> None:
    """What an agency does here with a task: nothing."""


@contextmanager
def kit(town: Town, way: str, store: Path | str = ":memory:") -> Iterator[Client]:
    now = {"now": town.clock.now, "store": store}
    if way == "queue":
        made = Client(WARD, transport=Line(town), **now)
    else:
        key = town.key(WARD)["Authorization"].removeprefix("Bearer ")
        made = Client(WARD, http=door_without_a_socket(town.service.web), door_key=key, **now)
    with made:
        yield made


def take_all(town: Town, agency: Client, count: int) -> None:
    """Read the queue until so many messages are here."""
    end = time.monotonic() + 20
    while agency._inbox.came(1, 10_000) < count:
        assert time.monotonic() < end, "they come"
        agency.poll(ignore, wait=0.2)


def purge(town: Town, backend: Backend) -> None:
    """Empty the agency's queue behind its back."""
    if town.bus.volatile:
        reader = town._reader(WARD)
        while taken := reader.receive(50, 0):
            reader.ack_through(taken[-1])
        return
    servers: Any = backend
    name = quote(town.bus.prefix + names.agency_queue(WARD), safe="")
    end = time.monotonic() + 20
    while True:  # what was confirmed lies there a moment later
        servers.management.call("DELETE", f"/queues/{servers.vhost}/{name}/contents")
        told = servers.management.call("GET", f"/queues/{servers.vhost}/{name}")
        if not told.get("messages"):
            return
        assert time.monotonic() < end


def night(town: Town, days: int = 1) -> list[Standing]:
    town.clock.advance(timedelta(days=days))
    list(nightly(Rules(town.rules))(town.service.store, None))
    town.rest()
    with town.service.store.read() as connection:
        return standing(connection)


def troubles(found: list[Standing]) -> list[tuple[str | None, tuple[tuple[int, int], ...], str]]:
    return [(each.of.trouble, each.of.spans, each.owner.en) for each in found]


def of_day(told: list[Compared], day: Any = DAY) -> Compared:
    return next(each for each in told if each.day == day)


def test_a_purged_queue_is_found_and_healed_over_the_queue_alone(town: Town, backend: Backend):
    with kit(town, "queue") as agency:
        town.receive(CODES[0])
        take_all(town, agency, 1)
        for code in CODES[1:4]:
            town.receive(code)
        town.intake(withdrawn(CODES[1]))
        purge(town, backend)
        town.clock.advance(HOUR)
        told = of_day(agency.reconcile(ignore))
        assert (told.agreed, told.fetched) == (True, 4)
        assert agency.missing() == []
        assert {task.dossier for task in agency.tasks()} == {CODES[0], *CODES[2:4]}
        with town.service.store.read() as connection:
            assert kept(connection) == [], "a day that is not over is nobody's trouble yet"


def test_what_was_handed_in_is_forgotten_after_its_term(small_town: Town):
    town, settings = small_town, small_town.service.settings
    town.receive(CODES[0])
    with kit(town, "queue") as agency:
        agency.reconcile(ignore)
    town.clock.advance(timedelta(days=settings.keep_forms_days))
    assert "sums" not in {each.what for each in prune(town.service.store, settings)}
    town.clock.advance(timedelta(days=1))
    assert ("sums", 2) in {(each.what, each.count) for each in prune(town.service.store, settings)}
    with town.service.store.read() as connection:
        assert day_sums(connection, WARD, DAY, DAY)[DAY].count == 3, "its messages stay"


def test_a_lost_store_is_found_and_healed_by_the_door(town: Town):
    for code in CODES[:3]:
        town.receive(code)
    with kit(town, "door") as agency:
        assert agency.catch_up(ignore) == 3
    night(town)
    seen: list[int] = []
    with kit(town, "door") as agency:  # with an empty file
        told = of_day(agency.reconcile(lambda message: seen.append(message.sequence)))
        assert (told.agreed, told.fetched, seen) == (True, 3, [1, 2, 3])
        assert of_day(agency.reconcile(ignore)).fetched == 0


def test_what_an_agency_lacks_stands_with_an_owner_until_it_has_it(town: Town):
    """It says so and does nothing: the city sends it again on three nights, then it is a person's."""
    for code in CODES[:3]:
        town.receive(code)
    night(town)
    key = town.key(WARD)
    days = town.web.get("/api/v1/tasks/day-sums?days=2", headers=key).json["days"]
    assert [(each["count"], each["spans"]) for each in days] == [
        (3, [{"first": 1, "last": 3}]),
        (0, []),
    ]
    lacking = days[0] | {"count": 2, "sha256": "0" * 64, "spans": [{"first": 1, "last": 2}]}
    reply = town.web.post("/api/v1/tasks/day-sums", json={"days": [lacking]}, headers=key)
    assert reply.status_code == 200, reply.text
    assert reply.json["days"][0]["missing"] == [{"first": 3, "last": 3}]
    assert not reply.json["days"][0]["agreed"]
    assert len(town.queue(WARD)) == 3
    for _ in range(TIMES + 1):
        assert troubles(night(town)) == [("missing", ((3, 3),), "The agency")]
    assert _sent_last(town) == [1, 2], "the third was sent again, the others were not"
    carry_here(town.web, town.service.web, ("agency", WARD))
    page = town.web.get("/nhiem-vu/doi-chieu").text
    assert "Cơ quan thiếu những số này" in page
    town.web.get("/api/v1/tasks?after=2", headers=key)
    with town.service.store.read() as connection:
        assert standing(connection) == [], "it is healed as soon as it was fetched"
    assert "Không có ngày nào lệch" in town.web.get("/nhiem-vu/doi-chieu").text
    assert night(town) == []
    agreed = town.web.post("/api/v1/tasks/day-sums", json={"days": [days[0]]}, headers=key)
    assert agreed.json["days"][0]["agreed"]


def _sent_last(town: Town) -> list[int]:
    """The numbers of the ward's messages that went out on the day of the first."""
    outbox = LEDGERS.outbox.c
    asked = sa.select(outbox.sequence).where(
        outbox.stream == f"{names.ROUTING_TASKS} {WARD}", outbox.sent_at < NOW + 2 * HOUR
    )
    with town.service.store.read() as connection:
        return list(connection.scalars(asked.order_by(outbox.sequence)))


def test_what_nobody_at_an_agency_has_seen_is_found_at_night_and_sent_again(town: Town):
    for code in CODES[:2]:
        town.receive(code)
    first = town.task(WARD)
    assert night(town) == [], "it has not had a whole working day"
    town.web.get(f"/api/v1/tasks/{first}", headers=town.key(WARD))
    assert troubles(night(town)) == [("unseen", ((1, 1),), "The agency")]
    carry_here(town.web, town.service.web, ("head", WARD))
    page = town.web.get("/nhiem-vu/doi-chieu").text
    assert "Chưa ai ở cơ quan thấy những việc này" in page
    assert town.web.get("/nhiem-vu/doi-chieu", headers=desk_key(town, "thue")).status_code == 200
    town.web.get("/api/v1/tasks?after=0", headers=town.key(WARD))
    with town.service.store.read() as connection:
        assert standing(connection) == []
    assert night(town) == []


@pytest.mark.parametrize("way", ["queue", "door"])
def test_a_restored_database_is_found_until_it_is_declared_and_then_left_out(
    way: str, town: Town, backend: Backend
):
    store = town.service.store
    with kit(town, way) as agency:
        town.receive(CODES[0])
        with backup_of(backend, "routing", store) as backup:
            for code in CODES[1:3]:
                town.receive(code)
            take_all(town, agency, 3) if way == "queue" else agency.catch_up(ignore)
            town.clock.advance(timedelta(days=1))
            backup.put_back()
            told = of_day(agency.reconcile(ignore))
            assert (told.agreed, told.unknown) == (False, ((2, 3),))
            assert troubles(_standing(town)) == [("unknown", ((2, 3),), "The city's operator")]
            with store.begin() as uow:
                epochs.begin(uow, Reason("Hạnh", "đĩa hỏng"))
            told = of_day(agency.reconcile(ignore))
            assert told.agreed, "what the city knows that it has forgotten is left out"
            assert _standing(town) == []
            town.receive(CODES[3])  # the first of the new epoch says what it follows
            take_all(town, agency, 1) if way == "queue" else agency.catch_up(ignore)
            assert all(each.agreed for each in agency.reconcile(ignore))


def _standing(town: Town) -> list[Standing]:
    with town.service.store.read() as connection:
        return standing(connection)


def test_a_number_that_was_given_twice_is_the_operators(town: Town, backend: Backend):
    with kit(town, "door") as agency:
        with backup_of(backend, "routing", town.service.store) as backup:
            town.receive(CODES[0])
            agency.catch_up(ignore)
            backup.put_back()
        town._numbers.clear()
        town.intake(received(CODES[1]))  # under the number 1 again: nobody said `restored`
        town.clock.advance(timedelta(days=1))
        told = of_day(agency.reconcile(ignore))
        assert not told.agreed
        assert (told.missing, told.unknown, told.forgotten) == ((), (), ())
        assert troubles(_standing(town)) == [("other_ids", ((1, 1),), "The city's operator")]
        assert [each.reason for each in agency.unreadable()] == [
            "number 1 came before under another id"
        ]


def test_what_an_agency_types(small_town: Town, tmp_path: Path, capsys: Any):
    """`PARTNER_*` alone: a whole consumer by the door, with the exit codes of docs/agencies.md."""
    town = small_town
    town.clock.set(datetime.now(UTC))  # as the kit's
    served = make_server("127.0.0.1", 0, town.service.web, threaded=True)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    env = {
        "PARTNER_AGENCY": WARD,
        "PARTNER_STORE": str(tmp_path / "agency.db"),
        "PARTNER_DOOR": f"http://127.0.0.1:{served.server_port}",
        "PARTNER_DOOR_KEY": town.key(WARD)["Authorization"].removeprefix("Bearer "),
    }

    def typed(*words: str) -> tuple[int, str]:
        ended = main(words, env)
        return ended, capsys.readouterr().out

    try:
        assert typed("doctor")[0] == typed("check")[0] == 0
        for code in CODES[:3]:
            town.receive(code)
        assert typed("catch-up")[0] == 0
        assert typed("missed") == (0, "")
        assert typed("put-aside") == typed("aside") == (0, "")
        with closing(KitStore(tmp_path / "agency.db")) as store, store.transaction():
            store.do("DELETE FROM messages WHERE sequence = 2")
            store.do("INSERT INTO gaps VALUES (2, 2, 1)")
        assert typed("missed") == (5, "#2\n")
        ended, told = typed("reconcile", "--days", "2")
        assert ended == 0
        assert told.splitlines()[-1].endswith(" messages, agreed; 1 came again")
        assert typed("missed") == (0, "")
        with town.service.store.transaction() as connection:
            last = last_number(connection, WARD)
            connection.execute(sa.delete(LEDGERS.outbox).where(LEDGERS.outbox.c.sequence == last))
            connection.execute(sa.update(LEDGERS.streams).values(last=last - 1))
        ended, told = typed("reconcile", "--days", "1")
        assert (ended, f"1 the city has not got: tell the city ({last})" in told) == (5, True)
    finally:
        served.shutdown()
        served.server_close()


def test_the_program_compares_by_itself_soon_after_midnight(small_town: Town):
    town = small_town
    with kit(town, "door") as agency:
        agency._compare_at_night(ignore)
        town.receive(CODES[0])
        for hours, here in ((14, 0), (17, 1)):  # 23:00, then 02:00 in Viet Nam
            town.clock.set(NOW + timedelta(hours=hours))
            agency._compare_at_night(ignore)
            assert agency._inbox.came(1, 9) == here
        with town.service.store.read() as connection:
            (row,) = kept(connection)
        assert (row.day, row.count, row.trouble) == (DAY, 1, None)


def test_odd_sums_are_refused_by_the_way_they_came(small_town: Town):
    town, key = small_town, small_town.key(WARD)
    town.receive(CODES[0])
    day = {"day": "2022-03-01", "count": 1, "sha256": "0" * 64, "spans": [{"first": 1, "last": 1}]}
    for odd in (
        {"days": []},
        {"days": [day | {"day": "1066-10-14"}]},
        {"days": [day | {"day": "9999-12-31"}]},
        {"days": [day | {"sha256": "x"}]},
        {"days": [day | {"spans": [{"first": 0, "last": 1}]}]},
    ):
        reply = town.web.post("/api/v1/tasks/day-sums", json=odd, headers=key)
        assert reply.status_code == 422, (odd, reply.text)
    turned = day | {"spans": [{"first": 9, "last": 1}, {"first": 1, "last": 1}]}
    reply = town.web.post("/api/v1/tasks/day-sums", json={"days": [turned]}, headers=key)
    assert reply.json["days"][0]["agreed"] is False
    assert town.web.get("/api/v1/tasks/day-sums?days=32", headers=key).status_code == 422
    town.queue(WARD)
    body = (
        b'{"specversion":"1.0","id":"s-1","source":"/agencies/phuong-1","subject":"phuong-1",'
        b'"type":"vn.lienthong.answer.day_sums.v1","time":"2022-03-01T02:00:00Z","data":%s}'
    )
    for number, data in enumerate((b'{"agency":"phuong-1"}', b'{"agency":"thue","days":[%s]}')):
        days = b'{"day":"2022-03-01","count":0,"sha256":"' + b"0" * 64 + b'","spans":[]}'
        told = data % days if b"%s" in data else data
        town.send_bytes(f"answer.{WARD}.day_sums", body.replace(b"s-1", b"s-%d" % number) % told)
        town.rest()
        (refused,) = town.queue(WARD)
        assert refused.type.endswith("answer_refused.v1")
        assert (refused.data["kind"], refused.data["answer_id"]) == ("day_sums", f"s-{number}")


def test_an_agency_with_many_messages_is_summed_in_one_pass(small_town: Town):
    """Twenty thousand here take a fraction of a second, and the memory of a page."""
    town = small_town
    town.receive(CODES[0])
    with town.service.store.transaction() as connection:
        outbox = LEDGERS.outbox
        row = dict(connection.execute(sa.select(outbox).where(
            outbox.c.stream == f"{names.ROUTING_TASKS} {WARD}"
        )).mappings().one())  # fmt: skip
        row.pop("position")
        many = [
            row | {"sequence": n, "id": f"m-{n}", "made_at": NOW + timedelta(seconds=n)}
            for n in range(2, 20_002)
        ]
        connection.execute(outbox.insert(), many)
        connection.execute(
            sa.update(LEDGERS.streams)
            .where(LEDGERS.streams.c.stream == row["stream"])
            .values(last=20_001)
        )
    began = time.perf_counter()
    with town.service.store.read() as connection:
        found = day_sums(connection, WARD, DAY - timedelta(days=6), DAY)
    assert time.perf_counter() - began < 5.0
    assert (found[DAY].count, found[DAY].spans) == (20_001, ((1, 20_001),))
