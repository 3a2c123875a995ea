"""A town that can die: the whole city on one back end, built anew from its ledgers as often as asked.

Carries dossiers to their end and draws the portrait of each, to be held against that of a calm
run. No test lives here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from services.embedded.city import City
from services.notify.storage.tables import contacts
from shared.catalogue import Catalogue, Procedure
from shared.events.names import short
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.errors import LienThongError
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, reset_memory
from shared.messaging.loops.loop import Loop
from shared.messaging.tables import DONE, LATE, LEDGERS
from shared.messaging.timeline import Entry, timeline
from shared.settings import SERVICES, Settings
from simulation.autopilot import autopilots
from simulation.kit import MORNING, Desk, Rejected
from simulation.kit import City as KitCity
from tests.backends import Backend
from tests.embedded.townsfolk import (
    INTERLINKED,
    LAND,
    OFFICE,
    TODAYS_OFFICE,
    desk_of,
    held,
    messages,
    unsent,
)
from tests.migrating import migrate

WARD = "29866"
OFFICES = {INTERLINKED: OFFICE, LAND: "mot-cua-thanh-pho"}
#: There is no desk of the city since 2025-07-01.
THREE_WARDS = datetime(2025, 6, 30, 17, tzinfo=UTC)
TODAYS_OFFICES = dict.fromkeys(OFFICES, TODAYS_OFFICE)
TOLD = {INTERLINKED: 2, LAND: 3}  # messages of a whole journey: not what is done at the desk


def offices_at(at: datetime) -> dict[str, str]:
    """The desk that takes in each procedure at that instant."""
    return OFFICES if at < THREE_WARDS else TODAYS_OFFICES


MakeBus = Callable[..., Any]
Change = Callable[[Settings], Settings]


class Town:
    """The three real services, the agencies of two procedures and their desks, under one clock."""

    def __init__(
        self,
        backend: Backend,
        catalogue: Catalogue,
        *,
        make_bus: MakeBus = Bus,
        change: Change = lambda settings: settings,
        more: Callable[[Any], Sequence[Loop]] = lambda _: (),
        start: datetime = MORNING,
    ) -> None:
        self.backend = backend
        self.catalogue = catalogue
        self.clock = FixedClock(start)
        self.offices = offices_at(start)
        self._make_bus = make_bus
        self._change = change
        self._more = more
        self._lives = 0
        for service in SERVICES:
            backend.migrated(service, partial(migrate, service))
        self.city = self._built()

    def _built(self) -> City:
        self._lives += 1
        # One citizen files everything here: the cap of a day would hold what the tests wait for.
        own = {name: replace(self.backend.settings(name), courtesy="off") for name in SERVICES}
        settings = {name: self._change(each) for name, each in own.items()}
        first = settings["intake"]
        city = City(
            settings,
            catalogue=self.catalogue,
            clock=self.clock,
            ids=SeededIds(self._lives),
            bus=self._make_bus(first.amqp_url, prefix=first.amqp_prefix),
        )
        city.add(
            autopilots(
                self.agencies(),
                city.bus,
                self.clock,
                delay=timedelta(0),
                catch_up=city.unanswered_by,
            )
        )
        city.add(self._more(city.bus))
        return city

    def agencies(self) -> list[str]:
        """Only those that the two procedures need: on a real broker each costs two connections."""
        today = to_vn(self.clock.now()).date()
        found = set()
        ward = self.catalogue.agency(self.offices[INTERLINKED]).territory
        for code in OFFICES:
            for step in self.catalogue.procedure(code, today).steps:
                found.add(self.catalogue.agency_for(step.role, ward, today).code)
        return sorted(found)

    def desk(self, procedure: str = INTERLINKED) -> Desk:
        return desk_of(self.city, self.offices[procedure])

    def procedure(self, code: str) -> Procedure:
        """The version of a procedure that is in force in this town today."""
        return self.catalogue.procedure(code, to_vn(self.clock.now()).date())

    def die(self) -> None:
        """As the machine's death: what was in memory is gone; then everything is built anew."""
        if self.backend.embedded:
            reset_memory()
            for service in self.city.services.values():  # nobody stops anything in order
                service.close()
        else:
            self.city.close()
        self.city = self._built()

    def close(self) -> None:
        self.city.close()

    # --- carrying ---------------------------------------------------------------------------------

    def carry(self, done: Callable[[], bool]) -> None:
        """Move the city until it is so; a broker takes its time, and may be away meanwhile."""
        try:
            KitCity(self.city).until(done)
        except LienThongError as early:
            raise AssertionError(f"came to rest too early: {held(self.city)}") from early

    def finish(self, *codes: str, procedure: str = INTERLINKED) -> None:
        """Carry these dossiers to the very end, with the desk doing its part; nothing stays."""
        desk = self.desk(procedure)
        wanted = TOLD[procedure]
        self.carry(lambda: all(self._ended(desk, code, wanted) for code in codes))
        self.carry(lambda: unsent(self.city) == 0 and not self._on_its_way(codes))

    def finish_others(self, *codes: str) -> None:
        """As `finish`, while the facts of another dossier are stuck."""
        desk = self.desk()
        wanted = TOLD[INTERLINKED]
        self.carry(lambda: all(self._ended(desk, code, wanted) for code in codes))
        self.carry(lambda: not self._on_its_way(codes))

    def _ended(self, desk: Desk, code: str, wanted: int) -> bool:
        """The citizen comes when told so; else what was to be said might be outdated by it."""
        status, told = desk.status(code), self._told(code) + len(overtaken(self.city, code))
        if status == 6 and told >= wanted - 1:
            body = {"amount_vnd": 1_500_000, "proof": "BL-0001"}
            desk.act(code, "payment", body, key=f"pay {code}")
        elif status == 9 and told >= wanted:
            desk.act(code, "return-result", {"method": "desk"}, key=f"return {code}")
        return status == 10

    def _told(self, code: str) -> int:
        """How often intake has heard that the citizen was told."""
        return sum(short(e.type) == "citizen.notified" for e in entries(self.city, "intake", code))

    def _on_its_way(self, codes: Sequence[str]) -> list[tuple[str, str]]:
        return [gap for code in codes for gap in gaps(self.city, code)]


