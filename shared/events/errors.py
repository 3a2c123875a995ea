"""The one error of a writer who breaks the contract; readers raise the kernel's `Unreadable`."""

from __future__ import annotations

from shared.kernel.errors import LienThongError


class ContractBroken(LienThongError):
    """Our own code tried to write what the contract does not allow: a defect, never a retry.

    The message names places and rules, never values, so that no personal data leaks into a log.
    """
