"""What routing does with what it hears, in two tables: event class -> what is decided.

An event that is not in a table is passed over: its number counts, nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar, get_args

from services.routing.domain import words
from services.routing.domain.apologies import apologised
from services.routing.domain.case import Case, Circumstances
from services.routing.domain.correcting import corrected
from services.routing.domain.deadlines import lapsed, silent
from services.routing.domain.extensions import granted, refused
from services.routing.domain.journey import open_case, withdraw
from services.routing.domain.moving import reorganised
from services.routing.domain.queue import is_user_of
from services.routing.domain.submission import ForgedAnswer, SubmissionKey
from services.routing.domain.waiting import dated, desk_asked, moved, paid, supplemented
from services.routing.storage.cases import Cases
from services.routing.storage.submissions import Submissions
from services.routing.usecases.answer import take_message
from services.routing.usecases.given_sums import take_sums
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events import agencies, intake, names
from shared.events.decision import Decision
from shared.events.envelope import Envelope
from shared.events.event import Event, kind_of
from shared.kernel.ids import ids_from
from shared.messaging import Delivery
from shared.messaging.consumer import ANY, Handler, Rejected, UnknownSender, Verify
from shared.messaging.handling import handlers, on

E = TypeVar("E", bound=Event)
Judged = Circumstances | None  # None where there is nothing to judge

FACTS_QUEUE: Final = "routing.facts"


def _received(
    case: Case | None, received: intake.DossierReceived, around: Judged
) -> Decision[Case]:
    if case is not None or around is None:
        return Decision(note=words.ALREADY_OPEN)
    return open_case(received, around)


def _of_case(
    decide: Callable[[Case, E, Circumstances], Decision[Case]],
) -> Callable[[Case | None, E, Judged], Decision[Case]]:
    """What happens at the desk before reception, when there is no case yet, is not for routing."""

    def decided(case: Case | None, event: E, around: Judged) -> Decision[Case]:
        if case is None or around is None:
            return Decision()
        decision = decide(case, event, around)
        # A note beside a change is for whoever asked; of an event nobody did.
        return decision if decision.state is None else replace(decision, note=None)

    return decided


TABLE: Final = (
    on(intake.DossierReceived, _received),
    on(intake.SupplementRequested, _of_case(desk_asked)),
    on(intake.DossierSupplemented, _of_case(supplemented)),
    on(intake.DossierCorrected, _of_case(corrected)),
    on(intake.DossierPaid, _of_case(paid)),
    on(intake.DeadlineStated, _of_case(dated)),
    on(intake.DossierVerifying, _of_case(moved)),
    on(intake.DossierBranched, _of_case(moved)),
    on(intake.SupplementLapsed, _of_case(lapsed)),
    on(intake.SilenceConfirmed, _of_case(silent)),
    on(intake.ExtensionGranted, _of_case(granted)),
    on(intake.ExtensionRefused, _of_case(refused)),
    on(intake.DossierApologised, _of_case(apologised)),
    on(intake.DossierMoved, _of_case(reorganised)),
    on(intake.DossierWithdrawn, _of_case(withdraw)),
)
#: Which of its instants says when a fact happened: it counts from then, whenever it comes.
HAPPENED: Final[Mapping[type[Event], str]] = {
    intake.DossierReceived: "received_at",
    intake.SupplementRequested: "requested_at",
    intake.DossierSupplemented: "supplemented_at",
    intake.DossierCorrected: "corrected_at",
    intake.DossierPaid: "paid_at",
    intake.DeadlineStated: "stated_at",
    intake.DossierVerifying: "stated_at",
    intake.DossierBranched: "stated_at",
    intake.SupplementLapsed: "lapsed_at",
    intake.SilenceConfirmed: "due_at",
    intake.ExtensionGranted: "granted_at",
    intake.ExtensionRefused: "refused_at",
    intake.DossierApologised: "apologised_at",
    intake.DossierMoved: "moved_at",
    intake.DossierWithdrawn: "withdrawn_at",
}


#: What agencies say; `usecases/answer.py` decides on it, for the HTTP door as well; of the last,
#: which is about no task, `usecases/given_sums.py`.
ANSWERS: Final[tuple[type[Event], ...]] = (*get_args(agencies.Answer), agencies.AnswerDaySums)


def fact_handlers(rules: Rules) -> dict[str, Handler]:
    """The handlers of the queue routing.facts."""

    def around(uow: UnitOfWork, case: Case | None, event: Event) -> Judged:
        at = getattr(event, HAPPENED[type(event)])
        # What comes again after a restore from a backup opens the tasks that agencies know.
        new_id = uow.ids.new if uow.cause is None else ids_from(uow.cause.id)
        if isinstance(event, intake.DossierReceived):
            return None if case else rules.for_received(event, at, new_id)
        if case is not None and isinstance(event, intake.DossierMoved):
            case = replace(case, office=event.office)  # it is judged by where it goes
        return None if case is None else rules.for_case(case, at, new_id)

    return handlers(TABLE, Cases, around)


def answer_handlers(rules: Rules) -> dict[str, Handler]:
    """The handlers of the queue routing.answers: whatever an agency sends has its verdict."""

    def load(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        uow.get(Submissions).load(map(_key, envelopes))

    def apply(uow: UnitOfWork, envelope: Envelope) -> Rejected | None:
        refusal = take_message(uow, rules, envelope)
        return None if refusal is None else Rejected(refusal.vi)

    def again(uow: UnitOfWork, envelope: Envelope) -> None:
        take_message(uow, rules, envelope, again=True)

    handler = Handler(apply=apply, load=load, again=again)
    found = dict.fromkeys((*(kind_of(each).type for each in ANSWERS), ANY), handler)

    def apply_sums(uow: UnitOfWork, envelope: Envelope) -> Rejected | None:
        odd = take_sums(uow, rules, envelope)
        return None if odd is None else Rejected(odd)

    sums = Handler(apply=apply_sums)
    return found | {kind_of(agencies.AnswerDaySums).type: sums}


def _key(envelope: Envelope) -> SubmissionKey:
    return SubmissionKey(_agency(envelope), envelope.id, envelope.subject)


def verify_sender(anybody: frozenset[str | None]) -> Verify:
    """Let in only answers that come from whom they say.

    The routing key is bound to the agency by the broker's topic permission, and the user who sent
    it is checked by the broker: without one nobody vouches for an answer. `anybody` are users who
    may speak for every agency.
    """

    def verify(envelope: Envelope, delivery: Delivery) -> None:
        agency = _agency(envelope)
        words = delivery.routing_key.split(".")
        if len(words) != 3 or words[1] != agency:
            raise ForgedAnswer("an answer came under another agency's routing key")
        if delivery.user_id in anybody or is_user_of(delivery.user_id, agency):
            return
        if delivery.user_id is None:
            raise UnknownSender("an answer must name its broker user (user_id)")
        raise ForgedAnswer("an answer was sent by another broker user than its agency's")

    return verify


def _agency(envelope: Envelope) -> str:
    agency = names.agency_of(envelope.source)
    if agency is None:
        raise ForgedAnswer("an answer must come from an agency")
    return agency