# --- portraits --------------------------------------------------------------------------------------

READS = {
    ("intake", "intake.facts"): ("/routing", "/routing/steps", "/notify"),
    ("routing", "routing.facts"): ("/intake",),
    ("notify", "notify.facts"): ("/intake", "/routing"),
    ("notify", "notify.contacts"): ("/intake/contacts", "/routing/notices"),
}
MAKERS = {
    "/intake": "intake",
    "/intake/contacts": "intake",
    "/routing": "routing",
    "/routing/steps": "routing",
    "/routing/notices": "routing",
    "/notify": "notify",
}
# What may differ between two runs that mean the same: ids drawn anew.
_MARK = re.compile(r"(?<=THAT )\w+")
_IDS = ("dossier", "task", "message", "document", "reference", "number")


@dataclass(frozen=True)
class Portrait:
    """What became of one dossier, in words that two runs share."""

    status: Mapping[str, Any]
    timelines: Mapping[str, Sequence[str]]
    messages: Sequence[tuple[str, ...]]


def portrait(city: City, code: str, *, procedure: str = INTERLINKED, at: bool = True) -> Portrait:
    """Draw it; without `at`, leave out every instant (where the clock had to move)."""
    told = desk_of(city, offices_at(city.clock.now())[procedure]).get(code)
    names = ("status", "promised_at", "due_at") if at else ("status",)
    return Portrait(
        {name: told[name] for name in names},
        {
            service: sorted(_line(entry, at=at) for entry in entries(city, service, code))
            for service in SERVICES
        },
        sorted(_message(city, code, at=at)),
    )


def overtaken(city: City, code: str) -> set[str]:
    """The moments that were to be said and are said no more, because a later one came first."""
    return {m.moment for m in messages(city) if m.dossier == code and m.state == "cancelled"}


def without(drawn: Portrait, moments: set[str]) -> Portrait:
    """The same as if nothing had been to say at these moments."""
    return replace(
        drawn,
        timelines={
            service: [
                line for line in lines if not any(f'"moment": "{m}"' in line for m in moments)
            ]
            for service, lines in drawn.timelines.items()
        },
        messages=[message for message in drawn.messages if message[0] not in moments],
    )


