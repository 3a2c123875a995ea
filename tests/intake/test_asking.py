"""The desk asks for papers in statuses 1, 2 and 4: the clock stands after reception, by the procedure's rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from services.intake.domain import citizen, expiry, progress, reception
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.statuses import Status
from services.intake.domain.waits import actions
from shared.events.intake import SupplementLapsed, SupplementReminded, SupplementRequested
from shared.events.parts import ProcedureName
from shared.events.routing import DossierStarted
from shared.kernel.errors import NotAllowed
from tests.intake.made import CODE, NOW, OFFICE, PROCEDURE, RESTARTING, around, dossier, vn
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words

BY = vn(2022, 3, 4, 17)
STARTED = DossierStarted(
    dossier=CODE, procedure=ProcedureName(code="1.0", name="n"), started_at=NOW
)


def asked(one: Dossier, at: datetime = NOW, procedure=PROCEDURE, **more) -> Dossier:
    told = {"items": ["Tờ khai"], "reason": "chưa ký"} | more
    return reception.request_supplement(one, around(at, procedure), **told).state


def brought(one: Dossier, at: datetime, procedure=PROCEDURE) -> Dossier:
    papers = [PaperCount("to-khai", 1, 0)]
    return citizen.supplement(one, around(at, procedure), papers=papers).state


@pytest.mark.parametrize(
    ("begun", "status"), [(False, Status.RECEIVED), (True, Status.PROCESSING)], ids=["2", "4"]
)
def test_after_reception_it_waits_in_5_and_goes_back_to_where_it_came_from(begun, status):
    one = progress.started(dossier(), STARTED, around()).state if begun else dossier()
    waiting = asked(one, vn(2022, 3, 2, 9), respond_by=BY)
    assert (waiting.status, waiting.underlying) == (Status.SUPPLEMENT, status)
    assert waiting.paused_since == vn(2022, 3, 2, 9)
    back = brought(waiting, vn(2022, 3, 3, 9))
    assert back.status is status
    assert back.promised_at == vn(2022, 3, 8, 9), "the first promise stays"
    assert back.due_at == back.adjusted_due_at == vn(2022, 3, 9, 9), "a working day stood still"


def test_where_the_procedure_says_so_the_whole_time_begins_again():
    one = dossier(procedure=RESTARTING)
    assert one.due_at == vn(2022, 3, 4, 9)
    waiting = asked(one, vn(2022, 3, 2, 9), RESTARTING)
    assert brought(waiting, vn(2022, 3, 3, 9), RESTARTING).due_at == vn(2022, 3, 8, 9)


def test_before_reception_no_clock_is_touched():
    waiting = asked(dossier("online"))
    assert (waiting.status, waiting.pauses) == (Status.SUPPLEMENT, ())
    assert brought(waiting, NOW).status is Status.REGISTERED


def test_it_is_asked_only_where_nothing_is_awaited_and_nothing_has_ended():
    assert "request-supplement" not in actions(asked(dossier()))
    for status in (Status.RESOLVED, Status.WITHDRAWN, Status.STOPPED, Status.RETURNED):
        with pytest.raises(NotAllowed):
            asked(replace(dossier(), status=status))


def test_papers_that_never_come_after_reception_are_told_to_routing_which_ends_it():
    waiting = asked(dossier(), respond_by=BY)
    reminded = expiry.pass_time(waiting, around(vn(2022, 3, 3, 17)))
    assert [type(each) for each in reminded.events] == [SupplementReminded]
    lapsed = expiry.pass_time(reminded.state, around(BY))
    (event,) = lapsed.events
    assert isinstance(event, SupplementLapsed)
    assert (event.step, event.round, event.lapsed_at) == (None, 1, BY)
    assert lapsed.state.status is Status.RECEIVED
    assert lapsed.state.paused_since is None, "the clock runs until routing says what follows"


def test_a_request_of_before_the_reception_is_not_closed_after_it():
    old = asked(dossier("online"), respond_by=BY)
    later = replace(old, received_at=vn(2022, 3, 2, 9), underlying=Status.RECEIVED)
    assert expiry.pass_time(later, around(BY)).events == ()


def test_an_agency_that_asks_in_the_same_instant_has_the_same_round_and_both_are_met_together():
    one = progress.started(dossier(), STARTED, around()).state
    event = SupplementRequested(
        dossier=CODE, round=1, step="check", agency=AGENCY, items=("Giấy chứng sinh",), reason="mờ",
        requested_at=NOW,
    )  # fmt: skip
    both = progress.papers_requested(asked(one), event, around()).state
    assert [w.asked_by for w in both.open_waits] == ["desk", "routing"]
    back = brought(both, vn(2022, 3, 2, 9))
    assert (back.status, back.open_waits, back.paused_since) == (Status.PROCESSING, (), None)
    assert reception.rounds_asked(back) == 1


def test_the_page_asks_after_reception_and_says_that_it_worked(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    code = embedded_desk.submit()
    embedded_desk.started(code)
    page = words(officer.get(f"/ho-so/{code}"))
    assert "Thời hạn giải quyết tạm dừng từ lúc gửi" in page
    typed = {"items": "Giấy chứng sinh", "reason": "mờ", "respond_by": "2022-03-04"}
    answer = officer.post(f"/ho-so/{code}/request-supplement", typed)
    assert answer.status_code == 303
    after = words(officer.get(answer.location))
    assert "Đã gửi yêu cầu bổ sung; công dân được báo." in after
    assert "dừng lại và công dân được báo" in after
    paper = words(officer.get(f"/ho-so/{code}/phieu-bo-sung"))
    assert "Thời gian chờ bổ sung không tính vào hạn giải quyết" in paper
    assert embedded_desk.dossier(code).status is Status.SUPPLEMENT


def test_a_late_dossiers_page_names_the_date_that_counts(embedded_desk):
    from shared.events.routing import DossierExtended

    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    code = embedded_desk.submit()
    assert "Hẹn trả lần đầu 09:00" in words(officer.get(f"/ho-so/{code}"))
    for number, due in ((1, vn(2022, 3, 9, 9)), (2, vn(2022, 3, 10, 15))):
        embedded_desk.hear(
            DossierExtended(
                dossier=code, agency=AGENCY, reason="chờ", promised_at=vn(2022, 3, 8, 9), due_at=due,
                extended_at=embedded_desk.clock.now(), number=number,
            )
        )  # fmt: skip
    page = words(officer.get(f"/ho-so/{code}"))
    assert "Hẹn trả lần đầu (không còn tính) 09:00 ngày 08/03/2022" in page
    assert "Ngày đang tính, theo thư xin lỗi lần 2 15:00 ngày 10/03/2022" in page


def test_no_page_that_takes_a_form_answers_405_when_it_is_loaded_again(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    methods: dict[str, set[str]] = {}
    for rule in embedded_desk.web.url_map.iter_rules():
        methods.setdefault(rule.rule, set()).update(rule.methods or ())
    forms = [path for path, ways in methods.items() if "POST" in ways and "/api/" not in path]
    assert len(forms) > 10
    for path in forms:
        filled = path.replace("<string:code>", "1.000001").replace("<string:act>", "refuse")
        assert officer.get(filled.replace("<string:draft_id>", "x")).status_code != 405, path
