"""What an agency installs: take tasks from its queue, answer them, lose nothing, repeat nothing.

Needs Python and pika; knows nothing of the services, only the public contract of docs/agencies.md.
"""

from partner.check import Finding
from partner.client import Client
from partner.environment import from_environment
from partner.errors import (
    AccessDenied,
    AnswerRejected,
    BadAnswer,
    BadSettings,
    BrokerUnreachable,
    CertificateTrouble,
    DoorRefused,
    PartnerError,
    QueueGone,
    StoreTrouble,
    UnknownTask,
    UnreadableMessage,
)
from partner.files import File
from partner.inbox import Aside, Retry, Unreadable
from partner.messages import Message
from partner.reconciling import Compared
from partner.refusals import Refusal
from partner.settings import Tls
from partner.taking import Handler
from partner.tasks import Task
from partner.transport import Arrival, Http, Transport
from partner.webhook import NotSigned, Receiver, verify

__all__ = [
    "AccessDenied",
    "AnswerRejected",
    "Arrival",
    "Aside",
    "BadAnswer",
    "BadSettings",
    "BrokerUnreachable",
    "CertificateTrouble",
    "Client",
    "Compared",
    "DoorRefused",
    "File",
    "Finding",
    "Handler",
    "Http",
    "Message",
    "NotSigned",
    "PartnerError",
    "QueueGone",
    "Receiver",
    "Refusal",
    "Retry",
    "StoreTrouble",
    "Task",
    "Tls",
    "Transport",
    "UnknownTask",
    "Unreadable",
    "UnreadableMessage",
    "from_environment",
    "verify",
]
