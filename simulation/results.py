"""What a simulated run came to, read out of the three services' own databases.

Lives here: counting and choosing the dossier to show. Nothing is invented: every figure is a query.
Must not: printing (`report`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.domain.statuses import Status
from services.intake.storage.tables import dossiers
from services.intake.usecases.report import Ii06a, ii06a
from services.notify.domain.contacts import CALL, NO_ADDRESS, NO_CONSENT
from services.notify.domain.states import State
from services.notify.storage.tables import attempts, messages
from services.notify.usecases.calling import DESK
from services.routing.storage.tables import tasks
from shared.database import Store
from shared.messaging.parked import Held, list_held
from shared.messaging.tables import PARKED, RETRY, WAITING
from shared.messaging.timeline import Entry, timeline
from simulation.desks import Desks
from simulation.kit import City
from simulation.promises import Missed, missed_promises

HELD: Final = (PARKED, WAITING, RETRY)
MOST_HELD: Final = 1_000_000
#: The channel of a message to somebody who agreed to none, or can be reached by none.
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Shown:
    """The dossier shown at the end: its way, and the messages as they were sent."""

    code: str
    procedure: str
    way: Sequence[Entry]
    messages: Sequence[Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Results:
    """All that a run shows and writes."""

    dossiers: Mapping[str, Any]
    tasks: Mapping[str, int]
    promises: Missed
    messages: Mapping[str, Mapping[str, int]]
    parked: Sequence[Held]
    waiting: Sequence[Held]
    report: Ii06a
    offices: Mapping[str, str]
    shown: Shown | None

    def as_json(self, seconds: float, **more: Any) -> dict[str, Any]:
        """For machines; `seconds` of real time is the one figure that a seed does not repeat."""
        return {
            "dossiers": self.dossiers,
            "tasks": self.tasks,
            "promises": self.promises.as_json(),
            "messages": self.messages,
            "parked": [_held(each) for each in self.parked],
            "waiting": [_held(each) for each in self.waiting],
            "report_ii06a": [_row(each) for each in self.report.offices],
            **more,
            "seconds": round(seconds, 2),
        }


def collect(city: City, desks: Desks, start: datetime, end: datetime) -> Results:
    """Read the results of a run over the half-open period [start, end), in UTC."""
    services = (city.built.intake, city.built.routing, city.built.notify)
    held = [each for service in services for each in _held_by(service.store)]
    with city.built.intake.store.read() as connection:
        report = ii06a(connection, city.catalogue, start, end)
    return Results(
        dossiers=_dossiers(city.built.intake.store, desks),
        tasks=_tasks(city.built.routing.store),
        promises=missed_promises(city.built.intake.store, city.catalogue, city.now()),
        messages=_messages(city.built.notify.store),
        parked=[each for each in held if each.state == PARKED],
        waiting=[each for each in held if each.state != PARKED],
        report=report,
        offices={
            each.office: city.catalogue.agency(each.office).short_name for each in report.offices
        },
        shown=_show(city),
    )


def _groups(
    store: Store, column: sa.Column[Any], where: sa.ColumnElement[bool] | None = None
) -> dict[Any, int]:
    query = sa.select(column, sa.func.count()).group_by(column).order_by(column)
    query = query if where is None else query.where(where)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _dossiers(store: Store, desks: Desks) -> dict[str, Any]:
    by_status = _groups(store, dossiers.c.status)
    return {
        "submitted": sum(by_status.values()),
        "refused_rows": len(desks.refused),
        "by_status": {f"{int(n)} {Status(n).vi}": count for n, count in by_status.items()},
    }


def _tasks(store: Store) -> dict[str, int]:
    agency = tasks.c.kind == "task"
    answered = tasks.c.closed_by.in_(("completed", "refused"))
    handed_on = tasks.c.closed_by == "transferred"
    with store.read() as connection:
        count = sa.func.count()
        return {
            "assigned": connection.scalar(sa.select(count).where(agency)) or 0,
            "answered": connection.scalar(sa.select(count).where(agency, answered)) or 0,
            "late": connection.scalar(sa.select(count).where(agency, tasks.c.late)) or 0,
            "handed_on": connection.scalar(sa.select(count).where(agency, handed_on)) or 0,
            "placed": connection.scalar(sa.select(count).where(~agency, handed_on)) or 0,
        }


def _messages(store: Store) -> dict[str, dict[str, int]]:
    """What left by which way and at which try, what is left of the rest, and why it did not go."""
    left = messages.c.sent_at.is_not(None) & (messages.c.channel != CALL)
    nobody = messages.c.reason.in_((NO_CONSENT, NO_ADDRESS)) & (messages.c.sent_at.is_(None))
    return {
        "by_channel": _groups(store, messages.c.channel, left)
        | {NONE: sum(_groups(store, messages.c.reason, nobody).values())},
        "by_rung": {str(rung): n for rung, n in _groups(store, messages.c.rung, left).items()},
        "by_state": _groups(store, messages.c.state),
        "not_sent": _groups(store, messages.c.reason, messages.c.state.in_(_NOT_SENT)),
        "calls": _groups(store, messages.c.state, messages.c.channel == CALL),
        "tries_of_calls": _groups(store, attempts.c.outcome, attempts.c.provider == DESK),
    }


_NOT_SENT: Final = (State.SKIPPED.value, State.CANCELLED.value, State.HELD.value)


def _held_by(store: Store) -> list[Held]:
    with store.read() as connection:
        return list_held(connection, states=HELD, limit=MOST_HELD)


def _show(city: City) -> Shown | None:
    code = _most_linked(city)
    if code is None:
        return None
    intake, notify = city.built.intake.store, city.built.notify.store
    with intake.read() as connection:
        row = connection.execute(
            sa.select(dossiers.c.procedure, dossiers.c.procedure_version).where(
                dossiers.c.code == code
            )
        ).one()
        way = timeline(connection, code)
    with notify.read() as connection:
        query = (
            sa.select(messages)
            .where(messages.c.dossier == code, messages.c.sent_at.is_not(None))
            .order_by(messages.c.sent_at, messages.c.channel)
        )
        sent = [dict(each) for each in connection.execute(query).mappings()]
    name = city.catalogue.procedure_version(row.procedure, row.procedure_version).name
    return Shown(code, name, way, sent)


def _most_linked(city: City) -> str | None:
    """A finished dossier with results of the most agencies, told by both channels, the earliest."""
    granting = sa.select(tasks.c.dossier, sa.func.count(sa.distinct(tasks.c.agency))).where(
        tasks.c.result_code.is_not(None)
    )
    query = granting.group_by(tasks.c.dossier)
    with city.built.routing.store.read() as connection:
        agencies: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    told = (
        sa.select(messages.c.dossier, sa.func.count(sa.distinct(messages.c.channel)))
        .where(messages.c.state == "sent")
        .group_by(messages.c.dossier)
    )
    with city.built.notify.store.read() as connection:
        channels: dict[str, int] = {row[0]: row[1] for row in connection.execute(told)}
    finished = sa.select(dossiers.c.code).where(dossiers.c.status == Status.RETURNED)
    with city.built.intake.store.read() as connection:
        done = set(connection.scalars(finished))
    ranked = sorted(
        agencies,
        key=lambda code: (code not in done, -channels.get(code, 0), -agencies[code], code),
    )
    return ranked[0] if ranked else None


def _held(held: Held) -> dict[str, Any]:
    return {
        "service": held.consumer.partition(".")[0],
        "state": held.state,
        "type": held.type,
        "subject": held.subject,
        "reason": held.reason,
    }


def _row(office: Any) -> dict[str, Any]:
    total = office.total
    return {
        "office": office.office,
        "received": total.received_total,
        "resolved": {
            "early": total.resolved_early,
            "on_time": total.resolved_on_time,
            "late": total.resolved_late,
        },
        "in_progress": {"in_time": total.in_progress_in_time, "late": total.in_progress_late},
    }
