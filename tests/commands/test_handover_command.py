"""`lienthong handover list`: an agency's hand-over book at the shell."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from services.__main__ import cli
from simulation.kit import MORNING, open_city


def test_a_day_of_the_book_as_lines_and_as_a_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "city"
    with open_city(folder) as city:
        code = city.desk("ubnd-phuong-1").submit("2.000986").code
        city.rest()
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(folder))
    asked = ["handover", "list", "--agency", "ubnd-phuong-1"]
    day = f"{MORNING:%Y-%m-%d}"
    told = CliRunner().invoke(cli, [*asked, "--day", day])
    assert told.exit_code == 0, told.output
    head, line, *_ = told.stdout.splitlines()
    assert head.startswith("Số\tBản tin\tMã hồ sơ")
    assert line.split("\t")[:3] == ["1", "Giao việc", code]
    assert "1 bản tin" in told.stderr
    file = tmp_path / "so.xlsx"
    assert CliRunner().invoke(cli, [*asked, "--day", day, "--xlsx", str(file)]).exit_code == 0
    sheet = openpyxl.load_workbook(file).active
    assert sheet["C3"].value == code
    other = CliRunner().invoke(cli, [*asked, "--day", f"{date(2022, 1, 3)}"])
    assert other.stdout.count("\n") == 1, "the head alone"
    slip = CliRunner().invoke(cli, ["handover", "list", "--agency", "cong-anh"])
    assert "cong-anh" in str(slip.exception)
