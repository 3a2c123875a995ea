"""The transports: queues between the services, in one process or on RabbitMQ.

The only place that imports kombu; its errors leave as BrokerAway. No word of any service's
business, and no database, belongs here.
"""

from shared.messaging.bus import Bus
from shared.messaging.memory import reset_memory
from shared.messaging.model import (
    CONTENT_TYPE,
    Delivery,
    Exchange,
    OutMessage,
    Publisher,
    Queue,
    Seen,
    Sent,
    Subscriber,
    TopologyBroken,
)

__all__ = [
    "CONTENT_TYPE",
    "Bus",
    "Delivery",
    "Exchange",
    "OutMessage",
    "Publisher",
    "Queue",
    "Seen",
    "Sent",
    "Subscriber",
    "TopologyBroken",
    "reset_memory",
]
