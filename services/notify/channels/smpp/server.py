"""Where text messages are handed over by SMPP, read from one setting and checked before a bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.notify.channels.address import Address, Place

_EXAMPLE: Final = "smpp://user:password@smsc.example:2775?from=UBNDCaoLanh"
_PORTS: Final = {"smpp": 2775, "smpps": 3550}
IDS: Final = ("auto", "same", "hex", "decimal")
_OPTIONS: Final = ("from", "window", "per_second", "parts", "ids", "system_type", "insecure")


@dataclass(frozen=True, slots=True)
class SmppServer:
    """One SMSC: where, as whom, and its ways.

    `window`: letters handed over and not answered for. `per_second`: parts, 0 for no limit.
    `payload`: a long text goes whole (message_payload), the SMSC cuts it. `ids`: how the name that
    it gives a part comes back in a receipt: `same`, `hex` (given in hex, told in decimal),
    `decimal` (the other way round), or `auto`.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str = ""
    tls: bool = False
    window: int = 10
    per_second: int = 0
    payload: bool = False
    ids: str = "auto"
    system_type: str = ""


def parse_smpp_url(url: str | None, setting: str = "LIENTHONG_SMPP_URL") -> SmppServer:
    """Reads `smpp://` or, with TLS from the start, `smpps://`; SettingsError says what is wrong."""
    place = Place(setting, _EXAMPLE, _PORTS)
    if not url:
        raise place.wrong("the SMS channel smpp needs it", "kênh SMS smpp cần cấu hình này")
    found = place.read(url)
    options = _options(found, place)
    user, password = found.user or "", found.password or ""
    # Of longer ones the library sends the beginning, and the SMSC says "wrong password".
    if not user or not _fits(user, 15) or not _fits(password, 8):
        raise place.wrong(
            "SMPP wants a user (at most 15 ASCII characters) and a password (at most 8)",
            "SMPP cần tên (tối đa 15 ký tự ASCII) và mật khẩu (tối đa 8)",
        )
    if found.scheme == "smpp" and options.get("insecure") != "yes" and not _near(found.host):
        raise place.wrong(
            "without TLS the password and every citizen's number can be read on the way: use "
            "smpps://, or add insecure=yes where the line is a private one (VPN)",
            "không có TLS thì mật khẩu và số điện thoại bị đọc được trên đường truyền: dùng "
            "smpps://, hoặc thêm insecure=yes nếu là đường truyền riêng (VPN)",
        )
    return SmppServer(
        host=found.host,
        port=found.port,
        user=user,
        password=password,
        sender=_sender(options.get("from", ""), place),
        tls=found.scheme == "smpps",
        window=_count(options, "window", 10, 1, 50, place),
        per_second=_count(options, "per_second", 0, 0, 1000, place),
        payload=_word(options, "parts", ("udh", "payload"), place) == "payload",
        ids=_word(options, "ids", IDS, place),
        system_type=options.get("system_type", "")[:12],
    )


def _near(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _fits(text: str, most: int) -> bool:
    return text.isascii() and len(text) <= most


def _options(found: Address, place: Place) -> dict[str, str]:
    twice = [name for name, values in found.options.items() if len(values) > 1]
    unknown = sorted(set(found.options) - set(_OPTIONS))
    if twice or unknown:
        known = ", ".join(_OPTIONS)
        raise place.wrong(
            f"behind ? each of {known} may stand once, and nothing else; write ? in a password as %3F",
            f"sau dấu ? chỉ có {known}, mỗi thứ một lần; trong mật khẩu hãy ghi ? thành %3F",
        )
    return {name: values[0] for name, values in found.options.items()}


def _sender(text: str, place: Place) -> str:
    plain = text.removeprefix("+")
    digits = plain.isascii() and plain.isdigit() and len(plain) <= 20
    if text and not digits and not (text.isascii() and text.isprintable() and len(text) <= 11):
        raise place.wrong(
            "from= is a number, or a registered name of at most 11 ASCII characters",
            "from= là số, hoặc tên thương hiệu tối đa 11 ký tự ASCII",
        )
    return plain if digits else text


def _count(
    options: Mapping[str, str], name: str, usual: int, low: int, high: int, place: Place
) -> int:
    text = options.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise place.wrong(
            f"{name}= is a whole number between {low} and {high}",
            f"{name}= là số nguyên từ {low} đến {high}",
        )
    return int(text)


def _word(options: Mapping[str, str], name: str, known: tuple[str, ...], place: Place) -> str:
    text = options.get(name, known[0])
    if text not in known:
        words = ", ".join(known)
        raise place.wrong(f"{name}= is one of {words}", f"{name}= phải là một trong {words}")
    return text
