"""A dossier's way as its people live it: the desk, the agencies and the citizen, each in a browser."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from services.embedded.city import City, open_city
from shared.web.server import WebServer, serving
from tests.browser import fits, is_sound, opened_page
from tests.staff import person

pytestmark = pytest.mark.browser
WARD = CITY_DESK = "ubnd-phuong-cao-lanh"  # today
TAX, LAND_REGISTRY = "chi-cuc-thue-cao-lanh", "vpdk-dat-dai-cao-lanh"
STATUS, LAND = "1.004873", "1.013831"
PATIENCE = 60.0
WIDTHS = pytest.mark.parametrize(
    ("officers", "citizens"),
    [
        pytest.param(1280, 360, id="desk-and-phone"),
        pytest.param(360, 1280, id="phone-and-desk", marks=pytest.mark.long),
    ],
)


class Town:
    """A city whose loops run in threads and whose three doors are open."""

    def __init__(self, city: City, addresses: dict[str, str], browser: Any) -> None:
        self.city = city
        self.addresses = addresses
        self._browser = browser
        self._open = ExitStack()

    def page(self, door: str, width: int) -> Any:
        """A new person before one of the doors."""
        return self._open.enter_context(
            opened_page(self._browser, width, base_url=self.addresses[door])
        )

    def signed_in(self, door: str, kind: Any, holder: str, width: int) -> Any:
        """Somebody who works here, signed in by the one sign-in, at the pages of this door."""
        role = "officer" if kind == "desk" else kind
        login = f"nguoi.{next(_numbers)}"
        where = "*" if role == "operator" else holder
        told = {"login": login, "name": f"Người {kind}"}
        _, password = person(self.city.intake.store, self.city.catalogue, (role, where), **told)
        page = self.page(door, width)
        page.goto("/dang-nhap")
        page.get_by_label("Tên đăng nhập").fill(login)
        page.get_by_label("Mật khẩu").fill(password)
        page.get_by_role("button", name="Vào làm việc").click()
        page.get_by_role("button", name="Đăng xuất").wait_for()
        return page

    def leave(self) -> None:
        self._open.close()


@pytest.fixture(scope="module")
def built(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    city = open_city(tmp_path_factory.mktemp("city"))
    city.migrate()
    servers = {name: WebServer(city.web) for name in city.services}
    with ExitStack() as stack:
        stack.callback(city.close)
        stack.enter_context(serving(*servers.values()))
        city.start()
        yield Town(city, {name: server.url for name, server in servers.items()}, browser)


@pytest.fixture
def town(built: Town) -> Iterator[Town]:
    yield built
    built.leave()


def is_good(page: Any) -> None:
    """As every page must be; axe, which takes a second, sees each page once in each of its shapes."""
    fits(page)
    assert page.complaints == [], page.url
    shapes = "[...document.querySelectorAll('main [class], details[open]')].map((e) => e.className)"
    path = re.sub(r"[0-9a-f-]{36}|[0-9.]+H20-[0-9-]+", "…", page.url)
    shape = (path, page.viewport_size["width"], *sorted(set(page.evaluate(shapes))))
    if shape not in _seen:
        is_sound(page)
        _seen.add(shape)


_seen: set[tuple[Any, ...]] = set()
_numbers = itertools.count(1)


def appears(page: Any, look: Callable[[], Any]) -> None:
    """Load the page again until it shows what happened elsewhere."""
    end = time.monotonic() + PATIENCE
    while look().count() == 0:
        assert time.monotonic() < end, page.locator("main").inner_text()
        page.wait_for_timeout(100)
        page.reload()


def fill_in(page: Any) -> None:
    """Everything that a form asks for, as an officer types it; each time of somebody else."""
    number = next(_numbers)
    for field in page.locator('main [name^="f."][required]').all():
        kind = field.evaluate(
            "e => e.tagName == 'SELECT' ? 'choice' : 'day' in e.dataset ? 'day' : e.type + e.inputMode"
        )
        if kind == "choice":
            field.select_option(index=1)
        else:
            longest = int(field.get_attribute("maxlength") or 100)
            text = {"day": f"04/05/{1950 + number}", "textnumeric": f"087190{number:06}"}
            text["textdecimal"] = str(10 + number)
            field.fill(text.get(kind, "Mai An")[:longest])
    for paper in page.locator(".paper").filter(has_not_text="chỉ khi").all()[:-1]:
        paper.get_by_label("Bản chính").fill("2")
    page.get_by_label("Họ và tên người nộp").fill("Nguyễn Thị Mai")


def file(desk: Any, procedure: str) -> tuple[str, str]:
    """File a dossier by hand; its code and look-up word off the receipt."""
    desk.goto(f"/ho-so/moi/{procedure}")
    is_good(desk)
    fill_in(desk)
    desk.get_by_role("button", name="Nộp và in giấy hẹn").click()
    desk.wait_for_url("**/giay-hen")
    is_good(desk)
    return desk.locator(".receipt .code").inner_text(), desk.locator(".receipt .word").inner_text()


def look_up(citizen: Any, code: str, word: str) -> str:
    """What the citizen's page says, with its words joined."""
    citizen.goto("/tra-cuu")
    citizen.get_by_label("Mã hồ sơ").fill(code)
    citizen.get_by_label("Từ tra cứu").fill(word)
    citizen.get_by_role("button", name="Xem hồ sơ").click()
    citizen.wait_for_load_state()
    is_good(citizen)
    return " ".join(citizen.locator("main").inner_text().split())


