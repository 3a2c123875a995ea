"""Sending an agency its messages again, by an operator's order."""

from __future__ import annotations

from services.routing.storage import handed
from shared.database import UnitOfWork
from shared.events.names import ROUTING_TASKS
from shared.kernel.errors import NotFound
from shared.messaging.outbox import mark_unsent


def hand_over_again(uow: UnitOfWork) -> int:
    """Let all that was said of open tasks go out again, under its old ids; returns how much.

    After the database was restored: who has answered since the backup knows the messages, and
    gives its answers once more.
    """
    return mark_unsent(uow, handed.of_open_tasks(uow.connection))


def resend_tasks(uow: UnitOfWork, agency: str, after: int, *, unanswered: bool) -> int:
    """Let the relay send what this agency was handed after number `after`; returns how many.

    With `unanswered` only what concerns tasks that are open and that nobody there has taken.
    NotFound where nothing was ever handed to an agency of this code.
    """
    stream = f"{ROUTING_TASKS} {agency}"
    if not handed.known(uow.connection, stream):
        raise NotFound(
            f"nothing was ever handed over to an agency {agency[:60]!r}",
            vi="Chưa từng giao việc cho cơ quan có mã này.",
        )
    found = handed.messages(uow.connection, stream, after)
    if unanswered:
        waiting = handed.untaken(uow.connection, agency)
        found = [each for each in found if each.task in waiting]
    return mark_unsent(uow, [each.position for each in found])
