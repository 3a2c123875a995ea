"""Where mail is handed over, read from one setting and checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.notify.channels.address import Address, Place

_EXAMPLE = "smtp://user:password@mail.example:587"
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over; from `smtp://[user:password@]host[:port][?starttls=no]`."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: str  # "starttls" | "implicit" | "none"


def parse_smtp_url(url: str | None, setting: str = "LIENTHONG_SMTP_URL") -> SmtpServer:
    """Reads `smtp://` (STARTTLS unless `?starttls=no`) or `smtps://` (TLS from the start).

    SettingsError says which part is wrong, and never repeats it: it may be the password.
    """
    place = Place(setting, _EXAMPLE, _PORTS)
    if not url:
        raise place.wrong(
            "the e-mail channel smtp needs it", "kênh thư điện tử smtp cần cấu hình này"
        )
    found = place.read(url)
    return SmtpServer(found.host, found.port, found.user, found.password, _tls(found, place))


def _tls(found: Address, place: Place) -> str:
    if found.scheme == "smtps" and not found.options:
        return "implicit"
    if found.scheme == "smtp" and found.options in ({}, {"starttls": ["yes"]}):
        return "starttls"
    if found.scheme == "smtp" and found.options == {"starttls": ["no"]}:
        return "none"
    raise place.wrong(
        "behind ? only starttls=no is known, and with smtp:// alone; write ? in a password as %3F",
        "sau dấu ? chỉ có starttls=no, và chỉ với smtp://; trong mật khẩu hãy ghi ? thành %3F",
    )
