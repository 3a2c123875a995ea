"""What was handed over in a span of time; the rows stay when words and addresses are erased."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.notify.domain.contacts import CALL
from services.notify.domain.spending import Handed
from services.notify.storage.tables import attempts, cases
from shared.database.batch import among

#: What a provider took, or may have taken.
_PAID: Final = ("sent", "unknown")
_OFFICES: Final = sa.select(cases.c.dossier, cases.c.office).where(among(cases.c.dossier))


def handed(connection: sa.Connection, since: datetime, until: datetime) -> list[Handed]:
    """All that was handed over from then (UTC) until before then, added up."""
    by = [attempts.c[name] for name in ("channel", "office", "provider", "outcome")]
    asked: sa.Select[Any] = (
        sa.select(*by, sa.func.count(), sa.func.sum(attempts.c.parts))
        .where(
            attempts.c.at >= since,
            attempts.c.at < until,
            attempts.c.outcome.in_(_PAID),
            attempts.c.channel != CALL,
        )
        .group_by(*by)
    )
    return [Handed(*row) for row in connection.execute(asked)]


def offices_of(connection: sa.Connection, dossiers: Collection[str]) -> dict[str, str]:
    """Whose desk took each of these dossiers; of others nothing is known."""
    rows = connection.execute(_OFFICES, {"keys": sorted(set(dossiers))})
    return {str(dossier): str(office) for dossier, office in rows}
