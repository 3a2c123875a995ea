"""How a dossier stands against its date, in a word and a tone."""

from __future__ import annotations

from datetime import datetime

from services.intake.domain.dossier import CHANNELS_VI, Dossier
from services.intake.domain.lateness import late
from services.intake.storage.queries import Listed
from shared.kernel.clock import to_vn
from shared.web.due import Due, time_left
from shared.web.filters import vn_time
from shared.web.words import gettext


def due(dossier: Dossier | Listed, now: datetime) -> Due:
    """How a dossier stands against the date in force; a finished one as form II.06a has it."""
    if dossier.due_at is None:
        return Due(gettext("Chưa tiếp nhận") if dossier.received_at is None else "", "quiet")
    if dossier.finished_at is not None:
        missed = late(dossier.adjusted_due_at, now, finished_at=dossier.finished_at)
        return Due(
            gettext("Xong trễ hạn") if missed else gettext("Xong"), "bad" if missed else "good"
        )
    if dossier.overdue(now):
        return time_left(dossier.due_at - now, units=1)
    if dossier.paused_since is not None:
        return Due(gettext("Đang dừng tính hạn"), "waiting")
    if to_vn(dossier.due_at).date() == to_vn(now).date():
        return Due(gettext("Hôm nay, %(due_at)s", due_at=vn_time(dossier.due_at)), "waiting")
    return time_left(dossier.due_at - now, units=1)


def channel_name(channel: str) -> str:
    """The channel in words."""
    return gettext(CHANNELS_VI[channel])
