"""What was corrected of a dossier, in words: each place with its old and its new value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from services.intake.domain.dossier import Correction, Dossier
from services.intake.domain.written import input_of
from services.intake.web.declared import declared
from services.intake.web.pages.faulty import LABELS
from services.intake.web.people import People
from services.intake.web.telling import Told, event_of
from shared.catalogue import Procedure
from shared.events.intake import DossierCorrected, DossierPartlyReturned, DossierReturned
from shared.messaging.timeline import Entry
from shared.web.words import gettext, msgid

_WORDS: Final = {
    "contact.language": {"vi": msgid("Tiếng Việt"), "en": "English"},
    "contact.first": {"sms": msgid("Tin nhắn SMS"), "email": msgid("Thư điện tử")},
}
_NOTHING: Final = msgid("(trống)")


def label(place: str, procedure: Procedure) -> str:
    """What the input of a place is called."""
    names = {f"form.{field.name}": field.label for field in procedure.form}
    return names.get(place) or gettext(LABELS.get(input_of(place, ()), place))


def said(place: str, value: Any, procedure: Procedure) -> str:
    """A value of a place as people write it."""
    asked = next((f for f in procedure.form if place == f"form.{f.name}"), None)
    if value is None or value == "":
        return gettext(_NOTHING)
    if asked is not None:
        return declared(value, asked)
    if isinstance(value, bool):
        return gettext("Có") if value else gettext("Không")
    words = _WORDS.get(place, {}).get(value)
    return str(value) if words is None else gettext(words)


def lines(correction: Correction, procedure: Procedure) -> list[str]:
    """What was mended, a line each, and why."""
    changed = [
        f"{label(each.place, procedure)}: {said(each.place, each.old, procedure)} → "
        f"{said(each.place, each.new, procedure)}"
        for each in correction.changes
    ]
    return [*changed, gettext("Lý do: %(reason)s", reason=correction.reason)]


def with_changes(told: Told, entry: Entry, dossier: Dossier, procedure: Procedure) -> Told:
    """An entry of the timeline; a correction with all that it mended, a hand-over with who took it."""
    event = event_of(entry)
    if isinstance(event, DossierReturned | DossierPartlyReturned):
        taken = [gettext("%(name)s (đã xem giấy tờ)", name=h.name) for h in dossier.handed
                 if h.name and h.at == event.returned_at]  # fmt: skip
        return replace(told, details=(*told.details, *taken[:1]))
    if not isinstance(event, DossierCorrected):
        return told
    found = [lines(c, procedure) for c in dossier.corrections if c.number == event.number]
    return replace(told, details=(*(found[0] if found else ()), *told.details))


def newest_first(
    people: People, entries: Sequence[Entry], dossier: Dossier, procedure: Procedure
) -> list[Told]:
    """The whole timeline with the names of those who acted, as the dossier's page has it."""
    return [with_changes(people.tell(e), e, dossier, procedure) for e in reversed(entries)]
