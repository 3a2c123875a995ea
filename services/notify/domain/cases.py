"""What notify remembers of a dossier, learnt from facts; only what message texts need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.notify.domain.news import News
from shared.kernel.clock import parse_instant


@dataclass(frozen=True, slots=True)
class Case:
    """Procedure, office and the date in force (UTC) of one dossier, as last stated by intake."""

    dossier: str
    procedure: str = ""
    procedure_name: str = ""
    short_name: str = ""
    office: str = ""
    office_name: str = ""
    due_at: datetime | None = None


def learn(case: Case | None, news: News) -> Case:
    """The case after this news; a part that the news does not state stays as it was."""
    known = case or Case(news.dossier)
    procedure = _part(news.data, "procedure")
    office = _part(news.data, "office")
    # The date in force now; the first promise beside it is for reports, not for the citizen.
    due = news.data.get("due_at") or news.data.get("promised_at")
    return replace(
        known,
        procedure=str(procedure.get("code") or known.procedure),
        procedure_name=str(procedure.get("name") or known.procedure_name),
        short_name=str(procedure.get("short_name") or known.short_name),
        office=str(office.get("code") or known.office),
        office_name=str(office.get("name") or known.office_name),
        due_at=parse_instant(str(due)) if due else known.due_at,
    )


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}
