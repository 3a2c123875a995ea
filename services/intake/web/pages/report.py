"""Form II.06a of one office for one month: for its officers, and for the city's leaders."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from flask import Blueprint, render_template, request

from services.intake.usecases.report import ii06a
from services.intake.usecases.staff import EVERYWHERE
from services.intake.web.deps import deps
from shared.catalogue import Agency
from shared.identity.guard import current, pass_of_caller, require
from shared.kernel.clock import VN
from shared.kernel.days import read_month
from shared.kernel.numbers import Unreadable
from shared.web.words import gettext, said

FIRST_YEAR: Final = 2000  # whose reports can be asked for


def blueprint() -> Blueprint:
    """/bao-cao."""
    blue = Blueprint("report", __name__)
    view = require("desk", "leader")(_report)
    blue.add_url_rule("/bao-cao", "report", view, methods=["GET"])
    return blue


def _report() -> str:
    known, offices = deps(), _offices()
    first, typed, wrong = _month(request.args.get("thang", ""), known.today())
    asked = request.args.get("noi")
    office = next((each for each in offices if each.code == asked), offices[0])
    following = (first + timedelta(days=32)).replace(day=1)
    start = datetime.combine(first, time.min, VN)
    end = datetime.combine(following, time.min, VN)
    with known.store.read() as connection:
        made = ii06a(
            connection, known.catalogue, start, end, offices=[office.code], now=known.now()
        )
    return render_template(
        "intake/report.html",
        month=first,
        asked=(typed, wrong),
        part=made.offices[0],
        office=office,
        offices=[(each.code, each.name) for each in offices],
    )


def _offices() -> list[Agency]:
    """Whose report the caller may see, by name; never none."""
    known, principal = deps(), current()
    if principal.kind == "desk":
        return [known.catalogue.agency(principal.bound_to)]
    shown = pass_of_caller()
    codes = {each.code for each in shown.places if each.kind == "leader"} if shown else set()
    if EVERYWHERE in codes:
        return sorted(known.catalogue.offices(known.today()), key=lambda each: each.name)
    return [known.catalogue.agency(code) for code in sorted(codes)]


def _month(text: str, today: date) -> tuple[date, str, list[str]]:
    """The first day of the month, what its input shows, and what is wrong with what was typed."""
    found = read_month(text) if text else today.replace(day=1)
    if isinstance(found, date) and found.year >= FIRST_YEAR:
        return found, f"{found:%m/%Y}", []
    told = (
        said(found)
        if isinstance(found, Unreadable)
        else gettext("Chỉ có từ năm %(FIRST_YEAR)s.", FIRST_YEAR=FIRST_YEAR)
    )
    return today.replace(day=1), text[:100], [told]
