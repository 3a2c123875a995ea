"""How many keys it takes from a fresh session to a printed receipt, heard by the pages themselves."""

from __future__ import annotations

import random
import statistics

import pytest

from services.intake.web.deps import deps
from shared.catalogue import load
from shared.kernel.clock import to_vn
from shared.settings import PROJECT
from shared.web.server import WebServer, serving
from simulation.people import People
from tests.browser import DESKTOP, is_sound, opened_page
from tests.intake.keys import Officer, shortest_search
from tests.intake.made import vn
from tests.intake.rig import Desk

pytestmark = pytest.mark.browser
MOST = 60
WARD, CITY = "ubnd-phuong-1", "mot-cua-thanh-pho"
CHILD = {
    "child_name": "Nguyễn Minh Khang",
    "child_birth_date": "2022-02-21",
    "child_sex": "Nữ",
    "birth_place": "Bệnh viện Đa khoa Đồng Tháp",
    "mother_name": "Nguyễn Thị Mai",
    "mother_id": "087190001234",
    "father_name": "Trần Văn Hùng",
    "household_owner": "Trần Văn Bảy",
    "residence_address": "12 Nguyễn Huệ, Phường 1",
    "clinic": "Trạm y tế Phường 1",
    "submitter_relation": "Mẹ",
}
MOTHER = {"address": "12 Nguyễn Huệ, Phường 1", "phone": "0907123456"}
#: Days on which, taken together, every procedure of the catalogue is in force.
DAYS = (vn(2022, 3, 1, 9), vn(2025, 8, 5, 9), vn(2026, 9, 8, 9))


@pytest.fixture(scope="module")
def rules():
    return load(PROJECT / "catalogue")


@pytest.fixture
def city(embedded, rules):
    desk = Desk(embedded, rules)
    server = WebServer(desk.web)
    with serving(server):
        yield desk, server.url
    desk.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1.001193", "khai sinh"),
        pytest.param("2.000986", "thuong tru bhyt", marks=pytest.mark.long),
    ],
)
def test_a_birth_takes_at_most_sixty_keys_from_the_door_to_the_receipt(
    browser, city, rules, code, words
):
    desk, url = city
    _, password = desk.person(("officer", WARD))
    fields = rules.procedure(code, to_vn(desk.clock.now()).date()).form
    with opened_page(browser, DESKTOP) as page:
        officer = Officer(page, url)
        officer.sign_in("hoa", password)
        officer.choose(words, 0, code)
        officer.declare(fields, CHILD)
        officer.hand_in(fields, MOTHER)
        keys = officer.counted()
        assert len(keys) <= MOST, keys
        assert page.get_by_text("Nguyễn Thị Mai").first.is_visible()
        is_sound(page)


@pytest.mark.long
def test_every_procedure_is_walked_and_the_page_for_desks_tells_the_median(browser, city, rules):
    """All are filed through the browser by somebody who signs in first and fills what is required."""
    desk, url = city
    people = People(random.Random(9), unreachable=0)
    taken: dict[str, int] = {}
    with opened_page(browser, DESKTOP) as page:
        officer = Officer(page, url, hasty=True)
        for office in (WARD, CITY):
            page.context.clear_cookies()  # a fresh session
            desk.clock.set(DAYS[0])
            officer.sign_in(office, desk.person(("officer", office), login=office)[1])
            door = len(officer.counted()) - len(office) + len("hoa")
            for day in DAYS:
                desk.clock.set(day)
                with desk.web.app_context():
                    offered = deps().procedures_of(office)
                for procedure in (each for each in offered if each.code not in taken):
                    officer.forget()
                    walk(officer, procedure, offered, people, to_vn(day).date())
                    taken[procedure.code] = door + len(officer.counted())
    assert set(taken) == {each.code for day in DAYS for each in rules.procedures(to_vn(day).date())}
    median, most = statistics.median_high(taken.values()), max(taken.values())
    said = f"median {median}, at most {most}, over {len(taken)} procedures"
    assert said in (PROJECT / "docs/desk.md").read_text(), said
    assert median <= MOST


def walk(officer, procedure, offered, people, today):
    """File one dossier of this procedure, from whatever page is shown to its receipt."""
    citizen = people.citizen()
    values = people.fill(procedure, citizen, today)
    required = {field.name: values[field.name] for field in procedure.form if field.required}
    officer.choose(*shortest_search(procedure, offered), procedure.code)
    officer.declare(procedure.form, required)
    officer.hand_in(procedure.form, MOTHER | {"name": citizen.name})
