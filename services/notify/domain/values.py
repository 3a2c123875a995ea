"""The words that a message template is filled with, out of the news and the remembered case.

Formats dates and money for a citizen (Vietnam time). Which words a text uses, and how long it may
be, is the template's affair (shared/catalogue).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.notify.domain.cases import Case
from services.notify.domain.contacts import SMS, Contact
from services.notify.domain.news import News
from shared.kernel.clock import parse_instant, to_vn

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where the citizen goes and whom they ask; names in full and short."""

    name: str
    short_name: str
    address: str
    hotline: str


@dataclass(frozen=True, slots=True)
class Subject:
    """All that message texts of one piece of news can draw on, without the citizen's own data."""

    news: News
    case: Case
    place: Place
    agency: str
    agency_short: str


def values_for(subject: Subject, contact: Contact, channel: str) -> dict[str, str]:
    """The template values for one channel; a thing that is not known is an empty text."""
    news, case, place = subject.news, subject.case, subject.place
    language = contact.language
    brief = channel == SMS
    due = case.due_at
    values = {
        "code": news.dossier,
        "procedure": (brief and case.short_name) or case.procedure_name,
        "due": spoken_time(due, language, brief=brief) if due else "",
        "place": place.short_name if brief else _full_place(place),
        "hotline": place.hotline,
        "lookup": contact.lookup_word,
        "reason": _reason(news.data),
        "next_step": str(news.data.get("next_step") or ""),
        "agency": subject.agency_short if brief else subject.agency,
        "items": _items(news.data, language),
        "amount": spoken_money(news.data.get("amount_vnd"), language, brief=brief),
        "office": place.short_name if brief else place.name,
        "step": _step(news.data),
        "respond_by": _respond_by(news.data, language, brief=brief),
    }
    if not brief:
        values["name"] = contact.name
    return values


def spoken_time(at: datetime, language: str, *, brief: bool) -> str:
    """An instant for a citizen, in Vietnam's time: `14:00 ngày 25/04/2022`, short `14:00 25/04/2022`."""
    local = to_vn(at)
    if brief:
        return local.strftime("%H:%M %d/%m/%Y")
    joint = "on" if language == "en" else "ngày"
    return f"{local:%H:%M} {joint} {local:%d/%m/%Y}"


def spoken_money(amount: object, language: str, *, brief: bool) -> str:
    """Whole dong with the thousands marked as the language does; empty when not known."""
    if not isinstance(amount, int):
        return ""
    if language == "en":
        return f"VND {amount:,}"
    return f"{amount:,}".replace(",", ".") + ("d" if brief else " đồng")


def _full_place(place: Place) -> str:
    return f"{place.name}, {place.address}" if place.address else place.name


def _reason(data: Mapping[str, Any]) -> str:
    if data.get("reason"):
        return str(data["reason"])
    reasons = [str(result["reason"]) for result in _results(data) if result.get("reason")]
    return "; ".join(dict.fromkeys(reasons))


def _items(data: Mapping[str, Any], language: str) -> str:
    items = data.get("items")
    if isinstance(items, list):
        return "; ".join(str(item) for item in items)
    words = _OUTCOMES.get(language, _OUTCOMES["vi"])
    lines = []
    for result in _results(data):
        agency = result.get("agency")
        name = str(agency.get("name", "")) if isinstance(agency, Mapping) else ""
        outcome = str(result.get("outcome") or "")
        lines.append(f"{name}: {words.get(outcome, outcome)}")
    return "; ".join(lines)


def _respond_by(data: Mapping[str, Any], language: str, *, brief: bool) -> str:
    at = data.get("respond_by")
    return spoken_time(parse_instant(str(at)), language, brief=brief) if at else ""


def _step(data: Mapping[str, Any]) -> str:
    step = data.get("step")
    if isinstance(step, Mapping):
        return str(step.get("name") or "")
    return str(step or "")


def _results(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    results = data.get("results")
    if not isinstance(results, list):
        return []
    return [result for result in results if isinstance(result, Mapping)]


# --- keeping a subject while the contact is not known yet --------------------------------------

_KEPT = ("reason", "next_step", "items", "amount_vnd", "step", "results", "agency", "respond_by")


def kept(news: News) -> dict[str, Any]:
    """The part of the news that a later text needs; never the form or the papers."""
    return {name: news.data[name] for name in _KEPT if news.data.get(name) is not None}


def as_of(case: Case, due_at: str | None) -> Case:
    """The case with the date that was in force when the news was made."""
    return replace(case, due_at=parse_instant(due_at) if due_at else None)
