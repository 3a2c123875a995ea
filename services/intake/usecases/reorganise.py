"""A reorganisation at the desks: reading its plan, telling what it is about, carrying it out.

Intake changes its own rows and states `dossier.moved` for each dossier; the other services act on
that. Every dossier is moved once, whenever and however often the plan is applied.
"""

from __future__ import annotations

from pathlib import Path

from services.intake.domain.circumstances import Circumstances
from services.intake.domain.moving import move
from services.intake.domain.reorganising import Line, Plan, check
from services.intake.storage import moving, staff
from services.intake.storage.dossiers import Dossiers
from shared.catalogue import Catalogue
from shared.catalogue.faults import Faults
from shared.catalogue.read.steps import SLUG
from shared.catalogue.source import Entry, open_file
from shared.database import UnitOfWork
from shared.kernel.errors import InvalidInput
from shared.messaging.handling import keep

MOST_TEXT = 1000


def read_plan(path: Path, catalogue: Catalogue) -> Plan:
    """The plan of this file; InvalidInput with every fault, its line and its mend."""
    faults = Faults()
    top = open_file(path, path.parent, faults)
    plan = None if top is None else _plan(top)
    if plan is not None and not faults.found:
        check(plan, catalogue, faults)
    if plan is None or faults.found:
        raise InvalidInput(faults.found)
    return plan


def _plan(top: Entry) -> Plan:
    code, reason = top.text("plan"), top.text("reason")
    if code and not SLUG.match(code):
        top.fault(
            "plan",
            en=f"'{code}': use lower-case letters, digits and hyphens; it is kept with each dossier",
            vi=f"'{code}': dùng chữ thường không dấu, chữ số, gạch nối; được lưu cùng từng hồ sơ",
        )
    if len(reason) > MOST_TEXT:
        top.fault("reason", en="at most 1,000 letters", vi="tối đa 1.000 ký tự")
    plan = Plan(code, top.day("day"), reason, _lines(top, "units"), _lines(top, "agencies"))
    top.done()
    return plan


def _lines(top: Entry, key: str) -> tuple[Line, ...]:
    found = []
    for entry in top.entries(key):
        before = entry.texts("from")
        if not before:
            entry.fault(
                "from",
                en="write what ends: from: [one, two]",
                vi="hãy ghi nơi cũ: from: [một, hai]",
            )
        staff_at = entry.maybe_text("staff") if key == "agencies" else None
        found.append(Line(entry.place(), before, entry.text("to"), staff_at))
        entry.done()
    return tuple(found)


def move_people(uow: UnitOfWork, plan: Plan) -> int:
    """Whoever works at an agency that is no more works at its successor; how many people."""
    people = list(moving.to_move(uow.connection, plan.workplaces))
    for person, places in people:
        staff.change(uow.connection, person.id, places=places)
    return len(people)


def move_drafts(uow: UnitOfWork, plan: Plan) -> int:
    """What is typed and not yet filed goes with its office; how many forms."""
    return moving.move_drafts(uow.connection, plan.workplaces)


def move_some(
    uow: UnitOfWork, plan: Plan, catalogue: Catalogue, after: str
) -> tuple[int, str | None]:
    """Move the open dossiers among the next `BATCH` codes: how many, and where to go on (None: done).

    They are locked before they are judged: what ended meanwhile, or was moved, stays as it is.
    """
    codes = moving.some_open(uow.connection, after)
    around, dossiers, moved = Circumstances(catalogue, uow.now), uow.get(Dossiers), 0
    dossiers.load(codes)
    for code in codes:
        dossier = dossiers.get(code)
        if dossier is not None:
            decision = move(dossier, plan, around)
            keep(uow, dossiers, decision)
            moved += decision.state is not None
    return moved, codes[-1] if len(codes) == moving.BATCH else None
