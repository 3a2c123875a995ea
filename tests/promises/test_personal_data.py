"""No personal data where it is not needed: logs, metrics, listings, queues, other agencies.

One journey with marked values, some of it failing; then everything that left a service's own
tables is searched for the marks.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from werkzeug.test import Client

from services.notify.storage.tables import contacts
from shared import log
from shared.catalogue import Catalogue
from shared.events.envelope import decode
from shared.events.names import agency_queue, short
from shared.kernel.clock import to_vn
from shared.messaging import Bus, OutMessage, Publisher, Sent
from shared.messaging.loops.supervisor import Supervisor
from shared.messaging.tables import LEDGERS
from shared.settings import Settings
from shared.web.ops import OpsApp
from simulation.kit import Desk, filing
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.operator import Operator
from tests.promises.test_parked import fact_id, failing, until_parked
from tests.promises.test_receipts import ask, file
from tests.promises.town import OFFICES, WARD, Town

CONTACT = {
    "name": "Đặng Thị Dấu Riêng",
    "phone": "0907654321",
    "email": "dau.rieng@nha.example.vn",
    "consent": {"sms": True, "email": True},
}
CONTACT_MARKS = ("Dấu Riêng", "907654321", "dau.rieng")
# Field type -> a value that is found again wherever it went; the field's name makes it its own.
MARKS = {
    "text": "Kín-{number:03}-{name:.10}",
    "name": "Kín Thị {letter}ang Riêng",
    "id_number": "087190{number:06}",
    "date": "2019-06-{day:02}",
}


class RecordingBus(Bus):
    """The real bus; keeps a copy of every message that its publishers sent."""

    sent: list[OutMessage]

    def __init__(self, url: str, *, prefix: str = "") -> None:
        super().__init__(url, prefix=prefix)
        self.sent = []

    def publisher(self) -> Publisher:
        return _Recording(super().publisher(), self.sent)


@dataclass
class _Recording:
    real: Publisher
    sent: list[OutMessage]

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        self.sent.extend(batch)
        return self.real.publish(batch)

    def confirmed(self) -> set[Any]:
        return self.real.confirmed()

    def tend(self) -> None:
        self.real.tend()

    def close(self) -> None:
        self.real.close()


@dataclass
class Marked:
    """One dossier whose personal fields can be told from everything else."""

    body: dict[str, Any]
    marks: dict[str, str] = field(default_factory=dict)  # field name -> its value


def marked(town: Town, code: str) -> Marked:
    procedure = town.catalogue.procedure(code, to_vn(town.clock.now()).date())
    one = Marked(filing(procedure, 1) | {"contact": CONTACT})
    for number, each in enumerate(procedure.form):
        if each.personal and each.type in MARKS:
            value = MARKS[each.type].format(
                name=each.name, number=number, day=number + 10, letter=ascii_uppercase[number]
            )
            one.body["form"][each.name] = one.marks[each.name] = value
    assert len(one.marks) >= 4
    return one


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at the chattiest level, as production writes it."""
    out = io.StringIO()
    settings = {"LIENTHONG_LOG_FORMAT": "json", "LIENTHONG_LOG_LEVEL": "debug"}
    log.configure(Settings.load("intake", settings), stream=out)
    yield out
    structlog.reset_defaults()


@pytest.fixture
def recorded(backend: Backend, catalogue: Catalogue) -> Iterator[Town]:
    town = Town(backend, catalogue, make_bus=RecordingBus)
    yield town
    town.close()


def test_a_journey_leaves_personal_data_only_where_it_is_needed(recorded: Town):
    marks: set[str] = set()
    for code in OFFICES:
        one = marked(recorded, code)
        marks |= set(one.marks.values())
        desk = recorded.desk(code)
        filed = file(desk, one.body, code)
        recorded.finish(filed, procedure=code)
        check_agencies(recorded, code, filed, one)
    words = lookup_words(recorded)
    sent = recorded.city.bus.sent  # type: ignore[attr-defined]
    assert len(sent) > 50
    for message in sent:
        envelope = decode(message.body)
        text = message.body.decode() + json.dumps(dict(message.headers)) + message.routing_key
        if short(envelope.type) != "contact.given":
            assert not found_in(text, [*CONTACT_MARKS, *words]), envelope.type
        if short(envelope.type) not in ("dossier.received", "task.assigned", "task.changed"):
            assert not found_in(text, marks), envelope.type
        if short(envelope.type) == "contact.given":  # where it must be: the search is sound
            assert message.exchange == "citizen.contacts"
            assert found_in(text, CONTACT_MARKS) == list(CONTACT_MARKS)


