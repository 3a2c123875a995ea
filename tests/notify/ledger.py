"""Notify alone: its store on both back ends, the real catalogue, and a channel that records.

What tests move by hand; no test lives here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

from msgspec.structs import replace

from services.notify.app import MIGRATIONS
from services.notify.domain.composing import Composer
from services.notify.domain.delivery import GoingOut, Letter, Result, Sent, Word
from services.notify.domain.messages import Message
from services.notify.on import event_handlers
from services.notify.storage import queries
from services.notify.usecases.gating import Manners
from shared.catalogue import Catalogue, load
from shared.database import Store, UnitOfWork, make_engine
from shared.database.migrate import upgrade
from shared.database.unit_of_work import Cause
from shared.events.describe import SAMPLES
from shared.events.envelope import Data, Envelope, decode
from shared.events.event import Event, kind_of, write
from shared.events.intake import ContactGiven, DossierReceived
from shared.events.names import PREFIX, short
from shared.events.parts import Agency, Consent, Office, ProcedureVersion
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT

E = TypeVar("E", bound=Event)

START = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
DOSSIER = "000.00.15.H20-220314-0001"
OFFICE = "ubnd-phuong-1"


@cache
def the_catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


def migrate(url: str) -> None:
    engine = make_engine(url)
    upgrade(engine, MIGRATIONS)
    engine.dispose()


def sample(cls: type[E], dossier: str = DOSSIER, **changes: object) -> E:
    """The contract's own sample of an event, about this dossier and with these changes."""
    path = SAMPLES / f"{kind_of(cls).type.removeprefix(PREFIX)}.json"
    happened = decode(path.read_bytes()).event()
    assert isinstance(happened, cls)
    return replace(happened, dossier=dossier, **changes)


def received(dossier: str = DOSSIER, **changes: object) -> DossierReceived:
    """A dossier of the catalogue's first procedure, due on Wednesday at 14:00 (Vietnam)."""
    procedure = the_catalogue().procedures(START.date())[0]
    due = START + timedelta(days=2, hours=5)
    values: dict[str, object] = {
        "procedure": ProcedureVersion(
            code=procedure.code,
            name=procedure.name,
            version=procedure.version,
            short_name=procedure.short_name,
        ),
        "office": Office(code=OFFICE, name=the_catalogue().agency(OFFICE).name, territory="29866"),
        "promised_at": due,
        "due_at": due,
    }
    return sample(DossierReceived, dossier, **{**values, **changes})


def agency(code: str = "x", name: str = "Công an") -> Agency:
    return Agency(code=code, name=name)


class Ledger:
    """Notify's rooms below the bus, moved by hand."""

    def __init__(self, store: Store, composer: Composer, clock: FixedClock) -> None:
        self.store = store
        self.composer = composer
        self.clock = clock
        self._handlers = event_handlers(composer)
        self.manners = Manners(composer.rule)
        self._ids = SeededIds(7)

    def fact(self, event: Event) -> Envelope:
        """The event with an id and the present time, as it comes from its maker."""
        return Envelope(
            id=self._ids.new(),
            source="/maker",
            type=kind_of(type(event)).type,
            subject=event.subject,
            time=self.clock.now(),
            data=Data(write(event)),
        )

    def hear(self, *told: Event | Envelope) -> None:
        """A batch of events in one unit of work; a fact that is given keeps its id."""
        with self.store.begin() as uow:
            self.handle(uow, *told)

    def handle(self, uow: UnitOfWork, *told: Event | Envelope) -> None:
        facts = [each if isinstance(each, Envelope) else self.fact(each) for each in told]
        for kind in dict.fromkeys(fact.type for fact in facts):
            if (load := self._handlers[kind].load) is not None:
                load(uow, [fact for fact in facts if fact.type == kind])
        for fact in facts:
            uow.cause = Cause(fact.id, made_at=fact.time)
            self._handlers[fact.type].apply(uow, fact)

    def messages(self, **search: object) -> list[Message]:
        """All messages, oldest first."""
        with self.store.read() as connection:
            found = queries.find(connection, queries.Search(limit=1000, **search))  # type: ignore[arg-type]
        return found[::-1]

    def states(self) -> dict[str, int]:
        with self.store.read() as connection:
            return queries.by_state(connection)

    def told(self) -> list[tuple[str, dict]]:
        """The facts that notify made: (short type, data)."""
        outbox = LEDGERS.outbox
        with self.store.read() as connection:
            bodies = connection.execute(outbox.select().order_by(outbox.c.position)).all()
        facts = [decode(bytes(row.body)) for row in bodies]
        return [(short(fact.type), dict(fact.data)) for fact in facts]


def a_contact(
    dossier: str = DOSSIER,
    *,
    consent_sms: bool = True,
    consent_email: bool = True,
    **changes: object,
) -> ContactGiven:
    values: dict[str, object] = {
        "dossier": dossier,
        "name": "Nguyễn Thị Sáu",
        "phone": "+84907123456",
        "email": "sau.nguyen@example.vn",
        "language": "vi",
        "consent": Consent(sms=consent_sms, email=consent_email),
        "lookup_word": "K7M2QP",
        "given_at": START,
    }
    return ContactGiven(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class RecordingChannel:
    """Keeps letters; answers what `answers` holds next, `Sent` when it is empty.

    Before an answer that it does not give at once it says the words in `before`.
    """

    idempotent: bool = True
    remote: bool = False
    name: str = "recording"
    letters: list[Letter] = field(default_factory=list)
    answers: list[Result | Exception] = field(default_factory=list)
    before: list[Word] = field(default_factory=list)

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        for letter in letters:
            if not self.idempotent:
                yield GoingOut()
            self.letters.append(letter)
            while self.before:
                yield self.before.pop(0)
            answer = self.answers.pop(0) if self.answers else Sent()
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def close(self) -> None:
        """Nothing is held."""
