"""What the desk corrects of a dossier on its way: later steps get it, agencies that have it are told.

Intake decides whether something may be corrected, by what it knows then. An answer that routing took
in before stands (docs/decisions/0018): its agency and the desk are told.
"""

from __future__ import annotations

from typing import Any, Final

from services.routing.domain import words
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.move import Move
from shared.events.decision import Decision
from shared.events.intake import DossierCorrected
from shared.events.routing import CorrectionOvertaken

_TOLD: Final = ("assigned", "taken", "paused", "answered")


def corrected(case: Case, event: DossierCorrected, around: Circumstances) -> Decision[Case]:
    """The form becomes what intake holds, whatever has become of the case; no clock moves."""
    move, kept = Move(case, around), around.route.shared_fields
    changed = {name: value for name, value in event.form.items() if name in kept}
    marks = {**case.corrected, **dict.fromkeys(changed, event.corrected_at)}
    form = {n: v for n, v in event.form_after.items() if n in kept and v is not None}
    move.set(form=form, corrected=marks)
    for task in case.tasks.values():
        step = around.route.index.get(task.step)
        seen = {} if step is None else {n: v for n, v in changed.items() if n in step.shares}
        if seen and task.kind == "task" and task.state in _TOLD:
            _tell(move, task, seen, event.number)
    return Decision(move.case, tuple(move.events))


def _tell(move: Move, task: Task, seen: dict[str, Any], number: int) -> None:
    late = not task.is_open
    move.tell(
        task,
        "paused" if task.state == "paused" else "due",
        note=words.CORRECTED_TOO_LATE if late else words.CORRECTED,
        form=seen,
        corrected=True,
    )
    if late:
        move.events.append(
            CorrectionOvertaken(
                dossier=move.case.dossier,
                number=number,
                step=move.step(task).part,
                agency=task.agency,
                task=task.id,
                overtaken_at=move.now,
            )
        )
