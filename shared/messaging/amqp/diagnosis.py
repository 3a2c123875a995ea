"""Why a connection could not be made, and what an operator does about it, in two languages.

Only words live here; which errors there are is py-amqp's and OpenSSL's business. No text repeats
what was sent to the broker: a URL holds a password.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from amqp.exceptions import AccessRefused, NotAllowed

from shared.messaging.amqp.address import Address


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One reason, in English and Vietnamese."""

    en: str
    vi: str


_UNKNOWN_AUTHORITY = Diagnosis(
    "its certificate is signed by an authority that is not trusted here: name the file of the "
    "authority's certificate in the AMQP URL by cacertfile=",
    "chứng thư của nó do một tổ chức chưa được tin cậy ký: hãy ghi tệp chứng thư của tổ chức đó "
    "vào URL AMQP bằng cacertfile=",
)
_OTHER_NAME = Diagnosis(
    "its certificate is for another name: use the name that stands in the certificate, in the URL "
    "or by server_name_indication=",
    "chứng thư của nó cấp cho tên khác: hãy dùng đúng tên trong chứng thư, trong URL hoặc bằng "
    "server_name_indication=",
)
# OpenSSL's X509_V_ERR_*: what we think of the broker's certificate.
_OF_THE_BROKER: Mapping[int, Diagnosis] = {
    9: Diagnosis(
        "its certificate is not valid yet: look at the clock of this machine",
        "chứng thư của nó chưa đến ngày có hiệu lực: hãy kiểm tra đồng hồ của máy này",
    ),
    10: Diagnosis(
        "its certificate has expired: give the broker a new one",
        "chứng thư của nó đã hết hạn: hãy cấp chứng thư mới cho máy chủ bản tin",
    ),
    18: _UNKNOWN_AUTHORITY,
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
# What OpenSSL says when the broker, or whoever answers there, breaks the handshake off.
_SAID: Mapping[str, Diagnosis] = {
    "wrong version number": Diagnosis(
        "that port does not speak TLS: amqps:// is for its TLS port, mostly 5671",
        "cổng này không dùng TLS: amqps:// phải trỏ tới cổng TLS, thường là 5671",
    ),
    "alert certificate expired": Diagnosis(
        "it says that our certificate has expired: put a new one into certfile= and keyfile=",
        "nó báo chứng thư của ta đã hết hạn: hãy thay chứng thư mới vào certfile= và keyfile=",
    ),
    "alert unknown ca": Diagnosis(
        "it does not trust the authority of our certificate (certfile=)",
        "nó không tin tổ chức đã ký chứng thư của ta (certfile=)",
    ),
    "alert certificate required": Diagnosis(
        "it asks for a certificate of ours: name it by certfile= and keyfile=",
        "nó đòi chứng thư của ta: hãy ghi certfile= và keyfile=",
    ),
    "alert protocol version": Diagnosis(
        "it speaks another version of TLS; we need 1.2 or newer",
        "nó dùng phiên bản TLS khác; cần từ 1.2 trở lên",
    ),
    "alert": Diagnosis(
        "it breaks off the TLS handshake; its log says why",
        "nó ngắt bắt tay TLS; xem lý do trong nhật ký của nó",
    ),
}
_AFTER_OURS = Diagnosis(
    "it hung up when it saw our certificate (certfile=): it may have expired, be signed by an "
    "authority that is unknown there, or not be meant for a client",
    "nó ngắt kết nối khi thấy chứng thư của ta (certfile=): có thể đã hết hạn, do tổ chức mà nó "
    "không biết ký, hoặc không phải chứng thư cho máy khách",
)
_UNREADABLE_FILE = Diagnosis(
    "a file of cacertfile=, certfile= or keyfile= cannot be read any more",
    "không còn đọc được tệp của cacertfile=, certfile= hoặc keyfile=",
)

_TOO_MANY = Diagnosis(
    "this user has as many connections as it may have: end programs that are left over, or raise "
    "its limit at the broker",
    "người dùng này đã mở hết số kết nối cho phép: hãy tắt chương trình còn sót, hoặc nâng giới "
    "hạn tại máy chủ bản tin",
)


def of(exc: BaseException, address: Address) -> Diagnosis:
    """What went wrong with one broker; the name of the error where there is nothing better."""
    if isinstance(exc, AccessRefused):
        return _of_login(address)
    if isinstance(exc, NotAllowed) and "limit" in (exc.reply_text or ""):
        return _TOO_MANY
    if isinstance(exc, NotAllowed):
        return Diagnosis(
            f"there is no virtual host {address.vhost}, or the user may not enter it",
            f"không có virtual host {address.vhost}, hoặc người dùng không được vào",
        )
    if address.tls is not None and (found := _of_tls(exc, shown="certfile" in address.tls)):
        return found
    return Diagnosis(type(exc).__name__, type(exc).__name__)


def _of_tls(exc: BaseException, *, shown: bool) -> Diagnosis | None:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _OF_THE_BROKER.get(exc.verify_code) or Diagnosis(
            f"its certificate does not hold ({exc.verify_message})",
            f"chứng thư của nó không hợp lệ ({exc.verify_message})",
        )
    if shown and _broken_off(exc):
        return _AFTER_OURS
    if isinstance(exc, ssl.SSLError):
        text = str(exc).lower().replace("_", " ")
        name = exc.reason or type(exc).__name__
        if shown and "alert handshake failure" in text:
            return _AFTER_OURS
        told = (meaning for said, meaning in _SAID.items() if said in text)
        return next(told, Diagnosis(f"TLS failed ({name})", f"lỗi TLS ({name})"))
    return _UNREADABLE_FILE if isinstance(exc, (FileNotFoundError, PermissionError)) else None


def _broken_off(exc: BaseException) -> bool:
    """Whether the line went without a word; an alert may be lost when the other side hangs up."""
    return isinstance(exc, (ConnectionError, ssl.SSLEOFError)) and not isinstance(
        exc, ConnectionRefusedError
    )


def _of_login(address: Address) -> Diagnosis:
    if address.login_method == "EXTERNAL":
        return Diagnosis(
            "it refuses our certificate: there is no user of its common name, or none was shown",
            "nó từ chối chứng thư của ta: không có người dùng mang tên chung (CN) này, hoặc chưa "
            "đưa chứng thư",
        )
    return Diagnosis(
        "it does not know this user or password", "nó không nhận người dùng hoặc mật khẩu này"
    )
