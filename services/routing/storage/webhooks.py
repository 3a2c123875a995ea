"""How agencies are reached by webhook: who may be sent to now, by whom, and how far each has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.domain.webhook import LEASE, Secret, Webhook
from services.routing.storage.handover import SLACK, first_since
from services.routing.storage.tables import tasks, webhooks
from services.routing.storage.views import OPEN
from shared.database import Store, UnitOfWork
from shared.events.names import ROUTING_TASKS
from shared.kernel.clock import format_instant, parse_instant
from shared.messaging.metrics import Reading
from shared.messaging.tables import LEDGERS

_WISHED = "routing.wished"
_streams, _outbox = LEDGERS.streams.c, LEDGERS.outbox.c
_LAST = (
    sa.select(_streams.last)
    .where(_streams.stream == sa.literal(f"{ROUTING_TASKS} ") + webhooks.c.agency)
    .scalar_subquery()
)
_ALL = sa.select(webhooks, sa.func.coalesce(_LAST, 0).label("last")).order_by(webhooks.c.agency)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message of an agency's stream that it has not acknowledged."""

    number: int
    id: str
    type: str
    body: bytes


def every(connection: sa.Connection) -> list[Webhook]:
    """All agencies that have one."""
    return [_webhook(row) for row in connection.execute(_ALL)]


def of(connection: sa.Connection, agency: str, *, hold: bool = False) -> Webhook | None:
    """An agency's; with `hold` nobody else changes it until the unit ends."""
    asked = _ALL.where(webhooks.c.agency == agency)
    row = connection.execute(asked.with_for_update(of=webhooks) if hold else asked).one_or_none()
    return None if row is None else _webhook(row)


def put(uow: UnitOfWork, hook: Webhook) -> None:
    """Keep what its owner wishes; whoever sends to it now has no say any more, and hears of it."""
    uow.signal(_WISHED)
    row = _row(hook) | {"held_by": None, "held_until": None}
    mine = webhooks.c.agency == hook.agency
    if not uow.connection.execute(sa.update(webhooks).where(mine).values(row)).rowcount:
        uow.connection.execute(sa.insert(webhooks).values(agency=hook.agency, **row))


def remove(uow: UnitOfWork, agency: str) -> None:
    """Forget it."""
    uow.connection.execute(sa.delete(webhooks).where(webhooks.c.agency == agency))


def start_of(connection: sa.Connection, agency: str) -> int:
    """The number after which all lies that hands over what is open: where a new webhook begins."""
    opened = sa.select(sa.func.min(tasks.c.opened_at)).where(
        tasks.c.agency == agency, tasks.c.kind == "task", tasks.c.state.in_(OPEN)
    )
    since, stream = connection.scalar(opened), f"{ROUTING_TASKS} {agency}"
    if since is None:
        return connection.scalar(sa.select(_streams.last).where(_streams.stream == stream)) or 0
    return max(0, first_since(connection, stream, since - SLACK) - 1)


# --- sending ------------------------------------------------------------------------------------


def claim(uow: UnitOfWork, me: str, most: int) -> list[Webhook]:
    """Those that are due and in nobody's hand; they are mine until `held_until`."""
    now = uow.shared_now()
    asked = _ALL.with_for_update(of=webhooks, skip_locked=True)
    found = [_webhook(row) for row in uow.connection.execute(asked)]
    due = [hook for hook in found if (at := hook.due(now)) is not None and at <= now][:most]
    if due:
        taken = webhooks.c.agency.in_([hook.agency for hook in due])
        held = {"held_by": me, "held_until": now + LEASE}
        uow.connection.execute(sa.update(webhooks).where(taken).values(held))
    return due


def keep(uow: UnitOfWork, me: str, hook: Webhook, *, held: bool) -> bool:
    """Write down how far it has come, and hold it on or let it go; False where it is not mine."""
    row = _row(hook) | {
        "held_by": me if held else None,
        "held_until": uow.shared_now() + LEASE if held else None,
    }
    mine = sa.and_(webhooks.c.agency == hook.agency, webhooks.c.held_by == me)
    return bool(uow.connection.execute(sa.update(webhooks).where(mine).values(row)).rowcount)


def after(connection: sa.Connection, hook: Webhook, most: int) -> list[Waiting]:
    """The next messages of its stream, in their order."""
    asked = sa.select(_outbox.sequence, _outbox.id, _outbox.type, _outbox.body).where(
        _outbox.stream == f"{ROUTING_TASKS} {hook.agency}", _outbox.sequence > hook.cursor
    )
    rows = connection.execute(asked.order_by(_outbox.sequence).limit(most))
    return [Waiting(row.sequence, row.id, row.type, bytes(row.body)) for row in rows]


# --- telling ------------------------------------------------------------------------------------


def paused_since(connection: sa.Connection, agency: str) -> datetime | None:
    """Since when nothing is sent to an agency that wished it (UTC); None while all is well."""
    hook = of(connection, agency)
    return None if hook is None or hook.paused is None else hook.since


def measured(store: Store) -> list[Reading]:
    """How many are paused, what waits, and how requests went, for the measures."""
    with store.read() as connection:
        found = every(connection)
    return list(_readings(found))


def _readings(found: Sequence[Webhook]) -> Iterator[Reading]:
    paused = sum(hook.paused is not None for hook in found)
    waiting = sum(hook.last - hook.cursor for hook in found)
    yield Reading("lienthong_webhooks_paused", "Agencies whose webhook is paused", paused)
    yield Reading("lienthong_webhook_waiting", "Messages that no webhook has taken yet", waiting)
    for outcome in ("delivered", "failed"):
        count = sum(getattr(hook, outcome) for hook in found)
        labels = (("outcome", outcome),)
        yield Reading("lienthong_webhook_requests", "Requests to webhooks", count, labels)


_PLAIN = (
    "url", "paused", "since", "cursor", "attempts", "failing_since", "failure", "next_at",
    "delivered", "failed", "delivered_at", "trial_asked_at", "trial_at", "trial",
)  # fmt: skip


def _row(hook: Webhook) -> dict[str, Any]:
    secrets = [[each.nonce, each.until and format_instant(each.until)] for each in hook.secrets]
    plain = {name: getattr(hook, name) for name in _PLAIN}
    return plain | {"skips": list(hook.skips), "secrets": secrets}


def _webhook(row: sa.Row[Any]) -> Webhook:
    secrets = (Secret(nonce, until and parse_instant(until)) for nonce, until in row.secrets)
    return Webhook(
        agency=row.agency,
        skips=tuple(row.skips),
        secrets=tuple(secrets),
        held_until=row.held_until,
        last=row.last,
        **{name: getattr(row, name) for name in _PLAIN},
    )
