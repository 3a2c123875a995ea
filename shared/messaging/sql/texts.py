"""The typing of instants in statements that are written out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import TextualSelect

from shared.database.types import Instant


def timed(text: str, *instants: str, next_at: bool = False) -> TextClause | TextualSelect:
    """A statement whose named parameters, and result column `next_at`, are instants."""
    clause = sa.text(text).bindparams(*(sa.bindparam(name, type_=Instant()) for name in instants))
    return clause.columns(next_at=Instant()) if next_at else clause
