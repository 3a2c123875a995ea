"""One address and one sign-in: a ward works at the desk and on its tasks, and nothing typed is lost."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from shared.identity.guard import guard_of
from shared.identity.passes import LASTS
from simulation.kit import City, open_city
from tests.staff import person

WARD, BIRTH = "ubnd-phuong-1", "2.000986"
PASS = "lienthong-pass"
HERE = "http://localhost"


class Person:
    """A browser at the one address, without scripts; redirects are followed as a browser does."""

    def __init__(self, city: City) -> None:
        line = httpx2.WSGITransport(app=city.built.web)
        self.line = httpx2.Client(
            transport=line, base_url=HERE, follow_redirects=True, headers={"Accept": "text/html"}
        )
        self.passes = guard_of(city.built.intake.web).checkpoint.passes

    def get(self, path: str) -> httpx2.Response:
        return self.line.get(path)

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def send(self, path: str, form: dict[str, str], *, on: str) -> httpx2.Response:
        return self.line.post(path, data={"csrf_token": self.token(on), **form})

    def enter(self, login: str, password: str, **more: str) -> httpx2.Response:
        told = {"login": login, "password": password, **more}
        return self.send("/dang-nhap", told, on="/tra-cuu")

    def age(self, by: timedelta) -> None:
        """Let the pass be older, as if time had gone by at the doors that only believe."""
        (cookie,) = [each for each in self.line.cookies.jar if each.name == PASS]
        shown = self.passes.read(cookie.value)
        cookie.value = self.passes.write(replace(shown, made=shown.made - by))


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with open_city(tmp_path) as made:
        yield made


@pytest.fixture
def hoa(city: City) -> Person:
    """An officer of the ward's desk, who also works on the ward's tasks."""
    places = (("officer", WARD), ("agency", WARD))
    _, password = person(city.built.intake.store, city.catalogue, *places)
    hoa = Person(city)
    hoa.password = password
    assert hoa.enter("hoa", password).url == f"{HERE}/ho-so"
    return hoa


@pytest.fixture
def task(city: City) -> str:
    """The address of a task of the ward."""
    code = city.desk(WARD).submit(BIRTH).code
    city.rest()
    (task,) = city.agency(WARD).tasks(code)
    return f"/nhiem-vu/{task.id}"


TAKE = {"kind": "taken", "answer_id": "a1", "officer": "Nguyễn Thị Hoa"}


def test_a_ward_signs_in_once_for_its_desk_and_its_tasks(hoa: Person, task: str) -> None:
    desk, tasks = hoa.get("/ho-so").text, hoa.get("/nhiem-vu").text
    for page in (desk, tasks):
        assert "Nguyễn Thị Hoa" in page
        assert 'href="/nhiem-vu"' in page
        assert 'href="/ho-so"' in page
    assert 'value="Nguyễn Thị Hoa"' in hoa.get(task).text, "who works on it need not be typed"
    assert "Không tìm thấy" in hoa.get("/khong-co").text
    assert hoa.get("/tin-nhan").status_code == 403
    done = hoa.send(f"{task}/tra-loi", TAKE, on=task)
    assert "Đã ghi nhận" in done.text


def test_who_works_at_another_agency_sees_nothing_of_it(city: City, task: str) -> None:
    _, password = person(
        city.built.intake.store, city.catalogue, ("agency", "ubnd-phuong-2"), login="xa"
    )
    other = Person(city)
    assert other.enter("xa", password).url == f"{HERE}/nhiem-vu"
    assert other.get(task).status_code == 404
    assert other.get("/ho-so").status_code == 403


def test_a_pass_that_ran_out_is_renewed_on_the_way(hoa: Person, task: str) -> None:
    hoa.age(LASTS)
    page = hoa.get(f"{task}?a=1")
    assert (page.status_code, page.url) == (200, f"{HERE}{task}?a=1")
    token = hoa.token(task)
    hoa.age(LASTS)
    done = hoa.line.post(f"{task}/tra-loi", data={**TAKE, "csrf_token": token})
    assert [each.status_code for each in done.history] == [307, 307, 303]
    assert "Đã ghi nhận" in done.text


def test_what_was_typed_on_a_task_when_the_sign_in_ended_is_sent_on(
    city: City, hoa: Person, task: str
) -> None:
    token = hoa.token(task)
    elsewhere = Person(city)
    elsewhere.enter("hoa", hoa.password)
    elsewhere.send("/dang-xuat", {"everywhere": "1"}, on="/tai-khoan")
    hoa.age(LASTS)
    form = TAKE | {"officer": 'Người "gõ" <dở>'}
    page = hoa.line.post(f"{task}/tra-loi", data={**form, "csrf_token": token})
    assert "Phiên làm việc đã hết" in page.text
    kept = {**hidden(page.text), "login": "hoa", "password": hoa.password}
    again = hoa.line.post("/dang-nhap", data=kept)
    assert "chưa được gửi" in again.text
    assert hidden(again.text)["officer"] == 'Người "gõ" <dở>'
    done = hoa.line.post(f"{task}/tra-loi", data=hidden(again.text))
    assert "Đã ghi nhận" in done.text


def hidden(page: str) -> dict[str, str]:
    main = page.partition("<main")[2]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', main)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_a_copied_cookie_ends_at_the_other_doors_within_five_minutes(
    city: City, hoa: Person
) -> None:
    thief = Person(city)
    (cookie,) = [each for each in hoa.line.cookies.jar if each.name == PASS]
    thief.line.cookies.jar.set_cookie(cookie)
    assert thief.get("/nhiem-vu").status_code == 200
    left = hoa.send("/dang-xuat", {}, on="/nhiem-vu")
    assert left.url == f"{HERE}/dang-nhap", "a page of tasks signs out at intake"
    assert "Đăng nhập" in hoa.get("/nhiem-vu").text
    assert thief.get("/ho-so").url == f"{HERE}/dang-nhap?next=/ho-so", "at once"
    assert thief.get("/nhiem-vu").url == f"{HERE}/nhiem-vu", "for five minutes at most"
    thief.age(LASTS)
    assert thief.get("/nhiem-vu").url == f"{HERE}/dang-nhap?next=/nhiem-vu"


def test_programmes_go_on_with_their_keys_at_the_one_address(city: City) -> None:
    line = httpx2.Client(transport=httpx2.WSGITransport(app=city.built.web), base_url=HERE)
    for service, kind, holder, path in (
        ("intake", "desk", WARD, "/api/v1/dossiers"),
        ("routing", "agency", WARD, "/api/v1/tasks"),
        ("notify", "operator", "van-hanh", "/api/v1/messages"),
    ):
        key = city.key(service, kind, holder)
        assert line.get(path).status_code == 401
        answer = line.get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        assert PASS not in str(answer.headers)
