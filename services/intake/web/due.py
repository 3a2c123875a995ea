"""How near a date is, in a word and a tone: a colour never speaks alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.dossier import Dossier
from services.intake.storage.queries import Listed
from services.intake.web.telling import CHANNELS_VI
from shared.kernel.clock import to_vn
from shared.web.filters import vn_time

NEAR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Due:
    """A word such as "Quá hạn 2 ngày", and the style sheet's tone for it."""

    word: str
    tone: str


def due(dossier: Dossier | Listed, now: datetime) -> Due:
    """How a dossier stands against the date in force."""
    if dossier.due_at is None:
        return Due("Chưa tiếp nhận" if dossier.received_at is None else "", "quiet")
    if dossier.finished_at is not None:
        late = to_vn(dossier.finished_at).date() > to_vn(dossier.due_at).date()
        return Due("Xong trễ hạn" if late else "Xong", "bad" if late else "good")
    if dossier.overdue(now):
        return Due(f"Quá hạn {_span(now - dossier.due_at)}", "bad")
    if dossier.paused_since is not None:
        return Due("Đang dừng tính hạn", "waiting")
    left = dossier.due_at - now
    if to_vn(dossier.due_at).date() == to_vn(now).date():
        return Due(f"Hôm nay, {vn_time(dossier.due_at)}", "waiting")
    return Due(f"Còn {_span(left)}", "waiting" if left <= NEAR else "going")


def _span(time: timedelta) -> str:
    if time.days:
        return f"{time.days} ngày"
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{hours} giờ" if hours else f"{minutes} phút"


def channel_name(channel: str) -> str:
    """The channel in words."""
    return CHANNELS_VI[channel]