def check_agencies(town: Town, procedure: str, dossier: str, one: Marked) -> None:
    """Each agency got the fields that its step shares, and no others."""
    today = to_vn(town.clock.now()).date()
    steps = {step.code: step for step in town.catalogue.procedure(procedure, today).steps}
    tasks = [
        (message.routing_key, envelope)
        for message in town.city.bus.sent  # type: ignore[attr-defined]
        if message.exchange == "agency.tasks"
        and (envelope := decode(message.body)).data["dossier"] == dossier
    ]
    assert tasks
    for key, envelope in tasks:
        if short(envelope.type) != "task.assigned":
            continue
        step = steps[envelope.data["step"]["code"]]
        assert key == agency_queue(town.catalogue.agency_for(step.role, WARD, today).code)
        assert set(envelope.data["form"]) <= set(step.shares)
        others = [mark for name, mark in one.marks.items() if name not in step.shares]
        assert not found_in(json.dumps(dict(envelope.data), ensure_ascii=False), others)


def lookup_words(town: Town) -> list[str]:
    with town.city.notify.store.read() as connection:
        return list(connection.scalars(sa.select(contacts.c.lookup_word)))


def found_in(text: str, marks: Any) -> list[str]:
    return [mark for mark in marks if mark in text]


def test_what_no_step_needs_does_not_leave_the_desk_at_all(recorded: Town):
    today = to_vn(recorded.clock.now()).date()
    for procedure in recorded.catalogue.procedures(today):
        kept = {name for step in procedure.steps for name in step.shares}
        own = [each for each in procedure.form if each.personal and each.name not in kept]
        if own and OFFICES[INTERLINKED] in [
            office.code
            for office in recorded.catalogue.offices(today)
            if recorded.catalogue.office_handles(office.code, procedure, today)
        ]:
            break
    else:
        pytest.skip("every personal field of every procedure is shared with some step")
    one = marked_alone(filing(procedure, 1), own[0].name)
    code = file(recorded.desk(), one, "alone")
    with recorded.city.intake.store.read() as connection:
        outbox = LEDGERS.outbox
        bodies = list(connection.scalars(sa.select(outbox.c.body).where(outbox.c.subject == code)))
    assert bodies
    assert own[0].name not in "".join(bytes(body).decode() for body in bodies)


def marked_alone(body: dict[str, Any], name: str) -> dict[str, Any]:
    assert name in body["form"] or body["form"].setdefault(name, "087190001234")
    return body


def test_logs_metrics_listings_and_errors_name_no_person(
    recorded: Town, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
):
    one = marked(recorded, INTERLINKED)
    marks = [*CONTACT_MARKS, *one.marks.values()]
    desk = recorded.desk()
    code = file(desk, one.body, "sick")

    # Refused, failed and broken on purpose, with the marks in every place that may be quoted.
    bad = one.body | {"contact": CONTACT | {"phone": "0907654321 x", "email": "dau.rieng@"}}
    assert ask(desk, bad, "bad").status == 422
    answers = [broken_page(recorded, desk, one)]
    with failing(recorded, "notify.contacts", "contact.given", code):
        with failing(recorded, "routing.facts", "dossier.received", code):
            until_parked(recorded, 2)
        broken_loop(one)

    operator = Operator(recorded, monkeypatch)
    listing = operator.types("parked", "list")
    answers += [listing, operator.types("parked", "list", "--json")]
    ident = fact_id(listing, f"/intake {code} #1")
    answers.append(operator.types("parked", "show", ident, "--service", "routing"))
    answers += [pages(recorded, service) for service in recorded.city.services]
    for told in answers:
        assert told
        assert not found_in(told, marks), told
    assert '"fact.handled"' in logged.getvalue()
    assert '"loop.failed"' in logged.getvalue()
    assert '"web.failed"' in logged.getvalue()
    for line in logged.getvalue().splitlines():
        assert not found_in(line, marks), line


def broken_page(town: Town, desk: Desk, one: Marked) -> str:
    """A defect behind the API whose error quotes the row, as PostgreSQL does."""
    engine = town.city.intake.store.engine

    def refuse(*_: Any) -> None:
        row = json.dumps(one.body, ensure_ascii=False)
        error = ValueError(f"DETAIL: Failing row contains {row}")
        raise sa.exc.IntegrityError("INSERT INTO dossiers …", {"body": row}, error)

    sa.event.listen(engine, "commit", refuse)
    try:
        reply = ask(desk, one.body, "broken")
    finally:
        sa.event.remove(engine, "commit", refuse)
    assert reply.status == 500
    return reply.text


def broken_loop(one: Marked) -> None:
    """A loop that raises what quotes a form; the supervisor logs it and goes on."""
    asked = threading.Event()

    class Breaking:
        name = "breaking"

        def step(self, wait: float) -> int:
            asked.set()
            raise KeyError(json.dumps(one.body, ensure_ascii=False))

        def next_due(self) -> None:
            return None

        def wake(self) -> None: ...

        def close(self) -> None: ...

    supervisor = Supervisor([Breaking()])
    supervisor.start()
    assert asked.wait(30)
    assert supervisor.stop()


def pages(town: Town, service: str) -> str:
    """What the operators' door of a service shows."""
    client = Client(OpsApp(town.city.services[service]))
    return "".join(
        client.get(path).get_data(as_text=True) for path in ("/metrics", "/readyz", "/healthz")
    )
