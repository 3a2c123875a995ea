"""Intake as its tests move it: the built service, keys of two offices, routing's words by hand."""

from __future__ import annotations

import itertools
from datetime import datetime
from functools import partial
from typing import Any

from services.intake.app import MIGRATIONS, build
from services.intake.domain.dossier import Dossier
from services.intake.storage.queries import find_dossier
from services.intake.usecases.submit import submit
from shared.catalogue import Catalogue
from shared.database import make_engine
from shared.database.migrate import upgrade
from shared.events import names
from shared.events.envelope import Data, Envelope, decode, encode
from shared.events.event import Event, address, kind_of, write
from shared.events.intake import SupplementRequested
from shared.events.notify import (
    AddressFailed,
    CallDropped,
    CitizenNotified,
    CitizenUnreachable,
    StopChanged,
)
from shared.events.parts import Agency, ProcedureName, StepResult
from shared.events.routing import DossierResolved, DossierStarted
from shared.identity import keys
from shared.kernel.clock import FixedClock, format_instant
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, OutMessage
from shared.messaging.loops.pump import pump
from shared.messaging.tables import LEDGERS
from shared.messaging.topology import exchanges_of, queues_of
from tests.backends import Backend
from tests.intake.made import CATALOGUE, NOW, OFFICE, OTHER_OFFICE, TAX, command
from tests.staff import person, signed_in

# The queues of those who read intake, so that the relay's facts have somewhere to go.
OTHERS = [
    queue
    for service in ("routing", "notify")
    for queue in queues_of(service)
    if all(exchange != names.AGENCY_ANSWERS for exchange, _ in queue.bindings)
]
AGENCY = Agency(code=TAX.code, name=TAX.name)


def migrate(url: str) -> None:
    """Bring an empty database up to date."""
    engine = make_engine(url)
    upgrade(engine, MIGRATIONS)
    engine.dispose()


