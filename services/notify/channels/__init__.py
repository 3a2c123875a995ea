"""The ways out of the house: file, console, null, SMTP, SMPP and described HTTP gateways.

`open_channels` gives the channels that the settings name; `_MAKERS` is the table of all there are.
No database and no rules here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from services.notify.channels.console import ConsoleChannel
from services.notify.channels.file import FileChannel
from services.notify.channels.http import HttpChannel, load
from services.notify.channels.mail import parse_mail_from
from services.notify.channels.null import NullChannel
from services.notify.channels.protocol import Channel
from services.notify.channels.providers import Provider, Providers
from services.notify.channels.smpp import SmppChannel, parse_smpp_url
from services.notify.channels.smtp import SmtpChannel, parse_smtp_url
from services.notify.domain.contacts import EMAIL, SMS
from shared.kernel.errors import SettingsError
from shared.settings import Settings

__all__ = ["Channel", "each_channel", "open_channels"]

Make = Callable[[str, Settings], Channel]
#: What follows a provider's word in the setting, such as `smpp:3`.
_CHOICE: Final = re.compile(r"([a-z0-9-]+)(?::([1-9]\d{0,2}))?")


def _file(kind: str, settings: Settings) -> Channel:
    return FileChannel(
        settings.data_dir / "messages" / kind, kind, parse_mail_from(settings.mail_from)
    )


def _smtp(url: str | None, setting: str, settings: Settings) -> Channel:
    return SmtpChannel(parse_smtp_url(url, setting), parse_mail_from(settings.mail_from))


_ANY: Final[Mapping[str, Make]] = {
    "file": _file,
    "console": lambda kind, _: ConsoleChannel(kind),
    "null": lambda kind, _: NullChannel(kind),
}
_MAIL: Final[Mapping[str, Make]] = {
    "smtp": lambda _, s: _smtp(s.smtp_url, "LIENTHONG_SMTP_URL", s),
    "smtp-2": lambda _, s: _smtp(s.smtp_url_2, "LIENTHONG_SMTP_URL_2", s),
}
_SMS: Final[Mapping[str, Make]] = {
    "smpp": lambda kind, s: SmppChannel(
        f"{kind}.smpp", parse_smpp_url(s.smpp_url, "LIENTHONG_SMPP_URL")
    ),
    "smpp-2": lambda kind, s: SmppChannel(
        f"{kind}.smpp-2", parse_smpp_url(s.smpp_url_2, "LIENTHONG_SMPP_URL_2")
    ),
    "http": lambda kind, s: HttpChannel(
        f"{kind}.http", *load(s.sms_http, s.sms_http_secrets, "LIENTHONG_SMS_HTTP")
    ),
    "http-2": lambda kind, s: HttpChannel(
        f"{kind}.http-2", *load(s.sms_http_2, s.sms_http_2_secrets, "LIENTHONG_SMS_HTTP_2")
    ),
}
#: Kind of address -> word of the setting -> its channel.
_MAKERS: Final[Mapping[str, Mapping[str, Make]]] = {
    SMS: {**_ANY, **_SMS},
    EMAIL: {**_ANY, **_MAIL},
}


def open_channels(settings: Settings) -> dict[str, Channel]:
    """One channel per kind of address; `SettingsError` for a setting that no letter could go by."""
    chosen = {SMS: settings.channel_sms, EMAIL: settings.channel_email}
    return {kind: _opened(kind, text, settings) for kind, text in chosen.items()}


def each_channel(channels: Mapping[str, Channel]) -> list[Channel]:
    """All of them, and of one that is several, each of these."""
    inside: Iterable[list[Channel]] = (
        channel.channels if isinstance(channel, Providers) else [channel]
        for channel in channels.values()
    )
    return [channel for several in inside for channel in several]


def _opened(kind: str, text: str, settings: Settings) -> Channel:
    makers = _MAKERS[kind]
    found = [_CHOICE.fullmatch(each.strip()) for each in text.split(",")]
    words = [each[1] if each else "" for each in found]
    if not set(words) <= set(makers) or len(set(words)) < len(words):
        name, known = f"LIENTHONG_CHANNEL_{kind.upper()}", ", ".join(makers)
        # The value is not repeated: it may be a secret in a wrong place.
        raise SettingsError(
            f"{name}: not one of {known}, or several with weights such as smpp:3,http:1",
            vi=f"{name} phải là một trong: {known}; hoặc nhiều, có trọng số, như smpp:3,http:1.",
        )
    made = [makers[word](kind, settings) for word in words]
    if len(made) == 1:
        return made[0]
    weights = [int(each[2] or 1) if each else 1 for each in found]
    return Providers(kind, [Provider(c, weight=w) for c, w in zip(made, weights, strict=True)])
