"""Who may see what, whose care a dossier is in, and whose name stands where."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from services.intake.storage import custody
from services.intake.storage import staff as table
from services.intake.usecases import staff
from shared.identity.passes import Place
from shared.kernel.errors import InvalidInput, NotFound
from shared.messaging.tables import LEDGERS
from tests.intake.made import CATALOGUE, OFFICE, OTHER_OFFICE
from tests.intake.rig import AGENCY
from tests.intake.test_pages import FILLED, Browser, words

PAGES = ("/ho-so", "/ho-so/moi", "/bao-cao", "/can-bo", "/tai-khoan")
ROLES = {
    "officer": (("officer", OFFICE.code), (200, 200, 200, 403, 200)),
    "head": (("head", OFFICE.code), (200, 200, 200, 200, 200)),
    "agency": (("agency", AGENCY.code), (403, 403, 403, 403, 200)),
    "leader": (("leader", "*"), (403, 403, 200, 403, 200)),
    "operator": (("operator", "*"), (403, 403, 403, 403, 200)),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_and_no_others(embedded_desk, role):
    place, expected = ROLES[role]
    somebody = Browser(embedded_desk, place)
    assert tuple(somebody.get(page).status_code for page in PAGES) == expected


@pytest.mark.parametrize("role", ROLES)
def test_the_front_page_leads_each_to_their_work(embedded_desk, role):
    leads = {"agency": "/nhiem-vu", "leader": "/bao-cao", "operator": "/tin-nhan"}
    somebody = Browser(embedded_desk, ROLES[role][0])
    assert somebody.get("/").location == leads.get(role, "/ho-so")


def test_an_officer_of_one_ward_sees_nothing_of_another(embedded_desk):
    code = embedded_desk.submit()
    other = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    assert other.get(f"/ho-so/{code}").status_code == 404
    assert other.get(f"/ho-so/{code}/giay-hen").status_code == 404
    assert other.post(f"/ho-so/{code}/withdraw", {"reason": "thử"}).status_code == 404
    assert code not in words(other.get("/ho-so?xem=tat-ca"))
    assert other.client.get(f"/api/v1/dossiers/{code}").status_code == 404


def test_a_leader_sees_the_report_of_every_office_that_is_theirs(embedded_desk):
    everywhere = Browser(embedded_desk, ("leader", "*"))
    page = words(everywhere.get(f"/bao-cao?noi={OTHER_OFFICE.code}"))
    assert f"{OTHER_OFFICE.name}, tháng" in page
    one = Browser(embedded_desk, ("leader", OFFICE.code), login="duc")
    assert f"{OFFICE.name}, tháng" in words(one.get(f"/bao-cao?noi={OTHER_OFFICE.code}"))


def test_a_key_opens_no_account_and_no_sign_in(embedded_desk):
    client = embedded_desk.web.test_client()
    sent = {"Authorization": f"Bearer {embedded_desk.key}", "Accept": "text/html"}
    assert client.get("/tai-khoan", headers=sent).status_code == 403
    browser = Browser(embedded_desk)
    told = {"login": embedded_desk.key, "password": embedded_desk.key, "key": embedded_desk.key}
    assert browser.post("/dang-nhap", told).status_code == 403


def test_the_name_stands_on_the_receipt_and_the_timeline_and_the_id_in_the_facts(desk):
    officer = Browser(desk, ("officer", OFFICE.code), name="Lê Thị Thu Hà")
    answer = officer.post("/ho-so/moi/1.000001", FILLED)
    assert answer.status_code == 303, words(answer)
    code = answer.location.split("/")[2]
    assert "Lê Thị Thu Hà" in words(officer.get(answer.location)).partition("Cán bộ tiếp nhận")[2]
    page = words(officer.get(f"/ho-so/{code}"))
    assert "Cán bộ phụ trách Lê Thị Thu Hà" in page
    assert "Cán bộ: Lê Thị Thu Hà" in page
    with desk.store.read() as connection:
        (person,) = table.everybody(connection)
        facts = connection.execute(sa.select(LEDGERS.outbox.c.body)).all()
        rows = [bytes(row.body).decode() for row in facts]
    assert any(f"officer:{person.id}" in row for row in rows)
    assert not any("Thu H" in row or person.login in row.split('"') for row in rows)
    told = desk.http("GET", f"/dossiers/{code}/timeline").get_json()
    assert "Thu H" not in str(told)


def test_dossiers_are_in_the_care_of_who_took_them_in_until_they_are_handed_over(desk):
    hoa = Browser(desk, ("officer", OFFICE.code))
    lan_id, _ = desk.person(("officer", OFFICE.code), login="lan", name="Lê Thị Lan")
    code = hoa.post("/ho-so/moi/1.000001", FILLED).location.split("/")[2]
    online = desk.submit(channel="online")
    by_key = desk.submit()
    counted = {"p.to-khai.original": "1", "p.giay-to.copy": "1"}
    assert hoa.post(f"/ho-so/{online}/receive", counted).location.endswith("/giay-hen")
    with desk.store.begin() as uow:
        given, taker = staff.of_login(uow, "hoa"), staff.of_login(uow, "lan")
        assert {row.code for row in custody.open_of(uow.connection, given.id)} == {code, online}
        codes = staff.hand_over(uow, CATALOGUE, given, taker)
    assert sorted(codes) == sorted([code, online])
    with desk.store.read() as connection:
        assert custody.of(connection, code) == lan_id
        assert custody.of(connection, by_key) is None
    assert "Cán bộ phụ trách Lê Thị Lan" in words(hoa.get(f"/ho-so/{code}"))
    paper = words(hoa.get(f"/ho-so/{code}/giay-hen"))
    assert "Lan" not in paper, "who took it in stays who took it in"


def test_nothing_is_handed_to_oneself_to_a_closed_account_or_to_another_office(desk):
    hoa = Browser(desk, ("officer", OFFICE.code))
    hoa.post("/ho-so/moi/1.000001", FILLED)
    desk.person(("officer", OTHER_OFFICE.code), login="xa")
    desk.person(("officer", OFFICE.code), login="lan")
    with desk.store.begin() as uow:
        staff.disable(uow, "lan")
        given = staff.of_login(uow, "hoa")
        for login in ("hoa", "xa", "lan"):
            with pytest.raises(InvalidInput):
                staff.hand_over(uow, CATALOGUE, given, staff.of_login(uow, login))


def test_a_head_hands_over_for_their_own_office_on_a_page(embedded_desk):
    desk = embedded_desk
    hoa = Browser(desk, ("officer", OFFICE.code))
    code = hoa.post("/ho-so/moi/1.000001", FILLED).location.split("/")[2]
    head = Browser(desk, ("head", OFFICE.code), login="binh", name="Trần Văn Bình")
    page = words(head.get("/can-bo"))
    assert "Nguyễn Thị Hoa (1)" in page
    with desk.store.begin() as uow:
        given, taker = staff.of_login(uow, "hoa"), staff.of_login(uow, "binh")
    assert head.post("/can-bo/ban-giao", {"from": given.id, "to": given.id}).status_code == 422
    assert head.post("/can-bo/ban-giao", {"from": "x", "to": ""}).status_code == 422
    told = {"from": given.id, "to": taker.id}
    assert hoa.post("/can-bo/ban-giao", told).status_code == 403
    assert head.post("/can-bo/ban-giao", told).status_code == 303
    with desk.store.read() as connection:
        assert custody.of(connection, code) == taker.id
    other = Browser(desk, ("head", OTHER_OFFICE.code), login="chi")
    back = {"from": taker.id, "to": given.id}
    assert other.post("/can-bo/ban-giao", back).status_code == 422


def test_other_roles_are_in_force_at_the_next_page_and_a_closed_account_at_once(desk):
    hoa = Browser(desk, ("officer", OFFICE.code))
    with desk.store.begin() as uow:
        staff.assign(uow, CATALOGUE, "hoa", [Place("leader", OFFICE.code)])
    assert hoa.get("/ho-so").status_code == 403
    assert hoa.get("/bao-cao").status_code == 200
    with desk.store.begin() as uow:
        staff.disable(uow, "hoa")
    assert hoa.get("/bao-cao").status_code == 303


@pytest.mark.parametrize(
    "place", ["officer:nowhere", f"officer:{AGENCY.code}", "officer", f"operator:{OFFICE.code}",
              "king:x", "agency", ""],
)  # fmt: skip
def test_a_place_that_the_city_does_not_have_makes_no_account(embedded_desk, place):
    with embedded_desk.store.begin() as uow, pytest.raises(InvalidInput):
        staff.add(uow, CATALOGUE, login="hoa", name="Hoa", places=[staff.read_place(place)])


@pytest.mark.parametrize("login", ["", "a", "Họa", "a b", "a" * 41, "-a", "a\x00b", "a/b"])
def test_a_sign_in_name_can_be_typed_by_everybody(embedded_desk, login):
    places = [Place("officer", OFFICE.code)]
    with embedded_desk.store.begin() as uow, pytest.raises(InvalidInput):
        staff.add(uow, CATALOGUE, login=login, name="Hoa", places=places)


def test_names_are_taken_once_however_they_are_spelt(embedded_desk):
    embedded_desk.person()
    places = [Place("officer", OFFICE.code)]
    with embedded_desk.store.begin() as uow:
        with pytest.raises(InvalidInput):
            staff.add(uow, CATALOGUE, login="HOA", name="Hoa khác", places=places)
        with pytest.raises(NotFound):
            staff.of_login(uow, "ai-do")
