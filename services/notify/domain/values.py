"""The words that a message template is filled with, out of the event's details and the case.

Formats dates and money for a citizen (Vietnam time). Which words a text uses, and how long it may
be, is the template's affair (shared/catalogue).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.notify.domain.cases import Case
from services.notify.domain.contacts import CALL, EMAIL, SMS
from services.notify.domain.moments import Details
from shared.events.intake import ContactGiven
from shared.kernel.clock import to_vn

_OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "granted": "đã giải quyết",
        "refused": "không giải quyết",
        "silent_consent": "được coi là đồng ý",
    },
    "en": {
        "granted": "granted",
        "refused": "refused",
        "silent_consent": "taken as agreed",
    },
}
#: In the place of an officer's sentence that an English reader cannot read; the hotline stands beside it.
_VIETNAMESE = "in Vietnamese, ask us"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the citizen goes and whom they ask; names in full and short."""

    name: str
    short_name: str
    address: str
    hotline: str


@dataclass(frozen=True, slots=True)
class Notice:
    """All that the texts about one event can draw on, without the citizen's own data.

    `case` has the date that was in force when the event was made (`made_at`, UTC).
    """

    case: Case
    made_at: datetime
    details: Details
    place: Place
    agency: str
    agency_short: str

    @property
    def local_day(self) -> date:
        """The day of the event in Viet Nam: whose words and rules hold."""
        return to_vn(self.made_at).date()


def values_for(notice: Notice, contact: ContactGiven, channel: str) -> dict[str, str]:
    """The template values for one channel; a thing that is not known is an empty text."""
    case, place, details = notice.case, notice.place, notice.details
    language, brief = contact.language, channel == SMS
    values = {
        "code": case.dossier,
        "procedure": (brief and case.short_name) or case.procedure_name,
        "due": _time(case.due_at, language, brief=brief),
        "place": place.short_name if brief else _full_place(place),
        "hotline": place.hotline,
        "lookup": contact.lookup_word,
        "reason": _in(language, _reason(details), channel),
        "next_step": details.next_step,
        "agency": notice.agency_short if brief else notice.agency,
        "items": _items(details, language),
        "amount": spoken_money(details.amount_vnd, language, brief=brief),
        "office": place.short_name if brief else place.name,
        "step": details.step or "",
        "replaces": details.replaces,
        "carrier": details.carrier,
        "waybill": details.waybill,
        "otp": details.otp,
        "respond_by": _time(details.respond_by, language, brief=brief),
    }
    if channel == EMAIL:
        values["name"] = contact.representative or contact.name
    return values


def spoken_time(at: datetime, language: str, *, brief: bool) -> str:
    """An instant for a citizen, in Vietnam's time: `14:00 ngày 25/04/2022`, short `14:00 25/04/2022`."""
    local = to_vn(at)
    if brief:
        return local.strftime("%H:%M %d/%m/%Y")
    joint = "on" if language == "en" else "ngày"
    return f"{local:%H:%M} {joint} {local:%d/%m/%Y}"


def spoken_money(amount: int | None, language: str, *, brief: bool) -> str:
    """Whole dong with the thousands marked as the language does; empty when not known."""
    if amount is None:
        return ""
    if language == "en":
        return f"VND {amount:,}"
    return f"{amount:,}".replace(",", ".") + ("d" if brief else " đồng")


def _time(at: datetime | None, language: str, *, brief: bool) -> str:
    return spoken_time(at, language, brief=brief) if at else ""


def _full_place(place: Place) -> str:
    return f"{place.name}, {place.address}" if place.address else place.name


def _reason(details: Details) -> str:
    reasons = (result.reason for result in details.results if result.reason)
    return details.reason or "; ".join(dict.fromkeys(reasons))


def _in(language: str, sentence: str, channel: str) -> str:
    """A sentence that an officer typed, where its reader can read it; else that it is there.

    The words of a call are read by an officer.
    """
    foreign = language == "en" and channel != CALL and not sentence.isascii()
    return _VIETNAMESE if foreign else sentence


def _items(details: Details, language: str) -> str:
    words = _OUTCOMES.get(language, _OUTCOMES["vi"])
    results = (f"{each.agency.name}: {words[each.outcome]}" for each in details.results)
    return "; ".join(details.items or results)
