"""More time that an agency asks for before its date: the head of the office grants or refuses it."""

from __future__ import annotations

from dataclasses import replace

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.dossier import Dossier, TimeAsked
from services.intake.domain.texts import check_text
from services.intake.domain.waits import must_allow, vn_minute
from shared.events.decision import Decision
from shared.events.intake import ExtensionGranted, ExtensionRefused
from shared.events.routing import ExtensionDropped, ExtensionRequested
from shared.kernel.errors import Fault, InvalidInput, NotAllowed


def ask(dossier: Dossier, event: ExtensionRequested) -> Decision[Dossier]:
    """Keep the request until the head decides, or nobody asks any more."""
    asked = TimeAsked(
        task=event.task,
        step=event.step.name,
        agency=event.agency.code,
        until=event.until,
        reason=event.reason,
        at=event.requested_at,
        due_at=event.due_at,
        new_due_at=event.new_due_at,
    )
    others = _without(dossier, event.task)
    return Decision(replace(dossier, time_asked=(*others, asked)))


def drop(dossier: Dossier, event: ExtensionDropped) -> Decision[Dossier]:
    """The step has ended, or its date has passed: nobody asks any more."""
    return Decision(replace(dossier, time_asked=_without(dossier, event.task)))


def grant(dossier: Dossier, around: Circumstances, *, task: str | None = None) -> Decision[Dossier]:
    """The agency gets the time that it asked for; routing says what that does to the promise."""
    asked = _decided(dossier, around, "grant-extension", task)
    event = ExtensionGranted(
        dossier=dossier.code,
        task=asked.task,
        until=asked.until,
        reason=asked.reason,
        granted_at=around.now,
    )
    return Decision(replace(dossier, time_asked=_without(dossier, asked.task)), (event,))


def refuse(
    dossier: Dossier, around: Circumstances, *, reason: str, task: str | None = None
) -> Decision[Dossier]:
    """The date stays as it is; the agency is told why."""
    asked = _decided(dossier, around, "refuse-extension", task)
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    if faults:
        raise InvalidInput(faults)
    event = ExtensionRefused(
        dossier=dossier.code, task=asked.task, reason=why, refused_at=around.now
    )
    return Decision(replace(dossier, time_asked=_without(dossier, asked.task)), (event,))


def _without(dossier: Dossier, task: str) -> tuple[TimeAsked, ...]:
    return tuple(each for each in dossier.time_asked if each.task != task)


def _decided(dossier: Dossier, around: Circumstances, act: str, task: str | None) -> TimeAsked:
    """The request that is meant, before its step's date has passed."""
    must_allow(dossier, act)
    found = [each for each in dossier.time_asked if task in (None, each.task)]
    if len(found) != 1:
        tasks = ", ".join(each.task for each in dossier.time_asked)
        raise InvalidInput(
            [Fault("task", "Hãy chọn đúng yêu cầu đang chờ.", f"name one of: {tasks}")]
        )
    asked = found[0]
    if asked.due_at is not None and asked.due_at <= around.now:
        raise NotAllowed(
            f"the step's date passed at {asked.due_at:%Y-%m-%dT%H:%MZ}: the agency names a new one",
            vi=f"Hạn của bước đã qua lúc {vn_minute(asked.due_at)}: cơ quan tự nêu hạn mới.",
        )
    return asked
