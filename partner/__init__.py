"""What an agency installs: take tasks from its queue, answer them, lose nothing, repeat nothing.

Needs Python and pika; knows nothing of the services, only the public contract of docs/agencies.md.
"""

from partner.check import Finding
from partner.client import Client, Handler
from partner.errors import (
    AccessDenied,
    BadAnswer,
    BadSettings,
    BrokerUnreachable,
    CertificateTrouble,
    DoorRefused,
    PartnerError,
    UnknownTask,
    UnreadableMessage,
)
from partner.messages import Message
from partner.settings import Tls
from partner.store import Task
from partner.transport import Arrival, Http, Transport

__all__ = [
    "AccessDenied",
    "Arrival",
    "BadAnswer",
    "BadSettings",
    "BrokerUnreachable",
    "CertificateTrouble",
    "Client",
    "DoorRefused",
    "Finding",
    "Handler",
    "Http",
    "Message",
    "PartnerError",
    "Task",
    "Tls",
    "Transport",
    "UnknownTask",
    "UnreadableMessage",
]
