"""A town for routing's tests: a small catalogue, and hands that act as intake and as agencies."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any, get_args

import msgspec
import sqlalchemy as sa

from services.routing.app import build
from services.routing.domain.submission import name_of
from services.routing.on import FACTS_QUEUE
from services.routing.storage.tables import MIGRATIONS
from services.routing.usecases.answer import ANSWERS_QUEUE
from shared.catalogue import Catalogue
from shared.catalogue.book import OfficeHours
from shared.catalogue.model import Agency, DatesRule, Fee, FormField, Procedure
from shared.catalogue.step import Step
from shared.database import make_engine
from shared.database.migrate import upgrade
from shared.events import intake, names, parts
from shared.events.agencies import Answer
from shared.events.envelope import Data, Envelope, decode, encode
from shared.events.event import Event, kind_of
from shared.events.names import wire
from shared.events.registry import address, write
from shared.identity import keys
from shared.kernel.calendar import Duration
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, OutMessage, Queue
from shared.messaging.loops.pump import pump
from shared.messaging.service import Service
from shared.messaging.tables import LEDGERS
from shared.settings import Settings
from tests.routing.worlds import CALENDAR, NOW

ALWAYS = date(2021, 1, 1)
WARD = "29866"


def migrate(url: str) -> None:
    """Bring an empty database to routing's newest version."""
    engine = make_engine(url)
    upgrade(engine, MIGRATIONS)
    engine.dispose()


def agency(code: str, *roles: str, territory: str = "*", office: bool = False) -> Agency:
    """An agency named after its code."""
    return Agency(
        code=code,
        official_id=f"000.00.{code}",
        name=f"Cơ quan {code}",
        short_name=code,
        roles=roles,
        territory=territory,
        reach="web",
        calendar="office",
        address="1 Lê Lợi",
        hotline="0277 000",
        valid_from=ALWAYS,
        valid_to=None,
        is_office=office,
    )


def step(code: str, role: str, *after: str, **options: Any) -> Step:
    """A step of two working days that shares the child's name."""
    given: dict[str, Any] = {
        "kind": "task",
        "budget": Duration(2, "working_day"),
        "shares": ("child",),
        "branch": None,
        "silence": "none",
        "after_result": False,
        "pauses_clock": False,
        "results": (),
        "max_extensions": 1,
    }
    return Step(code=code, name=f"Bước {code}", role=role, after=after, **(given | options))


def procedure(code: str, *steps: Step, **options: Any) -> Procedure:
    """A procedure of twenty working days with a form of three fields."""
    given: dict[str, Any] = {
        "supplement_rule": "resume",
        "max_supplement_rounds": 1,
    }
    return Procedure(
        code=code,
        version=1,
        valid_from=ALWAYS,
        valid_to=None,
        name=f"Thủ tục {code}",
        short_name="Thu tuc",
        field="Hộ tịch",
        level="commune",
        duration=Duration(20, "working_day"),
        papers=(),
        form=tuple(
            FormField(name, label, "text", False, True)
            for name, label in (
                ("child", "Họ và tên trẻ"),
                ("mother", "Họ và tên mẹ"),
                ("phone", "Điện thoại"),
            )
        ),
        fee=Fee(0, "none"),
        branches=(),
        min_branches=0,
        steps=steps,
        results=(),
        channels=("direct",),
        **(given | options),
    )


CHAIN = procedure(
    "2.000986",
    step("birth", "justice", results=("KQ.1",), shares=("child", "mother")),
    step("residence", "police", "birth", results=("KQ.2",)),
    step("card", "insurance", "birth", results=("KQ.3",)),
)
LAND = procedure(
    "1.013831",
    step("tax", "tax", pauses_clock=True),
    step("pay", "tax", "tax", kind="payment", budget=None, shares=()),
    step("sign", "land", "pay", results=("KQ.4",)),
    step("cadastre", "land", "sign", after_result=True),
)
PERMIT = procedure(
    "1.013225",
    step("consult", "nobody-holds-this", silence="consent"),
    step("issue", "construction", "consult"),
)


AGENCIES = (
    agency("phuong-1", "desk", "justice", territory=WARD, office=True),
    agency("cong-an", "police"),
    agency("bhxh", "insurance"),
    agency("thue", "tax"),
    agency("dat-dai", "land"),
    agency("xay-dung", "construction"),
)


DATES_RULE = DatesRule(
    ALWAYS,
    None,
    near=Duration(24, "hour"),
    soon=Duration(4, "working_hour"),
    apologise_after=Duration(4, "working_hour"),
    new_date=Duration(2, "working_day"),
    mail_at=time(7, 30),
)


