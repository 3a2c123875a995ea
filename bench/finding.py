"""`python -m bench.finding`: how long desks wait for a search and a list among many dossiers.

Fills an intake database of its own, on SQLite and on PostgreSQL, with rows as the product writes
them, half of them in one office; then asks what a desk's page asks, for random dossiers of that one.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import sqlalchemy as sa

from bench.servers import found_or_started, fresh
from services.intake.app import MIGRATIONS
from services.intake.domain.dossier import Contact, Dossier
from services.intake.domain.statuses import Status
from services.intake.storage import search
from services.intake.storage.queries import count_lists
from services.intake.storage.rows import to_row
from services.intake.storage.search import Index
from services.intake.storage.tables import dossiers, search_words
from services.intake.usecases import lists
from services.intake.web.pages import listing
from shared.catalogue import Agency, Catalogue, load
from shared.database import batch, make_engine
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
_CHUNK = 2_000


def _person(draw: random.Random) -> str:
    return f"{draw.choice(_FAMILY)} {draw.choice(_MIDDLE)} {draw.choice(_GIVEN)}"


def _dossiers(catalogue: Catalogue, many: int, offices: list[Agency]) -> Iterator[Dossier]:
    draw = random.Random(7)
    birth, land = (catalogue.procedure(code, _NOW.date()) for code in ("1.001193", "1.012783"))
    for number in range(many):
        office = offices[0] if number % 2 else offices[1 + number // 2 % (len(offices) - 1)]
        at = _NOW - timedelta(minutes=2 * (many - number))
        alive = number > many - 6_000
        procedure = land if number % 10 == 1 else birth
        person = f"{draw.randrange(10**11, 10**12):012}"
        form = (
            {"user_name": _person(draw), "user_id": person, "land_ward": "Phường 1",
             "map_sheet": draw.randrange(1, 200), "parcel_number": draw.randrange(1, 2000)}
            if procedure is land
            else {"child_name": _person(draw), "child_birth_date": f"{at:%Y-%m-%d}",
                  "mother_name": _person(draw), "mother_id": person}
        )  # fmt: skip
        phone = f"+849{draw.randrange(10**7, 10**8):08}"
        yield Dossier(
            code=f"{office.official_id}-{at:%y%m%d}-{number % 10_000:04}{number // 10_000:02}",
            procedure=procedure.code,
            procedure_version=procedure.version,
            field=procedure.field,
            office=office.code,
            channel="direct",
            status=Status(draw.choice((1, 2, 4, 4, 4, 5, 9))) if alive else Status.RETURNED,
            underlying=Status.PROCESSING,
            submitted_at=at,
            contact=Contact(name=_person(draw), phone=phone, phone_original=phone),
            lookup_word="ABC234",
            form=form,
            received_at=at,
            promised_at=at + timedelta(days=6),
            due_at=at + timedelta(days=6),
            finished_at=None if alive else at + timedelta(days=5),
        )


def _fill(engine: sa.Engine, index: Index, made: Iterator[Dossier]) -> list[Dossier]:
    """All rows, some thousands at a time; a sample of what the large office has."""
    sample: list[Dossier] = []
    while chunk := [each for _, each in zip(range(_CHUNK), made, strict=False)]:
        with engine.begin() as connection:
            batch.insert(connection, dossiers, [to_row(each) for each in chunk])
            search.write(connection, index, chunk)
        sample.extend(chunk[1::101])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        sqlite = engine.dialect.name == "sqlite"
        connection.exec_driver_sql("ANALYZE" if sqlite else "VACUUM ANALYZE")
    return [each for each in sample if each.office == sample[0].office]


def _asked(draw: random.Random, sample: list[Dossier]) -> dict[str, Callable[[], str]]:
    def one() -> Dossier:
        return draw.choice(sample)

    def number(of: str) -> str:
        return str(next((d.form[of] for d in iter(one, None) if of in d.form), ""))

    def parcel() -> str:
        found = next(d.form for d in iter(one, None) if "map_sheet" in d.form)
        return f"{found['map_sheet']}/{found['parcel_number']}"

    def ends() -> str:
        words = one().contact.name.split()
        return f"{words[0]} {words[-1]}"

    return {
        "code": lambda: one().code.replace(".", "").replace("-", ""),
        "ID number": lambda: number("mother_id"),
        "phone": lambda: str(one().contact.phone),
        "parcel": parcel,
        "name, whole": lambda: one().contact.name,
        "name, first and last word": ends,
        "two common words": lambda: "nguyen van",
        "one common word": lambda: "nguyen",
    }


def _measure(
    engine: sa.Engine, index: Index, office: Agency, sample: list[Dossier], times: int
) -> Iterator[tuple[str, list[float]]]:
    def page(asked: listing.Asked, words: str | None = None) -> None:
        with engine.connect() as connection:
            filters = asked.filters
            if words is not None:
                found = lists.searched(connection, index, office.code, office.official_id, words)
                filters = lists.within(filters, found)
                asked = replace(asked, filters=filters)
            lists.one_page(connection, filters, _NOW, asked.sort, 25, None)
            count_lists(connection, office.code, listing.of_lists(asked, _NOW), _NOW)

    everything = listing.read({"xem": "tat-ca"}, office.code, _NOW)
    for name, text in _asked(random.Random(3), sample).items():
        yield (
            f"search: {name}",
            [_timed(lambda t=text: page(everything, t())) for _ in range(times)],
        )
    for each in listing.LISTS.values():
        asked = listing.read({"xem": each.name}, office.code, _NOW)
        yield f"list: {each.title}", [_timed(lambda a=asked: page(a)) for _ in range(times)]


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _run(url: str, catalogue: Catalogue, many: int, times: int) -> None:
    engine = make_engine(url)
    upgrade(engine, MIGRATIONS)
    offices = [each for each in catalogue.offices(_NOW.date()) if each.is_office]
    index, began = Index(catalogue, "a key for this benchmark alone"), time.monotonic()
    sample = _fill(engine, index, _dossiers(catalogue, many, offices))
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(search_words))
    filled = time.monotonic() - began
    click.echo(
        f"{engine.dialect.name}: {many} dossiers, {rows} search rows, filled in {filled:.0f} s"
    )
    for name, taken in _measure(engine, index, offices[0], sample, times):
        taken.sort()
        half, most = taken[len(taken) // 2], taken[min(len(taken) - 1, len(taken) * 99 // 100)]
        click.echo(f"  {name:38} p50 {half:7.1f} ms   p99 {most:7.1f} ms")
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