def check_as_calm(
    city: City, calm: Mapping[str, Portrait], code: str, *, procedure: str = INTERLINKED
) -> None:
    """What became of it is what becomes of any; the receipt alone may be overtaken by the result."""
    late = overtaken(city, code)
    assert late <= {"received"}, "a receipt is said no more once there is a result; all else is"
    drawn = without(portrait(city, code, procedure=procedure), late)
    assert drawn == without(calm[procedure], late)


def entries(city: City, service: str, code: str) -> list[Entry]:
    """The timeline of a dossier as one service has it."""
    store = city.services[service].store
    with store.read() as connection:
        return timeline(connection, code)


def _line(entry: Entry, *, at: bool) -> str:
    data = {
        name: value
        for name, value in entry.envelope.data.items()
        if name not in _IDS and (at or not name.endswith(("_at", "_by")))
    }
    if "results" in data:
        data["results"] = sorted(result["step"] for result in data["results"])
    data.pop("lookup_word", None)
    gist = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return f"{entry.source} {short(entry.type)} {entry.state} {gist}"


def _message(city: City, code: str, *, at: bool) -> list[tuple[str, ...]]:
    with city.notify.store.read() as connection:
        query = sa.select(contacts.c.lookup_word).where(contacts.c.dossier == code)
        word = connection.scalar(query) or "-"
    found = []
    for one in messages(city):
        if one.dossier == code:
            text = f"{one.subject}\n{one.body}".replace(code, "CODE").replace(word, "WORD")
            text = _MARK.sub("MARK", text)
            found.append((one.moment, one.channel, str(one.state), text if at else ""))
    return found


# --- exactly once, in order -------------------------------------------------------------------------


def gaps(city: City, code: str) -> list[tuple[str, str]]:
    """Streams of this dossier that some consumer has not applied to their end."""
    return [
        (consumer, source)
        for (service, consumer), sources in READS.items()
        for source in sources
        if applied(city, service, consumer, source, code) != made(city, source, code)
    ]


def made(city: City, source: str, code: str) -> list[int]:
    """The numbers of the facts that a source stated about a dossier."""
    store = city.services[MAKERS[source]].store
    outbox = LEDGERS.outbox.c
    query = sa.select(outbox.sequence).where(outbox.stream == f"{source} {code}")
    with store.read() as connection:
        return sorted(connection.scalars(query))


def applied(city: City, service: str, consumer: str, source: str, code: str) -> list[int]:
    """The numbers of that stream which a consumer has applied."""
    store = city.services[service].store
    inbox = LEDGERS.inbox.c
    query = sa.select(inbox.sequence).where(
        inbox.consumer == consumer,
        inbox.stream == f"{source} {code}",
        inbox.state.in_((DONE, LATE)),
    )
    with store.read() as connection:
        return sorted(connection.scalars(query))


def check_once(city: City, *codes: str) -> None:
    """Every fact was applied once by every reader, and every message was made and written once."""
    assert (held(city), unsent(city)) == ([], 0)
    for code in codes:
        assert gaps(city, code) == []
        for source in MAKERS:
            numbers = made(city, source, code)
            assert numbers == list(range(1, len(numbers) + 1)), (source, numbers)
    told = [one for one in messages(city) if one.dossier in codes]
    twice = Counter((one.dossier, one.fact_id, one.moment, one.channel) for one in told)
    assert set(twice.values()) <= {1}
    written = [path.stem for path in (city.data_dir / "messages").rglob("*.*")]
    for one in told:
        sent = int(one.state != "cancelled")
        assert written.count(one.id) == sent, (one.moment, one.channel)
        said = [
            entry
            for entry in entries(city, "notify", one.dossier)
            if short(entry.type) == "citizen.notified" and entry.envelope.data["message"] == one.id
        ]
        assert len(said) == sent, (one.moment, one.channel)


def exists(desk: Desk, code: str) -> bool:
    """Whether the desk knows this dossier."""
    try:
        return bool(desk.get(code))
    except Rejected as unknown:
        if unknown.status == 404:
            return False
        raise
