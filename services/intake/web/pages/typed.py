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
    )


def of_contact(held: Contact) -> dict[str, str]:
    """A contact as it would have been typed."""
    rep = held.representative
    typed = {
        "c.name": held.name,
        "c.phone": held.phone_original or held.phone or "",
        "c.email": held.email or "",
        "c.address": held.address or "",
        "c.language": held.language,
        "c.first": held.first or "",
        "c.rep_name": rep.name if rep else "",
        "c.rep_phone": (rep.phone_original or rep.phone or "") if rep else "",
        "c.rep_email": (rep.email or "") if rep else "",
        "c.rep_authority": rep.authority if rep else "",
    }
    ticks = {"c.sms": held.sms, "c.mail": held.mail}
    return typed | {name: "1" for name, ticked in ticks.items() if ticked}


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
