"""The ways out of the house: file, console, null and SMTP. No database and no rules here.

`open_channels` gives the channel that a setting names; `_MAKERS` is the table of all there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from services.notify.channels.console import ConsoleChannel
from services.notify.channels.file import FileChannel
from services.notify.channels.mail import parse_mail_from
from services.notify.channels.null import NullChannel
from services.notify.channels.protocol import Channel
from services.notify.channels.smtp import SmtpChannel, parse_smtp_url
from services.notify.domain.contacts import EMAIL, SMS
from shared.kernel.errors import SettingsError
from shared.settings import Settings

__all__ = ["Channel", "open_channels"]

Make = Callable[[str, Settings], Channel]


def _file(kind: str, settings: Settings) -> Channel:
    return FileChannel(
        settings.data_dir / "messages" / kind, kind, parse_mail_from(settings.mail_from)
    )


def _smtp(_: str, settings: Settings) -> Channel:
    return SmtpChannel(parse_smtp_url(settings.smtp_url), parse_mail_from(settings.mail_from))


_ANY: Final[Mapping[str, Make]] = {
    "file": _file,
    "console": lambda kind, _: ConsoleChannel(kind),
    "null": lambda kind, _: NullChannel(kind),
}
#: Kind of address -> word of the setting -> its channel.
_MAKERS: Final[Mapping[str, Mapping[str, Make]]] = {
    SMS: {**_ANY},
    EMAIL: {**_ANY, "smtp": _smtp},
}


def open_channels(settings: Settings) -> dict[str, Channel]:
    """One channel per kind of address; `SettingsError` for a setting that no letter could go by."""
    chosen = {SMS: settings.channel_sms, EMAIL: settings.channel_email}
    for kind, word in chosen.items():
        if word not in _MAKERS[kind]:
            name, known = f"LIENTHONG_CHANNEL_{kind.upper()}", ", ".join(_MAKERS[kind])
            # The value is not repeated: it may be a secret in a wrong place.
            raise SettingsError(
                f"{name}: not one of {known}", vi=f"{name} phải là một trong: {known}."
            )
    return {kind: _MAKERS[kind][word](kind, settings) for kind, word in chosen.items()}
