"""A dossier as a row and back; the only place that knows how its parts are laid out as JSON.

Columns `standing` and `owed_at`, and in the JSON `standstill` and `owed_after`, keep the names of the
first version: a row is read by whichever version of us is running.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa

from services.intake.domain.dossier import (
    Call,
    ClockStop,
    Contact,
    Correction,
    Dossier,
    Ending,
    Extension,
    Handed,
    Missed,
    Moved,
    Pause,
    Representative,
    TimeAsked,
    Wait,
)
from services.intake.domain.finding import folded
from services.intake.domain.statuses import Status
from shared.events.parts import Paper, StepResult

Row = dict[str, Any]
T = TypeVar("T")
#: Names in the code -> names in the JSON, where that is older.
_OLDER: Final = {"adjusted_due_after": "owed_after"}


def to_row(dossier: Dossier) -> Row:
    """Every column of a new dossier."""
    return {
        **moving(dossier),
        **content(dossier),
        "code": dossier.code,
        "procedure": dossier.procedure,
        "channel": dossier.channel,
        "submitted_at": dossier.submitted_at,
        "lookup_word": dossier.lookup_word,
        "branches": list(dossier.branches),
    }


def moving(dossier: Dossier) -> Row:
    """The columns that say how far it has come."""
    return {
        "status": int(dossier.status),
        "standing": int(dossier.underlying),
        "received_at": dossier.received_at,
        "promised_at": dossier.promised_at,
        "due_at": dossier.due_at,
        "owed_at": dossier.adjusted_due_at,
        "paused_since": dossier.paused_since,
        "finished_at": dossier.finished_at,
        "next_at": dossier.next_at,
        "returned_at": dossier.returned_at,
        "call_since": dossier.call_since,
        "asks_time_since": min((each.at for each in dossier.time_asked), default=None),
        "progress": _progress(dossier),
    }


def content(dossier: Dossier) -> Row:
    """The columns that say what is in it, which few changes touch."""
    return {
        "office": dossier.office,
        "moved_at": dossier.moves[-1].at if dossier.moves else None,
        "procedure_version": dossier.procedure_version,
        "field": dossier.field,
        "contact": _contact(dossier.contact),
        "searched": folded(f"{dossier.code} {dossier.contact.name}"),
        "form": dict(dossier.form),
        "papers": [[p.code, p.name, p.original, p.copy] for p in dossier.papers],
    }


def _contact(contact: Contact) -> Row:
    """Without what was not given and earlier versions of us do not know."""
    values: Row = msgspec.to_builtins(contact)
    return {name: value for name, value in values.items() if value or name not in _LATER}


_LATER: Final = ("address", "first", "parties", "representative")


def contact_of(values: Mapping[str, Any]) -> Contact:
    """The contact in a column of that name."""
    parties = {role: contact_of(each) for role, each in values.get("parties", {}).items()}
    representative = _part(Representative, values.get("representative"))
    return Contact(**{**values, "parties": parties, "representative": representative})


def same_content(one: Dossier, other: Dossier) -> bool:
    """Whether both have the same `content`."""
    return all(getattr(one, name) == getattr(other, name) for name in _CONTENT)


_CONTENT = ("office", "procedure_version", "field", "contact", "form", "papers")


_INSTANTS: Final = ("received_at", "promised_at", "due_at", "finished_at", "returned_at")


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
        underlying=Status(row["standing"]),
        submitted_at=row["submitted_at"],
        contact=contact_of(row["contact"]),
        lookup_word=row["lookup_word"],
        form=row["form"],
        papers=tuple(map(_paper, row["papers"])),
        branches=tuple(row["branches"]),
        adjusted_due_at=row["owed_at"],
        **{name: row[name] for name in _INSTANTS},
        call_since=row["call_since"],
        calls=_calls(row["call_since"], progress.get("calls")),
        bounced=tuple(progress.get("bounced", ())),
        opted_out=tuple(progress.get("opted_out", ())),
        waits=_parts(Wait, progress.get("waits")),
        pauses=pauses_of(progress),
        clock_stop=_part(ClockStop, progress.get("standstill")),
        extensions=_parts(Extension, progress.get("extensions")),
        time_asked=_parts(TimeAsked, progress.get("time_asked")),
        missed=_part(Missed, progress.get("missed")),
        ending=_part(Ending, progress.get("ending")),
        results=_parts(StepResult, progress.get("results")),
        handed=_parts(Handed, progress.get("handed")),
        corrections=_parts(Correction, progress.get("corrections")),
        answered_by=progress.get("answered_by"),
        moves=moves_of(progress),
    )


def pauses_of(progress: Mapping[str, Any]) -> tuple[Pause, ...]:
    """The stopped times kept in a `progress` column."""
    newer = {old: new for new, old in _OLDER.items()}
    kept = progress.get("pauses", ())
    return _parts(Pause, [{newer.get(k, k): v for k, v in each.items()} for each in kept])


def moves_of(progress: Mapping[str, Any]) -> tuple[Moved, ...]:
    """The reorganisations kept in a `progress` column."""
    return _parts(Moved, progress.get("moves"))


def _progress(dossier: Dossier) -> Row:
    """What happened since; empty for a dossier that nothing has happened to yet."""
    lists: Mapping[str, tuple[Any, ...]] = {
        "waits": dossier.waits,
        "pauses": dossier.pauses,
        "extensions": dossier.extensions,
        "handed": dossier.handed,
        "corrections": dossier.corrections,
        "time_asked": dossier.time_asked,
        "calls": dossier.calls,
        "moves": dossier.moves,
    }
    progress: Row = {name: [_plain(each) for each in held] for name, held in lists.items() if held}
    if dossier.clock_stop:
        progress["standstill"] = _plain(dossier.clock_stop)
    if dossier.missed:
        progress["missed"] = _plain(dossier.missed)
    if dossier.ending:
        progress["ending"] = _plain(dossier.ending)
    if dossier.results:
        progress["results"] = [_result(each) for each in dossier.results]
    if dossier.bounced:
        progress["bounced"] = list(dossier.bounced)
    if dossier.opted_out:
        progress["opted_out"] = list(dossier.opted_out)
    if dossier.answered_by:
        progress["answered_by"] = dossier.answered_by
    return progress


def _result(result: StepResult) -> Row:
    """A result as JSON; the name that came since only where there is a file."""
    values: Row = msgspec.to_builtins(result)
    return values if result.file else {k: v for k, v in values.items() if k != "file"}


def _plain(
    part: Wait
    | Pause
    | Call
    | ClockStop
    | Extension
    | TimeAsked
    | Missed
    | Handed
    | Correction
    | Moved
    | Ending,
) -> Row:
    """A part as JSON, instants as RFC 3339 in UTC, without what it does not have."""
    values = msgspec.to_builtins(part)
    if values.get("by") == "agency":  # as every extension was before others could name a date
        del values["by"]
    return {_OLDER.get(name, name): value for name, value in values.items() if value is not None}


def _calls(since: datetime | None, raw: Any) -> tuple[Call, ...]:
    """The calls to be made; of the version before only since when is known."""
    calls = _parts(Call, raw)
    return (Call("", since),) if since is not None and not calls else calls


def _part(cls: type[T], raw: Any) -> T | None:
    return None if raw is None else msgspec.convert(raw, cls)


def _parts(cls: type[T], raw: Any) -> tuple[T, ...]:
    return tuple(msgspec.convert(each, cls) for each in raw or ())


def _paper(raw: tuple[str, str, int, int]) -> Paper:
    code, name, original, copy = raw
    return Paper(code=code, name=name, original=original, copy=copy)
