"""Form II.06a over the dossiers' own history; the counting rules are in the domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.intake.domain.report import Counts, Row, report
from services.intake.storage.queries import histories
from shared.catalogue import Catalogue
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput


@dataclass(frozen=True, slots=True)
class OfficeReport:
    """One office's part: its rows by field and their sum."""

    office: str
    name: str
    rows: tuple[Row, ...]
    total: Counts


@dataclass(frozen=True, slots=True)
class Ii06a:
    """The form for a half-open period [start, end); offices without a dossier show zeros."""

    start: datetime
    end: datetime
    offices: tuple[OfficeReport, ...]
    total: Counts


def ii06a(
    connection: sa.Connection,
    catalogue: Catalogue,
    start: datetime,
    end: datetime,
    *,
    offices: Sequence[str] | None = None,
    now: datetime | None = None,
) -> Ii06a:
    """The form for some offices, or for all that existed at the end of the period.

    `now` judges a period that has not ended yet.
    """
    if end <= start:
        wrong = Fault("to", "Ngày cuối phải sau ngày đầu.", "must be after the first day")
        raise InvalidInput([wrong])
    rows = report(histories(connection, start, end, offices), start, end, now=now)
    if offices is None:
        # What only checks the installation is nobody's work.
        rows = tuple(row for row in rows if not catalogue.agency(row.office).check)
        last_day = to_vn(end - timedelta(microseconds=1)).date()
        known = [office.code for office in catalogue.offices(last_day)]
        offices = [*known, *sorted({row.office for row in rows} - set(known))]
    parts = tuple(_part(catalogue, office, rows) for office in offices)
    return Ii06a(start, end, parts, sum((part.total for part in parts), Counts()))


def _part(catalogue: Catalogue, office: str, rows: Sequence[Row]) -> OfficeReport:
    own = tuple(row for row in rows if row.office == office)
    total = sum((row.counts for row in own), Counts())
    return OfficeReport(office, catalogue.agency(office).name, own, total)
