"""`lienthong staff`, as the one who runs the city types it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.commands.staff import staff
from services.intake.storage import staff as table
from services.intake.usecases import passwords
from shared.kernel.errors import InvalidInput
from simulation.kit import open_city

OFFICE = "ubnd-phuong-1"


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(tmp_path))
    with open_city(tmp_path) as made:
        yield made


def run(*words: str, fails: type[Exception] | None = None):
    done = CliRunner().invoke(staff, list(words))
    if fails is not None:
        assert isinstance(done.exception, fails), done.output
        return done
    assert done.exit_code == 0, done.output
    return done


def account(city, login: str):
    with city.built.intake.store.read() as connection:
        return table.by_login(connection, login)


def test_an_account_is_made_listed_reset_and_closed(city) -> None:
    first = run("add", "hoa", "--name", "Nguyễn Thị Hoa", "--role", f"officer:{OFFICE}").stdout
    made = account(city, "hoa")
    assert passwords.is_password(first.strip(), made.hash)
    assert made.must_change
    listed = run("list").stdout
    assert f"officer:{OFFICE}" in listed
    assert made.hash not in listed
    again = run("reset", "hoa").stdout
    assert not passwords.is_password(first.strip(), account(city, "hoa").hash)
    assert passwords.is_password(again.strip(), account(city, "hoa").hash)
    run("assign", "hoa", "--role", f"agency:{OFFICE}", "--role", "leader")
    assert [place.role for place in account(city, "hoa").places] == ["agency", "leader"]
    run("disable", "hoa")
    assert account(city, "hoa").disabled_at is not None
    run("reset", "hoa")
    assert account(city, "hoa").disabled_at is None
    run("add", "hoa", "--name", "Khác", "--role", "leader", fails=InvalidInput)
    run("add", "lan", "--name", "Lan", "--role", "officer:khong-co", fails=InvalidInput)


def test_whoever_leaves_is_told_of_and_hands_over(city) -> None:
    for login in ("hoa", "lan"):
        run("add", login, "--name", f"Bà {login}", "--role", f"officer:{OFFICE}")
    desk = city.desk(OFFICE)
    code = desk.submit("2.000986").code
    from services.intake.storage import custody

    store = city.built.intake.store
    with store.begin() as uow:
        custody.take(uow.connection, code, account(city, "hoa").id, uow.now)
    told = run("disable", "hoa")
    assert "1 open dossiers" in told.output
    reason = ("--why", "chuyển công tác", "--who", "Trần Văn Bình")
    assert "1 hồ sơ" in run("hand-over", "hoa", "lan", *reason).output
    with store.read() as connection:
        assert custody.of(connection, code) == account(city, "lan").id
        rows = connection.exec_driver_sql("SELECT act, things, reason FROM access_log").all()
    assert any(row.act == "hand over" and code in row.things and row.reason for row in rows)
    assert not any("Bà" in str(row) for row in rows)
    run("hand-over", "hoa", "hoa", *reason, fails=InvalidInput)


def test_many_are_made_from_a_file_or_none(city, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    good = f"login,name,role\nhoa,Nguyễn Thị Hoa,officer:{OFFICE}\nhoa,,agency:{OFFICE}\nduc,Võ Đức,leader\n"
    file.write_text("\ufeff" + good.replace("\n", "\r\n"), encoding="utf-8")
    made = dict(csv.reader(io.StringIO(run("import", str(file)).stdout)))
    assert set(made) == {"hoa", "duc"}
    assert passwords.is_password(made["hoa"], account(city, "hoa").hash)
    assert {place.role for place in account(city, "hoa").places} == {"officer", "agency"}
    file.write_text(good.replace("hoa", "mai") + "xx,,officer:khong-co\n,Ai,leader\n", "utf-8")
    refused = run("import", str(file), fails=InvalidInput)
    places = {fault.place.split(":")[0] for fault in refused.exception.faults}
    assert places == {"row 4", "row 5", "row 6"}, "duc is taken; the last two are nobody's"
    assert account(city, "mai") is None
    for wrong in (b"\xff\xfe\x00", b"a,b\n1,2\n", b"login,name,role\n"):
        file.write_bytes(wrong)
        assert CliRunner().invoke(staff, ["import", str(file)]).exit_code == 1
