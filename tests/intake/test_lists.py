"""The desk's lists: what is on which, how many, who holds it, whom to call; files and pages to print."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from services.intake.storage.queries import Filters, count_lists, list_dossiers
from services.intake.storage.tables import dossiers
from services.intake.usecases import desk as verbs
from services.intake.usecases import lists
from services.intake.web.pages import listing
from services.intake.web.pages.export import plain
from shared.events.notify import CitizenUnreachable
from shared.events.parts import Agency, Step
from shared.events.routing import StepAnswered, StepOpened
from shared.identity.audit import tables
from tests.intake.made import OFFICE, OTHER_OFFICE, vn
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words
from tests.intake.test_search import named


def on(desk, name: str) -> list[str]:
    """The codes on a list."""
    now = desk.clock.now()
    asked = listing.read({"xem": name}, OFFICE.code, now)
    with desk.store.read() as connection:
        found = list_dossiers(connection, asked.filters, now, sort=asked.sort)
    return [line.code for line in found.items]


def unreachable(desk, code: str, moment: str) -> None:
    desk.hear(
        CitizenUnreachable(dossier=code, moment=moment, reason="không có kênh", at=desk.clock.now())
    )


def test_each_dossier_is_on_the_lists_where_somebody_looks_for_it_and_tabs_count_them(desk):
    online, asked, due, late, done, ended = (
        desk.submit(channel=channel)
        for channel in ("online", "direct", "direct", "direct", "direct", "direct")
    )
    desk.submit(office=OTHER_OFFICE.code)
    for code in (asked, due, late, done):
        desk.started(code)
    desk.asked_for_papers(asked, step=None)
    desk.resolved(done)
    desk.do(verbs.withdraw, OFFICE.code, ended, reason="đổi ý")
    unreachable(desk, done, "resolved")
    unreachable(desk, due, "received")  # the citizen stood at the desk
    desk.clock.set(desk.dossier(due).due_at - timedelta(minutes=30))
    assert on(desk, "can-kiem-tra") == [online]
    assert on(desk, "cho-cong-dan") == [asked]
    assert set(on(desk, "den-han")) == {due, late}
    assert on(desk, "qua-han") == []
    assert on(desk, "cho-tra") == on(desk, "can-goi") == [done]
    assert set(on(desk, "dang-xu-ly")) == {online, asked, due, late, done}
    assert set(on(desk, "tat-ca")) == {online, asked, due, late, done, ended}
    desk.clock.set(desk.dossier(due).due_at + timedelta(days=1))
    assert set(on(desk, "qua-han")) == {due, late}
    assert on(desk, "den-han") == []
    now = desk.clock.now()
    wanted = listing.of_lists(listing.read({}, OFFICE.code, now), now)
    with desk.store.read() as connection:
        counts = count_lists(connection, wanted, now)
    assert counts == {each.name: len(on(desk, each.name)) for each in listing.COUNTED}


def test_an_apology_takes_a_dossier_off_the_late_and_a_call_off_those_to_call(desk):
    code = desk.submit()
    desk.started(code)
    desk.resolved(code)
    unreachable(desk, code, "resolved")
    assert on(desk, "can-goi") == [code]
    answer = desk.http("POST", f"/dossiers/{code}/called", {})
    assert answer.status_code == 200
    assert on(desk, "can-goi") == []
    assert desk.http("POST", f"/dossiers/{code}/called", {}).status_code == 409
    unreachable(desk, code, "resolved")
    desk.do(verbs.return_result, OFFICE.code, code, method="desk")
    assert on(desk, "can-goi") == []


def test_who_holds_a_late_dossier_is_said(desk):
    code = desk.submit()
    desk.started(code)
    police = Agency(code="cong-an", name="Công an phường")
    for task, agency in (("t1", AGENCY), ("t2", police)):
        step = Step(code=task, name="Việc")
        desk.hear(
            StepOpened(
                dossier=code, task=task, step=step, agency=agency, opened_at=desk.clock.now(),
                due_at=None,
            )
        )  # fmt: skip
    with desk.store.read() as connection:
        assert lists.holders(connection, [code]) == {code: f"{AGENCY.name}, Công an phường"}
    desk.hear(
        StepAnswered(
            dossier=code, task="t1", step=Step(code="t1", name="Việc"), agency=AGENCY,
            answer="completed", outcome="granted", late=False, answered_at=desk.clock.now(),
        )
    )  # fmt: skip
    with desk.store.read() as connection:
        assert lists.holders(connection, [code]) == {code: "Công an phường"}


def test_pages_stay_as_they_are_while_dossiers_are_filed_between_them(desk):
    first = [desk.submit() for _ in range(4)]
    now, filters = desk.clock.now(), Filters(office=OFFICE.code, unfinished=True)
    with desk.store.read() as connection:
        page = list_dossiers(connection, filters, now, sort="due", size=2)
    desk.submit()
    with desk.store.read() as connection:
        rest = list_dossiers(connection, filters, now, sort="due", size=2, cursor=page.next)
    assert [line.code for line in (*page.items, *rest.items)] == first


# --- pages and files ------------------------------------------------------------------------------


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code))


EVIL = '=HYPERLINK("http://x")'


def test_a_list_is_a_workbook_and_a_text_that_no_spreadsheet_runs(officer, embedded_desk):
    embedded_desk.submit()
    with embedded_desk.store.begin() as uow:
        # The name comes past every check of ours, as from an old row.
        held = uow.connection.scalar(sa.select(dossiers.c.contact))
        uow.connection.execute(sa.update(dossiers).values(contact=held | {"name": EVIL}))
    text = officer.get("/ho-so/danh-sach.csv?xem=tat-ca")
    assert text.mimetype == "text/csv"
    assert text.data.startswith("\ufeff".encode())
    assert "attachment" in text.headers["Content-Disposition"]
    head, line = csv.reader(io.StringIO(text.data.decode("utf-8-sig")))
    told = dict(zip(head, line, strict=True))
    assert told["Người nộp"] == f"'{EVIL}"
    assert told["Nộp lúc"] == "01/03/2022 09:00"
    book = openpyxl.load_workbook(io.BytesIO(officer.client.get("/ho-so/danh-sach.xlsx").data))
    rows = list(book.active.iter_rows())
    assert rows[2][2].value == f"'{EVIL}"
    assert rows[2][2].data_type == "s"
    assert rows[2][7].is_date
    embedded_desk.service.beside[0].flush()
    with embedded_desk.store.read() as connection:
        noted = connection.execute(sa.select(tables.LOG.c.act, tables.LOG.c.things)).all()
    assert [things for act, things in noted if act == "export"] == [told["Mã hồ sơ"]] * 2


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_gets_a_quote(first):
    assert plain(f"{first}1+1") == f"'{first}1+1"
    assert plain("Nguyễn = An") == "Nguyễn = An"


def test_a_long_list_is_written_whole_in_pieces(officer, embedded_desk, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK", 2)
    codes = {embedded_desk.submit() for _ in range(5)}
    text = officer.get("/ho-so/danh-sach.csv?xem=tat-ca").data.decode("utf-8-sig")
    assert {line[1] for line in list(csv.reader(io.StringIO(text)))[1:]} == codes
    monkeypatch.setattr(lists, "MOST_EXPORTED", 3)
    text = officer.get("/ho-so/danh-sach.csv?xem=tat-ca").data.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 5
    assert "chỉ ghi 3 dòng đầu" in text
    page = words(officer.get("/ho-so?xem=tat-ca"))
    assert "hơn 3 hồ sơ" in page
    assert "Tệp tải về chỉ ghi 3 dòng đầu" in page
    assert "hơn 3 hồ sơ" in words(officer.get("/ho-so?xem=tat-ca&in=1"))
    monkeypatch.setattr(lists, "MOST_EXPORTED", 5)
    assert "hơn" not in words(officer.get("/ho-so?xem=tat-ca")).partition("hồ sơ")[0]


def test_the_register_of_a_day_has_what_was_received_on_it_in_order(officer, embedded_desk):
    monday = [embedded_desk.submit() for _ in range(2)]
    embedded_desk.submit(channel="online")
    embedded_desk.clock.set(vn(2022, 3, 2, 8))
    tuesday = embedded_desk.submit()
    page = officer.get("/ho-so?xem=so&ngay=2022-03-01")
    assert re.findall(r"/ho-so/([0-9.H-]+)\"", page.text) == monday
    assert tuesday not in page.text
    printed = officer.get("/ho-so?xem=so&ngay=2022-03-01&in=1")
    assert "Sổ theo dõi ngày 01/03/2022" in words(printed)
    empty = officer.get("/ho-so?xem=so&ngay=2022-02-27")
    assert "không tiếp nhận hồ sơ nào" in words(empty)
    for odd in ("0001-01-01", "9999-12-31", "x", "%00"):
        assert officer.get(f"/ho-so?xem=so&ngay={odd}").status_code in (200, 422)


@pytest.mark.parametrize("name", ["tu", "den"])
def test_a_filter_s_day_is_read_as_it_is_written_here_or_refused_where_it_stands(
    officer, embedded_desk, name
):
    code = embedded_desk.submit()
    for typed in ("01/03/2022", "1-3-2022", "01032022", "2022-03-01"):
        assert code in officer.get(f"/ho-so?{name}={typed}").text
    other = "02/03/2022" if name == "tu" else "28/02/2022"
    assert code not in officer.get(f"/ho-so?{name}={other}").text
    wrong = officer.get(f"/ho-so?{name}=03/13/2022")
    assert "Không có tháng 13" in words(wrong)
    assert 'value="03/13/2022"' in wrong.text
    assert '<details class="more" open>' in wrong.text
    shown = wrong.text.partition("<footer")[0]  # there the same page is offered in another language
    assert "03%2F13" not in shown, "neither its files nor its next page are asked for by it"


@pytest.mark.parametrize("path", ["/ho-so?xem=so&", "/so-theo-doi?"])
def test_a_register_s_day_that_cannot_be_read_is_said_and_stays(officer, path):
    page = officer.get(f"{path}ngay=31/02/2022")
    assert "Tháng 2/2022 không có ngày 31." in words(page)
    assert 'value="31/02/2022"' in page.text
    assert "Tháng 2" not in words(officer.get(f"{path}ngay=28022022"))


@pytest.mark.parametrize("name", list(listing.LISTS))
def test_an_empty_list_says_what_it_is_for(officer, name):
    page = words(officer.get(f"/ho-so?xem={name}"))
    assert listing.LISTS[name].empty in page


def test_another_office_s_dossiers_are_in_no_file(officer, embedded_desk):
    code = embedded_desk.submit(office=OTHER_OFFICE.code, contact=named("Ai Đó"))
    assert code not in officer.get("/ho-so/danh-sach.csv?xem=tat-ca").text
