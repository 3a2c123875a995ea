"""The page for files: handed in without scripts, looked at while it runs, the bad rows taken back."""

from __future__ import annotations

import io
import re

import pytest

from services.intake.usecases.importing import workbook
from tests.intake.files import HEADER, cells_of, csv_of, row, work, xlsx_of
from tests.intake.made import OFFICE, OTHER_OFFICE
from tests.intake.test_pages import Browser, how_many, words

PAGE = "/ho-so/nhap-tep"


@pytest.fixture
def officer(embedded_desk):
    made = Browser(embedded_desk, ("officer", OFFICE.code))
    made.get(PAGE)
    return made


def hand_in(officer, content, *, name="danh sách.xlsx", token="t-1", procedure="1.000001", **more):
    sent = {
        "csrf_token": officer.token,
        "token": token,
        "procedure": procedure,
        "file": (io.BytesIO(content), name),
    }
    return officer.client.post(PAGE, data=sent | more, headers={"Accept": "text/html"})


def test_a_file_is_handed_in_worked_through_and_its_bad_rows_are_taken_back(officer, embedded_desk):
    answer = hand_in(officer, xlsx_of(row("a-1"), row("a-2", birth="31/02/1990")))
    assert answer.status_code == 303
    assert "Đang chờ đến lượt" in words(officer.get(answer.location))
    assert 'http-equiv="refresh"' in officer.get(answer.location).text
    work(embedded_desk)
    page = words(officer.get(answer.location))
    for said in ("danh sách.xlsx", "Đã nhập xong: 2 / 2 dòng", "Cột E (Ngày sinh)", "Tải 1 dòng"):
        assert said in page
    repair = officer.client.get(f"{answer.location}/sua.xlsx")
    assert "attachment" in repair.headers["Content-Disposition"]
    assert repair.headers["Cache-Control"] == "no-store"
    assert [line[1] for line in cells_of(repair.data)] == ["Số thứ tự", "a-2"]
    told = cells_of(officer.client.get(f"{answer.location}/ket-qua.xlsx").data)
    assert [line[2] for line in told] == ["Kết quả", "Đã nhận", "Chưa nhận"]
    assert "danh sách.xlsx" in words(officer.get(PAGE))
    assert how_many(embedded_desk) == 1


def test_a_double_click_is_one_import(officer, embedded_desk):
    content = csv_of(row("a-1"))
    assert hand_in(officer, content).location == hand_in(officer, content).location


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (csv_of(row("a-1"), header=["A", "B", "C", "D", "E"]), "x.csv", "Thiếu cột bắt buộc"),
        (b"", "x.xlsx", "Tệp không có gì"),
        (b"PK\x03\x04", "x.xlsx", "sổ tính bị hỏng"),
        (b"x" * (workbook.MOST_BYTES + 1), "x.csv", "lớn hơn 8 MB"),
        (b"x", "", "Chọn một tệp"),
    ],
)
def test_a_file_that_is_not_taken_is_told_on_the_page_at_once(
    officer, embedded_desk, content, name, said
):
    answer = hand_in(officer, content, name=name)
    assert answer.status_code == 422
    assert said in words(answer)
    assert '<option value="1.000001" selected>' in answer.text
    assert work(embedded_desk) == 0


def test_the_rows_are_taken_without_an_unknown_column_once_it_is_ticked(officer, embedded_desk):
    titles = [*HEADER, 'Ghi "chú"']
    content = xlsx_of([*row("a-1"), "gọi sau"], [*row("a-2", birth="x"), ""], header=titles)
    asked = hand_in(officer, content)
    assert asked.status_code == 422
    assert 'name="ignore" value="Ghi &#34;chú&#34;">' in asked.text
    assert work(embedded_desk) == 0
    taken = hand_in(officer, content, ignore=titles[-1])
    assert taken.status_code == 303
    work(embedded_desk)
    page = words(officer.get(taken.location))
    assert "Đã nhập xong: 2 / 2 dòng" in page
    assert 'Không đọc cột: «Ghi "chú"»' in page
    repair = cells_of(officer.client.get(f"{taken.location}/sua.xlsx").data)
    assert titles[-1] not in repair[0]
    assert hand_in(officer, content, token="t-2", ignore="Không có").status_code == 422