def open_task(officer: Any, code: str) -> None:
    officer.goto("/nhiem-vu")
    row = officer.locator("tr", has_text=code)
    appears(officer, lambda: row)
    is_good(officer)
    row.get_by_role("link").click()
    is_good(officer)


def complete(officer: Any, code: str, **fields: str) -> None:
    open_task(officer, code)
    officer.get_by_role("button", name="Trả kết quả").click()
    for label, text in fields.items():
        officer.get_by_label(label.replace("_", " ")).fill(text)
    officer.get_by_role("button", name="Gửi kết quả").click()
    officer.get_by_text("Đã ghi nhận: trả kết quả.").wait_for()
    is_good(officer)


@WIDTHS
def test_the_desk_files_the_ward_answers_on_its_page_and_the_citizen_follows(
    town: Town, officers: int, citizens: int
) -> None:
    desk = town.signed_in("intake", "desk", WARD, officers)
    ward = town.signed_in("routing", "agency", WARD, officers)
    citizen = town.page("intake", citizens)
    code, word = file(desk, STATUS)

    assert "Không có hồ sơ nào có mã và từ tra cứu này" in look_up(citizen, code, "AAAAAA")
    open_task(ward, code)
    assert "Nguyễn" not in ward.locator("main").inner_text(), "who handed it in is not shared"
    ward.get_by_role("button", name="Đề nghị bổ sung giấy tờ").click()
    ward.get_by_label("Giấy tờ còn thiếu").fill("Giấy xác nhận cũ")
    ward.get_by_label("Lý do *").locator("visible=true").fill("Thiếu trang hai")
    ward.get_by_role("button", name="Gửi đề nghị").click()
    ward.get_by_text("Tạm dừng, chờ công dân").wait_for()
    desk.goto(f"/ho-so/{code}")
    appears(desk, lambda: desk.get_by_text("yêu cầu bổ sung (lần 1)"))
    told = look_up(citizen, code, word)
    assert "Yêu cầu bổ sung giấy tờ" in told
    assert "Giấy xác nhận cũ" in told
    assert "Lý do: Thiếu trang hai" in told

    desk.locator("summary", has_text="Nộp bổ sung").click()
    desk.locator("details[open]").get_by_label("Giấy tờ khác").fill("Giấy xác nhận cũ")
    desk.locator('details[open] [name="p.other.original"]').fill("1")
    is_good(desk)
    desk.get_by_role("button", name="Ghi nhận bổ sung").click()
    desk.get_by_text("Công dân đã bổ sung (lần 1)").wait_for()
    for _step in ("verify", "sign"):
        complete(ward, code)
    desk.goto(f"/ho-so/{code}")
    appears(desk, lambda: desk.locator("summary", has_text="Trả kết quả"))
    told = look_up(citizen, code, word)
    assert "Đã xử lý xong" in told
    assert "mang theo giấy hẹn" in told
    desk.locator("summary", has_text="Trả kết quả").click()
    opened = desk.locator("details[open]")
    opened.get_by_label("Người nhận", exact=True).select_option("applicant")
    opened.get_by_label("Đã xem giấy tờ tùy thân").check()
    desk.get_by_role("button", name="Ghi nhận đã trả kết quả").click()
    desk.locator(".status", has_text="Đã trả kết quả").wait_for()
    is_good(desk)
    assert "Hồ sơ đã kết thúc" in look_up(citizen, code, word)


