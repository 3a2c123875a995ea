"""A file of many dossiers: each row filed once by the desk's own rules, or answered with why not."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from services.intake.domain.statuses import Status
from services.intake.storage import imports
from services.intake.storage.tables import dossiers, import_answers, import_files, imported
from services.intake.usecases.importing import jobs, run
from services.intake.usecases.importing.jobs import Worker, repair_file
from services.intake.usecases.importing.run import Task, file_rows
from services.intake.usecases.importing.workbook import open_rows
from services.intake.usecases.prune import prune
from shared.events.intake import ContactGiven, DossierReceived, DossierRegistered
from shared.identity.audit import tables
from shared.kernel.errors import DatabaseAway, InvalidInput, NotFound
from tests.intake.files import HEADER, OFFICER, cells_of, csv_of, row, upload, work, xlsx_of
from tests.intake.made import CATALOGUE, OFFICE, OTHER_OFFICE, vn

MORE = [*HEADER, "Tiếp nhận lúc", "Tờ khai – bản chính", "Giấy tờ tùy thân – bản sao"]


def answers(desk, import_id):
    with desk.store.read() as connection:
        return imports.answers_of(connection, import_id)


def state(desk, import_id):
    with desk.store.read() as connection:
        return imports.find_import(connection, OFFICE.code, import_id, desk.clock.now())


def filed(desk) -> list[str]:
    with desk.store.read() as connection:
        return list(connection.scalars(sa.select(dossiers.c.code).order_by(dossiers.c.code)))


def outcomes(desk, import_id) -> list[str]:
    return [each.outcome for each in answers(desk, import_id)]


def test_rows_are_registered_by_the_officer_and_told_to_whom_it_concerns(desk):
    made = upload(desk, xlsx_of(row("a-1"), row("a-2", name="Trần Văn Hùng")))
    work(desk)
    assert state(desk, made).state == "done"
    codes = [each.dossier for each in answers(desk, made)]
    assert codes == filed(desk)
    first, second = map(desk.dossier, codes)
    assert (first.status, first.channel, first.received_at) == (Status.REGISTERED, "online", None)
    assert second.form["full_name"] == "Trần Văn Hùng"
    assert first.form["birth_date"] == "1990-05-04"
    assert [type(each) for each in desk.events(codes[0])] == [DossierRegistered, ContactGiven]
    assert {each.actor for each in desk.said(codes[0])} == {str(OFFICER)}


def test_an_instant_of_today_receives_it_then_and_the_date_is_reckoned_from_it(desk):
    rows = [
        [*row("a-1", channel="Trực tiếp"), "08:10", "1", "1"],
        [*row("a-2", channel="Bưu chính"), "01/03/2022 08:20", "1", "1"],
    ]
    made = upload(desk, csv_of(*rows, header=MORE))
    work(desk)
    direct, postal = (desk.dossier(each.dossier) for each in answers(desk, made))
    assert (direct.submitted_at, direct.received_at) == (vn(2022, 3, 1, 8, 10),) * 2
    assert direct.promised_at == vn(2022, 3, 8, 8, 10)
    assert (postal.channel, postal.received_at) == ("postal", vn(2022, 3, 1, 8, 20))
    assert [type(each) for each in desk.events(postal.code)] == [
        DossierRegistered,
        ContactGiven,
        DossierReceived,
    ]


@pytest.mark.parametrize(
    ("when", "channel", "said"),
    [
        ("28/02/2022 08:00", "Trực tuyến", "Chỉ ghi lúc của hôm nay (01/03/2022)"),
        ("09:30", "Trực tuyến", "không sau lúc này"),
        ("01/03/2022", "Trực tuyến", "Ghi giờ tiếp nhận"),
        ("25:00", "Trực tuyến", "Không đọc được"),
        ("", "Trực tiếp", "ghi giờ của hôm nay"),
    ],
)
def test_another_instant_is_refused_at_its_cell(embedded_desk, when, channel, said):
    made = upload(
        embedded_desk, csv_of([*row("a-1", channel=channel), when, "1", "1"], header=MORE)
    )
    work(embedded_desk)
    [answer] = answers(embedded_desk, made)
    assert [(each.column, each.title) for each in answer.reasons] == [("F", "Tiếp nhận lúc")]
    assert said in answer.reasons[0].vi
    assert filed(embedded_desk) == []


def test_a_second_run_adds_nothing_whatever_the_kind_of_file(desk):
    first = upload(desk, csv_of(row("a-1"), row("a-2")))
    work(desk)
    before = filed(desk)
    turned = [list(reversed(each)) for each in (row("a-1"), row("a-2"))]
    again = upload(desk, xlsx_of(*turned, header=list(reversed(HEADER))))
    work(desk)
    assert outcomes(desk, first) == ["added", "added"]
    assert outcomes(desk, again) == ["known", "known"]
    assert [each.dossier for each in answers(desk, again)] == before == filed(desk)


def test_another_content_under_a_number_that_is_taken_is_refused_and_told(desk):
    first = upload(desk, csv_of(row("a-1")))
    work(desk)
    again = upload(desk, csv_of(row("a-1", name="Trần Văn Hùng")))
    work(desk)
    [told] = answers(desk, again)
    assert told.outcome == "refused"
    assert told.reasons[0].column == "A"
    assert str(answers(desk, first)[0].dossier) in told.reasons[0].vi
    assert len(filed(desk)) == 1


def test_a_number_that_comes_twice_in_a_file_is_one_dossier(desk):
    made = upload(desk, csv_of(row("a-1"), row("a-1"), row("a-1", name="Trần Văn Hùng")))
    work(desk)
    assert outcomes(desk, made) == ["added", "known", "refused"]
    assert len(filed(desk)) == 1


def test_the_same_number_at_another_office_is_another_dossier(desk):
    upload(desk, csv_of(row("a-1")))
    work(desk)
    task = Task("i-2", OTHER_OFFICE.code, "1.000001", OFFICER)
    titles, rows = open_rows(csv_of(row("a-1")))
    [answer] = file_rows(desk.store, CATALOGUE, task, titles, list(rows))
    assert answer.outcome == "added"
    assert len(filed(desk)) == 2


def test_every_fault_of_a_row_is_told_with_line_column_and_reason(embedded_desk):
    header = [*HEADER, "Số định danh", "Diện tích (m2)", "Gấp", "helper_phone"]
    rows = [
        [*row("a-1"), "087090001234", "1.500", "có", "0907123456"],
        [*row("a-2", birth="31/02/1990", payer=""), "8709000123", "1.5", "đôi khi", "12"],
    ]
    made = upload(embedded_desk, csv_of(*rows, header=header))
    work(embedded_desk)
    good, bad = answers(embedded_desk, made)
    assert good.outcome == "added"
    held = embedded_desk.dossier(good.dossier)
    assert (held.form["area"], held.form["urgent"]) == (1500, True)
    assert held.form["id_number"] == "087090001234"
    assert (bad.line, bad.number) == (3, "a-2")
    assert [(each.column, each.title) for each in bad.reasons] == [("H", "Gấp")]
    mended = [rows[0], [*rows[1][:7], "không", rows[1][8]]]
    again = upload(embedded_desk, csv_of(*mended, header=header))
    work(embedded_desk)
    told = {each.column: each.vi for each in answers(embedded_desk, again)[1].reasons}
    assert set(told) == {"C", "E", "F", "G", "I"}
    assert "1.5 có thể là 1,5 hoặc 15" in told["G"]


def test_missing_papers_of_a_received_row_are_told_at_their_column(embedded_desk):
    made = upload(
        embedded_desk,
        csv_of([*row("a-1", channel="Trực tiếp"), "08:00", "", "1"], header=MORE),
    )
    work(embedded_desk)
    [answer] = answers(embedded_desk, made)
    assert [each.column for each in answer.reasons] == ["G"]
    assert "Thiếu «Tờ khai»" in answer.reasons[0].vi


def test_the_parts_of_a_procedure_are_chosen_or_left_as_is_usual(embedded_desk):
    header = [*HEADER, "Việc: Việc chính", "b.extra"]
    rows = [
        [*row("a-1"), "", ""],
        [*row("a-2"), "Không", "x"],
        [*row("a-3"), "Không", ""],
    ]
    made = upload(embedded_desk, csv_of(*rows, header=header))
    work(embedded_desk)
    usual, other, none = answers(embedded_desk, made)
    assert embedded_desk.dossier(usual.dossier).branches == ("main",)
    assert embedded_desk.dossier(other.dossier).branches == ("extra",)
    assert none.reasons[0].column == "F"


# --- a run that is broken off -----------------------------------------------------------------


def test_a_run_that_was_broken_off_goes_on_and_loses_and_doubles_nothing(desk, monkeypatch):
    monkeypatch.setattr(jobs, "SLICE", 3)
    made = upload(desk, csv_of(*(row(f"a-{n}") for n in range(10))))
    killed = Worker(desk.store, CATALOGUE)
    killed.advance()
    # The next slice is filed; the process ends before it says so.
    monkeypatch.setattr(imports, "keep_answers", _away)
    with pytest.raises(DatabaseAway):
        killed.advance()
    monkeypatch.undo()
    assert (len(filed(desk)), len(answers(desk, made))) == (6, 3)
    assert work(desk) == 0  # another process leaves it to the one that may still live
    desk.clock.advance(imports.LEASE + timedelta(seconds=1))
    work(desk)
    assert state(desk, made).state == "done"
    assert outcomes(desk, made) == ["added"] * 10
    assert len(filed(desk)) == 10


def _away(*_):
    raise DatabaseAway("gone")


def test_a_worker_whose_database_was_away_goes_on_with_its_own_import_at_once(desk, monkeypatch):
    made = upload(desk, csv_of(row("a-1")))
    worker = Worker(desk.store, CATALOGUE)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(jobs, "file_rows", _away)
        with pytest.raises(DatabaseAway):
            worker.advance()
    worker.advance()
    assert outcomes(desk, made) == ["added"]


def test_the_service_works_through_what_is_handed_in_by_itself(desk):
    made = upload(desk, csv_of(row("a-1")))
    desk.rest()
    assert outcomes(desk, made) == ["added"]


def test_a_row_that_meets_a_defect_stops_no_other(embedded_desk, monkeypatch):
    real = run.submit

    def breaks(uow, catalogue, command, **more):
        if command.contact.name == "Lỗi":
            raise RuntimeError("a defect")
        return real(uow, catalogue, command, **more)

    monkeypatch.setattr(run, "submit", breaks)
    made = upload(embedded_desk, csv_of(row("a-1", payer="Lỗi"), row("a-2")))
    work(embedded_desk)
    assert outcomes(embedded_desk, made) == ["refused", "added"]


# --- the file to repair -----------------------------------------------------------------------


def test_the_bad_rows_come_back_with_reasons_and_are_taken_as_soon_as_they_are_mended(desk):
    header = [*HEADER, "Mục đích", "Diện tích (m2)"]
    rows = [
        [*row("a-1"), "học", 2],
        [*row("a-2", birth="32/01/1990"), "=HYPERLINK(1)", 1250.5],
        [*row("a-3", name=""), "", 1.125],
    ]
    made = upload(desk, xlsx_of(*rows, header=header))
    work(desk)
    content = repair_file(desk.store, CATALOGUE, OFFICE.code, made, desk.clock.now())
    titles, *bad = cells_of(content)
    assert titles[1:] == header
    assert [each[1] for each in bad] == ["a-2", "a-3"]
    assert "Cột F (Mục đích): Ô này là công thức" in bad[0][0]
    again = upload(desk, content)  # as it is: nothing of it is taken, all is told again
    work(desk)
    assert outcomes(desk, again) == ["refused", "refused"]
    assert [each.reasons[0].column for each in answers(desk, again)] == ["G", "E"]
    bad[0][5:7] = ["31/01/1990", "làm"]
    bad[1][4], bad[1][7] = "Trần Văn Hùng", "1,12"
    mended = upload(desk, xlsx_of(*bad, header=titles))
    work(desk)
    assert outcomes(desk, mended) == ["added", "added"]
    held = [desk.dossier(each.dossier).form["area"] for each in answers(desk, mended)]
    assert held == [1250.5, 1.12]


def test_nothing_that_came_from_outside_is_a_formula_in_a_file_that_goes_out(embedded_desk):
    header = [*HEADER, "=1+1"]
    with pytest.raises(InvalidInput):
        upload(embedded_desk, csv_of([*row("a-1"), "x"], header=header))
    made = upload(embedded_desk, csv_of(row("=cmd|' /C calc'!A0"), row("a-2", name="=1+1")))
    work(embedded_desk)
    content = repair_file(
        embedded_desk.store, CATALOGUE, OFFICE.code, made, embedded_desk.clock.now()
    )
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    kinds = {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value}
    assert kinds == {"s"}
    assert sheet["B2"].value == "=cmd|' /C calc'!A0"


# --- whose it is, and for how long ------------------------------------------------------------


def test_an_import_is_its_offices_own_and_ends_after_a_day(desk):
    made = upload(desk, csv_of(row("a-1"), row("a-2", name="")))
    work(desk)
    now = desk.clock.now()
    for office, at in ((OTHER_OFFICE.code, now), (OFFICE.code, now + imports.KEPT)):
        with pytest.raises(NotFound):
            repair_file(desk.store, CATALOGUE, office, made, at)
    desk.clock.advance(imports.KEPT + timedelta(seconds=1))
    assert ("imports", 1) in [
        (each.what, each.count) for each in prune(desk.store, desk.service.settings)
    ]
    with desk.store.read() as connection:
        left = [
            connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (import_files, import_answers, imported)
        ]
    assert left == [0, 0, 1]
    again = upload(desk, csv_of(row("a-1")))
    work(desk)
    assert outcomes(desk, again) == ["known"]


def test_a_file_without_a_bad_row_is_let_go_of_at_once(embedded_desk):
    upload(embedded_desk, csv_of(row("a-1")))
    work(embedded_desk)
    with embedded_desk.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(import_files)) == 0


def test_the_same_form_sent_twice_is_one_import_and_an_office_has_few_at_once(desk):
    content = csv_of(row("a-1"))
    assert upload(desk, content, token="t") == upload(desk, content, token="t")
    for number in range(jobs.MOST_OPEN - 1):
        upload(desk, content, token=f"t-{number}")
    with pytest.raises(InvalidInput, match="under way"):
        upload(desk, content, token="one more")
    assert upload(desk, content, token="t") == upload(desk, content, token="t")


def test_what_was_added_is_in_the_access_log_under_the_officers_name(desk):
    made = upload(desk, csv_of(row("a-1")))
    work(desk)
    with desk.store.read() as connection:
        [noted] = connection.execute(sa.select(tables.LOG)).all()
    assert (noted.actor, noted.act) == (str(OFFICER), "import dossiers")
    assert noted.things.split() == [made, *filed(desk)]


def test_a_procedure_that_is_not_offered_any_more_refuses_its_rows(embedded_desk):
    task = Task("i-1", OFFICE.code, "1.000001", OFFICER)
    titles, rows = open_rows(csv_of(row("a-1")))
    [answer] = file_rows(
        embedded_desk.store, CATALOGUE, replace(task, procedure="1.000004"), titles, list(rows)
    )
    assert "không tiếp nhận thủ tục này" in answer.reasons[0].vi
