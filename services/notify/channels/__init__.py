"""The ways out of the house: file, console, null and SMTP. No database and no rules here.

`open_channels` is the table of which setting gives which channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from services.notify.channels.console import ConsoleChannel
from services.notify.channels.file import FileChannel
from services.notify.channels.null import NullChannel
from services.notify.channels.protocol import Channel
from services.notify.channels.smtp import SmtpChannel, parse_smtp_url
from services.notify.domain.contacts import EMAIL, SMS
from shared.kernel.errors import SettingsError

__all__ = ["Channel", "open_channels"]

_BY_WORD: Mapping[str, tuple[str, ...]] = {
    SMS: ("file", "console", "null"),
    EMAIL: ("file", "console", "null", "smtp"),
}


def open_channels(
    *, sms: str, email: str, data_dir: Path, mail_from: str, smtp_url: str | None
) -> dict[str, Channel]:
    """One channel per kind of address; `SettingsError` for a word that is not known."""
    makers: Mapping[str, Callable[[str], Channel]] = {
        "file": lambda kind: FileChannel(data_dir / "messages" / kind, kind, mail_from),
        "console": ConsoleChannel,
        "null": NullChannel,
        "smtp": lambda _: SmtpChannel(parse_smtp_url(smtp_url), mail_from),
    }
    chosen = {SMS: sms, EMAIL: email}
    for kind, word in chosen.items():
        if word not in _BY_WORD[kind]:
            known = ", ".join(_BY_WORD[kind])
            raise SettingsError(
                f"LIENTHONG_CHANNEL_{kind.upper()} is {word!r}; it can be: {known}",
                vi=f"LIENTHONG_CHANNEL_{kind.upper()} phải là một trong: {known}",
            )
    return {kind: makers[word](kind) for kind, word in chosen.items()}
