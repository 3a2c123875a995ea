"""What an agency installs: take tasks from its queue, answer them, lose nothing, repeat nothing.

Needs Python and pika; knows nothing of the services, only the public contract of docs/agencies.md.
"""

from partner.client import Client, Handler
from partner.errors import (
    AccessDenied,
    BadAnswer,
    BrokerUnreachable,
    DoorRefused,
    PartnerError,
    UnknownTask,
    UnreadableMessage,
)
from partner.messages import Message
from partner.settings import Tls
from partner.store import Task

__all__ = [
    "AccessDenied",
    "BadAnswer",
    "BrokerUnreachable",
    "Client",
    "DoorRefused",
    "Handler",
    "Message",
    "PartnerError",
    "Task",
    "Tls",
    "UnknownTask",
    "UnreadableMessage",
]