class Desk:
    """The service of one test and what a test does with it."""

    def __init__(
        self, backend: Backend, catalogue: Catalogue = CATALOGUE, **settings_changed: Any
    ) -> None:
        backend.migrated("intake", migrate)
        self.clock = FixedClock(NOW)
        settings = backend.settings("intake", **settings_changed)
        self.bus = Bus(settings.amqp_url)
        self.folder = settings.data_dir / "files"
        self.service = build(
            settings, catalogue=catalogue, clock=self.clock, ids=SeededIds(5), bus=self.bus
        )
        self.bus.declare(exchanges_of("intake"), OTHERS)
        self.store = self.service.store
        self.web = self.service.web
        with self.store.begin() as uow:
            issue = partial(keys.issue, uow, days=keys.MOST_DAYS)  # tests let years go by
            self.key = issue(kind="desk", bound_to=OFFICE.code, label="1")[1]
            self.other_key = issue(kind="desk", bound_to=OTHER_OFFICE.code, label="2")[1]
            self.operator = issue(kind="operator", bound_to="*", label="3")[1]
            self.agency = issue(kind="agency", bound_to=TAX.code, label="4")[1]
        self.catalogue = catalogue
        self._people = 0
        self._numbers: dict[str, itertools.count[int]] = {}

    def close(self) -> None:
        """Let go of everything."""
        for loop in self.service.loops:
            loop.close()
        self.service.close()
        self.bus.close()

    # --- by the use cases ---------------------------------------------------------------------

    def submit(self, **changes: Any) -> str:
        """File a dossier; returns its code."""
        with self.store.begin() as uow:
            return submit(uow, CATALOGUE, command(**changes)).code

    def do(self, verb: Any, *args: Any, **options: Any) -> Dossier:
        """Run a desk verb that wants the catalogue in a unit of its own."""
        with self.store.begin() as uow:
            made: Dossier = verb(uow, CATALOGUE, *args, **options)
            return made

    def dossier(self, code: str) -> Dossier:
        """The dossier as it is on disk."""
        with self.store.read() as connection:
            found = find_dossier(connection, code)
        assert found is not None
        return found

    # --- by the pages -------------------------------------------------------------------------

    def person(self, *places: tuple[str, str], **more: Any) -> tuple[str, str]:
        """An account of the desk, or of these places: its id and password."""
        self._people += 1
        more.setdefault("login", "hoa" if self._people == 1 else f"hoa{self._people}")
        return person(self.store, self.catalogue, *(places or (("officer", OFFICE.code),)), **more)

    def browser(self, *places: tuple[str, str], **more: Any) -> Any:
        """A client of somebody who is signed in."""
        client = self.web.test_client()
        signed_in(client, self.web, self.store, self.person(*places, **more)[0])
        return client

    # --- by HTTP ------------------------------------------------------------------------------

    def http(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ):
        """A request with a desk's key; headers by name with underscores."""
        sent = {"Authorization": f"Bearer {key or self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.web.test_client(use_cookies=False)
        return client.open(f"/api/v1{path}", method=method, json=body, headers=sent)

    # --- by the bus ---------------------------------------------------------------------------

    def hear(self, event: Event, *, after: str | None = None, source: str | None = None) -> int:
        """Let routing (or notify) say something; returns what the pump moved.

        `source` puts it into a stream, and under a key, that is not its own today.
        """
        told_by_notify = isinstance(
            event, CitizenNotified | CitizenUnreachable | CallDropped | AddressFailed | StopChanged
        )
        to = address(event, "notify" if told_by_notify else "routing")
        key = to.routing_key
        if source is not None:
            key = ".".join([source.removeprefix("/"), *key.split(".")[1:]])
        source = source or to.source
        number = self._count(f"{source} {event.subject}")
        envelope = Envelope(
            id=f"{source}-{event.subject}-{number}",
            source=source,
            type=kind_of(type(event)).type,
            subject=event.subject,
            time=self.clock.now(),
            data=Data(write(event)),
            sequence=number,
            after=after,
        )
        return self.publish(envelope, key)

    def publish(self, envelope: Envelope, key: str) -> int:
        """Put these very bytes on the bus; returns what the pump moved."""
        message = OutMessage("1", names.DOSSIER_FACTS, key, encode(envelope))
        self.bus.publisher().publish([message])
        return self.rest()

    def _count(self, stream: str) -> int:
        return next(self._numbers.setdefault(stream, itertools.count(1)))

    def rest(self) -> int:
        """Carry everything to rest; on a real broker messages need a moment to arrive."""
        moved = pump(self.service.loops)
        if not self.bus.volatile:
            consumer = self.service.loops[1]
            moved += consumer.step(5.0) if moved == 0 else consumer.step(0.3)
            moved += pump(self.service.loops)
        return moved

    def started(self, code: str) -> None:
        """Routing has begun."""
        procedure = ProcedureName(code="1.000001", name="Thủ tục")
        now = self.clock.now()
        self.hear(DossierStarted(dossier=code, procedure=procedure, started_at=now))

    def asked_for_papers(
        self, code: str, *, step: str | None = "check", respond_by: datetime | None = None
    ) -> None:
        """An agency asks for papers."""
        self.hear(
            SupplementRequested(
                dossier=code,
                round=1,
                step=step,
                agency=AGENCY,
                items=("Giấy chứng sinh",),
                reason="mờ",
                respond_by=respond_by,
                requested_at=self.clock.now(),
            )
        )

    def resolved(self, code: str) -> None:
        """Routing has the result."""
        now = self.clock.now()
        result = StepResult(step="s", agency=AGENCY, outcome="granted", document="12/QĐ", at=now)
        self.hear(DossierResolved(dossier=code, results=(result,), resolved_at=now))

    def stamp(self, at: datetime | None = None) -> str:
        """An instant as it is written."""
        return format_instant(at or self.clock.now())

    def said(self, code: str) -> list[Envelope]:
        """What intake itself said of a dossier, in order."""
        outbox = LEDGERS.outbox
        with self.store.read() as connection:
            rows = connection.execute(
                outbox.select().where(outbox.c.subject == code).order_by(outbox.c.position)
            ).all()
        return [decode(bytes(row.body)) for row in rows]

    def events(self, code: str) -> list[Event]:
        """The same as events."""
        return [envelope.event() for envelope in self.said(code)]
