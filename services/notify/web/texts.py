"""The operators' pages of the words, tried on an invented dossier, and of what messages cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from services.notify.domain.composing import Composer
from services.notify.domain.previews import made_up, previewed
from services.notify.domain.spending import FULL, NEAR, Budget, Month, Spent, month_at, read_month
from services.notify.usecases.spending import Account, account, csv_of, office_name
from services.notify.web.words import CHANNELS, MOMENTS
from shared.catalogue.model import Language, Template
from shared.catalogue.read.templates import LANGUAGES
from shared.database import Store
from shared.identity.guard import require
from shared.kernel.clock import to_vn
from shared.kernel.days import read_day
from shared.kernel.errors import InvalidInput, NotFound
from shared.web.filters import vn_date
from shared.web.words import gettext, language, msgid, said

_LANGUAGES: Final = {"vi": msgid("Tiếng Việt"), "en": msgid("Tiếng Anh")}


def blueprint(store: Store, composer: Composer) -> Blueprint:
    """`/tin-nhan/mau` and `/tin-nhan/chi-phi`; both only read."""
    blue = Blueprint("texts", __name__, url_prefix="/tin-nhan", template_folder="templates")
    _words(blue, store, composer)
    _costs(blue, store, composer)
    return blue


def _words(blue: Blueprint, store: Store, composer: Composer) -> None:
    @blue.get("/mau")
    @require("operator")
    def words() -> str:
        moments = sorted({each.moment for each in composer.catalogue.templates()})
        chosen = {
            "moment": _one_of("moment", moments, "received"),
            "channel": _one_of("channel", tuple(CHANNELS), "sms"),
            "language": _one_of("language", LANGUAGES, "vi"),
        }
        today = to_vn(store.clock.now()).date()
        typed = request.args.get("on", "").strip()[:20]
        on, wrong = _day(typed, today)
        found = None if wrong else _template(composer, chosen, on)
        known = made_up(composer, cast("Language", chosen["language"]), on) if found else None
        return render_template(
            "notify/texts.html",
            chosen=chosen | {"on": typed or vn_date(on)},
            wrong=wrong,
            shown=previewed(composer, found, known) if found and known else None,
            versions=_versions(composer, chosen, found),
            moments=[(each, gettext(MOMENTS.get(each, each))) for each in moments],
            channels=[(each, gettext(name)) for each, name in CHANNELS.items()],
            spoken=[(each, gettext(_LANGUAGES[each])) for each in LANGUAGES],
        )


def _costs(blue: Blueprint, store: Store, composer: Composer) -> None:
    def found(month: Month) -> Account:
        with store.read() as connection:
            return account(connection, composer.catalogue, month, store.clock.now())

    @blue.get("/chi-phi")
    @require("operator")
    def costs() -> str | tuple[str, int]:
        this, typed = month_at(store.clock.now()), request.args.get("thang", "").strip()[:20]
        wrong: dict[str, list[str]] = {}
        try:
            month = read_month(typed) if typed else this
        except InvalidInput as invalid:
            month, wrong = this, {"thang": [said(each) for each in invalid.faults]}
        told = found(month)
        page = render_template(
            "notify/costs.html",
            month=month.written,
            typed=typed or month.written,
            wrong=wrong,
            rows=[_line(composer, each) for each in told.lines],
            budgets=[_budget(composer, each) for each in told.budgets],
            total=told.vnd,
            file=url_for("texts.costs_file", thang=str(month)),
        )
        return (page, 422) if wrong else page

    @blue.get("/chi-phi.csv")
    @require("operator")
    def costs_file() -> Response:
        month = read_month(request.args.get("thang", ""))
        answer = make_response("\ufeff" + csv_of(found(month), composer.catalogue))
        answer.headers["Content-Type"] = "text/csv; charset=utf-8"
        answer.headers["Content-Disposition"] = f'attachment; filename="chi-phi-{month}.csv"'
        return answer


def _one_of(name: str, known: Sequence[str], usual: str) -> str:
    asked = request.args.get(name, "")
    return asked if asked in known else usual


def _day(typed: str, today: date) -> tuple[date, dict[str, list[str]]]:
    day = read_day(typed) if typed else today
    return (day, {}) if isinstance(day, date) else (today, {"on": [said(day)]})


def _template(composer: Composer, chosen: dict[str, str], on: date) -> Template | None:
    try:
        return composer.catalogue.template(
            chosen["moment"], chosen["channel"], chosen["language"], on
        )
    except NotFound:
        return None


def _versions(
    composer: Composer, chosen: dict[str, str], found: Template | None
) -> list[dict[str, Any]]:
    named = (chosen["moment"], chosen["channel"], chosen["language"])
    versions = [
        each
        for each in composer.catalogue.templates()
        if (each.moment, each.channel, each.language) == named
    ]
    return [
        {
            "number": each.version,
            "since": each.valid_from,
            "until": each.valid_to,
            "holds": found is not None and each.version == found.version,
            "text": each.body,
        }
        for each in sorted(versions, key=lambda one: one.valid_from)
    ]


def _named(composer: Composer, office: str | None) -> str:
    name: str = getattr(office_name(composer.catalogue, office), language())
    return name[:1].upper() + name[1:]


def _line(composer: Composer, line: Spent) -> dict[str, Any]:
    return {
        "office": _named(composer, line.office),
        "channel": gettext(CHANNELS.get(line.channel, line.channel)),
        "of": line,
    }


def _budget(composer: Composer, budget: Budget) -> dict[str, Any]:
    tone = "bad" if budget.percent >= FULL else "waiting" if budget.percent >= NEAR else "good"
    return {
        "office": _named(composer, budget.office),
        "of": budget,
        "tone": tone,
    }
