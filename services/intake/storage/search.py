"""The rows that dossiers are found by: written with the dossier, looked up for desks.

A row's word begins with a letter for its kind: `n` a name from one of its words on, `l` a parcel,
and digests keyed with the service's secret of `i` an ID number, `t` a phone, `b` a day of birth.
Whoever has the rows and not the secret can try no number out on them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.domain.circumstances import procedure_of
from services.intake.domain.dossier import Dossier
from services.intake.domain.finding import Terms, Wanted, beginnings, terms_of
from services.intake.storage.slips import of_number
from services.intake.storage.tables import ALIVE, dossiers, search_words
from shared.catalogue import Catalogue
from shared.database import batch
from shared.kernel.digests import Digests
from shared.kernel.errors import NotFound

#: So many dossiers are found at most; who finds more types another word.
MOST_FOUND: Final = 1000
#: A word that more rows begin with is no word to start from.
_TOO_COMMON: Final = 5000
_WHOLE_NAME: Final = 3  # words
_AFTER: Final = "~"  # behind every letter, digit, blank and stroke of a word
_DIGEST: Final = 24  # hex digits: 96 bits
_C = search_words.c


@dataclass(frozen=True, slots=True)
class Found:
    """Codes of dossiers; `more` says that there are others."""

    codes: tuple[str, ...] = ()
    more: bool = False


class Index:
    """What the rows are made with: the catalogue, and a key drawn from the service's secret.

    One for the service; its store hands it to each unit of work (`uow.given(Index)`).
    """

    def __init__(self, catalogue: Catalogue, secret: str) -> None:
        self._catalogue = catalogue
        self._keyed = Digests(hmac.digest(secret.encode(), b"lienthong search 1", "sha256"))
        #: Tells under which key, and by which manner of making them, rows were written.
        self.mark = f"1-{self.digest('key', '')}"

    def digest(self, kind: str, text: str) -> str:
        """A keyed digest, hex."""
        return self._keyed(f"{kind}|{text}")[:_DIGEST]

    def words(self, dossier: Dossier) -> frozenset[str]:
        """Every word that finds it; without a procedure that the catalogue knows, the applicant's."""
        try:
            procedure = procedure_of(self._catalogue, dossier)
        except NotFound:
            procedure = None
        return frozenset(self._words(terms_of(procedure, dossier.contact, dossier.form)))

    def _words(self, terms: Terms) -> Iterator[str]:
        for name in terms.names:
            yield from (f"n{each}" for each in beginnings(name))
        yield from self.of_numbers(terms.id_numbers)
        yield from (f"t{self.digest('phone', each)}" for each in terms.phones)
        yield from self.of_births(terms.born)
        yield from (f"l{each}" for each in terms.parcels)

    def of_numbers(self, numbers: Iterable[str]) -> list[str]:
        """The words of ID numbers."""
        return [f"i{self.digest('id_number', each)}" for each in numbers]

    def of_births(self, days: Iterable[str]) -> list[str]:
        """The words of days of birth."""
        return [f"b{self.digest('born', each)}" for each in days]

    def exact(self, wanted: Wanted) -> list[str]:
        """The words that a search means whole."""
        found = self.of_numbers([wanted.id_number] if wanted.id_number else [])
        if wanted.phone:
            found.append(f"t{self.digest('phone', wanted.phone)}")
        if wanted.parcel:
            found.append(f"l{wanted.parcel}")
        return found


# --- writing ------------------------------------------------------------------------------------

_DELETE: Final = sa.delete(search_words).where(batch.among(_C.dossier))


def write(connection: sa.Connection, index: Index, filed: Iterable[Dossier]) -> None:
    """The rows of new dossiers."""
    rows = [
        {"dossier": dossier.code, "word": word, "office": dossier.office}
        for dossier in filed
        for word in sorted(index.words(dossier))
    ]
    batch.insert(connection, search_words, rows)


def rewrite(connection: sa.Connection, index: Index, changed: Sequence[Dossier]) -> None:
    """The rows of dossiers whose content has changed, or whose rows are of another key."""
    if changed:
        forget(connection, [dossier.code for dossier in changed])
    write(connection, index, changed)


def forget(connection: sa.Connection, codes: Sequence[str]) -> None:
    """Nothing finds these dossiers any more; for whoever takes their personal data out."""
    batch.execute(connection, _DELETE, {"keys": codes})


# --- looking up ---------------------------------------------------------------------------------

