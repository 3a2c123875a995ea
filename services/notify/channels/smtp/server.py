"""Where mail is handed over, read from one setting and checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.kernel.errors import SettingsError

_SETTING: Final = "LIENTHONG_SMTP_URL"
_EXAMPLE: Final = "smtp://user:password@mail.example:587"
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over; from `smtp://[user:password@]host[:port][?starttls=no]`."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: str  # "starttls" | "implicit" | "none"


def parse_smtp_url(url: str | None) -> SmtpServer:
    """Reads `smtp://` (STARTTLS unless `?starttls=no`) or `smtps://` (TLS from the start).

    SettingsError says which part is wrong, and never repeats it: it may be the password.
    """
    if not url:
        raise _wrong("the e-mail channel smtp needs it", "kênh thư điện tử smtp cần cấu hình này")
    parts = _parts(url)
    host, port = _place(parts)
    return SmtpServer(
        host=host,
        port=port or _PORTS[parts.scheme],
        user=_word(parts.username),
        password=_password(parts),
        tls=_tls(parts),
    )


def _parts(url: str) -> SplitResult:
    try:
        # What urlsplit would drop in silence, and an address has not.
        parts = urlsplit(url) if url.isprintable() and " " not in url else None
    except ValueError:  # brackets that do not close
        parts = None
    if parts is None or parts.scheme not in _PORTS:
        raise _wrong("it is no such address", "không phải địa chỉ dạng này")
    if parts.path not in ("", "/") or parts.fragment:
        raise _wrong(
            "there is more behind the host and port; write / ? # @ : % in a user or password as "
            "%2F %3F %23 %40 %3A %25",
            "sau tên máy và cổng còn chữ thừa; trong tên hoặc mật khẩu hãy ghi / ? # @ : % thành "
            "%2F %3F %23 %40 %3A %25",
        )
    return parts


def _place(parts: SplitResult) -> tuple[str, int | None]:
    try:
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        host, port = "", None
    if not host or port == 0:
        raise _wrong(
            "the host or the port is wrong; write / ? # @ : % in a user or password as "
            "%2F %3F %23 %40 %3A %25",
            "sai tên máy hoặc cổng; trong tên hoặc mật khẩu hãy ghi / ? # @ : % thành "
            "%2F %3F %23 %40 %3A %25",
        )
    return host, port


def _word(text: str | None) -> str | None:
    """A user's name or password, in which %xx stand for bytes of UTF-8."""
    if not text:
        return None
    try:
        said = unquote(text, errors="strict")
    except UnicodeDecodeError:
        said = "\0"
    if any(ord(each) < 32 for each in said):
        raise _wrong(
            "%xx in the user or password are no characters in UTF-8",
            "%xx trong tên hoặc mật khẩu không phải ký tự UTF-8",
        )
    return said


def _password(parts: SplitResult) -> str | None:
    password = _word(parts.password)
    if (parts.username or "") and password is None:
        raise _wrong("a user without a password", "có tên nhưng thiếu mật khẩu")
    if password is not None and not parts.username:
        raise _wrong("a password without a user", "có mật khẩu nhưng thiếu tên")
    return password


def _tls(parts: SplitResult) -> str:
    options = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme == "smtps" and not options:
        return "implicit"
    if parts.scheme == "smtp" and options in ({}, {"starttls": ["yes"]}):
        return "starttls"
    if parts.scheme == "smtp" and options == {"starttls": ["no"]}:
        return "none"
    raise _wrong(
        "behind ? only starttls=no is known, and with smtp:// alone; write ? in a password as %3F",
        "sau dấu ? chỉ có starttls=no, và chỉ với smtp://; trong mật khẩu hãy ghi ? thành %3F",
    )


def _wrong(en: str, vi: str) -> SettingsError:
    return SettingsError(
        f"{_SETTING}: {en}; for example {_EXAMPLE}", vi=f"{_SETTING}: {vi}; ví dụ {_EXAMPLE}."
    )
