"""The desk's pages: the list, a new dossier, a dossier with its timeline, the receipt."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.circumstances import procedure_of, told_date
from services.intake.domain.citizen import RETURN_METHODS
from services.intake.domain.dossier import CHANNELS
from services.intake.domain.statuses import Status
from services.intake.domain.waits import ACTIONS_VI, actions
from services.intake.storage.queries import Filters, Page, Sort
from services.intake.usecases import look
from services.intake.usecases.once import answer_once, digest
from services.intake.usecases.submit import submit as file_dossier
from services.intake.web import views
from services.intake.web.deps import agency_name, deps, office_agency, own_office
from services.intake.web.due import channel_name, due
from services.intake.web.openings import openings
from services.intake.web.pages import typed
from services.intake.web.people import names_in, take_care
from services.intake.web.where import places, stages
from shared.catalogue import Procedure
from shared.database import UnitOfWork
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.clock import VN, parse_day
from shared.kernel.errors import InvalidInput, NotFound
from shared.kernel.letters import tidy
from shared.web.schemas import END_YEAR, FIRST_YEAR
from shared.web.state import state_of

PAGE_SIZE = 25


def blueprint() -> Blueprint:
    """Pages under /ho-so; for the officers of a desk alone."""
    blue = Blueprint("desk", __name__)
    routes: tuple[tuple[str, str, Any], ...] = (
        ("/ho-so", "dossiers", dossiers),
        ("/ho-so/moi", "choose", choose),
        ("/ho-so/moi/<string:code>", "new", new),
        ("/ho-so/<string:code>", "dossier", dossier),
        ("/ho-so/<string:code>/giay-hen", "receipt", receipt),
    )
    for path, name, view in routes:
        blue.add_url_rule(path, name, require("desk")(view), methods=["GET"])
    blue.add_url_rule(
        "/ho-so/moi/<string:code>", "submit", require("desk")(submit), methods=["POST"]
    )
    return blue


def dossiers() -> str:
    """The list: what is unfinished, nearest date first, unless the filters say otherwise."""
    known, now, args = deps(), deps().now(), request.args
    filters, sort = _filters(args.to_dict(), own_office())
    cursor = args.get("cursor") or None
    with known.store.read() as connection:
        found = _page(connection, filters, now, sort, cursor)
        late = look.page(connection, _late(filters), now, size=1).total
    saw(line.code for line in found.items)
    rows = [
        (line, known.catalogue.procedure_version(line.procedure, line.procedure_version),
         due(line, now))
        for line in found.items
    ]  # fmt: skip
    kept: dict[str, Any] = {key: value for key, value in args.items() if key != "cursor" and value}
    return render_template(
        "intake/dossiers.html",
        office=office_agency(),
        rows=rows,
        total=found.total,
        late=late,
        args=args,
        first=url_for(".dossiers", **kept) if cursor else None,
        following=url_for(".dossiers", **kept, cursor=found.next) if found.next else None,
        statuses=[(int(s), s.vi) for s in Status],
        procedures=[(p.code, f"{p.code} – {p.name}") for p in known.procedures_of(own_office())],
        channel_name=channel_name,
        now=now,
    )


def _page(connection: Any, filters: Filters, now: datetime, sort: Sort, cursor: str | None) -> Page:
    try:
        return look.page(connection, filters, now, sort=sort, size=PAGE_SIZE, cursor=cursor)
    except InvalidInput:  # a cursor that was cut or belongs to the other order: from the start
        return look.page(connection, filters, now, sort=sort, size=PAGE_SIZE)


def _filters(args: dict[str, str], office: str) -> tuple[Filters, Sort]:
    view = args.get("xem", "dang-xu-ly")
    number = args.get("trang-thai", "")
    statuses = (int(number),) if number.isascii() and number.isdigit() and len(number) < 3 else ()
    text = "".join(c for c in tidy(args.get("tim", "")) if c.isprintable())[:200]
    filters = Filters(
        office=office,
        statuses=statuses,
        procedure=args.get("thu-tuc") or None,
        channel=args.get("hinh-thuc") if args.get("hinh-thuc") in CHANNELS else None,
        text=text or None,
        received_from=_day(args.get("tu"), 0),
        received_to=_day(args.get("den"), 1),
        unfinished=view == "dang-xu-ly" and not statuses,
        overdue=True if view == "qua-han" else None,
    )
    return filters, "newest" if view == "tat-ca" else "due"


def _late(filters: Filters) -> Filters:
    return Filters(office=filters.office, overdue=True)


def _day(text: str | None, later: int) -> datetime | None:
    try:
        day = parse_day(typed.day(text or ""))
    except ValueError:
        return None
    if not FIRST_YEAR <= day.year < END_YEAR:
        return None
    return datetime.combine(day + timedelta(days=later), time.min, VN)


def choose() -> str:
    """Which procedure the new dossier is for."""
    fields: dict[str, list[Procedure]] = {}
    for procedure in deps().procedures_of(own_office()):
        fields.setdefault(procedure.field, []).append(procedure)
    return render_template("intake/choose.html", fields=fields, office=office_agency())


def _procedure(code: str) -> Procedure:
    for procedure in deps().procedures_of(own_office()):
        if procedure.code == code:
            return procedure
    raise NotFound("there is no such procedure", vi="Bộ phận này không tiếp nhận thủ tục này.")


def new(code: str) -> str:
    """An empty form of the procedure."""
    return _form(_procedure(code), typed.Typed(), deps().store.ids.new(), ())


def _form(procedure: Procedure, values: typed.Typed, token: str, faults: Any) -> str:
    counts = typed.papers(procedure.papers, values)
    return render_template(
        "intake/new.html",
        procedure=procedure,
        values=values,
        token=token,
        faults=faults,
        at=typed.by_input(faults, counts),
        channel_name=channel_name,
        fresh=not values,
    )


def submit(code: str) -> Response | tuple[str, int]:
    """File it; the receipt is a page of its own, so it is shown only after the commit."""
    procedure = _procedure(code)
    token = request.form.get("token", "")[:100]
    command = typed.submission(own_office(), procedure, request.form)
    known = deps()

    def act(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        filed = file_dossier(uow, known.catalogue, command)
        take_care(uow, filed.code)
        saw([filed.code])
        return 201, views.summary(filed, known.catalogue, uow.now)

    told = sorted((k, v) for k, v in request.form.items(multi=True) if k != "csrf_token")
    asked = digest("POST", request.path, told)
    try:
        given = answer_once(
            known.store,
            f"page:{own_office()}",
            token or None,
            asked,
            act,
            actor=current().actor,
        )
    except InvalidInput as wrong:
        return _form(procedure, request.form, token, wrong.faults), 422
    filed = json.loads(given.body)
    return redirect(url_for(".receipt", code=filed["code"]), 303)


def dossier(code: str) -> str:
    """One dossier: where it stands, what may be done, what happened."""
    return show(code)


def show(
    code: str, *, action: str | None = None, values: typed.Typed | None = None, faults: Any = ()
) -> str:
    """The dossier's page; with faults, the form of `action` keeps what was typed."""
    known, now = deps(), deps().now()
    with known.store.read() as connection:
        found = look.one(connection, own_office(), code)
        entries = look.timeline(connection, found.code)
        people = names_in(connection, found.code, entries)
    procedure = procedure_of(known.catalogue, found)
    counts = typed.papers(procedure.papers, values) if values else []
    return render_template(
        "intake/dossier.html",
        dossier=found,
        procedure=procedure,
        office=office_agency(),
        events=[people.tell(entry) for entry in reversed(entries)],
        keeper=people.keeper,
        allowed=actions(found),
        names=ACTIONS_VI,
        contact=typed.of_contact(found.contact),
        held={p.code: p for p in found.papers},
        methods=[(method, words[0]) for method, words in RETURN_METHODS.items()],
        due=due(found, now),
        agency_name=agency_name,
        places=places(found, stages(entries), office_agency().name),
        channel_name=channel_name,
        action=action,
        values=values if values is not None else typed.Typed(),
        faults=faults,
        at=typed.by_input(faults, counts),
    )


def receipt(code: str) -> str:
    """The receipt to print (form 01): code, look-up word, promised date, papers."""
    known = deps()
    with known.store.read() as connection:
        found = look.one(connection, own_office(), code)
        people = names_in(connection, code, look.timeline(connection, code))
    return render_template(
        "intake/receipt.html",
        taken_by=people.taker,
        dossier=found,
        procedure=procedure_of(known.catalogue, found),
        office=office_agency(),
        dated=told_date(known.catalogue, found) is not None,
        openings=openings(known.catalogue.reception(found.office)),
        channel_name=channel_name,
        lookup=f"{home}{url_for('lookup.form')}" if (home := state_of().settings.home) else None,
    )
