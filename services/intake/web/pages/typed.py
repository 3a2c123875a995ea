"""What was typed into a page, as commands; and the domain's faults back at their inputs.

Input names: `f.<field>`, `p.<paper>.original`, `p.<paper>.copy`, `c.<contact field>`, `branches`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from services.intake.domain.contacts import ContactInput
from services.intake.domain.dossier import Contact, Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.submission import SubmitDossier
from shared.catalogue import FormField, Paper, Procedure
from shared.kernel.errors import Fault
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.numbers import read_number, vietnamese

Typed = MultiDict[str, str]
Faults = dict[str, list[str]]
OTHER = "other"
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


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


def contact(typed: Typed) -> ContactInput:
    """How the citizen wants to be reached."""
    return ContactInput(
        name=typed.get("c.name"),
        phone=typed.get("c.phone"),
        email=typed.get("c.email"),
        language=typed.get("c.language", "vi"),
        sms="c.sms" in typed,
        mail="c.mail" in typed,
        address=typed.get("c.address"),
    )


def of_contact(held: Contact) -> dict[str, str]:
    """A contact as it would have been typed."""
    typed = {
        "c.name": held.name,
        "c.phone": held.phone_original or held.phone or "",
        "c.email": held.email or "",
        "c.address": held.address or "",
        "c.language": held.language,
    }
    ticks = {"c.sms": held.sms, "c.mail": held.mail}
    return typed | {name: "1" for name, ticked in ticks.items() if ticked}


def form(fields: Iterable[FormField], typed: Typed) -> dict[str, Any]:
    """The declaration: numbers as numbers, dates as ISO days, ticks as true or false.

    Empty inputs are left out; what can be read in two ways is Unreadable.
    """
    values: dict[str, Any] = {}
    for field in fields:
        text = typed.get(f"f.{field.name}", "")
        if field.type == "bool":
            values[field.name] = bool(text)
        elif not tidy(text):
            continue
        elif field.type == "number":
            values[field.name] = read_number(text, unit=field.unit)
        else:
            values[field.name] = day(text) if field.type == "date" else text
    return values


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


def papers(known: Iterable[Paper], typed: Typed) -> list[PaperCount]:
    """The counts of the checklist, and one paper outside of it."""
    found = [
        PaperCount(p.code, _count(typed, p.code, "original"), _count(typed, p.code, "copy"))
        for p in known
    ]
    name = typed.get(f"p.{OTHER}.name", "").strip()
    if name:
        found.append(
            PaperCount(None, _count(typed, OTHER, "original"), _count(typed, OTHER, "copy"), name)
        )
    return [p for p in found if p.original or p.copy or p.name]


def by_input(faults: Sequence[Fault], counts: Sequence[PaperCount]) -> Faults:
    """The domain's faults under the names of the inputs they belong to."""
    found: Faults = {}
    for fault in faults:
        found.setdefault(input_of(fault.place, counts), []).append(fault.vi)
    return found


def input_of(place: str, counts: Sequence[PaperCount]) -> str:
    """The name of the input in which the domain found a fault."""
    head, _, rest = place.partition(".")
    if head == "form":
        return f"f.{rest}"
    if head == "contact":
        return {"consent.sms": "c.sms", "consent.email": "c.mail"}.get(rest, f"c.{rest}")
    if head == "papers" and rest:
        number = rest.partition(".")[0]
        if number.isdigit() and int(number) < len(counts):
            return f"p.{counts[int(number)].code or OTHER}"
        return f"p.{rest}"
    return place


def shown(field: FormField, value: Any) -> str:
    """A value as it stands in its input, so that it is read back as what it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return vietnamese(value, grouped=field.unit != "ordinal")
    return str(value)


def day(text: str) -> str:
    """A day as people write it here (29/02/2024, 29-2-2024) as an ISO one; anything else as it is."""
    if found := _DAY.fullmatch(fold_wide(tidy(text))):
        return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    return text


def _count(typed: Typed, code: str, kind: str) -> int:
    text = fold_wide(tidy(typed.get(f"p.{code}.{kind}", "")))
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
