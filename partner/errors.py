"""Every error of the partner kit; none of their texts holds personal data or a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PartnerError(Exception):
    """Root of the kit's errors; `str()` is English, `vi` says the same where a person must act."""

    def __init__(self, text: str = "", vi: str | None = None) -> None:
        super().__init__(text)
        self.vi = vi


class BadSettings(PartnerError):
    """An address or a file that the kit was given cannot be used."""


class BadAnswer(PartnerError):
    """The answer would be refused: a field is missing or has no legal value."""


class UnknownTask(PartnerError):
    """No such task has come here."""


class UnreadableMessage(PartnerError):
    """The bytes are no task message of the contract."""


class BrokerUnreachable(PartnerError):
    """The broker does not answer or broke off; trying again later may help."""


class QueueGone(BrokerUnreachable):
    """Our queue is not there, or was taken from under us: it is looked for again after a pause."""


class CertificateTrouble(BrokerUnreachable):
    """One side does not trust the other's certificate; it helps to change or renew one."""


class AccessDenied(PartnerError):
    """The broker knows us and refuses: wrong password, wrong queue, wrong agency code."""


class AnswerRejected(PartnerError):
    """The broker refuses this one answer for its own sake; the others are not concerned."""


class StoreTrouble(PartnerError):
    """Our own file cannot be written or read (disk full, locked); nothing was acknowledged."""


class DoorRefused(PartnerError):
    """The HTTPS door refused or cannot be reached; `status` is 0 where there was no answer.

    `problem` is what it said, as problem+json has it (RFC 9457), empty where it said nothing.
    """

    def __init__(
        self,
        text: str,
        status: int = 0,
        vi: str | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text, vi)
        self.status = status
        self.problem = problem or {}
