"""What was written into a form, on a page or in a row of a file, as a command; and faults back at it.

Input names: `f.<field>`, `p.<paper>.original`, `p.<paper>.copy`, `c.<contact field>`,
`t.<role>.<contact field>`. Whatever the
door, what is written is read here: numbers and dates mean the same on the page and in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.intake.domain.contacts import ContactInput
from services.intake.domain.forms import PaperCount
from shared.catalogue import FormField, Paper
from shared.catalogue.model import Party
from shared.kernel.days import read_day
from shared.kernel.errors import Fault
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.numbers import read_number

Written = Mapping[str, str]
Faults = dict[str, list[str]]
OTHER = "other"


def contact(written: Written, before: str = "c.") -> ContactInput:
    """How the citizen wants to be reached, or whoever's inputs begin so."""
    return ContactInput(
        name=written.get(f"{before}name"),
        phone=written.get(f"{before}phone"),
        email=written.get(f"{before}email"),
        language=written.get(f"{before}language", "vi"),
        sms=f"{before}sms" in written,
        mail=f"{before}mail" in written,
        address=written.get(f"{before}address"),
        first=written.get(f"{before}first"),
        rep_name=written.get(f"{before}rep_name"),
        rep_phone=written.get(f"{before}rep_phone"),
        rep_email=written.get(f"{before}rep_email"),
        rep_authority=written.get(f"{before}rep_authority"),
    )


def parties(known: Iterable[Party], written: Written) -> dict[str, ContactInput]:
    """How those beside the applicant want to be reached, by their role."""
    return {each.code: contact(written, f"t.{each.code}.") for each in known}


def form(fields: Iterable[FormField], written: Written) -> dict[str, Any]:
    """The declaration: numbers as numbers, dates as ISO days, ticks as true or false.

    Empty inputs are left out; what cannot be read, or in two ways, is Unreadable.
    """
    values: dict[str, Any] = {}
    for field in fields:
        text = written.get(f"f.{field.name}", "")
        if field.type == "bool":
            values[field.name] = bool(text)
        elif not tidy(text):
            continue
        elif field.type == "number":
            values[field.name] = read_number(text, unit=field.unit)
        elif field.type == "date":
            read = read_day(text)
            values[field.name] = read.isoformat() if isinstance(read, date) else read
        else:
            values[field.name] = text
    return values


def papers(known: Iterable[Paper], written: Written) -> list[PaperCount]:
    """The counts of the checklist, and one paper outside of it."""
    found = [
        PaperCount(p.code, _count(written, p.code, "original"), _count(written, p.code, "copy"))
        for p in known
    ]
    name = written.get(f"p.{OTHER}.name", "").strip()
    if name:
        found.append(
            PaperCount(
                None, _count(written, OTHER, "original"), _count(written, OTHER, "copy"), name
            )
        )
    return [p for p in found if p.original or p.copy or p.name]


def by_input(
    faults: Sequence[Fault], counts: Sequence[PaperCount], said: Callable[[Fault], str]
) -> Faults:
    """The domain's faults, in words, under the names of the inputs they belong to."""
    found: Faults = {}
    for fault in faults:
        found.setdefault(input_of(fault.place, counts), []).append(said(fault))
    return found


def input_of(place: str, counts: Sequence[PaperCount]) -> str:
    """The input that a fault of this place belongs to; the place itself where it has none."""
    head, _, rest = place.partition(".")
    if head == "form":
        return f"f.{rest}"
    if head == "contact":
        rest = rest.replace("representative.", "rep_")
        return {"consent.sms": "c.sms", "consent.email": "c.mail"}.get(rest, f"c.{rest}")
    if head == "parties":
        role, _, field = rest.partition(".")
        return f"t.{role}." + {"consent.sms": "sms", "consent.email": "mail"}.get(field, field)
    if head == "papers" and rest:
        number = rest.partition(".")[0]
        if number.isdigit() and int(number) < len(counts):
            return f"p.{counts[int(number)].code or OTHER}"
        return f"p.{rest}"
    return place


def day(text: str) -> str:
    """A day as people write it here (29/02/2024, 29-2-2024) as an ISO one; anything else as it is."""
    read = read_day(text)
    return read.isoformat() if isinstance(read, date) else text


def _count(written: Written, code: str, kind: str) -> int:
    text = fold_wide(tidy(written.get(f"p.{code}.{kind}", "")))
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
