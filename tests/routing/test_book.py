"""The hand-over book: each message to an agency with its way, for both sides, by page, file and command."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import openpyxl

from services.routing.storage.book import Delivery
from services.routing.usecases.book import COLUMNS, of_day, workbook
from services.routing.usecases.prune import prune
from shared.events.names import ROUTING_TASKS
from shared.kernel.clock import to_vn
from shared.messaging.refusals import send_nothing_instead
from tests.routing.test_coordination import desk_key
from tests.routing.town import Town, withdrawn
from tests.routing.worlds import NOW
from tests.staff import carry_here

CODE = "000.00.01.H20-220301-0001"
BOOK = "/nhiem-vu/so-giao-nhan"
DAY = to_vn(NOW).date()


def book(town: Town, agency: str = "phuong-1", **more: Any) -> list[Delivery]:
    with town.service.store.read() as connection:
        return of_day(connection, agency, more.pop("day", DAY), **more)


def fetch(town: Town, key: dict[str, str], after: int = 0) -> None:
    assert town.web.get(f"/api/v1/tasks?after={after}", headers=key).status_code == 200


def test_a_message_is_written_confirmed_fetched_opened_and_answered(town: Town) -> None:
    town.receive(CODE)
    task, key = town.task("phuong-1"), town.key("phuong-1")
    (given,) = book(town)
    assert (given.number, given.kind, given.task, given.dossier) == (1, "assigned", task, CODE)
    assert given.made_at == NOW
    assert given.confirmed_at is not None, "the broker has vouched for it"
    assert (given.fetched_at, given.opened_at, given.answered_at) == (None, None, None)
    for hours, act in enumerate(("fetch", "fetch again", "open", "take", "complete"), 1):
        town.clock.set(NOW + timedelta(hours=hours))
        if act.startswith("fetch"):
            fetch(town, key)
        elif act == "open":
            town.web.get(f"/api/v1/tasks/{task}", headers=key)
        elif act == "take":
            town.answer("phuong-1", "taken", task)
        else:
            town.answer("phuong-1", "completed", task, outcome="granted", result_code="KQ.1")
    (given,) = book(town)
    hours_of = [
        (at - NOW) // timedelta(hours=1)
        for at in (given.fetched_at, given.opened_at, given.taken_at, given.answered_at)
        if at is not None
    ]
    assert (hours_of, given.answer) == ([1, 3, 4, 5], "completed"), "the first time counts"


def test_who_opened_and_was_served_is_forgotten_with_the_forms(small_town: Town) -> None:
    town, settings = small_town, small_town.service.settings
    town.receive(CODE)
    task, key = town.task("phuong-1"), town.key("phuong-1")
    fetch(town, key)
    town.web.get(f"/api/v1/tasks/{task}", headers=key)
    town.clock.set(NOW + timedelta(days=settings.keep_forms_days))
    assert not list(prune(town.service.store, settings)), "not a day too early"
    town.clock.set(NOW + timedelta(days=settings.keep_forms_days + 1))
    counted = {(each.what, each.count) for each in prune(town.service.store, settings, dry=True)}
    assert {(each.what, each.count) for each in prune(town.service.store, settings)} == counted
    assert {("looks", 1), ("fetches", 1)} <= counted
    (given,) = book(town)
    assert (given.fetched_at, given.opened_at) == (None, None)


def test_a_later_message_is_not_taken_for_one_that_was_opened(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    task, key = town.task("phuong-1"), town.key("phuong-1")
    town.clock.set(NOW + timedelta(hours=1))
    town.web.get(f"/api/v1/tasks/{task}", headers=key)
    fetch(town, key)
    town.clock.set(NOW + timedelta(hours=2))
    town.intake(withdrawn(CODE))
    first, second = book(town)
    assert (first.opened_at, second.kind) == (NOW + timedelta(hours=1), "cancelled")
    assert (second.fetched_at, second.opened_at) == (None, None)
    town.clock.set(NOW + timedelta(hours=3))
    town.web.get(f"/api/v1/tasks/{task}", headers=key)
    fetch(town, key, after=1)
    first, second = book(town)
    assert first.opened_at == NOW + timedelta(hours=1)
    assert second.opened_at == second.fetched_at == NOW + timedelta(hours=3)


def test_a_day_is_a_local_one(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    assert book(town, day=DAY - timedelta(days=1)) == []
    assert book(town, day=DAY + timedelta(days=1)) == []
    assert book(town, "khong-co") == []
    assert len(book(town)) == 1


def test_not_ours_is_seen_in_the_books_of_both(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="x")
    assert [(each.kind, each.answer) for each in book(town)] == [
        ("assigned", "not_ours"),
        ("cancelled", None),
    ]


def test_each_side_sees_its_own_by_page_and_file(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    carry_here(town.web, town.service.web, ("agency", "phuong-1"))
    page = town.web.get(BOOK).text
    assert CODE in page
    assert "Giao việc" in page
    assert "Bé An" not in page
    assert CODE not in town.web.get(f"{BOOK}?ngay=28/2/2022").text
    assert "Không có tháng 13" in town.web.get(f"{BOOK}?ngay=03/13/2022").text
    carry_here(town.web, town.service.web, ("agency", "cong-an"))
    assert CODE not in town.web.get(f"{BOOK}?co_quan=phuong-1").text, "whatever is asked for"
    carry_here(town.web, town.service.web, ("officer", "phuong-1"))
    assert town.web.get(BOOK).status_code == 403
    carry_here(town.web, town.service.web, ("head", "phuong-1"))
    assert "Chọn cơ quan" in town.web.get(BOOK).text
    assert CODE in town.web.get(f"{BOOK}?co_quan=phuong-1").text
    other = town.web.get(f"{BOOK}?co_quan=phuong-1", headers=desk_key(town, "thue")).text
    assert CODE not in other, "another office's dossiers"
    file = town.web.get(f"{BOOK}.xlsx?co_quan=phuong-1&ngay=1/3/2022")
    assert file.headers["Content-Disposition"] == "attachment; filename=so-giao-nhan-20220301.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(file.data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1] == tuple(name for name, _ in COLUMNS)
    assert rows[2][:3] == ("1", "Giao việc", CODE)


def test_nothing_in_the_file_is_a_formula(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    (line,) = book(town)
    made = workbook([replace(line, dossier="=1+1")], DAY, "=1+1")
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    assert (sheet["C3"].value, sheet["C3"].data_type) == ("=1+1", "s")


def test_what_an_operator_has_withheld_stands_in_the_book_without_its_words(
    small_town: Town,
) -> None:
    town = small_town
    town.receive(CODE)
    with town.service.store.begin() as uow:
        send_nothing_instead(uow.connection, f"{ROUTING_TASKS} phuong-1", 1)
    (given,) = book(town)
    assert (given.kind, given.task, given.dossier) == ("fact.withheld", None, "")
