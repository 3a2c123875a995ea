"""What an office has sent by post: a row for each posting, the citizen's part from the dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage.tables import dossiers, postings
from shared.database import batch


def note(connection: sa.Connection, dossier: Dossier) -> None:
    """Keep what went by post of a dossier as it is written now, each hand-over in its row."""
    rows = [
        {"dossier": dossier.code, "number": number, "office": dossier.office,
         "posted_at": sent.at, "carrier": sent.carrier, "waybill": sent.waybill}
        for number, sent in enumerate(dossier.handed, 1)
        if sent.method == "post"
    ]  # fmt: skip
    batch.upsert(connection, postings, rows)


def posted(
    connection: sa.Connection, office: str, start: datetime, end: datetime, most: int
) -> list[Any]:
    """What the office sent from `start` to before `end` (UTC), in its order, at most so many."""
    asked = (
        sa.select(postings, dossiers.c.contact)
        .join(dossiers, dossiers.c.code == postings.c.dossier)
        .where(
            postings.c.office == office,
            postings.c.posted_at >= start,
            postings.c.posted_at < end,
        )
        .order_by(postings.c.posted_at, postings.c.dossier, postings.c.number)
        .limit(most)
    )
    return list(connection.execute(asked))
