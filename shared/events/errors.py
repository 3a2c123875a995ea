"""The errors of a writer; readers raise the kernel's `Unreadable`."""

from __future__ import annotations

from shared.kernel.errors import LienThongError, Refused


class ContractBroken(LienThongError):
    """Our own code tried to write what the contract does not allow: a defect, never a retry.

    The message names places and rules, never values, so that no personal data leaks into a log.
    """


class TooLarge(Refused):
    """What is to be stated is larger than any event may be: whoever asked for it is told."""

    status = 413
    default_vi = "Nội dung quá lớn: hãy rút gọn các ô chữ và danh sách rồi gửi lại."
