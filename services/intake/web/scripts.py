"""What the desk's scripts say: they hold no words, each is given its own in the language of the page.

The words stand as JSON on the script's own element (`data-words`), so that a page which the browser
keeps for when the line is away keeps them too. A name between `%(` and `)s` is filled in by the script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import url_for

from shared.web.words import gettext, msgid

#: Script -> name of a sentence in it -> the sentence.
SAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "desk.js": {
        "found": msgid("%(number)s thủ tục."),
        "nameless": msgid("Chưa ghi tên ở tờ khai."),
        "applicant": msgid("Người nộp: %(name)s."),
        "filled": msgid("Đã ghi đủ. Giấy tờ có điều kiện: ghi tay khi nhận."),
    },
    "offline-store.js": {
        "broken": msgid(
            "Máy chủ gặp lỗi với hồ sơ này; sẽ thử lại. Báo người quản trị nếu còn mãi."
        ),
        "answered": msgid("Máy chủ trả lời %(status)s."),
    },
    "offline.js": {
        "online": msgid("Đã có mạng."),
        "online_signed_out": msgid("Đã có mạng, phiên làm việc đã hết: đăng nhập để gửi tiếp."),
        "reload": msgid("Tải lại trang"),
        "waiting": msgid("Chờ gửi: %(number)s"),
        "left": msgid(
            "Còn %(number)s hồ sơ chưa gửi trong máy này. Đăng xuất thì chúng được khóa lại, chỉ gửi "
            "được khi chính bạn đăng nhập lại trên máy này. Bấm Đăng xuất lần nữa nếu vẫn muốn."
        ),
        "left_offline": msgid(
            "Đang mất mạng: chữ đã gõ và chìa khóa đã xóa khỏi máy này; phiên làm việc kết thúc khi "
            "máy có mạng và trang tiếp nhận được mở."
        ),
    },
    "offline-waiting.js": {
        "at": msgid("%(time)s ngày %(day)s"),
        "waiting": msgid("Chờ gửi"),
        "refused": msgid("Chưa gửi được"),
        "sent": msgid("Đã gửi"),
        "away": msgid("Chưa có mạng; sẽ tự thử lại."),
        "signed-out": msgid("Phiên làm việc đã hết: đăng nhập để gửi tiếp."),
        "other": msgid(
            "Hồ sơ do người khác nhận, hoặc nhận cho nơi khác: chính người đó đăng nhập, đúng nơi làm "
            "việc, để gửi."
        ),
        "receipt": msgid("In giấy hẹn"),
        "open": msgid("Mở"),
        "mend": msgid("Mở để sửa"),
        "slip": msgid("Giấy tạm"),
        "drop": msgid("Xóa"),
        "drop_one": msgid("Xóa %(number)s"),
        "drop_sure": msgid("Xóa hẳn %(number)s? Công dân đang giữ giấy tạm"),
        "locked_for_other": msgid(
            "Còn %(number)s hồ sơ trong máy này do người khác nhận, hoặc nhận cho nơi khác. Chúng được "
            "khóa: chính người đó đăng nhập ở máy này thì tự gửi."
        ),
        "locked": msgid(
            "Còn %(number)s hồ sơ trong máy này đang khóa: người đã nhận đăng nhập thì tự gửi."
        ),
        "nameless": msgid("chưa ghi tên"),
    },
}  # fmt: skip


def script(name: str) -> tuple[str, dict[str, str]]:
    """The address of a script of ours and its words, as a page loads it (macro `script`)."""
    said = {key: gettext(vi) for key, vi in SAYS.get(name, {}).items()}
    return url_for("intake.static", filename=name), said