def test_a_procedure_that_the_office_does_not_take_is_refused(officer):
    answer = hand_in(officer, csv_of(row("a-1")), procedure="1.000004")
    assert answer.status_code == 422
    assert "không tiếp nhận thủ tục này" in words(answer)


def test_only_this_door_takes_much_and_only_from_who_is_signed_in(officer, embedded_desk):
    large = {"csrf_token": officer.token, "f.full_name": "x" * 300_000}
    assert officer.client.post("/ho-so/moi/1.000001", data=large).status_code == 413
    huge = b"x" * (workbook.MOST_BYTES + 3 * 1024 * 1024)
    assert hand_in(officer, huge).status_code == 413
    stranger = embedded_desk.web.test_client()
    sent = {"file": (io.BytesIO(b"x" * 1_000_000), "x.csv")}
    answer = stranger.post(PAGE, data=sent, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.location) == (307, "/phien?next=/ho-so/nhap-tep")


def test_no_file_is_taken_without_the_forms_token(officer, embedded_desk):
    officer.token = ""
    assert hand_in(officer, csv_of(row("a-1"))).status_code == 400
    assert work(embedded_desk) == 0


def test_another_offices_import_is_on_no_page(officer, embedded_desk):
    made = hand_in(officer, csv_of(row("a-1"), row("a-2", name=""))).location
    work(embedded_desk)
    stranger = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    assert "danh sách" not in stranger.get(PAGE).text
    import_id = made.rsplit("/", 1)[1]
    progress = f"{PAGE}/tien-do?lan={import_id}"
    for path in (made, f"{made}/sua.xlsx", f"{made}/ket-qua.xlsx", progress):
        assert officer.client.get(path).status_code == 200, path
        assert stranger.client.get(path).status_code == 404, path


def test_the_part_that_asks_for_itself_stops_when_the_import_has_ended(officer, embedded_desk):
    import_id = hand_in(officer, csv_of(row("a-1"))).location.rsplit("/", 1)[1]
    path = f"{PAGE}/tien-do?lan={import_id}"
    going = officer.get(path)
    assert re.search(r'hx-trigger="every 2s"', going.text)
    assert "HX-Refresh" not in going.headers
    work(embedded_desk)
    ended = officer.get(path)
    assert "hx-trigger" not in ended.text
    assert ended.headers["HX-Refresh"] == "true"


def test_a_file_that_breaks_off_inside_stops_and_says_so(officer, embedded_desk):
    content = csv_of(row("a-1")) + b'\n"' + b"x;" * 200_000
    made = hand_in(officer, content, name="x.csv").location
    work(embedded_desk)
    page = words(officer.get(made))
    assert "Tệp không được nhập tiếp" in page
    assert "không đọc được các cột" in page
    assert how_many(embedded_desk) == 0


def test_the_template_of_a_procedure_can_be_had_on_the_page(officer):
    assert f"{PAGE}/mau/1.000001.xlsx" in officer.get(PAGE).text
    answer = officer.client.get(f"{PAGE}/mau/1.000001.xlsx")
    assert cells_of(answer.data)[0][0] == "Số thứ tự *"
    assert officer.get(f"{PAGE}/mau/1.000004.xlsx").status_code == 404


def test_many_bad_rows_are_shown_page_by_page(officer, embedded_desk):
    made = hand_in(officer, csv_of(*(row(f"a-{n}", name="") for n in range(230)))).location
    work(embedded_desk)
    first = officer.get(made).text
    second = re.search(r'href="([^"]+)" rel="next"', first)[1]
    assert "a-99<" in first
    assert "a-100<" not in first
    assert "a-100<" in officer.get(second).text
    assert officer.get(f"{made}?sau=x").status_code == 200
