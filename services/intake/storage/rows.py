"""A dossier as a row and back; the only place that knows how its parts are laid out as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from services.intake.domain.dossier import (
    Contact,
    Dossier,
    Ending,
    Extension,
    HeldPaper,
    Pause,
    Standstill,
    Wait,
)
from services.intake.domain.statuses import Status
from shared.kernel.clock import format_instant, parse_instant
from shared.kernel.text import unaccent

Row = dict[str, Any]
T = TypeVar("T")


def to_row(dossier: Dossier) -> Row:
    """Every column of a new dossier."""
    return {
        **moving(dossier),
        **content(dossier),
        "code": dossier.code,
        "procedure": dossier.procedure,
        "office": dossier.office,
        "channel": dossier.channel,
        "submitted_at": dossier.submitted_at,
        "lookup_word": dossier.lookup_word,
        "branches": list(dossier.branches),
    }


def moving(dossier: Dossier) -> Row:
    """The columns that say how far it has come."""
    return {
        "status": int(dossier.status),
        "standing": int(dossier.standing),
        "received_at": dossier.received_at,
        "promised_at": dossier.promised_at,
        "due_at": dossier.due_at,
        "owed_at": dossier.owed_at,
        "paused_since": dossier.paused_since,
        "finished_at": dossier.finished_at,
        "next_at": dossier.next_at,
        "returned_at": dossier.returned_at,
        "progress": _progress(dossier),
    }


def content(dossier: Dossier) -> Row:
    """The columns that say what is in it, which few changes touch."""
    return {
        "procedure_version": dossier.procedure_version,
        "field": dossier.field,
        "contact": _contact(dossier.contact),
        "searched": searched(f"{dossier.code} {dossier.contact.name}"),
        "form": dict(dossier.form),
        "papers": [[p.code, p.name, p.original, p.copy] for p in dossier.papers],
    }


def same_content(one: Dossier, other: Dossier) -> bool:
    """Whether both have the same `content`."""
    return all(getattr(one, name) == getattr(other, name) for name in _CONTENT)


_CONTENT = ("procedure_version", "field", "contact", "form", "papers")


def searched(text: str) -> str:
    """Text as it is searched: unaccented, lower case, single blanks."""
    return " ".join(unaccent(text).lower().split())


def from_row(row: sa.RowMapping | Mapping[str, Any]) -> Dossier:
    """The dossier that `to_row` wrote."""
    progress = row["progress"]
    return Dossier(
        code=row["code"],
        procedure=row["procedure"],
        procedure_version=row["procedure_version"],
        field=row["field"],
        office=row["office"],
        channel=row["channel"],
        status=Status(row["status"]),
        standing=Status(row["standing"]),
        submitted_at=row["submitted_at"],
        contact=Contact(**row["contact"]),
        lookup_word=row["lookup_word"],
        form=row["form"],
        papers=tuple(HeldPaper(*paper) for paper in row["papers"]),
        branches=tuple(row["branches"]),
        received_at=row["received_at"],
        promised_at=row["promised_at"],
        due_at=row["due_at"],
        owed_at=row["owed_at"],
        finished_at=row["finished_at"],
        returned_at=row["returned_at"],
        waits=tuple(_from_json(Wait, each, _WAIT_INSTANTS) for each in progress.get("waits", ())),
        pauses=pauses_of(progress),
        standstill=(
            _from_json(Standstill, progress["standstill"], ("since",))
            if "standstill" in progress
            else None
        ),
        extensions=tuple(
            _from_json(Extension, each, ("at", "due_at")) for each in progress.get("extensions", ())
        ),
        ending=Ending(**progress["ending"]) if "ending" in progress else None,
        results=tuple(progress.get("results", ())),
    )


def pauses_of(progress: Mapping[str, Any]) -> tuple[Pause, ...]:
    """The stopped times kept in a `progress` column."""
    return tuple(_from_json(Pause, each, _PAUSE_INSTANTS) for each in progress.get("pauses", ()))


_WAIT_INSTANTS = ("asked_at", "respond_by", "remind_at", "lapse_at", "closed_at")
_PAUSE_INSTANTS = ("since", "until", "due_after", "owed_after")


def _progress(dossier: Dossier) -> Row:
    """What happened since; empty for a dossier that nothing has happened to yet."""
    progress: Row = {}
    if dossier.waits:
        progress["waits"] = [_to_json(w) for w in dossier.waits]
    if dossier.pauses:
        progress["pauses"] = [_to_json(p) for p in dossier.pauses]
    if dossier.standstill:
        progress["standstill"] = _to_json(dossier.standstill)
    if dossier.extensions:
        progress["extensions"] = [_to_json(e) for e in dossier.extensions]
    if dossier.ending:
        progress["ending"] = _to_json(dossier.ending)
    if dossier.results:
        progress["results"] = [dict(r) for r in dossier.results]
    return progress


def _contact(contact: Contact) -> Row:
    return {name: getattr(contact, name) for name in Contact.__slots__}


def _to_json(part: Wait | Pause | Standstill | Extension | Ending) -> Row:
    values = {name: getattr(part, name) for name in type(part).__slots__}
    return {
        name: format_instant(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _from_json(make: Callable[..., T], raw: Mapping[str, Any], instants: tuple[str, ...]) -> T:
    values = dict(raw)
    for name in instants:
        if values.get(name) is not None:
            values[name] = parse_instant(values[name])
    if "items" in values:
        values["items"] = tuple(values["items"])
    return make(**values)
