"""The desk's lists as pages: tabs with counts, filters, what a search has found, a page to print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import render_template, request, url_for

from services.intake.domain.statuses import Status
from services.intake.storage.filling import is_whole
from services.intake.storage.queries import Listed, count_lists
from services.intake.storage.search import Found
from services.intake.storage.searches import recall
from services.intake.usecases import lists
from services.intake.web.deps import Deps, deps, office_agency, own_office
from services.intake.web.due import channel_name, due
from services.intake.web.pages import listing
from services.intake.web.pages.listing import COUNTED, HOLDER, LISTS, REGISTER, Asked
from shared.catalogue import Procedure
from shared.identity.audit import saw
from shared.web.due import Due
from shared.web.filters import status_name

PAGE_SIZE = 25
PRINT_SIZE = 500  # rows of a page that is printed


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list; `beside` is what its list says beside the usual."""

    line: Listed
    procedure: Procedure
    due: Due
    beside: str


def asked_for(now: datetime) -> Asked:
    """The list that the address asks for, with the words of its search; "" for one that is over."""
    args = request.args.to_dict()
    asked = listing.read(args, own_office(), now)
    search = args.get("tim", "")[:60]
    if not search:
        return asked
    words = recall(deps().store, own_office(), search) or ""
    return replace(asked, search=search, words=words)


def found_by(connection: sa.Connection, asked: Asked) -> tuple[Asked, Found | None]:
    """The list narrowed to what its search finds; an empty one for a search that is over."""
    if asked.search is None:
        return asked, None
    found = Found()
    if asked.words:
        known, office = deps(), office_agency()
        found = lists.searched(
            connection, known.index, office.code, office.official_id, asked.words
        )
    return replace(asked, filters=lists.within(asked.filters, found)), found


def rows_of(
    known: Deps, asked: Asked, lines: Any, held: dict[str, str], now: datetime
) -> list[Row]:
    """Lines with what is shown of them."""

    def beside(line: Listed) -> str:
        if asked.of.column == HOLDER:
            return held.get(line.code) or office_agency().short_name
        return (line.phone or "") if asked.of.column else ""

    return [
        Row(line, known.catalogue.procedure_version(line.procedure, line.procedure_version),
            due(line, now), beside(line))
        for line in lines
    ]  # fmt: skip


def holders_for(connection: sa.Connection, asked: Asked, lines: Any) -> dict[str, str]:
    """Who holds these dossiers, where their list says so."""
    if asked.of.column != HOLDER:
        return {}
    return lists.holders(connection, [line.code for line in lines])


def dossiers() -> str:
    """The list: what is unfinished, nearest date first, unless the address says otherwise."""
    known, now, args = deps(), deps().now(), request.args
    cursor, printed = args.get("cursor") or None, "in" in args
    asked = asked_for(now)
    with known.store.read() as connection:
        asked, found = found_by(connection, asked)
        size = PRINT_SIZE if printed else PAGE_SIZE
        page = lists.one_page(connection, asked.filters, now, asked.sort, size, cursor)
        counts = count_lists(connection, listing.of_lists(asked, now), now)
        held = holders_for(connection, asked, page.items)
        whole = found is None or is_whole(connection, known.index)
    saw(line.code for line in page.items)
    return render_template(
        "intake/print.html" if printed else "intake/dossiers.html",
        office=office_agency(),
        asked=asked,
        found=found,
        whole=whole,
        rows=rows_of(known, asked, page.items, held, now),
        total=page.total,
        tabs=_tabs(asked, counts, found),
        register=REGISTER,
        most=lists.MOST_EXPORTED,
        now=now,
        **_addresses(asked, cursor, page.next),
        **_choices(known),
    )


def _choices(known: Deps) -> dict[str, Any]:
    return {
        "statuses": [(int(s), status_name(int(s))) for s in Status],
        "procedures": [(p.code, f"{p.code} – {p.name}") for p in known.procedures_of(own_office())],
        "channel_name": channel_name,
    }


def _tabs(asked: Asked, counts: dict[str, int], found: Found | None) -> list[dict[str, Any]]:
    """Every list with its address and length; a search goes with them."""
    kept: dict[str, Any] = {"tim": asked.search} if asked.search else {}
    lengths: dict[str, int | None] = {each.name: counts[each.name] for each in COUNTED}
    if found is not None:
        lengths["tat-ca"] = len(found.codes)
    return [
        {
            "title": each.tab or each.title,
            "address": url_for("desk.dossiers", xem=each.name, **kept),
            "count": lengths.get(each.name),
            "here": each is asked.of,
            "urgent": each.name in ("qua-han", "xin-gia-han", "can-goi"),
        }
        for each in LISTS.values()
    ]


def _addresses(asked: Asked, cursor: str | None, following: str | None) -> dict[str, Any]:
    """Where the list goes on, and where its files and its page to print are."""
    read = {name: text for name, text in asked.args.items() if name not in asked.wrong}
    kept: dict[str, Any] = {"xem": asked.of.name, **read}
    if asked.search:
        kept["tim"] = asked.search
    other_days = {
        name: url_for("desk.dossiers", **{**kept, "ngay": asked.day + timedelta(days=days)})
        for name, days in (("day_before", -1), ("day_after", 1))
    }
    return {
        "first": url_for("desk.dossiers", **kept) if cursor else None,
        "following": url_for("desk.dossiers", **kept, cursor=following) if following else None,
        "printed": url_for("desk.dossiers", **{**kept, "in": "1"}),
        "back": url_for("desk.dossiers", **kept),
        "files": [(kind, url_for("desk.export", kind=kind, **kept)) for kind in ("xlsx", "csv")],
        **other_days,
    }
