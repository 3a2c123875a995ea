"""An intake database with many dossiers, half of them in one office.

Filled in SQL, in the shape in which the product writes; of that office's a sample has its search rows
from the product itself.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.domain.finding import folded
from services.intake.storage import search
from services.intake.storage.rows import from_row
from services.intake.storage.search import Index
from services.intake.storage.tables import dossiers
from shared.catalogue import Agency
from shared.database import batch
from shared.database.engine import ALONE
from shared.kernel.clock import VN

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
        "at": "strftime('%Y-%m-%d %H:%M:%S.000000', '{utc}', ((n - {many}) * 2) || ' minutes')",
        "day": "substr(strftime('%Y%m%d', '{local}', ((n - {many}) * 2) || ' minutes'), 3)",
        "later": "strftime('%Y-%m-%d %H:%M:%S.000000', at, '6 days')",
        "digest": "lower(hex(randomblob(12)))",
        "json": "",
    },
    "postgresql": {
        "at": "timestamptz '{utc}+00' + (n - {many}) * interval '2 minutes'",
        "day": "to_char(timestamp '{local}' + (n - {many}) * interval '2 minutes', 'YYMMDD')",
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


def fill(
    engine: sa.Engine, index: Index, offices: list[Agency], many: int, now: datetime
) -> list[Dossier]:
    """All rows, made in SQL; a sample of the first office, whose rows the product has written."""
    kinds = {"f": _FAMILY, "m": _MIDDLE, "g": _GIVEN}
    told: dict[str, str | int] = {kind: len(names) for kind, names in kinds.items()}
    told |= {"many": many, "alive": min(_ALIVE, many // 5), "others": len(offices) - 1}
    said = {"many": many, "utc": f"{now:%F %T}", "local": f"{now.astimezone(VN):%F %T}"}
    told |= {name: text.format(**said) for name, text in _DIALECTS[engine.dialect.name].items()}
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
