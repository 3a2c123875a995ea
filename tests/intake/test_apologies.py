"""Missed dates at the desk: the prepared apology, the head's own, the clock's, and the list of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake.domain import apologies, progress
from services.intake.domain.dossier import Dossier
from services.intake.domain.lateness import late
from services.intake.domain.waits import actions
from shared.events.intake import DossierApologised, ResultConfirmed
from shared.events.routing import ApologyDue, DeadlineMissed
from shared.kernel.clock import format_instant
from shared.kernel.errors import InvalidInput, NotAllowed
from tests.intake.made import CODE, OFFICE, around, vn
from tests.intake.rig import Desk
from tests.intake.test_dossier import AGENCY, after, extension, result, working
from tests.intake.test_pages import Browser

DUE = vn(2022, 3, 8, 9)
NEW = vn(2022, 3, 10, 9)
SOON = DUE + timedelta(minutes=1)


def date_missed(code: str = CODE, due_at: datetime = DUE) -> DeadlineMissed:
    return DeadlineMissed(
        dossier=code, scope="dossier", agency=AGENCY, due_at=due_at, at=due_at,
        cause="Chưa làm xong việc: Thẩm định", new_due_at=NEW, apology_at=vn(2022, 3, 8, 14),
    )  # fmt: skip


def apology_due(code: str = CODE, missed_at: datetime = DUE, due_at: datetime = NEW) -> ApologyDue:
    return ApologyDue(
        dossier=code, agency=AGENCY, reason="Chưa làm xong việc: Thẩm định", missed_at=missed_at,
        due_at=due_at, at=missed_at + timedelta(hours=5),
    )  # fmt: skip


def overdue() -> Dossier:
    """A dossier whose date has passed and whose apology is prepared."""
    return after(progress.date_missed(working(), date_missed(), around(SOON)))


def test_the_apology_is_prepared_with_the_cause_and_who_is_late():
    held = overdue()
    assert held.missed is not None
    assert (held.missed.agency, held.missed.cause) == (AGENCY.code, "Chưa làm xong việc: Thẩm định")
    assert held.unapologised
    assert "apologise" in actions(held)
    assert held.due_at == held.promised_at == DUE


def test_where_nobody_names_a_date_the_clocks_counts():
    decision = progress.apology_due(overdue(), apology_due(), around(vn(2022, 3, 8, 14)))
    held = after(decision)
    (told,) = decision.events
    assert isinstance(told, DossierApologised)
    assert (told.by, told.missed_at, told.due_at, told.number) == ("clock", DUE, NEW, 1)
    assert (held.promised_at, held.due_at, held.adjusted_due_at) == (DUE, NEW, DUE)
    assert late(held.adjusted_due_at, vn(2022, 3, 9, 9)), "the first promise is what is measured"
    assert not held.unapologised
    assert "apologise" not in actions(held)


def test_the_head_names_the_date_and_the_clocks_comes_too_late():
    decision = apologies.apologise(overdue(), around(SOON), reason="Xác minh lâu", due_at=NEW)
    held = after(decision)
    (told,) = decision.events
    assert isinstance(told, DossierApologised)
    assert (told.by, told.agency, told.reason) == ("head", AGENCY, "Xác minh lâu")
    assert [each.by for each in held.extensions] == ["head"]
    assert progress.apology_due(held, apology_due(), around(SOON)).note == apologies.NAMED_BEFORE


def test_a_new_date_lies_ahead_in_the_offices_hours_and_has_a_reason():
    for wrong in ({"reason": " ", "due_at": NEW}, {"reason": "x", "due_at": None}):
        with pytest.raises(InvalidInput):
            apologies.apologise(overdue(), around(SOON), **wrong)
    with pytest.raises(InvalidInput) as told:
        apologies.apologise(overdue(), around(SOON), reason="x", due_at=vn(2022, 3, 7, 9))
    assert told.value.faults[0].place == "due_at"
    with pytest.raises(InvalidInput):
        apologies.apologise(overdue(), around(SOON), reason="x", due_at=vn(2050, 3, 7, 9))
    at_night = after(
        apologies.apologise(overdue(), around(SOON), reason="x", due_at=vn(2022, 3, 10, 23))
    )
    assert at_night.due_at == vn(2022, 3, 10, 17, 30)


def test_nobody_apologises_for_a_date_that_was_kept_or_moved():
    with pytest.raises(NotAllowed):
        apologies.apologise(working(), around(SOON), reason="x", due_at=NEW)
    moved = after(progress.extended(overdue(), extension(SOON, NEW), around(SOON)))
    assert moved.extensions[0].missed_at == DUE
    assert not moved.unapologised
    assert progress.date_missed(moved, date_missed(), around(SOON)).state is None
    assert progress.apology_due(moved, apology_due(), around(SOON)).state is None
    done = after(progress.resolved(working(), result(DUE), around(DUE)))
    assert progress.apology_due(done, apology_due(), around(SOON)).state is None


def test_the_agencys_date_and_the_heads_at_once_are_both_kept_and_the_last_word_is_intakes():
    held = after(apologies.apologise(overdue(), around(SOON), reason="x", due_at=NEW))
    later = vn(2022, 3, 14, 9)
    both = after(progress.extended(held, extension(SOON, later), around(SOON)))
    assert [(e.by, e.number) for e in both.extensions] == [("head", 1), ("agency", 2)]
    assert both.due_at == later


def test_a_result_on_a_later_day_comes_with_its_apology_and_one_of_the_same_day_without():
    same_day = progress.resolved(overdue(), result(vn(2022, 3, 8, 16)), around(SOON))
    assert not [e for e in same_day.events if isinstance(e, DossierApologised)]
    at = vn(2022, 3, 9, 8)
    told = progress.resolved(overdue(), proposed(at), around(at))
    apology, confirmed = told.events
    assert isinstance(apology, DossierApologised)
    assert isinstance(confirmed, ResultConfirmed)
    assert (apology.due_at, apology.reason) == (None, apologies.CAME_LATE)
    assert not after(told).extensions[0].gives_time
    on_time = progress.resolved(after(progress.apology_due(overdue(), apology_due(), around(SOON))),
                                proposed(at), around(at))  # fmt: skip
    assert len(on_time.events) == 1, "apologised for once, not twice"


def proposed(at: datetime) -> Any:
    told = result(at)
    return type(told)(dossier=told.dossier, results=told.results, resolved_at=at, proposed=True)


# --- through the doors ----------------------------------------------------------------------------


def missed_at_the_desk(desk: Desk) -> tuple[str, datetime]:
    """A dossier whose date has passed, as routing tells it."""
    code = desk.submit()
    due_at = desk.dossier(code).due_at
    assert due_at is not None
    desk.clock.set(due_at + timedelta(minutes=1))
    desk.hear(date_missed(code, due_at))
    return code, due_at


def test_the_list_holds_what_is_late_without_an_apology_and_nothing_else(desk: Desk):
    code, _ = missed_at_the_desk(desk)
    clerk = desk.browser(("head", OFFICE.code))
    listed = clerk.get("/ho-so?xem=qua-han").text
    assert code in listed
    page = clerk.get(f"/ho-so/{code}").text
    assert "Đã lỡ ngày hẹn, chưa xin lỗi" in page
    assert "Chưa làm xong việc: Thẩm định" in page
    new = format_instant(desk.clock.now() + timedelta(days=4))
    told = desk.http("POST", f"/dossiers/{code}/apologise", {"reason": "lâu", "due_at": new})
    assert told.status_code == 200, told.json
    assert code not in clerk.get("/ho-so?xem=qua-han").text
    again = desk.http("POST", f"/dossiers/{code}/apologise", {"reason": "lâu", "due_at": new})
    assert again.status_code == 409


def test_the_head_apologises_on_the_page_and_an_officer_may_not(desk: Desk):
    code, _ = missed_at_the_desk(desk)
    officer, head = (Browser(desk, (role, OFFICE.code)) for role in ("officer", "head"))
    assert "Xin lỗi và hẹn lại" in head.get(f"/ho-so/{code}").text
    assert "Xin lỗi và hẹn lại" not in officer.get(f"/ho-so/{code}").text
    typed = {"reason": "Xác minh lâu", "due_at": "2022-03-15T09:00"}
    assert officer.post(f"/ho-so/{code}/apologise", typed).status_code == 403
    wrong = head.post(f"/ho-so/{code}/apologise", {**typed, "due_at": "2022-02-15T09:00"})
    assert wrong.status_code == 422
    assert "Xác minh lâu" in wrong.text, "what was typed is kept"
    done = head.post(f"/ho-so/{code}/apologise", typed)
    assert (done.status_code, done.location) == (303, f"/ho-so/{code}/phieu-xin-loi")
    paper = head.get(done.location).text
    assert "Xác minh lâu" in paper
    assert "09:00" in paper
    assert desk.dossier(code).due_at == vn(2022, 3, 15, 9)
