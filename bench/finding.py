"""`python -m bench.finding`: how long desks wait for a search and a list among many dossiers.

Fills an intake database of its own, on SQLite and on PostgreSQL, half of it in one office: in SQL, in
the shape in which the product writes; then asks what a desk's page asks, for random dossiers of that
office whose rows the product has written itself. Beside the clock it tells the CPU of this process
(on SQLite all there is): on a machine that others use the clock says little.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import sqlalchemy as sa

from bench.servers import found_or_started, fresh
from services.intake.app import MIGRATIONS
from services.intake.domain.dossier import Dossier
from services.intake.domain.finding import folded
from services.intake.storage import search
from services.intake.storage.queries import count_lists
from services.intake.storage.rows import from_row
from services.intake.storage.search import Index
from services.intake.storage.tables import dossiers, search_words
from services.intake.usecases import lists
from services.intake.web.pages import listing
from shared.catalogue import Agency, Catalogue, load
from shared.database import batch, make_engine
from shared.database.engine import ALONE, Limits
from shared.database.migrate import upgrade
from shared.settings import PROJECT

_NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
_FAMILY = ["Nguyễn"] * 38 + ["Trần"] * 11 + ["Lê"] * 10 + ["Phạm"] * 7 + ["Huỳnh", "Võ"] * 5 + [
    "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đào", "Đinh", "Mai", "Trịnh",
]  # fmt: skip
_MIDDLE = ["Văn", "Thị", "Thị Ngọc", "Minh", "Hoàng", "Thanh", "Đức", "Thị Kim", "Quốc", "Gia"]
_GIVEN = [
    "An", "Anh", "Ánh", "Bảo", "Bình", "Chi", "Cường", "Dung", "Dũng", "Đào", "Đạt", "Giang",
    "Hà", "Hạnh", "Hiếu", "Hoa", "Hùng", "Hương", "Khánh", "Lan", "Linh", "Long", "Mai", "Minh",
    "Nam", "Nga", "Ngân", "Nhung", "Phúc", "Phương", "Quân", "Quỳnh", "Sơn", "Tâm", "Thảo", "Út",
]  # fmt: skip
_ALIVE = 6_000  # the newest are still being worked on, all others were handed back
_SAMPLE = 200
_DIALECTS = {
    "sqlite": {
        "at": "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-03-02 02:00:00',"
        " ((n - {many}) * 2) || ' minutes')",
        "day": "substr(strftime('%Y%m%d', '2026-03-02 09:00:00', ((n - {many}) * 2) || ' minutes'), 3)",
        "later": "strftime('%Y-%m-%d %H:%M:%S.000000', at, '6 days')",
        "digest": "lower(hex(randomblob(12)))",
        "json": "",
    },
    "postgresql": {
        "at": "timestamptz '2026-03-02 02:00:00+00' + (n - {many}) * interval '2 minutes'",
        "day": "to_char(timestamp '2026-03-02 09:00:00' + (n - {many}) * interval '2 minutes',"
        " 'YYMMDD')",
        "later": "at + interval '6 days'",
        "digest": "substr(md5(random()::text), 1, 24)",
        "json": "::jsonb",
    },
}
_PEOPLE = """
CREATE TABLE bench_people AS
WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {many})
SELECT n, o.code AS office, {at} AS at,
  o.official_id || '-' || {day} || '-' || substr('00000' || n, -6) AS code,
  f.name || ' ' || m.name || ' ' || g.name AS applicant,
  h.name || ' ' || k.name || ' ' || l.name AS child,
  f.plain AS a1, m.plain AS a2, g.plain AS a3, h.plain AS c1, k.plain AS c2, l.plain AS c3
FROM series
JOIN bench_offices o ON o.place = CASE n % 2 WHEN 1 THEN 0 ELSE 1 + n / 2 % {others} END
JOIN bench_names f ON f.kind = 'f' AND f.place = n * 79 % {f}
JOIN bench_names m ON m.kind = 'm' AND m.place = n / 3 % {m}
JOIN bench_names g ON g.kind = 'g' AND g.place = n / 7 % {g}
JOIN bench_names h ON h.kind = 'f' AND h.place = n / 5 % {f}
JOIN bench_names k ON k.kind = 'm' AND k.place = n / 11 % {m}
JOIN bench_names l ON l.kind = 'g' AND l.place = n / 13 % {g}
"""
_DOSSIERS = """
INSERT INTO dossiers (code, procedure, procedure_version, field, office, channel, status, standing,
  submitted_at, received_at, promised_at, due_at, owed_at, finished_at, lookup_word, contact,
  searched, form, papers, branches, progress)
