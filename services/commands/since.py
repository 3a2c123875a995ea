"""The type of an option that names an instant."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from services.commands import stores
from shared.kernel.clock import VN, parse_instant

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Since(click.ParamType[datetime]):
    """An instant: RFC 3339, a date or date and time of Việt Nam, or how long ago (90m, 2h, 3d)."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The instant in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return _read(value)
        except (ValueError, OverflowError):
            self.fail("give 2026-11-23T08:00:00Z, '2026-11-23 15:00' (Việt Nam) or 2h", param, ctx)


def _read(text: str) -> datetime:
    if (ago := _AGO.fullmatch(text)) is not None:
        return stores.now() - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})
    with suppress(ValueError):
        return parse_instant(text)
    return datetime.fromisoformat(text).replace(tzinfo=VN).astimezone(UTC)


SINCE: Final = Since()