def test_the_citizen_is_told_that_the_clock_stands_what_to_pay_and_why_it_ended(
    town: Town,
) -> None:
    desk = town.signed_in("intake", "desk", CITY_DESK, 360)
    registry = town.signed_in("routing", "agency", LAND_REGISTRY, 1280)
    tax = town.signed_in("routing", "agency", TAX, 360)
    citizen = town.page("intake", 360)
    code, word = file(desk, LAND)
    complete(registry, code)
    desk.goto(f"/ho-so/{code}")
    appears(desk, lambda: desk.get_by_text("Đang dừng tính hạn"))
    is_good(desk)
    told = look_up(citizen, code, word)
    assert "thời hạn đang tạm dừng" in told
    assert "Chi cục Thuế thành phố Cao Lãnh: Xác định và thông báo nghĩa vụ tài chính" in told

    complete(tax, code, Số_tiền_công_dân_phải_nộp="1.250.000")
    desk.reload()
    appears(desk, lambda: desk.locator("summary", has_text="Ghi nhận đã nộp tiền"))
    told = look_up(citizen, code, word)
    assert "1.250.000 đồng" in told
    assert f"thông báo số {code}/1" in told
    desk.locator("summary", has_text="Ghi nhận đã nộp tiền").click()
    desk.get_by_label("Số tiền (đồng)").fill("1000")
    desk.get_by_role("button", name="Ghi nhận đã nộp tiền").click()
    desk.get_by_text("Thông báo ghi 1.250.000 đồng.").first.wait_for()
    is_good(desk)
    assert desk.get_by_label("Số tiền (đồng)").input_value() == "1000", "nothing typed is lost"
    desk.get_by_label("Số tiền (đồng)").fill("1.250.000")
    desk.get_by_label("Số biên lai").fill("BL-1")
    desk.get_by_role("button", name="Ghi nhận đã nộp tiền").click()
    desk.get_by_text("Công dân đã nộp tiền").wait_for()

    open_task(registry, code)
    registry.get_by_role("button", name="Từ chối giải quyết").click()
    registry.get_by_label("Lý do *").locator("visible=true").fill("Đất đang tranh chấp")
    registry.get_by_role("button", name="Từ chối", exact=True).click()
    registry.get_by_text("Đã ghi nhận: từ chối giải quyết.").wait_for()
    desk.reload()
    appears(desk, lambda: desk.locator(".status", has_text="Dừng xử lý"))
    told = look_up(citizen, code, word)
    assert "Đất đang tranh chấp" in told
    assert "được hướng dẫn" in told


def test_the_operator_finds_what_was_sent_and_wrong_addresses_speak_vietnamese(town: Town) -> None:
    operator = town.signed_in("notify", "operator", "van-hanh", 360)
    operator.goto("/tin-nhan")
    is_good(operator)
    for door, kind, holder in (("intake", "desk", WARD), ("routing", "agency", WARD)):
        page = town.signed_in(door, kind, holder, 360)
        page.goto("/khong-co-trang-nay")
        assert "Không tìm thấy" in page.locator("main").inner_text()
        is_good(page)
    citizen = town.page("intake", 360)
    citizen.goto("/ho-so")
    citizen.get_by_label("Tên đăng nhập").fill("nguoi.la")
    citizen.get_by_label("Mật khẩu").fill("lt_sai_sai")
    citizen.get_by_role("button", name="Vào làm việc").click()
    citizen.get_by_text(re.compile("không đúng")).wait_for()
    is_good(citizen)


