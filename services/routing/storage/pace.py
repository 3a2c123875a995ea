"""How each agency keeps pace: what it has open, when it last gave a sign, how long it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.webhook import Webhook
from services.routing.storage import webhooks
from services.routing.storage.rows import task_of
from services.routing.storage.tables import cases, fetches, looks, tasks

#: What was opened so long ago, or is open, is looked at.
LOOKED_BACK: Final = timedelta(days=30)
_OPEN: Final = ("assigned", "taken", "paused")
#: How a task ends by its agency's own word.
_ANSWERED: Final = (
    "completed",
    "refused",
    "transferred",
    "sent_back",
)  # not "moved": its agency said nothing


@dataclass(frozen=True, slots=True)
class Seen:
    """One agency's tasks of late (instants in UTC): until taken, and until answered, each as a pair.

    `expired`: of the open ones, those handed over as often as ever and seen by nobody there.
    `sign_at`: the last answer, look or fetch; None for none in that time.
    """

    agency: str
    name: str
    open: int
    expired: int
    overdue: int
    oldest: datetime | None
    sign_at: datetime | None
    taken: tuple[tuple[datetime, datetime], ...]
    answered: tuple[tuple[datetime, datetime], ...]
    webhook: Webhook | None = None


def seen(connection: sa.Connection, now: datetime, office: str | None = None) -> list[Seen]:
    """Every agency that had a task of late, by code; with `office` in dossiers of this office alone."""
    since = now - LOOKED_BACK
    asked = (
        sa.select(tasks, looks.c.last_at)
        .outerjoin(looks, looks.c.task == tasks.c.id)
        .where(tasks.c.kind == "task")
        .where(sa.or_(tasks.c.opened_at >= since, tasks.c.state.in_(_OPEN)))
        .order_by(tasks.c.agency, tasks.c.opened_at)
    )
    if office is not None:
        asked = asked.join(cases, cases.c.dossier == tasks.c.dossier).where(
            cases.c.office == office
        )
    of: dict[str, list[Any]] = {}
    for row in connection.execute(asked):
        of.setdefault(row.agency, []).append(row)
    served = sa.select(fetches.c.agency, sa.func.max(fetches.c.at)).group_by(fetches.c.agency)
    fetched: dict[str, datetime] = {row[0]: row[1] for row in connection.execute(served)}
    hooks = {hook.agency: hook for hook in webhooks.every(connection)}
    return [
        replace(_seen(rows, now, fetched.get(agency)), webhook=hooks.get(agency))
        for agency, rows in of.items()
    ]


def _seen(rows: list[Any], now: datetime, fetched_at: datetime | None) -> Seen:
    open_ = [row for row in rows if row.state in _OPEN]
    running = (row for row in open_ if row.state != "paused" and row.due_at is not None)
    answered = [row for row in rows if row.closed_by in _ANSWERED]
    signs: Iterable[datetime | None] = (
        fetched_at,
        *(at for row in rows for at in (row.taken_at, row.last_at)),
        *(row.closed_at for row in answered),
    )
    return Seen(
        agency=rows[-1].agency,
        name=rows[-1].agency_name,
        open=len(open_),
        expired=sum(task_of(row).is_expired for row in open_),
        overdue=sum(row.due_at < now for row in running),
        oldest=min((row.opened_at for row in open_), default=None),
        sign_at=max((at for at in signs if at is not None), default=None),
        taken=tuple((row.opened_at, row.taken_at) for row in rows if row.taken_at is not None),
        answered=tuple((row.opened_at, row.closed_at) for row in answered),
    )