SELECT code, '1.012783', 1, 'Đất đai', office, 'direct',
  CASE WHEN n <= {many} - {alive} THEN 10 WHEN n % 7 = 0 THEN 1 WHEN n % 7 = 1 THEN 5
    WHEN n % 7 = 2 THEN 9 ELSE 4 END, 4,
  at, at, {later}, {later}, {later}, CASE WHEN n <= {many} - {alive} THEN {later} END, 'ABC234',
  ('{{"name": "' || applicant || '", "phone": "+849' || substr('0000000' || n, -8)
   || '", "language": "vi", "sms": true, "mail": false}}'){json},
  a1 || ' ' || a2 || ' ' || a3,
  ('{{"user_name": "' || child || '", "user_id": "' || substr('00000000000' || n, -12)
   || '", "land_ward": "Phường 1", "map_sheet": ' || (1 + n % 199)
   || ', "parcel_number": ' || (1 + n % 1999) || '}}'){json},
  '[]'{json}, '[]'{json}, '{{}}'{json}
FROM bench_people
"""
_WORDS = (
    "'n' || a1 || ' ' || a2 || ' ' || a3", "'n' || a2 || ' ' || a3", "'n' || a3",
    "'n' || c1 || ' ' || c2 || ' ' || c3 || ' x'", "'n' || c2 || ' ' || c3 || ' x'",
    "'n' || c3 || ' x'", "'t' || {digest}", "'i' || {digest}", "'b' || {digest}",
    "'l' || (1 + n % 199) || '/' || (1 + n % 1999)",
)  # fmt: skip


def _fill(engine: sa.Engine, index: Index, offices: list[Agency], many: int) -> list[Dossier]:
    """All rows, made in SQL; a sample of the large office, whose rows the product has written."""
    kinds = {"f": _FAMILY, "m": _MIDDLE, "g": _GIVEN}
    told: dict[str, str | int] = {kind: len(names) for kind, names in kinds.items()}
    told |= {"many": many, "alive": _ALIVE, "others": len(offices) - 1}
    told |= {name: text.format(many=many) for name, text in _DIALECTS[engine.dialect.name].items()}
    names = [
        {"kind": kind, "place": place, "name": name, "plain": folded(name)}
        for kind, known in kinds.items()
        for place, name in enumerate(known)
    ]
    places = [
        {"place": place, "code": each.code, "id": each.official_id}
        for place, each in enumerate(offices)
    ]

    def run(statement: str, values: list[dict[str, object]] | None = None) -> None:
        text = sa.text(statement.replace(":", r"\:") if values is None else statement)
        connection.execute(text, values)

    with engine.begin() as connection:
        run("CREATE TABLE bench_names (kind TEXT, place INTEGER, name TEXT, plain TEXT)")
        run("CREATE TABLE bench_offices (place INTEGER, code TEXT, official_id TEXT)")
        run("INSERT INTO bench_names VALUES (:kind, :place, :name, :plain)", names)
        run("INSERT INTO bench_offices VALUES (:place, :code, :id)", places)
        run(_PEOPLE.format(**told))
        run(_DOSSIERS.format(**told))
        for word in _WORDS:
            made = f"SELECT code, {word.format(**told)}, office FROM bench_people"
            run(f"INSERT INTO search_words (dossier, word, office) {made}")
    return _sample(engine, index, offices[0])


def _sample(engine: sa.Engine, index: Index, office: Agency) -> list[Dossier]:
    every = sa.select(dossiers.c.code).where(dossiers.c.office == office.code)
    with engine.begin() as connection:
        codes = sorted(connection.scalars(every))
        chosen = codes[:: max(1, len(codes) // _SAMPLE)]
        rows = batch.fetch(connection, dossiers.c.code, chosen)
        found = [from_row(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name
        search.rewrite(connection, index, found)
    with engine.execution_options(**{ALONE: True}).connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        connection.exec_driver_sql("ANALYZE" if sqlite else "VACUUM ANALYZE")
    return found


def _asked(draw: random.Random, sample: list[Dossier]) -> dict[str, Callable[[], str]]:
    def one() -> Dossier:
        return draw.choice(sample)

    def parcel() -> str:
        form = one().form
        return f"{form['map_sheet']}/{form['parcel_number']}"

    def ends() -> str:
        words = one().contact.name.split()
        return f"{words[0]} {words[-1]}"

    return {
        "code": lambda: one().code.replace(".", "").replace("-", ""),
        "ID number": lambda: str(one().form["user_id"]),
        "phone": lambda: str(one().contact.phone),
        "parcel": parcel,
        "name, whole": lambda: one().contact.name,
        "name, first and last word": ends,
        "two common words": lambda: "nguyen van",
        "one common word": lambda: "nguyen",
    }


def _measure(
    engine: sa.Engine, index: Index, office: Agency, sample: list[Dossier], times: int
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    def page(asked: listing.Asked, words: str | None = None) -> None:
        with engine.connect() as connection:
            filters = asked.filters
            if words is not None:
                found = lists.searched(connection, index, office.code, office.official_id, words)
                filters = lists.within(filters, found)
                asked = replace(asked, filters=filters)
            lists.one_page(connection, filters, _NOW, asked.sort, 25, None)
            count_lists(connection, listing.of_lists(asked, _NOW), _NOW)

    everything = listing.read({"xem": "tat-ca"}, office.code, _NOW)
    for name, text in _asked(random.Random(3), sample).items():
        yield (
            f"search: {name}",
            [_timed(partial(_search, page, everything, text)) for _ in range(times)],
        )
    for each in listing.LISTS.values():
        asked = listing.read({"xem": each.name}, office.code, _NOW)
        yield f"list: {each.title}", [_timed(partial(page, asked)) for _ in range(times)]


def _search(page: Callable[..., None], asked: listing.Asked, words: Callable[[], str]) -> None:
    page(asked, words())


def _timed(act: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds by the clock, and of CPU in this thread."""
    began, used = time.perf_counter(), time.thread_time()
    act()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - used) * 1000


