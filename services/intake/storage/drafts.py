"""What is typed into the desk's form and not yet filed; an office's own, for a day after the last save.

It is personal data: it stays in this table, is searched by nothing, and goes with the filing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.intake.storage.tables import drafts
from shared.database import UnitOfWork, batch

KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """One form: its inputs as pairs of name and text, the page that saved it last, and how often.

    `id` is the form's token, under which it is filed; `officer` is an opaque id.
    """

    office: str
    id: str
    procedure: str
    officer: str
    page: str
    saves: int
    inputs: tuple[tuple[str, str], ...] = field(repr=False)
    saved_at: datetime

    @property
    def applicant(self) -> str:
        """Whose it seems to be: who hands it in, else the first words of the declaration; "" without."""
        typed = dict(reversed(self.inputs))
        declared = (text for name, text in self.inputs if name.startswith("f."))
        return typed.get("c.name") or next((t for t in declared if any(map(str.isalpha, t))), "")


def find(
    connection: sa.Connection, office: str, draft_id: str, now: datetime, *, lock: bool = False
) -> Draft | None:
    """The office's own draft; None where there is none or its day is over."""
    asked = sa.select(drafts).where(
        drafts.c.office == office, drafts.c.id == draft_id, drafts.c.saved_at > now - KEPT
    )
    row = connection.execute(asked.with_for_update() if lock else asked).one_or_none()
    return None if row is None else _draft(row)


def of_office(connection: sa.Connection, office: str, now: datetime) -> list[Draft]:
    """The office's drafts, the last saved first."""
    asked = sa.select(drafts).where(drafts.c.office == office, drafts.c.saved_at > now - KEPT)
    return [_draft(row) for row in connection.execute(asked.order_by(drafts.c.saved_at.desc()))]


def count(connection: sa.Connection, office: str) -> int:
    """How many drafts an office has, also those whose day is over."""
    asked = sa.select(sa.func.count()).where(drafts.c.office == office)
    return int(connection.scalar(asked) or 0)


def put(uow: UnitOfWork, draft: Draft) -> None:
    """Keep it, in the place of what was kept under its id."""
    row = {name: getattr(draft, name) for name in Draft.__slots__}
    row["inputs"] = [list(pair) for pair in draft.inputs]
    batch.upsert(uow.connection, drafts, [row])


def forget(uow: UnitOfWork, office: str, draft_id: str) -> None:
    """Delete the office's own draft, if it is there."""
    mine = sa.and_(drafts.c.office == office, drafts.c.id == draft_id)
    uow.connection.execute(sa.delete(drafts).where(mine))


def old(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """The keys of drafts that were saved last before that instant (UTC)."""
    asked = sa.select(drafts.c.office, drafts.c.id).where(drafts.c.saved_at < before)
    return connection.execute(asked.limit(limit)).all()


def forget_old(connection: sa.Connection, found: Sequence[Any]) -> int:
    """Delete these; how many."""
    keys = sa.tuple_(drafts.c.office, drafts.c.id)
    return connection.execute(
        sa.delete(drafts).where(keys.in_([tuple(row) for row in found]))
    ).rowcount


def _draft(row: Any) -> Draft:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
    values["inputs"] = tuple((name, text) for name, text in values["inputs"])
    return Draft(**values)
