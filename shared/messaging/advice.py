"""What is to be done with a parked fact, by its reason: the table of docs/operate.md in code."""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple


class Both(NamedTuple):
    """The same in Vietnamese and in English."""

    vi: str
    en: str


_LONGEST: Final = 80  # letters of a reason that a command repeats
# The first row whose words are in the reason counts; what is left is a defect of ours.
_ROWS: Final = (
    (
        "is a version that is not known here",
        "Vận hành: nâng cấp {service}, rồi {replay}",
        "Operator: upgrade {service}, then {replay}",
    ),
    (
        "unreadable: envelope",
        "Vận hành: tìm xem ai ghi thẳng vào máy chủ bản tin; {discard}",
        "Operator: find out who writes to our broker by hand; {discard}",
    ),
    (
        "forged",
        "An toàn thông tin: có người trả lời dưới tên cơ quan khác; {discard}",
        "Security: somebody answered under another agency's name; {discard}",
    ),
    (
        "its sender was not let in",
        "An toàn thông tin: có người trả lời dưới tên cơ quan khác; {discard}",
        "Security: somebody answered under another agency's name; {discard}",
    ),
    (
        "unreadable",
        "Vận hành: báo nơi gửi ({sender}) sửa rồi gửi lại; {discard}",
        "Operator: have the writer ({sender}) mend it and send anew; {discard}",
    ),
    (
        "number already used",
        "Vận hành: nơi gửi khôi phục dữ liệu mà chưa chạy lienthong restored? Chạy ngay; {discard}",
        "Operator: did the sender forget `lienthong restored` after a restore? Run it; {discard}",
    ),
    (
        "never filed here",
        "Vận hành: cơ sở dữ liệu vừa khôi phục? lienthong resend ở nơi gửi, rồi {replay}",
        "Operator: was a database restored? `lienthong resend` at the sender, then {replay}",
    ),
    (
        "not_found",
        "Vận hành: cơ sở dữ liệu vừa khôi phục? lienthong resend ở nơi gửi, rồi {replay}",
        "Operator: was a database restored? `lienthong resend` at the sender, then {replay}",
    ),
    (
        "conflict",
        "Cơ quan {sender}: gọi điện để họ trả lời lại; {discard}",
        "Agency {sender}: call it, it answers anew; {discard}",
    ),
    (
        "invalid_input",
        "Cơ quan {sender}: gọi điện để họ trả lời lại; {discard}",
        "Agency {sender}: call it, it answers anew; {discard}",
    ),
    (
        "",
        "Vận hành: báo lỗi kèm dòng này; chạy bản đã sửa rồi {replay}",
        "Operator: report it with this line; after the mend {replay}",
    ),
)


def on_reason(reason: str, service: str, consumer: str, sender: str | None) -> Both:
    """Who must do what about facts parked for this reason; `sender` is an agency's code, if one's.

    `…` stands in the reason for what differs between facts that one act settles. The command that
    is named fits these facts alone.
    """
    vi, en = next((vi, en) for words, vi, en in _ROWS if words in reason)
    of = f"--service {service} --consumer {consumer}"
    if sender:
        of += f" --agency {shlex.quote(sender)}"
    if alike := reason.partition("…")[0].strip()[:_LONGEST]:
        of += f" --reason {shlex.quote(alike)}"
    values = {
        "service": service,
        "sender": sender or "?",
        "replay": f"lienthong parked replay {of}",
        "discard": f"lienthong parked discard {of}",
    }
    return Both(vi.format(**values), en.format(**values))