def catalogue(queues: Collection[str] | None = None, **rules: Any) -> Catalogue:
    """The town's rules; these agencies read `queues` of their own, all where none is named."""
    hours = OfficeHours("Giờ hành chính", CALENDAR, CALENDAR, frozenset())
    return Catalogue(
        version="test",
        procedures=(CHAIN, LAND, PERMIT),
        agencies=(
            replace(each, reach="amqp" if queues is None or each.code in queues else "web")
            for each in AGENCIES
        ),
        roles=(),
        wards=(),
        hours={"office": hours},
        holidays=(),
        holidays_source="test",
        templates=(),
        **({"dates_rules": (DATES_RULE,)} | rules),
    )


ANSWERS = {name_of(each): each for each in get_args(Answer)}


def received(dossier: str, procedure_: Procedure = CHAIN, **changes: Any) -> intake.DossierReceived:
    """dossier.received as intake states it."""
    due_at = CALENDAR.add_days(NOW, 20)
    event = intake.DossierReceived(
        dossier=dossier,
        procedure=parts.ProcedureVersion(
            code=procedure_.code,
            version=1,
            name=procedure_.name,
            short_name=procedure_.short_name,
        ),
        field=procedure_.field,
        office=parts.Office(code="phuong-1", name="UBND Phường 1", territory=WARD),
        channel="direct",
        submitted_at=NOW,
        received_at=NOW,
        promised_at=due_at,
        due_at=due_at,
        form={"child": "Bé An", "mother": "Lê Thị Hoa", "phone": "0907123456"},
        papers=(parts.Paper(code="to-khai", name="Tờ khai", original=1, copy=0),),
        branches=(),
    )
    return msgspec.structs.replace(event, **changes)


def withdrawn(dossier: str) -> intake.DossierWithdrawn:
    """dossier.withdrawn as intake states it."""
    return intake.DossierWithdrawn(dossier=dossier, reason="đổi ý", withdrawn_at=NOW)


def granted(asked: Mapping[str, Any]) -> intake.ExtensionGranted:
    """extension.granted as intake states it, of what an agency asked for."""
    given = {name: asked[name] for name in ("dossier", "task", "reason")}
    return intake.ExtensionGranted(until=at(asked["until"]), granted_at=NOW, **given)


