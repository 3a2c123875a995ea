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

__all__ = [
    "AccessDenied",
    "BadAnswer",
    "BadSettings",
    "BrokerUnreachable",
    "CertificateTrouble",
    "Client",
    "DoorRefused",
    "Finding",
    "Handler",
    "Message",
    "PartnerError",
    "Task",
    "Tls",
    "UnknownTask",
    "UnreadableMessage",
]
