"""Reading: an office's own dossiers, and what a citizen may see with code and look-up word."""

from __future__ import annotations

import hmac
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from services.intake.domain.codes import is_dossier_code, tidy_code, tidy_word
from services.intake.domain.dossier import Dossier
from services.intake.domain.guessing import OF_ADDRESS, OF_CODE, OF_NETWORK, Allowance
from services.intake.domain.slips import read_number
from services.intake.storage import queries, slips
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
    """The dossier that code, or a slip's number, and look-up word open.

    NotFound says the same for either being wrong.
    """
    number, found = read_number(code), None
    given = tidy_word(word)[:40].encode("utf-8", "replace")
    opened = _opened_by(connection, number, tidy_code(code)[:60])
    # Every comparison takes the same time, so that no letter of the word can be guessed apart.
    for expected, dossier in opened or [(_NO_WORD, None)]:
        if hmac.compare_digest(expected.encode(), given):
            found = dossier
    if found is None:
        vi, en = _NOT_YET_SENT if number else _WRONG
        raise NotFound(en, vi=vi)
    return found


_WRONG = (
    "Không có hồ sơ nào có mã và từ tra cứu này. Hãy xem lại trên giấy hẹn.",
    "no dossier has this code and look-up word; look at the appointment paper again",
)
_NOT_YET_SENT = (
    (
        "Chưa có hồ sơ nào có số tạm và từ tra cứu này. Hồ sơ nhận lúc mất mạng có thể chưa được gửi: "
        "hãy xem lại trên giấy, thử lại sau vài giờ, hoặc gọi nơi đã nhận."
    ),
    (
        "no dossier has this provisional number and look-up word yet: what was taken while the line was "
        "down may not have been sent; look at the paper again, try in a few hours, or call the desk"
    ),
)


def _opened_by(
    connection: sa.Connection, number: str | None, code: str
) -> list[tuple[str, Dossier | None]]:
    """Each word that opens something under this number or code, and what it opens."""
    if number is not None:
        given = slips.of_number(connection, number)
        return [(each.word, find_dossier(connection, each.dossier)) for each in given]
    dossier = find_dossier(connection, code) if is_dossier_code(code) else None
    return [] if dossier is None else [(dossier.lookup_word, dossier)]


def allowances(
    code: str, caller: str | None, secret: str, asker: str | None = None
) -> dict[str, Allowance]:
    """What a look-up is counted under, and how often each may be tried.

    An address is kept as a digest keyed with `secret`: nobody reads callers from the table. `asker`
    is the digest of a phone that asks by SMS: it is counted in the place of an address.
    """

    def kept(text: str) -> str:
        return hmac.digest(secret.encode(), text.encode(), "sha256").hex()[:32]

    found = {f"address:{kept(asker or address_of(caller))}": OF_ADDRESS}
    if asker is None and house_of(caller) != address_of(caller):
        found[f"network:{kept(house_of(caller))}"] = OF_NETWORK
    number, tidy = read_number(code), tidy_code(code)[:60]
    if number is not None or is_dossier_code(tidy):
        found[f"code:{number or tidy}"] = OF_CODE
    return found


def timeline(connection: sa.Connection, code: str) -> list[Any]:
    """Everything that was said of a dossier, in the order of time."""
    return list(told(connection, code))
