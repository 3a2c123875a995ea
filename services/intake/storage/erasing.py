"""Letting go of how citizens are reached, once their dossiers have ended; the dossier itself stays.

Form, papers and decisions are the record of what was decided, which the law on archives (Luật Lưu
trữ 33/2024/QH15) has the city keep; phone, mailbox and address serve only to reach somebody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.storage import unreached
from services.intake.storage.rows import contact_of
from services.intake.storage.tables import ALIVE, dossiers, erasures, search_words
from services.intake.storage.timelines import change_kept
from shared.events.forms import without_contact
from shared.messaging.erasing import change_bodies, prove
from shared.messaging.tables import LEDGERS

_C: Final = dossiers.c
_STAYS: Final = ("name", "language")
_CONTACT: Final = "contact."
_ENDED: Final = (sa.text(f"NOT {ALIVE}"), _C.next_at.is_(None))


def due(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[str]:
    """Dossiers that ended before then (UTC) and still say how their citizen is reached."""
    asked = (
        sa.select(_C.code)
        .where(_C.erased_at.is_(None), _C.finished_at.is_not(None), _C.finished_at < before)
        .where(*_ENDED)
        .order_by(_C.finished_at)
    )
    return connection.scalars(asked.limit(limit)).all()


def ended(connection: sa.Connection, codes: Sequence[str]) -> set[str]:
    """Which of these are nobody's work any more."""
    return set(connection.scalars(sa.select(_C.code).where(_C.code.in_(codes), *_ENDED)))


def erase(
    connection: sa.Connection, codes: Sequence[str], now: datetime, *, rule: str, who: str
) -> int:
    """Erase the contacts of these dossiers and write the proof; how many dossiers they were."""
    asked = sa.select(_C.code, _C.contact, _C.progress).where(_C.code.in_(codes))
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    found = connection.execute(asked.with_for_update()).all()
    unreached.forget(connection, [contact_of(contact) for _, contact, _ in found])
    for code, contact, progress in found:
        bare = {name: contact[name] for name in _STAYS if name in contact}
        values = {"contact": bare, "progress": _without(progress), "erased_at": now}
        connection.execute(sa.update(dossiers).where(_C.code == code).values(values))
        counts[code]["contact"] = len(contact) - len(bare)
    word = search_words.c.word
    phones = sa.and_(search_words.c.dossier.in_(codes), word >= "t", word < "u")
    connection.execute(sa.delete(search_words).where(phones))
    change_bodies(connection, LEDGERS.outbox, codes, without_contact)
    change_kept(connection, codes, without_contact)
    prove(connection, erasures, counts, now, rule=rule, who=who)
    return len(counts)


def _without(progress: Mapping[str, Any]) -> dict[str, Any]:
    """That a contact was mended stays, and not what it was before and after."""
    mended = [
        {**each, "changes": [_bare(change) for change in each["changes"]]}
        for each in progress.get("corrections", ())
    ]
    return {**progress, "corrections": mended} if mended else dict(progress)


def _bare(change: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"old": None, "new": None} if change["place"].startswith(_CONTACT) else {}
    return {**change, **hidden}
