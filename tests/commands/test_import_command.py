"""`lienthong import`: a file of dossiers filed from the command line, beside a running city."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from services.intake.domain.bulk.columns import columns_of
from services.intake.storage.tables import dossiers
from shared.catalogue import load
from shared.identity.audit import tables
from tests.commands.ledgers import opened
from tests.intake.files import cells_of, csv_of, row

WHERE = ("--office", "ubnd-phuong-cao-lanh", "--procedure", "1.004873")


def test_a_template_is_written_and_a_file_is_filed_once(run, migrated, backend, tmp_path):
    template = tmp_path / "mau.xlsx"
    run("import", str(template), *WHERE, "--template")
    titles = [str(each).removesuffix(" *") for each in cells_of(template.read_bytes())[0]]
    procedure = load(Path("catalogue")).procedure("1.004873", datetime.now(UTC).date())
    values = {
        "number": "2026-1",
        "channel": "Trực tuyến",
        "c.name": "Nguyễn Thị Mai",
    }
    for field in procedure.form:
        given = {
            "date": "04/05/1990",
            "id_number": "087090001234",
            "choice": (field.choices or ("",))[0],
            "number": "1",
            "phone": "0907123456",
        }
        values[f"f.{field.name}"] = given.get(field.type, "Nguyễn Thị Mai")[: field.max_length]
    columns = columns_of(procedure, datetime.now(UTC).date())
    assert [each.title for each in columns] == titles
    good = [values.get(each.key, "") for each in columns]
    bad = [{"number": "2026-2", "c.name": ""}.get(c.key, values.get(c.key, "")) for c in columns]
    file = tmp_path / "danh-sach.csv"
    file.write_bytes(csv_of([*good, "gọi sau"], header=[*titles, "Ghi chú"]))
    assert "Ghi chú" in str(run("import", str(file), *WHERE, ok=False).exception.faults)
    first = run("import", str(file), *WHERE, "--ignore-column", "ghi chú")
    assert "mới / added 1, đã có / known 0, chưa nhận / refused 0" in first.output
    file.write_bytes(csv_of(good, bad, header=titles))
    again = run("import", str(file), *WHERE, ok=False)
    assert again.exit_code == 1
    assert "mới / added 0, đã có / known 1, chưa nhận / refused 1" in again.output
    assert "dòng / line 3 D: Bắt buộc phải có. / is required" in again.output
    repair = cells_of((tmp_path / "danh-sach.can-sua.xlsx").read_bytes())
    assert [line[1] for line in repair] == ["Số thứ tự", "2026-2"]
    store = opened(backend, "intake")
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(dossiers)) == 1
        acts = connection.execute(sa.select(tables.LOG)).all()
    store.close()
    assert [each.act for each in acts] == ["import", "import dossiers", "import"]
    assert {each.actor.partition(":")[0] for each in acts} == {"operator"}


def test_what_cannot_be_imported_at_all_is_told_with_what_to_do(run, migrated, tmp_path):
    file = tmp_path / "x.csv"
    for content, where, said in (
        (b"%PDF\xff\xfe\0", WHERE, "no text file"),
        (csv_of(row("1")), WHERE, "the procedure has no such column"),
        (csv_of(row("1")), (*WHERE[:3], "9.999999"), "does not take in such a procedure"),
        (csv_of(row("1")), ("--office", "nowhere", *WHERE[2:]), "nowhere"),
    ):
        file.write_bytes(content)
        refused = run("import", str(file), *where, ok=False)
        assert refused.exit_code != 0
        assert said in str(refused.exception), said
    missing = run("import", str(tmp_path / "none.csv"), *WHERE, ok=False)
    assert missing.exit_code == 2