LINKS = """() => [...document.querySelectorAll("a[href^='/']:not([hreflang])")].map((each) => each.getAttribute("href"))"""
UNFOLD = "() => document.querySelectorAll('main details').forEach((each) => { each.open = true; })"


@pytest.mark.parametrize(
    ("door", "kind", "holder", "least"),
    [("intake", "desk", WARD, 9), ("routing", "agency", WARD, 3), ("notify", "operator", "van", 3)],
    ids=["desk", "agency", "operator"],
)
def test_every_page_that_a_link_leads_to_fits_every_phone(
    town: Town, door: str, kind: str, holder: str, least: int
) -> None:
    """One page of each kind, with all that can be unfolded unfolded."""
    code, _ = file(town.signed_in("intake", "desk", WARD, 360), STATUS)
    page = town.signed_in(door, kind, holder, 360)
    appears(page, lambda: page.locator("main", has_text=code))
    seen: set[str] = set()
    todo = [page.url, "/docs" if door == "intake" else f"/docs/{door}"]
    while todo:
        page.goto(todo.pop())
        page.evaluate(UNFOLD)
        fits(page)
        for address in page.evaluate(LINKS):
            path = address.partition("#")[0].partition("?")[0]
            sort = re.sub(r"[0-9a-f-]{36}|[0-9.]+H20-[0-9-]+|[12]\.[0-9.]+", "…", path)
            if sort not in seen and not path.endswith((".json", ".jsonl", ".pdf", ".xlsx", ".csv")):
                seen.add(sort)
                todo.append(address)
    assert len(seen) >= least, seen


@pytest.mark.parametrize("signed_in", [False, True], ids=["citizen", "officer"])
def test_the_head_of_a_page_takes_one_or_two_rows_on_a_phone(
    town: Town, *, signed_in: bool
) -> None:
    page = town.signed_in("intake", "desk", WARD, 360) if signed_in else town.page("intake", 360)
    page.goto("/ho-so" if signed_in else "/")
    height = page.locator("header.masthead").bounding_box()["height"]
    assert height <= (110 if signed_in else 64)


def in_english(page: Any, *paths: str, good: Callable[[Any], None]) -> None:
    """The reader chooses English on the first page; all of them, unfolded, are good in it."""
    page.goto(paths[0])
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Tiếng Việt").wait_for()
    for path in paths:
        page.goto(path)
        page.evaluate(UNFOLD)
        assert page.locator("html").get_attribute("lang") == "en"
        good(page)


def test_the_desk_in_english_fits_every_phone(town: Town) -> None:
    """Sentences are longer or shorter there: who reads it so meets no narrower screen."""
    desk = town.signed_in("intake", "desk", WARD, 1280)
    in_english(desk, "/ho-so", f"/ho-so/moi/{STATUS}", good=fits)


@pytest.mark.long
def test_the_main_pages_in_english_are_sound(town: Town) -> None:
    desk = town.signed_in("intake", "desk", WARD, 1280)
    code, _ = file(desk, STATUS)
    in_english(
        desk, "/ho-so", f"/ho-so/{code}", f"/ho-so/moi/{STATUS}", "/tai-khoan", good=is_sound
    )
    agency = town.signed_in("routing", "agency", WARD, 1280)
    appears(agency, lambda: agency.locator("main", has_text=code))
    task = agency.locator("tr", has_text=code).get_by_role("link").get_attribute("href")
    in_english(agency, "/nhiem-vu", str(task), "/nhiem-vu/so-giao-nhan", good=is_sound)
    operator = town.signed_in("notify", "operator", "van-hanh", 1280)
    in_english(operator, "/tin-nhan", good=is_sound)
