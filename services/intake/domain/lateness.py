"""Whether a dossier is late: the one rule that form II.06a, the list, the page and the door share.

Which date binds is the asker's: the form and whoever looks back judge by the promise moved by
lawful pauses alone, whoever waits by the date in force.
"""

from __future__ import annotations

from datetime import datetime

from shared.kernel.clock import to_vn


def late(
    date: datetime | None,
    at: datetime,
    *,
    stopped_since: datetime | None = None,
    finished_at: datetime | None = None,
) -> bool:
    """Whether the date was missed: by a finished dossier in days, by another at this instant.

    While the clock stands a dossier is as late as it was when the clock stopped.
    """
    if date is None:
        return False
    if finished_at is not None:
        return to_vn(finished_at).date() > to_vn(date).date()
    return date < (stopped_since or at)
