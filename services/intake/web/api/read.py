"""Reading over REST: the office's dossiers, its procedures, form II.06a."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from services.intake.domain.circumstances import procedure_of
from services.intake.storage.queries import Filters, Sort
from services.intake.usecases import look
from services.intake.usecases.report import ii06a
from services.intake.web import views
from services.intake.web.api.routes import getter
from services.intake.web.api.schemas import (
    DossierSchema,
    Ii06aSchema,
    ListSchema,
    PageSchema,
    ProcedureSchema,
    ProceduresSchema,
    ReportQuery,
    TimelineSchema,
)
from services.intake.web.deps import deps, own_office
from services.intake.web.pages.mended import with_changes
from services.intake.web.telling import tell
from shared.identity.audit import saw
from shared.identity.guard import current
from shared.kernel.clock import VN
from shared.kernel.errors import Fault, InvalidInput, NotFound
from shared.kernel.letters import tidy
from shared.web.api import Blueprint


def blueprint() -> Blueprint:
    """GET routes under /api/v1."""
    blp = Blueprint("read", __name__, url_prefix="/api/v1", description="Đọc hồ sơ")
    _dossiers(blp)
    _procedures(blp)
    _reports(blp)
    return blp


def _dossiers(blp: Blueprint) -> None:
    @getter(blp, "/dossiers", PageSchema, "desk", "operator", query=ListSchema)
    def list_dossiers(query: dict[str, Any]) -> dict[str, Any]:
        """List the office's dossiers; operators see all offices and no names."""
        known, desk = deps(), current().kind == "desk"
        filters = _filters(query, own_office() if desk else query.get("office"))
        if desk and query.get("office") not in (None, own_office()):
            return {"items": [], "total": 0, "next": None}
        now = known.now()
        with known.store.read() as connection:
            found = look.page(
                connection,
                filters,
                now,
                sort=cast(Sort, query["sort"]),
                size=query["size"],
                cursor=query.get("cursor"),
            )
        saw(line.code for line in found.items)
        return views.page(found, known.catalogue, now, names=desk)

    @getter(blp, "/dossiers/<string:code>", DossierSchema, "desk")
    def one_dossier(code: str) -> dict[str, Any]:
        """Everything that the office holds of one dossier."""
        known = deps()
        with known.store.read() as connection:
            dossier = look.one(connection, own_office(), code)
        return views.whole(dossier, known.catalogue, known.now())

    @getter(blp, "/dossiers/<string:code>/timeline", TimelineSchema, "desk")
    def timeline(code: str) -> dict[str, Any]:
        """Everything that was said of one dossier, here and elsewhere, in the order of time."""
        known = deps()
        with known.store.read() as connection:
            dossier = look.one(connection, own_office(), code)
            entries = look.timeline(connection, dossier.code)
        procedure = procedure_of(known.catalogue, dossier)
        told = (with_changes(tell(entry), entry, dossier, procedure) for entry in entries)
        return {"items": [each.as_json() for each in told]}


def _filters(query: dict[str, Any], office: str | None) -> Filters:
    overdue = query.get("overdue")
    return Filters(
        office=office,
        statuses=tuple(query.get("status", ())),
        procedure=query.get("procedure"),
        channel=query.get("channel"),
        overdue=None if overdue is None else overdue == "true",
        received_from=query.get("received_from"),
        received_to=query.get("received_to"),
        text=tidy(query["text"])[:200] if "text" in query else None,
    )


def _procedures(blp: Blueprint) -> None:
    @getter(blp, "/procedures", ProceduresSchema, "desk")
    def procedures() -> dict[str, Any]:
        """What the office takes in today, with all that a form needs."""
        today = deps().today()
        return {"items": [views.procedure(p, today) for p in deps().procedures_of(own_office())]}

    @getter(blp, "/procedures/<string:code>", ProcedureSchema, "desk")
    def procedure(code: str) -> dict[str, Any]:
        """One of them."""
        for found in deps().procedures_of(own_office()):
            if found.code == code:
                return views.procedure(found, deps().today())
        raise NotFound("there is no such procedure", vi="Không có thủ tục này.")


def _reports(blp: Blueprint) -> None:
    @getter(blp, "/reports/ii06a", Ii06aSchema, "desk", "operator", query=ReportQuery)
    def form_ii06a(query: dict[str, Any]) -> dict[str, Any]:
        """Form II.06a: the own office, or for operators all of them."""
        known = deps()
        offices = [own_office()] if current().kind == "desk" else None
        if offices is None and "office" in query:
            offices = [known.catalogue.agency(query["office"]).code]
        start, end = _period(query["first"], query["last"])
        with known.store.read() as connection:
            return views.ii06a(
                ii06a(connection, known.catalogue, start, end, offices=offices, now=known.now())
            )


def _period(first: date, last: date) -> tuple[datetime, datetime]:
    """The half-open period of two days that are both included."""
    for place, day in (("from", first), ("to", last)):
        if not 2000 <= day.year <= 2200:
            wrong = Fault(place, "Năm từ 2000 đến 2200.", "the year must be from 2000 to 2200")
            raise InvalidInput([wrong])
    start = datetime.combine(first, time.min, VN)
    return start, datetime.combine(last, time.min, VN) + timedelta(days=1)
