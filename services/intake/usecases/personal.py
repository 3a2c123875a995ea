"""What intake knows of one person: found, shown whole, and erased as far as the law does not keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage import erasing, files
from services.intake.storage.queries import find_dossier
from services.intake.storage.search import Index
from services.intake.storage.tables import erasures, search_state, search_words
from services.intake.storage.timelines import told
from shared.database import UnitOfWork
from shared.kernel.clock import format_instant
from shared.kernel.errors import Conflict
from shared.messaging.erasing import ASKED, proofs_of


def of_id_number(connection: sa.Connection, index: Index, number: str) -> list[str]:
    """The dossiers, of all offices, in which this ID number stands.

    Conflict where they were made findable by another secret: nobody would be found.
    """
    mark = connection.scalar(sa.select(search_state.c.key_mark))
    if mark not in (None, index.mark):
        raise Conflict(
            "dossiers are found by another secret than this; set LIENTHONG_INTAKE_SECRET_KEY as for intake",
            vi="Hồ sơ được lập chỉ mục bằng bí mật khác; đặt LIENTHONG_INTAKE_SECRET_KEY như của intake.",
        )
    words = index.of_numbers([number])
    asked = sa.select(search_words.c.dossier).where(search_words.c.word.in_(words))
    return sorted(connection.scalars(asked))


def known(connection: sa.Connection, code: str) -> dict[str, Any] | None:
    """All that intake has of a dossier; None where there is none."""
    dossier = find_dossier(connection, code)
    if dossier is None:
        return None
    return {
        "dossier": code,
        "procedure": dossier.procedure,
        "office": dossier.office,
        "status": dossier.status.vi,
        "submitted_at": format_instant(dossier.submitted_at),
        "ended_at": _instant(dossier),
        "contact": msgspec.to_builtins(dossier.contact),
        "form": dict(dossier.form),
        "papers": [each.name for each in dossier.papers],
        "corrections": msgspec.to_builtins(dossier.corrections),
        "files": [_file(each) for each in files.of_dossier(connection, code)],
        "timeline": [
            {"at": format_instant(each.time), "source": each.source, "type": each.type}
            for each in told(connection, code)
        ],
        "erased": [_proof(each) for each in proofs_of(connection, erasures, code)],
    }


def _instant(dossier: Dossier) -> str | None:
    return format_instant(dossier.finished_at) if dossier.finished_at else None


def _file(file: Any) -> dict[str, Any]:
    return {"name": file.name, "kind": file.kind, "bytes": file.size, "sha256": file.sha256}


def _proof(proof: dict[str, Any]) -> dict[str, Any]:
    return {**proof, "at": format_instant(proof["at"])}


def may_go(connection: sa.Connection, codes: Sequence[str]) -> set[str]:
    """Which of these are nobody's work any more, so that their contacts may go."""
    return erasing.ended(connection, codes)


def erase(uow: UnitOfWork, codes: Sequence[str], who: str) -> int:
    """Erase the contacts of dossiers that `may_go`; how many dossiers they were."""
    return erasing.erase(uow.connection, codes, uow.now, rule=ASKED, who=who)
