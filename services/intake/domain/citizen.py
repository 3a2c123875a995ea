"""What the citizen does afterwards, taken down by the desk: supplement, pay, withdraw, collect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.intake.domain.contacts import ContactInput, check_contact
from services.intake.domain.deadline import Rules
from services.intake.domain.dossier import Dossier, Ending, HeldPaper
from services.intake.domain.facts import (
    RETURN_METHODS,
    ContactGiven,
    DossierPaid,
    DossierReturned,
    DossierSupplemented,
    DossierWithdrawn,
)
from services.intake.domain.forms import PaperCount, check_form, check_papers
from services.intake.domain.reception import Outcome
from services.intake.domain.statuses import Status, move
from services.intake.domain.texts import check_text
from services.intake.domain.waits import awaited, close_wait, drop_waits, must_allow
from shared.catalogue import Procedure
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput

MOST_DONG = 10**12


def supplement(
    dossier: Dossier,
    procedure: Procedure,
    rules: Rules,
    now: datetime,
    *,
    papers: Sequence[PaperCount] = (),
    form: Mapping[str, Any],
    round_: int | None = None,
) -> Outcome:
    """Take in what was asked for; the clock runs again by the procedure's rule."""
    wait = awaited(dossier, "supplement", round_=round_)
    faults: list[Fault] = []
    brought = _new_codes(dossier, check_papers(procedure.papers, papers, faults))
    changed = check_form(procedure.form, form, faults, partial=True, today=to_vn(now).date())
    if not brought and not changed and not faults:
        faults.append(
            Fault("papers", "Chưa có giấy tờ hay ô nào được bổ sung.", "nothing was supplemented")
        )
    if faults:
        raise InvalidInput(faults)
    added = replace(
        dossier,
        papers=_together(dossier.papers, brought),
        form={**dossier.form, **changed},
    )
    after = close_wait(added, wait, now, rules)
    told = procedure.shared(changed)
    fact = DossierSupplemented(after, wait.round or 1, brought, told, now)
    return after, (fact,)


def _new_codes(dossier: Dossier, papers: tuple[HeldPaper, ...]) -> tuple[HeldPaper, ...]:
    """Papers outside the catalogue's list numbered on from those already held."""
    extra = sum(p.code.startswith("other-") for p in dossier.papers)
    numbered = []
    for paper in papers:
        if paper.code.startswith("other-"):
            extra += 1
            numbered.append(replace(paper, code=f"other-{extra}"))
        else:
            numbered.append(paper)
    return tuple(numbered)


def _together(held: tuple[HeldPaper, ...], brought: tuple[HeldPaper, ...]) -> tuple[HeldPaper, ...]:
    papers = {p.code: p for p in held}
    for paper in brought:
        old = papers.get(paper.code)
        papers[paper.code] = (
            replace(old, original=old.original + paper.original, copy=old.copy + paper.copy)
            if old
            else paper
        )
    return tuple(papers.values())


def pay(
    dossier: Dossier,
    rules: Rules,
    now: datetime,
    *,
    amount_vnd: int,
    proof: str,
    step: str | None = None,
) -> Outcome:
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
    after = close_wait(dossier, wait, now, rules, proof=shown)
    return after, (DossierPaid(after, wait, amount_vnd, now),)


def withdraw(dossier: Dossier, rules: Rules, now: datetime, *, reason: str) -> Outcome:
    """Give the dossier back to the citizen who asks for it, before there is a result."""
    must_allow(dossier, "withdraw")
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults) or ""
    if faults:
        raise InvalidInput(faults)
    withdrawn = replace(
        drop_waits(dossier, now, rules),
        status=move(dossier.status, Status.WITHDRAWN, standing=dossier.standing),
        ending=Ending(why),
        finished_at=now,
    )
    return withdrawn, (DossierWithdrawn(withdrawn, why, now),)


def correct_contact(dossier: Dossier, now: datetime, typed: ContactInput) -> Outcome:
    """Mend a phone number, an address or a consent; what is said from now on goes there."""
    must_allow(dossier, "contact")
    faults: list[Fault] = []
    contact = check_contact(typed, faults)
    if faults or contact is None:
        raise InvalidInput(faults)
    mended = replace(dossier, contact=contact)
    return mended, (ContactGiven(mended, now),)


def return_result(dossier: Dossier, now: datetime, *, method: str) -> Outcome:
    """Put the result into the citizen's hands; `method` is one of RETURN_METHODS."""
    must_allow(dossier, "return-result")
    if method not in RETURN_METHODS:
        said = ", ".join(RETURN_METHODS)
        raise InvalidInput([Fault("method", f"Chọn một trong: {said}.", f"one of: {said}")])
    returned = replace(
        dossier,
        status=move(dossier.status, Status.RETURNED, standing=dossier.standing),
        returned_at=now,
    )
    return returned, (DossierReturned(returned, method, now),)
