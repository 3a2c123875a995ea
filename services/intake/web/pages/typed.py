"""What was typed into a page, as commands, and how it is shown again.

The inputs and how they are read: `domain/written.py`; beside those there are `channel`, `branches`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from services.intake.domain.dossier import Contact, Dossier
from services.intake.domain.submission import SubmitDossier
from services.intake.domain.written import (
    OTHER,
    by_input,
    contact,
    form,
    input_of,
    papers,
    parties,
)
from shared.catalogue import FormField, Procedure
from shared.kernel.days import read_day
from shared.kernel.numbers import vietnamese

__all__ = [
    "OTHER",
    "Typed",
    "by_input",
    "contact",
    "form",
    "input_of",
    "papers",
    "parties",
    "submission",
]

Typed = MultiDict[str, str]


def submission(office: str, procedure: Procedure, typed: Typed) -> SubmitDossier:
    """The command that a filled-in page is."""
    branches = tuple(typed.getlist("branches")) if procedure.branches else None
    return SubmitDossier(
        office=office,
        procedure=procedure.code,
        channel=typed.get("channel", "direct"),
        form=form(procedure.form, typed),
        papers=tuple(papers(procedure.papers, typed)),
        branches=branches,
        contact=contact(typed),
        parties=parties(procedure.parties, typed),
    )


def of_contact(held: Contact, before: str = "c.") -> dict[str, str]:
    """A contact, with those of the parties, as it would have been typed."""
    rep = held.representative
    typed = {
        "name": held.name,
        "phone": held.phone_original or held.phone or "",
        "email": held.email or "",
        "address": held.address or "",
        "language": held.language,
        "first": held.first or "",
        "rep_name": rep.name if rep else "",
        "rep_phone": (rep.phone_original or rep.phone or "") if rep else "",
        "rep_email": (rep.email or "") if rep else "",
        "rep_authority": rep.authority if rep else "",
    }
    ticks = {"sms": held.sms, "mail": held.mail}
    typed |= {name: "1" for name, ticked in ticks.items() if ticked}
    found = {f"{before}{name}": text for name, text in typed.items()}
    for role, each in held.parties.items():
        found |= of_contact(each, f"t.{role}.")
    return found


def changed_form(dossier: Dossier, fields: Iterable[FormField], typed: Typed) -> dict[str, Any]:
    """Only the fields whose value differs from what the dossier holds; an emptied one is None."""
    held = dossier.form
    shown = [field for field in fields if f"f.{field.name}" in typed or field.type == "bool"]
    emptied = {field.name: None for field in shown if field.name in held}
    values = emptied | form(shown, typed)
    return {
        name: value
        for name, value in values.items()
        if value != held.get(name) and not (value is False and name not in held)
    }


def shown(field: FormField, value: Any) -> str:
    """A value as it stands in its input, so that it is read back as what it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return vietnamese(value, grouped=field.unit != "ordinal")
    if field.type == "date" and isinstance(read := read_day(str(value)), date):
        return f"{read:%d/%m/%Y}"
    return str(value)
