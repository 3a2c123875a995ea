"""Routing's facts and orders in the words of the public contract: a table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.routing.domain import facts as f
from services.routing.domain.plan import Ref
from shared.events import names
from shared.events.facts import check, wire
from shared.kernel.clock import format_instant
from shared.messaging.outbox import Outgoing

Data = dict[str, Any]


def translate(fact: object) -> Sequence[Outgoing]:
    """What leaves the service for this fact or order; ContractBroken if it breaks its schema."""
    name, make = OUTGOING[type(fact)]
    data = make(fact)
    kind = _WIRE[name]
    check(kind, data)
    if name.startswith("task."):
        queue = names.agency_queue(data["agency"])
        return [
            Outgoing(names.AGENCY_TASKS, queue, names.ROUTING_TASKS, data["agency"], kind, data)
        ]
    key = f"routing.{name}"
    return [Outgoing(names.DOSSIER_FACTS, key, names.ROUTING, data["dossier"], kind, data)]


def _ref(ref: Ref) -> Data:
    return {"code": ref.code, "name": ref.name}


def _ref_or_none(ref: Ref | None) -> Data | None:
    return None if ref is None else _ref(ref)


def _at(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _papers(papers: Sequence[Mapping[str, Any]]) -> list[Data]:
    return [
        {name: paper[name] for name in ("code", "name", "original", "copy")} for paper in papers
    ]


def _started(fact: f.DossierStarted) -> Data:
    return {
        "dossier": fact.dossier,
        "procedure": _ref(fact.procedure),
        "started_at": _at(fact.started_at),
    }


def _step_opened(fact: f.StepOpened) -> Data:
    return {
        "dossier": fact.dossier,
        "step": _ref(fact.step),
        "agency": _ref(fact.agency),
        "task": fact.task,
        "opened_at": _at(fact.opened_at),
        "due_at": _at(fact.due_at),
    }


def _step_answered(fact: f.StepAnswered) -> Data:
    return {
        "dossier": fact.dossier,
        "step": _ref(fact.step),
        "agency": _ref(fact.agency),
        "task": fact.task,
        "answer": fact.answer,
        "outcome": fact.outcome,
        "result_code": fact.result_code,
        "document": fact.document,
        "reason": fact.reason,
        "late": fact.late,
        "answered_at": _at(fact.answered_at),
    }


def _supplement_requested(fact: f.SupplementRequested) -> Data:
    return {
        "dossier": fact.dossier,
        "round": fact.round,
        "step": fact.step,
        "agency": _ref(fact.agency),
        "items": list(fact.items),
        "reason": fact.reason,
        "respond_by": _at(fact.respond_by),
        "requested_at": _at(fact.requested_at),
    }


def _supplement_dropped(fact: f.SupplementDropped) -> Data:
    return {
        "dossier": fact.dossier,
        "round": fact.round,
        "step": fact.step,
        "reason": fact.reason,
        "dropped_at": _at(fact.dropped_at),
    }


def _clock_stopped(fact: f.ClockStopped) -> Data:
    return {
        "dossier": fact.dossier,
        "step": _ref(fact.step),
        "agency": _ref(fact.agency),
        "stopped_at": _at(fact.stopped_at),
    }


def _clock_resumed(fact: f.ClockResumed) -> Data:
    return {"dossier": fact.dossier, "resumed_at": _at(fact.resumed_at)}


def _payment_requested(fact: f.PaymentRequested) -> Data:
    return {
        "dossier": fact.dossier,
        "step": fact.step,
        "agency": _ref(fact.agency),
        "amount_vnd": fact.amount_vnd,
        "reference": fact.reference,
        "requested_at": _at(fact.requested_at),
    }


def _extended(fact: f.DossierExtended) -> Data:
    return {
        "dossier": fact.dossier,
        "agency": _ref(fact.agency),
        "reason": fact.reason,
        "promised_at": _at(fact.promised_at),
        "due_at": _at(fact.due_at),
        "extended_at": _at(fact.extended_at),
        "number": fact.number,
    }


def _result(result: f.StepResult) -> Data:
    return {
        "step": result.step,
        "agency": _ref(result.agency),
        "outcome": result.outcome,
        "result_code": result.result_code,
        "document": result.document,
        "reason": result.reason,
        "at": _at(result.at),
    }


def _resolved(fact: f.DossierResolved) -> Data:
    return {
        "dossier": fact.dossier,
        "results": [_result(result) for result in fact.results],
        "resolved_at": _at(fact.resolved_at),
    }


def _stopped(fact: f.DossierStopped) -> Data:
    return {
        "dossier": fact.dossier,
        "reason": fact.reason,
        "next_step": fact.next_step,
        "agency": _ref_or_none(fact.agency),
        "step": fact.step,
        "stopped_at": _at(fact.stopped_at),
    }


def _deadline(fact: f.DeadlineNear | f.DeadlineMissed) -> Data:
    return {
        "dossier": fact.dossier,
        "scope": fact.scope,
        "step": fact.step,
        "agency": _ref_or_none(fact.agency),
        "task": fact.task,
        "due_at": _at(fact.due_at),
        "at": _at(fact.at),
    }


def _assigned(order: f.TaskAssigned) -> Data:
    return {
        "task": order.task,
        "dossier": order.dossier,
        "agency": order.agency,
        "procedure": _ref(order.procedure),
        "step": _ref(order.step),
        "assigned_at": _at(order.assigned_at),
        "due_at": _at(order.due_at),
        "form": dict(order.form),
        "papers": _papers(order.papers),
        "results": list(order.results),
    }


def _changed(order: f.TaskChanged) -> Data:
    return {
        "task": order.task,
        "dossier": order.dossier,
        "agency": order.agency,
        "change": order.change,
        "due_at": _at(order.due_at),
        "form": dict(order.form),
        "papers": _papers(order.papers),
        "note": order.note,
        "changed_at": _at(order.changed_at),
    }


def _cancelled(order: f.TaskCancelled) -> Data:
    return {
        "task": order.task,
        "dossier": order.dossier,
        "agency": order.agency,
        "reason": order.reason,
        "cancelled_at": _at(order.cancelled_at),
    }


# Who leaves under which name; the maker turns the value into the data of that name.
OUTGOING: Final[Mapping[type[Any], tuple[str, Callable[[Any], Data]]]] = {
    f.DossierStarted: ("dossier.started", _started),
    f.StepOpened: ("step.opened", _step_opened),
    f.StepAnswered: ("step.answered", _step_answered),
    f.SupplementRequested: ("dossier.supplement_requested", _supplement_requested),
    f.SupplementDropped: ("dossier.supplement_dropped", _supplement_dropped),
    f.ClockStopped: ("clock.stopped", _clock_stopped),
    f.ClockResumed: ("clock.resumed", _clock_resumed),
    f.PaymentRequested: ("dossier.payment_requested", _payment_requested),
    f.DossierExtended: ("dossier.extended", _extended),
    f.DossierResolved: ("dossier.resolved", _resolved),
    f.DossierStopped: ("dossier.stopped", _stopped),
    f.DeadlineNear: ("deadline.near", _deadline),
    f.DeadlineMissed: ("deadline.missed", _deadline),
    f.TaskAssigned: ("task.assigned", _assigned),
    f.TaskChanged: ("task.changed", _changed),
    f.TaskCancelled: ("task.cancelled", _cancelled),
}
_WIRE: Final = {name: wire(name) for name, _ in OUTGOING.values()}
