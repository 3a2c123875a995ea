"""What a desk does at reception: submit, receive, refuse, ask for papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.domain.circumstances import Circumstances, agency, legal_time, version
from services.intake.domain.contacts import contact_given, parties_given
from services.intake.domain.dossier import Dossier, Ending, Wait
from services.intake.domain.expiry import binding, planned
from services.intake.domain.forms import (
    PaperCount,
    check_form,
    check_papers,
    is_other,
    missing_papers,
    numbered_on,
)
from services.intake.domain.sizes import check_size
from services.intake.domain.statuses import Status
from services.intake.domain.submission import Checked
from services.intake.domain.texts import check_text, missing
from services.intake.domain.waits import must_allow, not_received, open_wait
from shared.catalogue import Procedure
from shared.events.decision import Decision
from shared.events.intake import (
    DossierReceived,
    DossierRegistered,
    SupplementRequested,
)
from shared.events.parts import Office
from shared.events.types import WRITTEN_ITEM, WRITTEN_ITEMS
from shared.kernel.calendar import due
from shared.kernel.errors import Fault, InvalidInput

MOST_ITEMS = WRITTEN_ITEMS


def submit(
    checked: Checked, code: str, lookup_word: str, around: Circumstances
) -> Decision[Dossier]:
    """File the dossier; at the desk it is received in the same breath (1 -> 2)."""
    dossier = Dossier(
        code=code,
        procedure=checked.procedure.code,
        procedure_version=checked.procedure.version,
        field=checked.procedure.field,
        office=checked.office.code,
        channel=checked.channel,
        status=Status.REGISTERED,
        underlying=Status.REGISTERED,
        submitted_at=around.now,
        contact=checked.contact,
        lookup_word=lookup_word,
        form=checked.form,
        papers=checked.papers,
        branches=checked.branches,
    )
    told = parties_given(dossier, checked.procedure, around.now)
    contacts = (*told, contact_given(dossier, around.now))
    if checked.direct:
        received, event = _received(dossier, checked.procedure, around)
        return Decision(received, (event, *contacts))
    registered = DossierRegistered(
        dossier=code,
        procedure=version(checked.procedure),
        office=agency(checked.office),
        channel=checked.channel,
        submitted_at=around.now,
    )
    return Decision(dossier, (registered, *contacts))


def _received(
    dossier: Dossier, procedure: Procedure, around: Circumstances
) -> tuple[Dossier, DossierReceived]:
    """With the promise: the clock starts now."""
    office = around.office(dossier)
    promised = due(around.now, legal_time(procedure, dossier), around.calendar(dossier))
    received = replace(
        dossier,
        status=dossier.becoming(Status.RECEIVED),
        underlying=Status.RECEIVED,
        received_at=around.now,
        promised_at=promised,
        due_at=promised,
        adjusted_due_at=promised,
    )
    return received, DossierReceived(
        dossier=dossier.code,
        procedure=version(procedure),
        field=procedure.field,
        office=Office(code=office.code, name=office.name, territory=office.territory),
        channel=dossier.channel,
        submitted_at=dossier.submitted_at,
        received_at=around.now,
        promised_at=promised,
        due_at=promised,
        form=procedure.shared(dossier.form),
        papers=dossier.papers,
        branches=dossier.branches,
        rounds=rounds_asked(dossier),
    )


def rounds_asked(dossier: Dossier) -> int:
    """How often the citizen was asked for papers, by the desk and by agencies."""
    return len({wait.round for wait in dossier.waits if wait.kind == "supplement"})


def receive(
    dossier: Dossier, around: Circumstances, *, papers: Sequence[PaperCount] | None = None
) -> Decision[Dossier]:
    """Receive what was filed online or by post, under the version it was filed under.

    That version asks for the papers and the fields that the citizen knew of, also where it ended
    between the filing and the reception.

    `papers` replaces the checklist by what the desk has counted itself.
    """
    procedure = around.procedure(dossier)
    must_allow(dossier, "receive")
    faults: list[Fault] = []
    held = dossier.papers
    if papers is not None:
        others = tuple(p for p in held if is_other(p))
        counted = check_papers(procedure.papers, papers, faults)
        held = (*numbered_on(others, counted), *others)
    there = {paper.code for paper in held}
    check_form(procedure.form, dossier.form, faults, today=around.today, there=there)
    faults.extend(missing_papers(procedure.papers, held))
    check_size(dossier.form, held, faults)
    if faults:
        raise InvalidInput(faults)
    received, event = _received(replace(dossier, papers=held), procedure, around)
    return Decision(received, (event,))


def refuse(
    dossier: Dossier, around: Circumstances, *, reason: str, next_step: str
) -> Decision[Dossier]:
    """Do not receive it; never without a reason and what the citizen can do instead."""
    must_allow(dossier, "refuse")
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    then = check_text(next_step, "next_step", faults) or ""
    if faults:
        raise InvalidInput(faults)
    # Never received: no clock ever ran, so there is none to stop.
    waits = tuple(replace(w, closed_at=around.now) if w.open else w for w in dossier.waits)
    return not_received(replace(dossier, waits=waits), around, Ending(why, then))


def request_supplement(
    dossier: Dossier,
    around: Circumstances,
    *,
    items: Sequence[str],
    reason: str,
    respond_by: datetime | None = None,
) -> Decision[Dossier]:
    """Ask for everything that is missing in one go; after reception the clock stands meanwhile."""
    must_allow(dossier, "request-supplement")
    round_ = rounds_asked(dossier) + 1
    faults = _round_faults(around.procedure(dossier), round_)
    asked = check_items(items, faults)
    why = check_text(reason, "reason", faults) or ""
    calendar = around.calendar(dossier)
    until = binding(respond_by, around.now, calendar, faults)
    if faults:
        raise InvalidInput(faults)
    wait = Wait(
        kind="supplement",
        asked_by="desk",
        asked_at=around.now,
        stops_clock=True,
        round=round_,
        agency=dossier.office,
        items=asked,
        reason=why,
        respond_by=until,
    )
    wait = planned(wait, around.now, around.papers_rule(around.now), calendar)
    event = _requested(dossier, round_, wait, around)
    return Decision(open_wait(dossier, wait, restart=around.rules(dossier).restart), (event,))


def _requested(
    dossier: Dossier, round_: int, wait: Wait, around: Circumstances
) -> SupplementRequested:
    return SupplementRequested(
        dossier=dossier.code,
        round=round_,
        agency=agency(around.office(dossier)),
        items=wait.items,
        reason=wait.reason or "",
        respond_by=wait.respond_by,
        requested_at=wait.asked_at,
    )


def _round_faults(procedure: Procedure, round_: int) -> list[Fault]:
    most = procedure.max_supplement_rounds
    if most is None or round_ <= most:
        return []
    return [
        Fault(
            "round",
            f"Thủ tục này chỉ được yêu cầu bổ sung {most} lần.",
            f"this procedure allows {most} request(s) for papers",
        )
    ]


def check_items(items: Sequence[str], faults: list[Fault]) -> tuple[str, ...]:
    """The asked-for items, each a text; at least one."""
    if not items:
        faults.append(missing("items"))
    if len(items) > MOST_ITEMS:
        faults.append(Fault("items", f"Tối đa {MOST_ITEMS} mục.", f"at most {MOST_ITEMS} items"))
        return ()
    checked = (
        check_text(item, f"items.{i}", faults, longest=WRITTEN_ITEM) for i, item in enumerate(items)
    )
    return tuple(item for item in checked if item is not None)
