"""What an operator does about a channel that is not ready, in two languages, by what it said."""

from __future__ import annotations

import re
from typing import Final

_ANY: Final = (
    "Xem docs/operate.md, mục “When a gateway is down”, hoặc hỏi nhà cung cấp kèm dòng trên.",
    "See docs/operate.md, “When a gateway is down”, or ask the provider with the line above.",
)
#: The first that is found in the reason.
_ADVICE: Final = (
    (
        r"bind: 14\b|bind: 15\b|sign-in|status 40[13]",
        "Sai tên hoặc mật khẩu: kiểm tra địa chỉ trong cấu hình, hỏi nhà cung cấp nếu vừa đổi.",
        "Wrong user or password: look at the address in the settings; ask whether it was changed.",
    ),
    (
        r"bind: 5\b",
        "Nhà cung cấp nói đã có kết nối: hạ số tiến trình notify work, hoặc xin thêm phiên.",
        (
            "The provider says that we are connected already: run fewer `notify work`, or ask for "
            "more sessions."
        ),
    ),
    (
        r"bind: 13\b|bind: no answer|closed by the server",
        (
            "Máy chủ nhận kết nối nhưng không cho vào: địa chỉ IP của máy này đã được nhà cung cấp mở "
            "chưa? system_type có đúng không?"
        ),
        (
            "The server takes the connection and does not let us in: has the provider opened it for "
            "this machine's IP address? Is system_type right?"
        ),
    ),
    (
        r"certificate|tls|CERTIFICATE|SSL",
        "Lỗi TLS: tên máy trong cấu hình phải đúng tên trong chứng thư; máy này phải tin nơi cấp.",
        "TLS: the host's name in the settings must be the certificate's; its issuer be trusted here.",
    ),
    (
        r"gaierror",
        "Không tìm thấy tên máy: kiểm tra tên trong cấu hình và DNS của máy này.",
        "The host's name is not known: look at it in the settings, and at this machine's DNS.",
    ),
    (
        r"connect|Connect|Timeout|refused|unreachable|Network",
        "Không tới được máy chủ: kiểm tra tên máy, cổng, tường lửa, VPN.",
        "The server cannot be reached: look at host, port, firewall, VPN.",
    ),
    (
        r"speaks no SMPP|no reply of SMTP|RemoteProtocol",
        "Máy chủ nói giao thức khác: sai cổng, hoặc cần smpps:// thay cho smpp://.",
        "The server speaks something else: a wrong port, or smpps:// is needed and not smpp://.",
    ),
    (
        r"sender",
        "Máy chủ không nhận người gửi: kiểm tra LIENTHONG_MAIL_FROM.",
        "The server does not take the sender: look at LIENTHONG_MAIL_FROM.",
    ),
)


def advice(name: str, why: str) -> tuple[str, str]:
    """What to do about it (vi, en)."""
    for found, vi, en in _ADVICE:
        if re.search(found, why.removeprefix(name)):
            return vi, en
    return _ANY
