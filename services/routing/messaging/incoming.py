"""Fact type -> use case: the whole table of what routing reacts to.

Here a message of the public contract becomes the plain values that the use cases take. A type that
is not in the tables is passed over: its number counts, nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.routing.domain.case import Office, Received
from services.routing.messaging.topology import ANSWERS_QUEUE
from services.routing.usecases import answer, follow
from services.routing.usecases.answer import ForgedAnswer, Given
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events import names
from shared.events.envelope import Envelope
from shared.events.facts import read, wire
from shared.kernel.clock import parse_instant
from shared.kernel.errors import ParkNow, Refused, Unreadable
from shared.messaging import Delivery, inbox
from shared.messaging.consumer import Handler, Late, Outcome, Screen

Data = Mapping[str, Any]
Verb = Callable[[UnitOfWork, Rules, Envelope], str | None]


def _received(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    office, procedure = data["office"], data["procedure"]
    return follow.receive(
        uow,
        rules,
        Received(
            dossier=envelope.subject,
            procedure=procedure["code"],
            version=procedure["version"],
            procedure_name=procedure["name"],
            office=Office(office["code"], office["name"], office["territory"]),
            branches=tuple(data["branches"]),
            received_at=parse_instant(data["received_at"]),
            promised_at=parse_instant(data["promised_at"]),
            due_at=parse_instant(data["due_at"]),
            form=data["form"],
            papers=tuple(data["papers"]),
        ),
    )


def _desk_asked(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    return follow.stand_still(
        uow,
        rules,
        envelope.subject,
        round_number=data["round"],
        respond_by=parse_instant(data["respond_by"]) if data["respond_by"] else None,
    )


def _supplemented(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    return follow.supplement(
        uow,
        rules,
        envelope.subject,
        form=data["form"],
        papers=tuple(data["papers"]),
        due_at=parse_instant(data["due_at"]) if data["due_at"] else None,
    )


def _paid(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    return follow.pay(
        uow,
        rules,
        envelope.subject,
        step=data["step"],
        amount_vnd=data["amount_vnd"],
        due_at=parse_instant(data["due_at"]),
    )


def _date_stated(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    return follow.take_date(
        uow,
        rules,
        envelope.subject,
        due_at=parse_instant(data["due_at"]),
        # An extension is routing's own date already: nothing waits for the answer to it.
        owed=data["because"] != "extended",
    )


def _withdrawn(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    data = read(envelope.type, envelope.data)
    return follow.give_up(uow, rules, envelope.subject, reason=data["reason"])


TYPES: Final[Mapping[str, Verb]] = {
    wire("dossier.received"): _received,
    wire("dossier.supplement_requested"): _desk_asked,
    wire("dossier.supplemented"): _supplemented,
    wire("dossier.paid"): _paid,
    wire("deadline.stated"): _date_stated,
    wire("dossier.withdrawn"): _withdrawn,
}
ANSWERS: Final[Mapping[str, str]] = {wire(f"answer.{kind}"): kind for kind in answer.KINDS}
_WIRE: Final = {kind: name for name, kind in ANSWERS.items()}


def fact_handlers(rules: Rules) -> dict[str, Handler]:
    """The handlers of the queue routing.facts."""

    def handler(verb: Verb) -> Handler:
        def apply(uow: UnitOfWork, envelope: Envelope) -> Outcome | None:
            return _outcome(lambda: verb(uow, rules, envelope))

        return Handler(apply=apply, warm=_warm_cases)

    return {name: handler(verb) for name, verb in TYPES.items()}


def answer_handlers(rules: Rules) -> dict[str, Handler]:
    """The handlers of the queue routing.answers."""

    def apply(uow: UnitOfWork, envelope: Envelope) -> Outcome | None:
        return _outcome(lambda: answer.take_message(uow, rules, given_of(envelope)))

    return dict.fromkeys(ANSWERS, Handler(apply=apply, warm=_warm_answers))


def given_of(envelope: Envelope) -> Given:
    """The answer in an envelope; Unreadable where subject and task differ."""
    data = read(envelope.type, envelope.data)
    if envelope.subject != data["task"]:
        raise Unreadable("answer: the subject must be the task id")
    fields = {name: value for name, value in data.items() if name != "task"}
    return Given(
        agency=_agency(envelope),
        answer_id=envelope.id,
        kind=ANSWERS[envelope.type],
        task=data["task"],
        fields=fields,
    )


def screen_answers(own_user: str | None) -> Screen:
    """Let in only answers that come from whom they say.

    The routing key is bound to the agency by the broker's topic permission and the user id is
    checked by the broker; `own_user` is the city's own broker user, which acts for anybody. A
    transport without users (memory) gives none.
    """

    def screen(envelope: Envelope, delivery: Delivery) -> None:
        agency = _agency(envelope)
        words = delivery.routing_key.split(".")
        if len(words) != 3 or words[1] != agency:
            raise ForgedAnswer(f"an answer of {agency} came under another routing key")
        if delivery.user_id not in (None, own_user, agency):
            raise ForgedAnswer(f"an answer of {agency} was sent by another broker user")

    return screen


def _agency(envelope: Envelope) -> str:
    agency = names.agency_of(envelope.source)
    if agency is None:
        raise ForgedAnswer("an answer must come from an agency")
    return agency


def admit(uow: UnitOfWork, given: Given) -> bool:
    """Note an answer that came over HTTP in the inbox, as the message it would have been.

    False where the same answer id came before, by either door.
    """
    source = names.agency_source(given.agency)
    envelope = Envelope(
        id=given.answer_id,
        source=source,
        type=_WIRE[given.kind],
        subject=given.task,
        time=uow.now,
        data={"task": given.task, **given.fields},
    )
    return inbox.admit(uow, ANSWERS_QUEUE, envelope)


def _warm_cases(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    follow.warm(uow, (envelope.subject for envelope in envelopes))


def _warm_answers(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    keys = [
        (names.agency_of(envelope.source) or "", envelope.id, envelope.subject)
        for envelope in envelopes
    ]
    answer.warm(uow, keys)


def _outcome(act: Callable[[], str | None]) -> Outcome | None:
    """Late where a note says that nothing changed; what is refused outright is for a person.

    A message has no caller to tell, and trying it again would be refused again: it is parked.
    """
    try:
        note = act()
    except Refused as refused:
        raise ParkNow(refused.en, vi=refused.vi, code=refused.code) from refused
    return None if note is None else Late(note)
