"""What a desk does at reception: submit, receive, refuse, ask for papers.

Every function returns the dossier as it is afterwards and the facts that this makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.domain.dossier import Dossier, Ending, Wait
from services.intake.domain.facts import (
    ContactGiven,
    DossierReceived,
    DossierRefused,
    DossierRegistered,
    Fact,
    SupplementRequested,
)
from services.intake.domain.forms import (
    PaperCount,
    check_form,
    check_papers,
    missing_papers,
)
from services.intake.domain.patience import Patience, binding, planned
from services.intake.domain.statuses import Status, move
from services.intake.domain.submission import Checked
from services.intake.domain.texts import check_text, missing
from services.intake.domain.waits import must_allow, open_wait
from shared.catalogue import Agency, Procedure
from shared.kernel.calendar import WorkingCalendar, due
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput

Outcome = tuple[Dossier, tuple[Fact, ...]]
MOST_ITEMS = 20


def submit(
    checked: Checked, code: str, lookup_word: str, now: datetime, calendar: WorkingCalendar
) -> Outcome:
    """File the dossier; at the desk it is received in the same breath (1 -> 2)."""
    dossier = Dossier(
        code=code,
        procedure=checked.procedure.code,
        procedure_version=checked.procedure.version,
        field=checked.procedure.field,
        office=checked.office.code,
        channel=checked.channel,
        status=Status.REGISTERED,
        standing=Status.REGISTERED,
        submitted_at=now,
        contact=checked.contact,
        lookup_word=lookup_word,
        form=checked.form,
        papers=checked.papers,
        branches=checked.branches,
    )
    if checked.direct:
        dossier = _received(dossier, checked.procedure, now, calendar)
        fact: Fact = DossierReceived(dossier, checked.procedure, checked.office)
    else:
        fact = DossierRegistered(dossier, checked.procedure, checked.office)
    return dossier, (fact, ContactGiven(dossier, now))


def _received(
    dossier: Dossier, procedure: Procedure, now: datetime, calendar: WorkingCalendar
) -> Dossier:
    promised = due(now, procedure.duration, calendar)
    return replace(
        dossier,
        procedure_version=procedure.version,
        field=procedure.field,
        status=move(dossier.status, Status.RECEIVED, standing=dossier.standing),
        standing=Status.RECEIVED,
        received_at=now,
        promised_at=promised,
        due_at=promised,
        owed_at=promised,
    )


def receive(
    dossier: Dossier,
    procedure: Procedure,
    office: Agency,
    now: datetime,
    calendar: WorkingCalendar,
    *,
    papers: Sequence[PaperCount] | None = None,
) -> Outcome:
    """Receive what was filed online or by post, under the version in force now.

    `papers` replaces the checklist by what the desk has counted itself.
    """
    must_allow(dossier, "receive")
    faults: list[Fault] = []
    held = dossier.papers
    if papers is not None:
        held = (
            *check_papers(procedure.papers, papers, faults),
            *(p for p in held if p.code.startswith("other-")),
        )
    check_form(procedure.form, dossier.form, faults, today=to_vn(now).date())
    faults.extend(missing_papers(procedure.papers, held))
    if faults:
        raise InvalidInput(faults)
    dossier = _received(replace(dossier, papers=held), procedure, now, calendar)
    return dossier, (DossierReceived(dossier, procedure, office),)


def refuse(
    dossier: Dossier,
    procedure: Procedure,
    office: Agency,
    now: datetime,
    *,
    reason: str,
    next_step: str,
) -> Outcome:
    """Do not receive it; never without a reason and what the citizen can do instead."""
    must_allow(dossier, "refuse")
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    then = check_text(next_step, "next_step", faults) or ""
    if faults:
        raise InvalidInput(faults)
    status = move(dossier.status, Status.REFUSED, standing=dossier.standing)
    # Never received: no clock ever ran, so there is none to stop.
    waits = tuple(replace(w, closed_at=now) if w.open else w for w in dossier.waits)
    refused = replace(dossier, waits=waits, status=status, ending=Ending(why, then))
    return refused, (DossierRefused(refused, procedure, office, why, then, now),)


def request_supplement(
    dossier: Dossier,
    procedure: Procedure,
    office: Agency,
    now: datetime,
    *,
    items: Sequence[str],
    reason: str,
    patience: Patience,
    respond_by: datetime | None = None,
) -> Outcome:
    """Ask, before reception, for everything that is missing in one go."""
    must_allow(dossier, "request-supplement")
    round_ = sum(w.kind == "supplement" for w in dossier.waits) + 1
    faults = _round_faults(procedure, round_)
    asked = check_items(items, faults)
    why = check_text(reason, "reason", faults)
    until = binding(respond_by, now, patience, faults)
    if faults:
        raise InvalidInput(faults)
    wait = Wait(
        kind="supplement",
        asked_by="desk",
        asked_at=now,
        stops_clock=True,
        round=round_,
        agency=office.code,
        items=asked,
        reason=why,
        respond_by=until,
    )
    wait = planned(wait, now, patience)
    waiting = open_wait(dossier, wait, restart=False)
    return waiting, (SupplementRequested(waiting, office, wait),)


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
    checked = (check_text(item, f"items.{i}", faults, longest=500) for i, item in enumerate(items))
    return tuple(item for item in checked if item is not None)
