"""Reading: an office's own dossiers, and what a citizen may see with code and look-up word."""

from __future__ import annotations

import hmac
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from services.intake.domain.codes import is_dossier_code, tidy_code, tidy_word
from services.intake.domain.dossier import Dossier
from services.intake.domain.guessing import OF_ADDRESS, OF_CODE, OF_NETWORK, Allowance
from services.intake.storage import queries
from services.intake.storage.dossiers import no_such_dossier
from services.intake.storage.queries import Filters, Page, Sort, find_dossier, list_dossiers
from services.intake.storage.timelines import told
from shared.identity.callers import address_of, house_of
from shared.kernel.clock import VN
from shared.kernel.errors import NotFound

#: Compared with when there is no such dossier, so that the answer takes the same way.
_NO_WORD = "??????"


def one(connection: sa.Connection, office: str | None, code: str) -> Dossier:
    """The office's dossier (any office's for None); NotFound for those of others."""
    dossier = find_dossier(connection, code)
    if dossier is None or (office is not None and dossier.office != office):
        raise no_such_dossier()
    return dossier


def page(
    connection: sa.Connection,
    filters: Filters,
    now: datetime,
    *,
    sort: Sort = "newest",
    size: int = 50,
    cursor: str | None = None,
) -> Page:
    """A page of an office's dossiers."""
    return list_dossiers(connection, filters, now, sort=sort, size=size, cursor=cursor)


def received_count(connection: sa.Connection, office: str, on: date) -> int:
    """How many dossiers the office received on a local day."""
    return queries.received_count(connection, office, *_span(on))


def received(
    connection: sa.Connection, office: str, on: date, *, before: int, most: int
) -> tuple[Dossier, ...]:
    """The dossiers that the office received on a local day, in that order, some of them."""
    return queries.received(connection, office, *_span(on), before=before, most=most)


def _span(on: date) -> tuple[datetime, datetime]:
    start = datetime.combine(on, time.min, VN)
    return start, start + timedelta(days=1)


def for_citizen(connection: sa.Connection, code: str, word: str) -> Dossier:
    """The dossier that code and look-up word open; NotFound says the same for either being wrong."""
    tidy = tidy_code(code)[:60]
    dossier = find_dossier(connection, tidy) if is_dossier_code(tidy) else None
    expected = dossier.lookup_word if dossier is not None else _NO_WORD
    given = tidy_word(word)[:40]
    # Every comparison takes the same time, so that no letter of the word can be guessed apart.
    right = hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
    if dossier is None or not right:
        raise NotFound(
            "no dossier has this code and look-up word",
            vi="Không có hồ sơ nào có mã và từ tra cứu này. Hãy xem lại trên giấy hẹn.",
        )
    return dossier


def allowances(code: str, caller: str | None, secret: str) -> dict[str, Allowance]:
    """What a look-up is counted under, and how often each may be tried.

    An address is kept as a digest keyed with `secret`: nobody reads callers from the table.
    """

    def kept(text: str) -> str:
        return hmac.digest(secret.encode(), text.encode(), "sha256").hex()[:32]

    found = {f"address:{kept(address_of(caller))}": OF_ADDRESS}
    if house_of(caller) != address_of(caller):
        found[f"network:{kept(house_of(caller))}"] = OF_NETWORK
    if is_dossier_code(tidy := tidy_code(code)[:60]):
        found[f"code:{tidy}"] = OF_CODE
    return found


def timeline(connection: sa.Connection, code: str) -> list[Any]:
    """Everything that was said of a dossier, in the order of time."""
    return list(told(connection, code))
