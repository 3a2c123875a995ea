"""The typing of instants in statements that are written out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import TextualSelect

from shared.database.types import Instant


def timed(text: str, *instants: str, **columns: bool) -> TextClause | TextualSelect:
    """A statement whose named parameters, and the result columns that are true, are instants."""
    clause = sa.text(text).bindparams(*(sa.bindparam(name, type_=Instant()) for name in instants))
    found = {name: Instant() for name, given in columns.items() if given}
    return clause.columns(**found) if found else clause