_ONE = sa.select(dossiers.c.code).where(
    dossiers.c.office == sa.bindparam("office"), dossiers.c.code == sa.bindparam("code")
)
_EXACT = (
    sa.select(_C.dossier)
    .where(_C.office == sa.bindparam("office"), batch.among(_C.word))
    .distinct()
    .limit(MOST_FOUND + 1)
)
_RANGE = sa.and_(_C.office == sa.bindparam("office"), _C.word >= sa.bindparam("low"))
_ROWS = (
    sa.select(_C.dossier)
    .where(_RANGE, _C.word < sa.bindparam("high"))
    .limit(_TOO_COMMON + 1)
    .subquery()
)
# PostgreSQL would else read a common word's whole range before it counts to a thousand.
_RUN = (
    sa.select(_ROWS.c.dossier, sa.func.count().label("times"))
    .group_by(_ROWS.c.dossier)
    .limit(MOST_FOUND + 1)
)
_COUNT = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal(1))
    .where(_RANGE, _C.word < sa.bindparam("high"))
    .limit(_TOO_COMMON + 1)
    .subquery()
)


def find(connection: sa.Connection, index: Index, office: str, wanted: Wanted) -> Found:
    """The office's dossiers that a search means, in no order; several round trips for a name."""
    codes = dict.fromkeys(
        code
        for each in wanted.codes
        for code in connection.scalars(_ONE, {"office": office, "code": each})
    )
    if wanted.slip:
        codes.update(
            dict.fromkeys(each.dossier for each in of_number(connection, wanted.slip, office))
        )
    more = False
    if exact := index.exact(wanted):
        rows = connection.scalars(_EXACT, {"office": office, "keys": exact})
        codes.update(dict.fromkeys(rows))
    if wanted.words:
        named, more = _named(connection, office, wanted.words)
        codes.update(named)
    return Found(tuple(codes)[:MOST_FOUND], more or len(codes) > MOST_FOUND)


#: Dossiers that share a word with a new one and are compared with it.
_MOST_COMPARED: Final = 100


def candidates(
    connection: sa.Connection, offices: Sequence[str], words: Sequence[str], since: datetime
) -> Sequence[Any]:
    """Rows of dossiers with one of these words, open or filed since then, the newest first."""
    shared = sa.select(_C.dossier).where(_C.office.in_(offices), _C.word.in_(words))
    asked = (
        sa.select(
            dossiers.c.code, dossiers.c.office, dossiers.c.procedure, dossiers.c.procedure_version,
            dossiers.c.status, dossiers.c.submitted_at, dossiers.c.form,
        )
        .where(dossiers.c.code.in_(shared))
        .where(sa.or_(sa.text(ALIVE), dossiers.c.submitted_at >= since))
        .order_by(dossiers.c.submitted_at.desc(), dossiers.c.code.desc())
        .limit(_MOST_COMPARED)
    )  # fmt: skip
    return connection.execute(asked).all()


def _named(
    connection: sa.Connection, office: str, words: Sequence[str]
) -> tuple[dict[str, None], bool]:
    """Whose name has these words, the last letters of each left out: side by side, then apart.

    Three words or more that somebody has side by side are a whole name and are not looked for apart.
    """
    asked = {"office": office, **_between(" ".join(words))}
    rows = {row.dossier: row.times for row in connection.execute(_RUN, asked)}
    found = dict.fromkeys(rows)
    more = len(found) > MOST_FOUND or sum(rows.values()) > _TOO_COMMON
    whole = bool(found) and len(words) >= _WHOLE_NAME
    if len(words) == 1 or whole or more:
        return found, more
    counts = {
        word: int(connection.scalar(_COUNT, {"office": office, **_between(word)}) or 0)
        for word in dict.fromkeys(words)
    }
    rarest = min(counts, key=lambda word: counts[word])
    others = [word for word in counts if word != rarest]
    found.update(
        dict.fromkeys(connection.scalars(_apart(len(others)), _told(office, rarest, others)))
    )
    return found, counts[rarest] > _TOO_COMMON or len(found) > MOST_FOUND


def _between(text: str) -> dict[str, str]:
    return {"low": f"n{text}", "high": f"n{text}{_AFTER}"}


def _told(office: str, rarest: str, others: Sequence[str]) -> dict[str, str]:
    told = {"office": office, **_between(rarest)}
    for place, word in enumerate(others):
        told |= {f"{name}_{place}": value for name, value in _between(word).items()}
    return told


def _apart(others: int) -> sa.Select[tuple[str]]:
    """Dossiers in the range of one word that have a word in each of the others.

    A scalar query for each of them: an EXISTS would let PostgreSQL read a common word's whole range.
    """
    start = (
        sa.select(_C.dossier)
        .where(_RANGE, _C.word < sa.bindparam("high"))
        .limit(_TOO_COMMON)
        .subquery()
    )
    other = search_words.alias()
    asked = sa.select(start.c.dossier).distinct().limit(MOST_FOUND + 1)
    for place in range(others):
        has = (
            sa.select(sa.literal(1))
            .where(
                other.c.dossier == start.c.dossier,
                other.c.word >= sa.bindparam(f"low_{place}"),
                other.c.word < sa.bindparam(f"high_{place}"),
            )
            .limit(1)
            .scalar_subquery()
        )
        asked = asked.where(has == 1)
    return asked