@dataclass
class Town:
    """Routing built and moved by hand, with intake and the agencies played by the test."""

    settings: Settings
    rules: Catalogue = field(default_factory=catalogue)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        self.ids = SeededIds(11)
        self.bus = Bus(self.settings.amqp_url)
        self.service: Service = build(
            self.settings, catalogue=self.rules, clock=self.clock, ids=SeededIds(12), bus=self.bus
        )
        self.web = self.service.web.test_client()
        self._publisher = self.bus.publisher()
        self._numbers: dict[str, int] = {}
        self._readers: dict[str, Any] = {}
        self._read: dict[str, int] = {}  # by agency: messages taken from its queue
        self._sent: dict[str, int] = {}  # by consumer: messages sent to it and not yet handled
        # Somebody must listen to what routing says.
        heard = (
            *((names.DOSSIER_FACTS, key) for key in ("routing.*.*", "steps.*.*")),
            (names.CITIZEN_CONTACTS, "routing.*.*"),
        )
        self.bus.declare((), (Queue("intake.facts", heard),))
        if self.bus.volatile:
            # In one process a fact is sent when its readers are done, and nothing is kept for an
            # agency that is not there.
            self._intake = self.bus.subscriber("intake.facts")
            for code in self.rules.agency_codes():
                self._reader(code)

    def close(self) -> None:
        for loop in self.service.loops:
            loop.close()
        for reader in self._readers.values():
            reader.close()
        self._publisher.close()
        self.service.close()
        self.bus.close()

    # --- intake ---------------------------------------------------------------------------

    def intake(self, event: Event, *, number: int | None = None) -> None:
        """Say something as intake and carry everything to rest."""
        self.send_as_intake(event, number=number)
        self.rest()

    def send_as_intake(self, event: Event, *, number: int | None = None) -> None:
        """Put an event of intake on the broker."""
        dossier = event.subject
        if number is None:
            number = self._numbers[dossier] = self._numbers.get(dossier, 0) + 1
        self.send("intake", event, id=self.ids.new(), sequence=number)

    def receive(self, dossier: str, procedure_: Procedure = CHAIN, **changes: Any) -> None:
        """Have a dossier received."""
        self.intake(received(dossier, procedure_, **changes))

    # --- agencies -------------------------------------------------------------------------

    def queue(self, code: str) -> list[Envelope]:
        """What is new on an agency's queue: all that the ledger says was handed over."""
        reader = self._reader(code)
        found: list[Envelope] = []
        owed = self._handed_over(code) - self._read.get(code, 0)
        while len(found) < owed:
            taken = reader.receive(50, 10.0)
            assert taken, "what was handed over is on the queue"
            reader.ack_through(taken[-1])
            found += [decode(each.body) for each in taken]
        self._read[code] = self._read.get(code, 0) + len(found)
        return found

    def _reader(self, code: str) -> Any:
        if code not in self._readers:
            self._readers[code] = self.bus.subscriber(names.agency_queue(code))
        return self._readers[code]

    def _handed_over(self, code: str) -> int:
        outbox = LEDGERS.outbox
        query = sa.select(sa.func.count()).where(
            outbox.c.stream == f"{names.ROUTING_TASKS} {code}", outbox.c.sent_at.is_not(None)
        )
        with self.service.store.read() as connection:
            return int(connection.scalar(query) or 0)

    def task(self, code: str) -> str:
        """The id of the newest task on an agency's queue."""
        assigned = [m for m in self.queue(code) if m.type == wire("task.assigned")]
        return str(assigned[-1].data["task"])

    def answer(
        self,
        code: str,
        kind: str,
        task: str,
        *,
        answer_id: str | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> str:
        """Answer by message as an agency and carry everything to rest; gives the answer's id."""
        answer_id = answer_id or self.ids.new()
        self.send(code, ANSWERS[kind](task=task, **fields), id=answer_id, key=key)
        self.rest()
        return answer_id

    def grant(self, code: str, task: str | None = None, **fields: Any) -> None:
        """The agency completes its newest task."""
        self.answer(code, "completed", task or self.task(code), outcome="granted", **fields)

    def key(self, code: str) -> dict[str, str]:
        """Headers with a new API key of this agency."""
        with self.service.store.begin() as uow:
            _, text = keys.issue(uow, kind="agency", bound_to=code, label="test")
        return {"Authorization": f"Bearer {text}"}

    def send(self, who: str, event: Event, *, key: str | None = None, **attributes: Any) -> None:
        """Put an event on the broker, under another key or with other attributes where given."""
        to = address(event, who)
        given: dict[str, Any] = {
            "source": to.source,
            "type": kind_of(type(event)).type,
            "subject": event.subject,
            "time": self.clock.now(),
            "data": Data(write(event)),
        }
        envelope = Envelope(**given | attributes)
        consumer = FACTS_QUEUE if who == "intake" else ANSWERS_QUEUE
        self._put(to.exchange, key or to.routing_key, encode(envelope), consumer)

    def send_bytes(self, key: str, body: bytes) -> None:
        """Put these bytes on the exchange of answers, as a stranger's program might."""
        self._put(names.AGENCY_ANSWERS, key, body, ANSWERS_QUEUE)

    def _put(self, exchange: str, key: str, body: bytes, consumer: str) -> None:
        sent = self._publisher.publish(
            [OutMessage(self.ids.new(), exchange, key, body, user_id=self.bus.user)]
        )
        assert not sent.failed, sent.failed
        self._sent[consumer] = self._sent.get(consumer, 0) + 1

    # --- looking --------------------------------------------------------------------------

    def rest(self) -> None:
        """Carry everything to rest: all that was sent is handled, all that was made is sent."""
        for loop in self.service.loops:
            while self._sent.get(loop.name, 0) > 0:
                handled = loop.step(10.0)
                assert handled, f"{loop.name} got what was sent"
                self._sent[loop.name] -= handled
        pump(self.service.loops)
        if self.bus.volatile:
            while heard := self._intake.receive(200, 0):
                self._intake.ack_through(heard[-1])
            pump(self.service.loops)

    def handled(self, consumer: str, count: int) -> None:
        """Note that the test itself had a consumer handle so many."""
        self._sent[consumer] -= count

    def facts(self, dossier: str) -> list[tuple[str, dict[str, Any]]]:
        """What routing said about a dossier, by short name, in order."""
        outbox = LEDGERS.outbox
        with self.service.store.read() as connection:
            rows = connection.execute(
                outbox.select().where(outbox.c.subject == dossier).order_by(outbox.c.position)
            ).all()
        return [(names.short(row.type), json.loads(row.body)["data"]) for row in rows]

    def names(self, dossier: str) -> list[str]:
        """The short names of what routing said about a dossier."""
        return [name for name, _ in self.facts(dossier)]

    def one(self, dossier: str, name: str) -> dict[str, Any]:
        """The data of the one fact of this name."""
        (data,) = [data for found, data in self.facts(dossier) if found == name]
        return data

    def inbox(self, consumer: str) -> list[Any]:
        """The inbox rows of one consumer."""
        inbox = LEDGERS.inbox
        with self.service.store.read() as connection:
            query = inbox.select().where(inbox.c.consumer == consumer)
            return list(connection.execute(query.order_by(inbox.c.received_at, inbox.c.fact_id)))


def at(text: str) -> datetime:
    """An instant of the wire."""
    return datetime.fromisoformat(text).astimezone(UTC)
