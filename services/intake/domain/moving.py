"""A dossier is taken over at a reorganisation: by another office, or its steps by other agencies.

No date moves, no status changes; what was before keeps its names.
"""

from __future__ import annotations

from dataclasses import replace

from services.intake.domain.circumstances import Circumstances, agency
from services.intake.domain.dossier import Dossier, Moved
from services.intake.domain.reorganising import Plan
from shared.catalogue import Agency, Catalogue
from shared.catalogue.model import WHOLE_CITY
from shared.events.decision import Decision
from shared.events.intake import DossierMoved
from shared.events.parts import Office, Successor


def takes_over(dossier: Dossier, plan: Plan, around: Circumstances) -> bool:
    """Whether the plan is about this dossier: open, not moved by it before, and touched by it.

    One that another office keeps is touched where a step of it asks for what an ended agency did.
    """
    if dossier.status.final or any(each.plan == plan.code for each in dossier.moves):
        return False
    if dossier.office in plan.successors:
        return True
    asked = {step.role for step in around.procedure(dossier).steps}
    ended = (around.catalogue.agency(code) for code in plan.successors)
    return dossier.received_at is not None and any(asked & set(each.roles) for each in ended)


def move(dossier: Dossier, plan: Plan, around: Circumstances) -> Decision[Dossier]:
    """Who has it from now on; nothing where the plan is not about it."""
    if not takes_over(dossier, plan, around):
        return Decision()
    catalogue, old = around.catalogue, around.office(dossier)
    new = catalogue.agency(plan.successors.get(old.code, old.code))
    done = Moved(office=old.code, at=around.now, plan=plan.code)
    event = DossierMoved(
        dossier=dossier.code,
        plan=plan.code,
        reason=plan.reason,
        from_office=_office(old),
        office=_office(new),
        successors=tuple(_successors(plan, old, catalogue)),
        moved_at=around.now,
    )
    return Decision(replace(dossier, office=new.code, moves=(*dossier.moves, done)), (event,))


def _office(known: Agency) -> Office:
    return Office(code=known.code, name=known.name, territory=known.territory)


def _successors(plan: Plan, office: Agency, catalogue: Catalogue) -> list[Successor]:
    """Of the agencies of its own territory and of the whole city; of others the rules say it."""
    found = []
    for code, to in plan.successors.items():
        ended = catalogue.agency(code)
        if ended.territory in (office.territory, WHOLE_CITY) and ended.check == office.check:
            known = catalogue.agency(to) if to in catalogue.agency_codes() else None
            found.append(Successor(agency=code, to=None if known is None else agency(known)))
    return found
