"""What is wrong with a line that cannot be made, and what to do about it, in two languages.

Read from what OpenSSL, the system and pika say; pika wraps the others' errors into texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Words(NamedTuple):
    """One reason in English and Vietnamese; `trust`: it is about somebody's certificate."""

    en: str
    vi: str
    trust: bool = False


_OURS_EXPIRED = Words(
    "it says that your certificate has expired: ask the city for a new one",
    "máy chủ báo chứng thư của đơn vị đã hết hạn: hãy xin thành phố cấp chứng thư mới",
    trust=True,
)
_OURS_UNKNOWN = Words(
    "it does not know the authority that signed your certificate: use the one that the city gave",
    "máy chủ không biết tổ chức đã ký chứng thư của đơn vị: hãy dùng chứng thư do thành phố cấp",
    trust=True,
)
_OURS_REFUSED = Words(
    "it hung up when it saw your certificate: it may have expired, or is not one that the city "
    "gave you for this",
    "máy chủ ngắt kết nối khi thấy chứng thư của đơn vị: có thể đã hết hạn, hoặc không phải chứng "
    "thư do thành phố cấp cho việc này",
    trust=True,
)
_OURS_MISSING = Words(
    "it asks for your certificate: give --certificate and --key",
    "máy chủ yêu cầu chứng thư của đơn vị: hãy thêm --certificate và --key",
    trust=True,
)
_THEIRS_EXPIRED = Words(
    "its certificate has expired: tell the city, which must renew it; look at your clock too",
    "chứng thư của máy chủ đã hết hạn: hãy báo thành phố gia hạn; kiểm tra cả đồng hồ máy này",
    trust=True,
)
_THEIRS_EARLY = Words(
    "its certificate is not valid yet: look at the clock of this machine",
    "chứng thư của máy chủ chưa đến ngày có hiệu lực: hãy kiểm tra đồng hồ của máy này",
    trust=True,
)
_THEIRS_UNKNOWN = Words(
    "its certificate is signed by an authority that is not trusted here: give the authority's "
    "certificate that you got from the city by --ca (PARTNER_CA). If you did, somebody else "
    "answers there",
    "chứng thư của máy chủ do tổ chức chưa được tin cậy ký: hãy chỉ ra tệp chứng thư của tổ chức "
    "do thành phố giao bằng --ca (PARTNER_CA). Nếu đã làm vậy, nơi trả lời không phải máy chủ "
    "của thành phố",
    trust=True,
)
_OTHER_NAME = Words(
    "its certificate is for another name: use exactly the name that the city gave you",
    "chứng thư của máy chủ cấp cho tên khác: hãy dùng đúng tên mà thành phố đã giao",
    trust=True,
)
_NO_TLS = Words(
    "that port does not speak TLS: is it the right one? (amqps is mostly 5671)",
    "cổng này không dùng TLS: có đúng cổng không? (amqps thường là 5671)",
)
_ONLY_TLS = Words(
    "that port does not speak AMQP in the clear: write amqps:// instead of amqp://",
    "cổng này không nhận AMQP không mã hóa: hãy viết amqps:// thay cho amqp://",
)
_BREAKS_OFF = Words(
    "it breaks off the TLS handshake: ask the city what its log says",
    "máy chủ ngắt bắt tay TLS: hãy hỏi thành phố xem nhật ký của máy chủ",
)
_NO_NAME = Words(
    "there is no machine of that name: look at the address and at your name server",
    "không có máy nào mang tên này: hãy kiểm tra địa chỉ và máy chủ tên miền (DNS)",
)
_NOBODY = Words(
    "nobody listens at that port: look at the port; the broker may be down",
    "không có ai nghe ở cổng này: hãy kiểm tra số cổng; có thể máy chủ đang tắt",
)
_NO_ANSWER = Words(
    "it does not answer: a firewall may stand between, or the line is down",
    "không có trả lời: có thể bị tường lửa chặn hoặc đường truyền đứt",
)

# In this order: what is told of our certificate has words of what is told of theirs.
_SAID: Sequence[tuple[str, Words]] = (
    ("alert certificate expired", _OURS_EXPIRED),
    ("alert unknown ca", _OURS_UNKNOWN),
    ("alert certificate required", _OURS_MISSING),
    ("alert bad certificate", _OURS_REFUSED),
    ("alert unsupported certificate", _OURS_REFUSED),
    ("alert certificate unknown", _OURS_REFUSED),
    ("certificate has expired", _THEIRS_EXPIRED),
    ("certificate is not yet valid", _THEIRS_EARLY),
    ("unable to get local issuer", _THEIRS_UNKNOWN),
    ("unable to get issuer", _THEIRS_UNKNOWN),
    ("unable to verify the first", _THEIRS_UNKNOWN),
    ("self-signed certificate", _THEIRS_UNKNOWN),
    ("self signed certificate", _THEIRS_UNKNOWN),
    ("mismatch, certificate is not valid", _OTHER_NAME),
    ("wrong version number", _NO_TLS),
    (" alert ", _BREAKS_OFF),
    ("gaierror", _NO_NAME),
    ("connection refused", _NOBODY),
    ("timed out", _NO_ANSWER),
    ("timeout", _NO_ANSWER),
)
_HUNG_UP = ("connection reset", "connectionreset", "broken pipe", "eof occurred", "incompatible")


def of(broken: BaseException, *, secure: bool, shown: bool) -> Words:
    """The reason of a failed connection; `secure`: by TLS, `shown`: with a certificate of ours."""
    name = type(broken).__name__
    text = f"{broken!r} {getattr(broken, 'reason', '')!r}".lower().replace("_", " ")
    for said, words in _SAID:
        if said in text:
            return _OURS_REFUSED if words is _BREAKS_OFF and shown else words
    if any(said in text for said in _HUNG_UP):
        if shown:
            return _OURS_REFUSED
        if not secure and "incompatible" in text:
            return _ONLY_TLS
    return Words(name, name)


def of_login(user: str | None, *, shown: bool) -> Words:
    """Why the broker does not let us in; `shown`: with a certificate of ours."""
    if user is not None:
        return Words(
            "the broker does not know this user or password",
            "máy chủ không nhận người dùng hoặc mật khẩu này",
        )
    if shown:
        return Words(
            "the broker has no user of the name (CN) in your certificate, or takes no certificates "
            "at all: ask the city",
            "máy chủ không có người dùng mang tên (CN) trong chứng thư của đơn vị, hoặc không nhận "
            "chứng thư: hãy hỏi thành phố",
        )
    return Words(
        "the address has no user, and there is no certificate: give --certificate and --key",
        "địa chỉ không có người dùng và cũng không có chứng thư: hãy thêm --certificate và --key",
    )
