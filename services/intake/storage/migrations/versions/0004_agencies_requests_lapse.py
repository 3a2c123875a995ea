"""Intake says when the papers that an agency asked for did not come: open requests get their date.

Until this version routing said it, so that a request of an agency had none here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AWAITS_PAPERS = 5
_dossiers = sa.table(
    "dossiers",
    sa.column("code", sa.Text),
    sa.column("status", sa.SmallInteger),
    sa.column("next_at", Instant()),
    sa.column("progress", Json()),
)


def upgrade() -> None:
    _rewrite(lapses=True)


def downgrade() -> None:
    _rewrite(lapses=False)


def _rewrite(*, lapses: bool) -> None:
    connection = op.get_bind()
    wanted = sa.select(_dossiers.c.code, _dossiers.c.progress)
    for row in connection.execute(wanted.where(_dossiers.c.status == _AWAITS_PAPERS)).all():
        waits: list[dict[str, Any]] = row.progress.get("waits", [])
        waiting = [wait for wait in waits if "closed_at" not in wait]
        for wait in waiting:
            if wait["kind"] == "supplement" and wait["asked_by"] == "routing":
                wait.pop("lapse_at", None)
                if lapses and "respond_by" in wait:
                    wait["lapse_at"] = wait["respond_by"]
        named = (wait.get(name) for wait in waiting for name in ("remind_at", "lapse_at"))
        next_at = min((datetime.fromisoformat(at) for at in named if at), default=None)
        connection.execute(
            sa.update(_dossiers)
            .where(_dossiers.c.code == row.code)
            .values(progress=row.progress, next_at=next_at)
        )
