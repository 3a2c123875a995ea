"""What the citizen does afterwards, taken down by the desk: supplement, pay, withdraw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from services.intake.domain.calling import met
from services.intake.domain.circumstances import Circumstances
from services.intake.domain.contacts import (
    ContactInput,
    check_contact,
    check_parties,
    contact_given,
    parties_given,
)
from services.intake.domain.dossier import Dossier, Ending
from services.intake.domain.forms import PaperCount, check_form, check_papers, numbered_on
from services.intake.domain.sizes import check_size
from services.intake.domain.statuses import Status
from services.intake.domain.texts import check_text
from services.intake.domain.waits import (
    awaited,
    close_round,
    close_wait,
    drop_waits,
    must_allow,
    promised_dates,
)
from shared.events.decision import Decision
from shared.events.intake import (
    DossierPaid,
    DossierSupplemented,
    DossierWithdrawn,
)
from shared.events.parts import Paper
from shared.kernel.errors import Fault, InvalidInput

MOST_DONG: Final = 10**12
_NOTHING: Final = Fault(
    "papers", "Chưa có giấy tờ hay ô nào được bổ sung.", "nothing was supplemented"
)


def supplement(
    dossier: Dossier,
    around: Circumstances,
    *,
    papers: Sequence[PaperCount] = (),
    form: Mapping[str, Any] | None = None,
    round_: int | None = None,
) -> Decision[Dossier]:
    """Take in what the desk or an agency asked for; the clock runs again by the procedure's rule."""
    wait = awaited(dossier, "supplement", round_=round_)
    procedure = around.procedure(dossier)
    faults: list[Fault] = []
    brought = numbered_on(dossier.papers, check_papers(procedure.papers, papers, faults))
    held = _together(dossier.papers, brought)
    there = {*dossier.form, *(paper.code for paper in held)}
    given = check_form(
        procedure.form, form or {}, faults, partial=True, today=around.today, there=there
    )
    changed = _changes(dossier, given)
    whole = {n: value for n, value in {**dossier.form, **changed}.items() if value is not None}
    check_size(whole, held, faults)
    if not brought and not changed and not faults:
        faults.append(_NOTHING)
    if faults:
        raise InvalidInput(faults)
    added = replace(dossier, papers=held, form=whole)
    after, spoken = met(close_round(added, wait, around), around.now)
    event = DossierSupplemented(
        dossier=dossier.code,
        round=wait.round or 1,
        papers=brought,
        form=procedure.shared(changed),
        papers_after=held,
        form_after=procedure.shared(whole),
        supplemented_at=around.now,
        promised_at=after.promised_at,
        due_at=after.due_at,
    )
    return Decision(after, (event, *spoken))


def _changes(dossier: Dossier, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, without an empty field that was empty before."""
    return {n: value for n, value in given.items() if value is not None or n in dossier.form}


def _together(held: tuple[Paper, ...], brought: tuple[Paper, ...]) -> tuple[Paper, ...]:
    papers = {p.code: p for p in held}
    for paper in brought:
        old = papers.get(paper.code)
        papers[paper.code] = (
            msgspec.structs.replace(
                old, original=old.original + paper.original, copy=old.copy + paper.copy
            )
            if old
            else paper
        )
    return tuple(papers.values())


def pay(
    dossier: Dossier,
    around: Circumstances,
    *,
    amount_vnd: int,
    proof: str,
    step: str | None = None,
) -> Decision[Dossier]:
    """Take down a payment with its proof (receipt number); the asked amount must be met."""
    wait = awaited(dossier, "payment", step=step)
    faults: list[Fault] = []
    shown = check_text(proof, "proof", faults, longest=100)
    if not 0 < amount_vnd < MOST_DONG:
        faults.append(
            Fault("amount_vnd", "Số tiền không hợp lý.", "must be a plausible sum of dong")
        )
    elif wait.amount_vnd is not None and amount_vnd != wait.amount_vnd:
        faults.append(
            Fault(
                "amount_vnd",
                f"Thông báo ghi {wait.amount_vnd:,} đồng.".replace(",", "."),
                f"the notice asks for {wait.amount_vnd} dong",
            )
        )
    if faults:
        raise InvalidInput(faults)
    closed = close_wait(dossier, wait, around.now, around.rules(dossier), proof=shown)
    after, spoken = met(closed, around.now)
    promised_at, due_at = promised_dates(after)
    event = DossierPaid(
        dossier=dossier.code,
        step=wait.step or "",
        reference=wait.reference or "",
        amount_vnd=amount_vnd,
        paid_at=around.now,
        promised_at=promised_at,
        due_at=due_at,
    )
    return Decision(after, (event, *spoken))


def withdraw(dossier: Dossier, around: Circumstances, *, reason: str) -> Decision[Dossier]:
    """Give the dossier back to the citizen who asks for it, before there is a result."""
    must_allow(dossier, "withdraw")
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    if faults:
        raise InvalidInput(faults)
    withdrawn = replace(
        drop_waits(dossier, around.now, around.rules(dossier)),
        status=dossier.becoming(Status.WITHDRAWN),
        ending=Ending(why),
        finished_at=around.now,
    )
    withdrawn, spoken = met(withdrawn, around.now)
    event = DossierWithdrawn(dossier=dossier.code, reason=why, withdrawn_at=around.now)
    return Decision(withdrawn, (event, *spoken))


def correct_contact(
    dossier: Dossier,
    around: Circumstances,
    typed: ContactInput,
    parties: Mapping[str, ContactInput] | None = None,
) -> Decision[Dossier]:
    """Mend a phone number, an address or a consent; what is said from now on goes there.

    `parties`: those of whom anything is written; the others stay as they are.
    """
    must_allow(dossier, "contact")
    faults: list[Fault] = []
    contact, procedure = check_contact(typed, faults), around.procedure(dossier)
    others = check_parties(procedure, parties or {}, faults)
    if faults or contact is None:
        raise InvalidInput(faults)
    held = dossier.contact.parties
    mended = dossier.reached_at(contact)
    mended = replace(mended, contact=replace(mended.contact, parties={**held, **others}))
    told = (
        each
        for each in parties_given(mended, procedure, around.now)
        if mended.contact.parties[each.role] != held.get(each.role)
    )
    return Decision(mended, (*told, contact_given(mended, around.now)))
