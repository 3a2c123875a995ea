"""How agencies keep pace: for the head of an office, and for operators at the shell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from services.routing.usecases.pace import Pace, paces
from services.routing.web.words import span
from simulation.kit import open_city
from tests.routing.town import Town
from tests.routing.worlds import NOW
from tests.staff import carry_here

CODES = [f"000.00.01.H20-220301-000{n}" for n in range(1, 5)]
HOUR = timedelta(hours=1)


def of(town: Town, agency: str, office: str | None = "phuong-1") -> Pace:
    store = town.service.store
    with store.read() as connection:
        found = paces(connection, town.rules, store.clock.now(), office)
    (one,) = [each for each in found if each.of.agency == agency]
    return one


def test_counts_signs_and_times_in_working_time(small_town: Town) -> None:
    town = small_town
    given = []
    for code in CODES:
        town.receive(code)
        given.append(town.task("phuong-1"))
    before = of(town, "phuong-1")
    assert (before.of.open, before.of.overdue, before.of.oldest) == (4, 0, NOW)
    assert (before.of.sign_at, before.take, before.answer) == (None, None, None)
    # 09:00 in Việt Nam; 11:30 to 13:30 is nobody's working time.
    town.clock.set(NOW + HOUR)
    town.answer("phuong-1", "taken", given[0])
    town.clock.set(NOW + 5 * HOUR)
    town.answer("phuong-1", "taken", given[1])
    town.answer("phuong-1", "completed", given[0], outcome="granted", result_code="KQ.1")
    after = of(town, "phuong-1")
    assert (after.of.open, after.of.sign_at) == (3, NOW + 5 * HOUR)
    assert after.take == (60, 180), "of half, of nine tenths"
    assert after.answer == (180, 180)
    town.clock.set(NOW + timedelta(days=3))
    assert of(town, "phuong-1").of.overdue == 3
    town.clock.set(NOW + timedelta(days=40))
    assert of(town, "phuong-1").answer is None, "long ago; what is open still counts"
    assert of(town, "phuong-1").of.open == 3


def test_a_fetch_and_a_look_are_signs_of_life(small_town: Town) -> None:
    town = small_town
    town.receive(CODES[0])
    task, key = town.task("phuong-1"), town.key("phuong-1")
    town.clock.set(NOW + HOUR)
    town.web.get("/api/v1/tasks?after=0", headers=key)
    assert of(town, "phuong-1").of.sign_at == NOW + HOUR
    town.clock.set(NOW + 2 * HOUR)
    town.web.get(f"/api/v1/tasks/{task}", headers=key)
    assert of(town, "phuong-1").of.sign_at == NOW + 2 * HOUR


def test_the_head_sees_them_by_page_and_of_the_own_office_alone(small_town: Town) -> None:
    town = small_town
    town.receive(CODES[0])
    carry_here(town.web, town.service.web, ("head", "phuong-1"))
    assert "Cơ quan phuong-1</span></th>" in town.web.get("/nhiem-vu/cac-co-quan").text
    carry_here(town.web, town.service.web, ("head", "thue"))
    assert "Chưa giao việc" in town.web.get("/nhiem-vu/cac-co-quan").text
    carry_here(town.web, town.service.web, ("officer", "phuong-1"))
    assert town.web.get("/nhiem-vu/cac-co-quan").status_code == 403


@pytest.mark.parametrize(
    ("marks", "said"),
    [(None, "—"), ((0, 59), "0 phút · 59 phút"), ((60, 450), "1 giờ · 7 giờ 30 phút")],
)
def test_spans_read_as_people_say_them(marks: tuple[int, int] | None, said: str) -> None:
    assert span(marks) == said


def test_status_tells_a_line_for_each_agency(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "city"
    with open_city(folder) as city:
        city.desk("ubnd-phuong-1").submit("2.000986")
        city.rest()
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(folder))
    told = CliRunner().invoke(cli, ["status", "--agencies"])
    assert told.exit_code == 0, told.output
    head, line = told.stdout.splitlines()
    assert head.split("\t")[:3] == ["agency", "open", "overdue"]
    assert line.split("\t")[:2] == ["ubnd-phuong-1", "1"]
