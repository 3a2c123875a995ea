"""Notify alone: its store on both back ends, the real catalogue, and a channel that records.

What tests move by hand; no test lives here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from services.notify.app import MIGRATIONS
from services.notify.domain.contacts import Contact
from services.notify.domain.delivery import Letter, Result, Sent
from services.notify.domain.messages import Message
from services.notify.domain.news import News
from services.notify.storage import queries
from services.notify.usecases.composing import Composer
from services.notify.usecases.telling import take_contact, tell_citizen, warm_contacts, warm_news
from shared.catalogue import Catalogue, load
from shared.database import Store, make_engine
from shared.database.migrate import upgrade
from shared.kernel.clock import FixedClock
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT

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


class Ledger:
    """Notify's rooms below the bus, moved by hand."""

    def __init__(self, store: Store, composer: Composer, clock: FixedClock) -> None:
        self.store = store
        self.composer = composer
        self.clock = clock
        self._facts = 0

    def news(self, name: str, dossier: str = DOSSIER, **data: object) -> News:
        self._facts += 1
        told = {"dossier": dossier, **data}
        return News(f"fact-{self._facts}", name, dossier, self.clock.now(), told)

    def hear(self, *news: News) -> None:
        with self.store.begin() as uow:
            warm_news(uow, [one.dossier for one in news])
            for one in news:
                tell_citizen(uow, self.composer, one)

    def give(self, *contacts: Contact) -> None:
        with self.store.begin() as uow:
            warm_contacts(uow, [contact.dossier for contact in contacts])
            for contact in contacts:
                take_contact(uow, self.composer, contact)

    def received(self, dossier: str = DOSSIER) -> News:
        procedure = the_catalogue().procedures(START.date())[0]
        return self.news(
            "dossier.received",
            dossier,
            procedure={
                "code": procedure.code,
                "name": procedure.name,
                "short_name": procedure.short_name,
            },
            office={"code": OFFICE, "name": the_catalogue().agency(OFFICE).name},
            promised_at="2022-03-16T07:00:00Z",
            due_at="2022-03-16T07:00:00Z",
        )

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
        from shared.events.envelope import decode
        from shared.events.names import short

        outbox = LEDGERS.outbox
        with self.store.read() as connection:
            bodies = connection.execute(outbox.select().order_by(outbox.c.position)).all()
        facts = [decode(bytes(row.body)) for row in bodies]
        return [(short(fact.type), dict(fact.data)) for fact in facts]


def a_contact(dossier: str = DOSSIER, **changes: object) -> Contact:
    values: dict[str, object] = {
        "dossier": dossier,
        "name": "Nguyễn Thị Sáu",
        "phone": "+84907123456",
        "email": "sau.nguyen@example.vn",
        "language": "vi",
        "consent_sms": True,
        "consent_email": True,
        "lookup_word": "K7M2QP",
        "given_at": START,
    }
    return Contact(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class RecordingChannel:
    """Keeps letters; answers what `answers` holds next, `Sent` when it is empty."""

    idempotent: bool = True
    remote: bool = False
    name: str = "recording"
    letters: list[Letter] = field(default_factory=list)
    answers: list[Result | Exception] = field(default_factory=list)

    def send(self, letters: Iterable[Letter]) -> Iterator[Result]:
        for letter in letters:
            self.letters.append(letter)
            answer = self.answers.pop(0) if self.answers else Sent()
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def close(self) -> None:
        """Nothing is held."""
