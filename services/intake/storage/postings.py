"""What an office has sent by post: a row for each posting, the citizen's part from the dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage.tables import dossiers, postings


def note(connection: sa.Connection, dossier: Dossier) -> None:
    """Keep the last hand-over of a dossier, which went by post."""
    sent = dossier.handed[-1]
    connection.execute(
        sa.insert(postings).values(
            dossier=dossier.code,
            number=len(dossier.handed),
            office=dossier.office,
            posted_at=sent.at,
            carrier=sent.carrier,
            waybill=sent.waybill,
        )
    )


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
