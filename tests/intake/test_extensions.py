"""An agency asks for more time: it stands on the head's list until it is decided or falls away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.intake.domain import extensions, progress
from services.intake.domain.waits import actions
from shared.events.intake import ExtensionGranted, ExtensionRefused
from shared.events.parts import Step
from shared.events.routing import ExtensionDropped, ExtensionRequested
from shared.kernel.errors import InvalidInput, NotAllowed
from tests.intake.made import CODE, NOW, OFFICE, around, vn
from tests.intake.rig import Desk
from tests.intake.test_dossier import AGENCY, after, result, working
from tests.intake.test_pages import Browser

DUE, UNTIL, NEW = vn(2022, 3, 4, 9), vn(2022, 3, 10, 9), vn(2022, 3, 14, 9)
TASK = "0195a7c0-0000-7000-8000-00000000aa01"


def asked(code: str = CODE, task: str = TASK) -> ExtensionRequested:
    return ExtensionRequested(
        dossier=code, step=Step(code="check", name="Thẩm định"), agency=AGENCY, task=task,
        reason="Phải xác minh", due_at=DUE, until=UNTIL, new_due_at=NEW, requested_at=NOW,
    )  # fmt: skip


def pending():
    return after(progress.time_asked(working(), asked(), around()))


def test_the_head_grants_what_the_agency_asked_for():
    decision = extensions.grant(pending(), around())
    (told,) = decision.events
    assert isinstance(told, ExtensionGranted)
    assert (told.task, told.until, told.reason) == (TASK, UNTIL, "Phải xác minh")
    assert not after(decision).time_asked
    assert after(decision).due_at == working().due_at, "routing says what that does to the date"


def test_the_head_refuses_it_with_a_reason():
    (told,) = extensions.refuse(pending(), around(), reason="Công dân cần gấp").events
    assert isinstance(told, ExtensionRefused)
    assert told.reason == "Công dân cần gấp"
    with pytest.raises(InvalidInput):
        extensions.refuse(pending(), around(), reason=" ")


def test_of_several_requests_one_must_be_named():
    both = after(progress.time_asked(pending(), asked(task="other"), around()))
    with pytest.raises(InvalidInput) as told:
        extensions.grant(both, around())
    assert told.value.faults[0].place == "task"
    assert [
        each.task for each in after(extensions.grant(both, around(), task=TASK)).time_asked
    ] == ["other"]


def test_it_is_decided_before_the_steps_date_or_not_at_all():
    with pytest.raises(NotAllowed):
        extensions.grant(pending(), around(DUE))
    gone = ExtensionDropped(dossier=CODE, task=TASK, dropped_at=DUE)
    assert not after(progress.time_not_asked(pending(), gone, around(DUE))).time_asked


def test_an_end_leaves_nothing_to_decide():
    ended = after(progress.resolved(pending(), result(), around()))
    assert not ended.time_asked
    assert "grant-extension" not in actions(ended)


def test_the_heads_list_and_page(desk: Desk):
    code = desk.submit()
    desk.started(code)
    desk.hear(asked(code))
    officer, head = (Browser(desk, (role, OFFICE.code)) for role in ("officer", "head"))
    assert code in head.get("/ho-so?xem=xin-gia-han").text
    page = officer.get(f"/ho-so/{code}").text
    assert "xin gia hạn" in page
    assert "Không đồng ý" not in page, "an officer sees it and may not decide"
    assert officer.post(f"/ho-so/{code}/grant-extension").status_code == 403
    assert "Không đồng ý" in head.get(f"/ho-so/{code}").text
    wrong = head.post(f"/ho-so/{code}/refuse-extension", {"reason": "", "task": TASK})
    assert wrong.status_code == 422
    done = head.post(f"/ho-so/{code}/grant-extension", {"task": TASK})
    assert done.status_code == 303
    assert code not in head.get("/ho-so?xem=xin-gia-han").text
    assert [each.task for each in desk.events(code) if isinstance(each, ExtensionGranted)] == [TASK]


def test_the_door_grants_and_refuses_and_says_what_it_may_not(desk: Desk):
    code = desk.submit()
    assert desk.http("POST", f"/dossiers/{code}/grant-extension", {}).status_code == 409
    desk.started(code)
    desk.hear(asked(code))
    desk.clock.set(DUE + timedelta(minutes=1))
    late = desk.http("POST", f"/dossiers/{code}/grant-extension", {})
    assert (late.status_code, "Hạn của bước đã qua" in late.text) == (409, True)
