"""Cases and tasks as rows and back. No SQL and no decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.routing.domain.case import Alarms, Case, PapersWanted, Task
from shared.events.parts import Agency, Office, Paper, ProcedureName
from shared.kernel.clock import format_instant, parse_instant


def case_row(case: Case) -> dict[str, Any]:
    """The row of a case."""
    alarms = case.alarms
    return {
        "dossier": case.dossier,
        "procedure": case.procedure.code,
        "procedure_name": case.procedure.name,
        "version": case.version,
        "office": case.office.code,
        "office_name": case.office.name,
        "territory": case.office.territory,
        "branches": list(case.branches),
        "state": case.state,
        "form": dict(case.form),
        "corrected": {name: format_instant(at) for name, at in case.corrected.items()} or None,
        "papers": msgspec.to_builtins(case.papers),
        "opened_at": case.opened_at,
        "promised_at": case.promised_at,
        "due_at": case.due_at,
        "rounds": case.rounds,
        "waiting_papers": case.waiting_papers,
        "respond_by": case.respond_by,
        "extensions": case.extensions,
        "outside_since": case.clock_stopped_at,
        "dates_owed": case.dates_awaited,
        "alarm_due_at": alarms.due_at if alarms else None,
        **_warnings(alarms),
        "apology_at": alarms.apology_at if alarms else None,
        "next_at": case.next_at,
        "closed_at": case.closed_at,
        "channel": case.channel,
    }


def _warnings(alarms: Alarms | None) -> dict[str, Any]:
    return {
        "near_day_at": alarms.day_at if alarms else None,
        "near_hours_at": alarms.hours_at if alarms else None,
        "missed": alarms.missed if alarms else False,
    }


def case_of(row: Any, given: Iterable[Any]) -> Case:
    """The case of a row with the rows of all its tasks."""
    tasks: dict[str, Task] = {}
    handed_on: dict[str, Task] = {}
    for task in sorted(map(task_of, given), key=lambda one: (one.opened_at, one.number, one.id)):
        if task.undone:
            handed_on[task.id] = task
            continue
        if (before := tasks.get(task.step)) is not None:
            handed_on[before.id] = before
        tasks[task.step] = task
    return Case(
        dossier=row.dossier,
        procedure=ProcedureName(code=row.procedure, name=row.procedure_name),
        version=row.version,
        office=Office(code=row.office, name=row.office_name, territory=row.territory),
        branches=tuple(row.branches),
        opened_at=row.opened_at,
        promised_at=row.promised_at,
        due_at=row.due_at,
        state=row.state,
        form=row.form,
        corrected={name: parse_instant(at) for name, at in (row.corrected or {}).items()},
        papers=msgspec.convert(row.papers, tuple[Paper, ...]),
        tasks=tasks,
        handed_on=handed_on,
        rounds=row.rounds,
        waiting_papers=row.waiting_papers,
        respond_by=row.respond_by,
        extensions=row.extensions,
        clock_stopped_at=row.outside_since,
        dates_awaited=row.dates_owed,
        alarms=_alarms(row, row.alarm_due_at, row.apology_at),
        closed_at=row.closed_at,
        channel=row.channel,
    )


def task_row(task: Task, dossier: str) -> dict[str, Any]:
    """The row of a task."""
    alarms = task.alarms
    return {
        "id": task.id,
        "dossier": dossier,
        "step": task.step,
        "kind": task.kind,
        "agency": task.agency.code,
        "agency_name": task.agency.name,
        "state": task.state,
        "opened_at": task.opened_at,
        "due_at": task.due_at,
        **_warnings(alarms),
        "next_at": task.next_at,
        "taken_at": task.taken_at,
        "officer": task.officer,
        "paused_at": task.paused_at,
        "asked": task.asked,
        "pending": _pending_row(task.pending),
        "extensions": task.extensions,
        "wish": task.wish,
        "closed_by": task.closed_by,
        "closed_at": task.closed_at,
        "outcome": task.outcome,
        "result_code": task.result_code,
        "document": task.document,
        "file": task.file,
        "reason": task.reason,
        "amount_vnd": task.amount_vnd,
        "late": task.late,
        **_lifetime(task),
        "number": task.number,
        "named": task.named,
        "verifications": task.verifications,
        "undone": task.undone,
        "branch": task.branch,
    }


def _lifetime(task: Task) -> dict[str, Any]:
    return {
        "repeat_at": task.repeat_at,
        "repeats": task.repeats,
        "fetched_at": task.fetched_at,
        "expired_at": task.expired_at,
    }


def task_of(row: Any) -> Task:
    """The task of a row."""
    return Task(
        id=row.id,
        step=row.step,
        kind=row.kind,
        agency=Agency(code=row.agency, name=row.agency_name),
        state=row.state,
        opened_at=row.opened_at,
        alarms=_alarms(row, row.due_at),
        taken_at=row.taken_at,
        officer=row.officer,
        paused_at=row.paused_at,
        asked=row.asked,
        pending=_pending_of(row.pending),
        extensions=row.extensions,
        wish=row.wish,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        outcome=row.outcome,
        result_code=row.result_code,
        document=row.document,
        file=row.file,
        reason=row.reason,
        amount_vnd=row.amount_vnd,
        late=row.late,
        repeat_at=row.repeat_at,
        repeats=row.repeats,
        fetched_at=row.fetched_at,
        number=row.number,
        named=row.named,
        expired_at=row.expired_at,
        verifications=row.verifications,
        undone=row.undone,
        branch=row.branch,
    )


def _alarms(row: Any, due_at: datetime | None, apology_at: datetime | None = None) -> Alarms | None:
    if due_at is None:
        return None
    return Alarms(due_at, row.near_day_at, row.near_hours_at, row.missed, apology_at)


def _pending_row(wanted: PapersWanted | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    respond_by = wanted.respond_by
    return {
        "items": list(wanted.items),
        "reason": wanted.reason,
        "respond_by": format_instant(respond_by) if respond_by else None,
    }


def _pending_of(row: Mapping[str, Any] | None) -> PapersWanted | None:
    if row is None:
        return None
    respond_by = row["respond_by"]
    return PapersWanted(
        tuple(row["items"]), row["reason"], parse_instant(respond_by) if respond_by else None
    )
