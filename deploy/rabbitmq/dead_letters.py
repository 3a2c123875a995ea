"""Move what lies on `dead-letters`, the one queue that all services had in former versions.

    python deploy/rabbitmq/dead_letters.py amqp://operator:password@broker/

Each message goes to the queue of the service from whose queue it came, which parks it. The user
needs the tags administrator and impersonator: a message keeps the user who sent it. To be run once
the definitions of this version are loaded; any number of times.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT))

from shared.events import names  # noqa: E402 - run by path, from any folder

OLD = "dead-letters"  # the queue, and the exchange before it
_NOT_FOUND = 404


@dataclass(frozen=True)
class Moved:
    """How many messages went on, and how many stay since nobody can tell whose they are."""

    moved: int
    left: int


def move(url: str) -> Moved:
    """Empty the old queue and delete it; nothing where there is none any more."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        done = _move_all(channel)
        if not done.left:
            channel.queue_delete(OLD)
            channel.exchange_delete(OLD)
        return done
    except ChannelClosedByBroker as closed:
        if closed.reply_code == _NOT_FOUND:
            return Moved(0, 0)
        raise
    finally:
        connection.close()


def _move_all(channel: Any) -> Moved:
    moved = left = 0
    while True:
        method, properties, body = channel.basic_get(OLD)
        if method is None:
            return Moved(moved, left)
        service = _service_of(properties.headers or {})
        if service is None:
            left += 1  # not acknowledged: it is there again once we have gone
            continue
        queue = names.dead_letters(service)
        channel.basic_publish("", queue, body, properties, mandatory=True)
        channel.basic_ack(method.delivery_tag)
        moved += 1


def _service_of(headers: dict[str, Any]) -> str | None:
    """Whose queue it was given up on; an agency's queue is routing's."""
    deaths = headers.get("x-death") or [{}]
    queue = str(deaths[0].get("queue", ""))
    readers = {reading.queue: reading.service for reading in names.READINGS}
    agencies = re.escape(names.agency_queue("CODE")).replace("CODE", ".+")
    return "routing" if re.fullmatch(agencies, queue) else readers.get(queue)


def main(arguments: Sequence[str]) -> int:
    """Move all; 1 where some could not be placed."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    done = move(arguments[0])
    print(f"{done.moved} dead letters moved, {done.left} of unknown queues left on {OLD}")
    return 1 if done.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