def _told(taken: list[tuple[float, float]]) -> str:
    def at(share: int, which: int) -> float:
        values = sorted(each[which] for each in taken)
        return values[min(len(values) - 1, len(values) * share // 100)]

    return f"p50 {at(50, 0):7.1f}   p99 {at(99, 0):7.1f} ms   CPU p50 {at(50, 1):6.1f}   p99 {at(99, 1):6.1f}"


def _run(url: str, catalogue: Catalogue, many: int, times: int) -> None:
    engine = make_engine(url, Limits(statement=3600, answer=3600))
    upgrade(engine, MIGRATIONS)
    offices = [each for each in catalogue.offices(_NOW.date()) if each.is_office]
    index, began = Index(catalogue, "a key for this benchmark alone"), time.monotonic()
    sample = _fill(engine, index, offices, many)
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(search_words))
    filled = time.monotonic() - began
    click.echo(
        f"{engine.dialect.name}: {many} dossiers, {rows} search rows, filled in {filled:.0f} s"
    )
    for name, taken in _measure(engine, index, offices[0], sample, times):
        click.echo(f"  {name:38} {_told(taken)}")
    engine.dispose()


@click.command()
@click.option("--dossiers", "many", default=500_000, show_default=True)
@click.option("--times", default=100, show_default=True, help="How often each is asked.")
@click.option("--only", type=click.Choice(["sqlite", "postgresql"]))
def main(many: int, times: int, only: str | None) -> None:
    """Fill both databases and say how long each search and list takes."""
    catalogue = load(PROJECT / "catalogue")
    if only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder:
            _run(f"sqlite:///{Path(folder) / 'intake.db'}", catalogue, many, times)
    if only != "sqlite":
        with found_or_started() as servers, fresh(servers) as place:
            _run(place.databases["intake"], catalogue, many, times)


if __name__ == "__main__":
    main()
