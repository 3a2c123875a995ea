"""«Not ours» by every door, and the coordination list by page and by REST."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.routing.storage.placing import measured
from services.routing.storage.standing import lines
from services.routing.storage.tables import tasks
from shared.events.names import wire
from shared.identity import keys
from tests.routing.test_agency_pages import send, token
from tests.routing.town import PERMIT, Town, withdrawn
from tests.routing.worlds import CALENDAR, NOW
from tests.staff import carry_here

CODE = "000.00.01.H20-220301-0001"
LIST = "/nhiem-vu/dieu-phoi"


def desk_key(town: Town, office: str = "phuong-1") -> dict[str, str]:
    with town.service.store.begin() as uow:
        _, text = keys.issue(uow, kind="desk", bound_to=office, label="test")
    return {"Authorization": f"Bearer {text}"}


def waiting(town: Town, key: dict[str, str]) -> list[dict[str, Any]]:
    reply = town.web.get("/api/v1/tasks/to-place", headers=key)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    items: list[dict[str, Any]] = reply.get_json()["items"]
    return items


def put(town: Town, key: dict[str, str], task: str, **body: str) -> Any:
    return town.web.post(f"/api/v1/tasks/{task}/placement", json=body, headers=key)


def listed(town: Town) -> str:
    """A dossier whose first step waits for the head; the id of its entry on the list."""
    town.receive(CODE)
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="việc của nơi khác")
    return str(town.one(CODE, "step.transferred")["next_task"])


def kinds(town: Town, agency: str) -> list[str]:
    return [each.type.removeprefix(wire("")).split(".v")[0] for each in town.queue(agency)]


def test_over_the_queue_it_ends_up_with_the_head_and_then_with_whom_he_names(town: Town) -> None:
    town.receive(CODE)
    old = town.task("phuong-1")
    town.answer("phuong-1", "not_ours", old, reason="việc của nơi khác")
    assert town.names(CODE).count("step.transferred") == 1
    (cancelled,) = town.queue("phuong-1")
    assert (cancelled.type, cancelled.data["task"]) == (wire("task.cancelled"), old)
    key = desk_key(town)
    (entry,) = waiting(town, key)
    assert (entry["dossier"], entry["step"]["code"]) == (CODE, "birth")
    assert entry["before"] == [{"agency": "phuong-1", "reason": "việc của nơi khác", "named": None}]
    done = put(town, key, entry["task"], agency="cong-an", reason="nhờ công an")
    assert done.get_json() == {"task": entry["task"], "agency": "cong-an"}
    town.rest()
    assert waiting(town, key) == []
    assigned, told = town.queue("cong-an")
    assert assigned.data["step"]["code"] == "birth"
    assert assigned.data["due_at"] == entry["due_at"]
    assert "nhờ công an" in told.data["note"]
    town.grant("cong-an", str(assigned.data["task"]), result_code="KQ.1")
    assert "card" in [data["step"]["code"] for n, data in town.facts(CODE) if n == "step.opened"]


def test_an_answer_to_the_task_that_was_handed_on_is_refused_and_told_by_its_door(
    town: Town,
) -> None:
    town.receive(CODE)
    old = town.task("phuong-1")
    given = town.answer("phuong-1", "not_ours", old, reason="x", agency="bhxh")
    town.queue("phuong-1")
    town.answer("phuong-1", "completed", old, outcome="granted")
    (told,) = town.queue("phuong-1")
    assert (told.type, told.data["rule"]) == (wire("task.answer_refused"), "already_transferred")
    assert told.data["state"] == "answered"
    town.answer("phuong-1", "not_ours", old, answer_id=given, reason="x", agency="bhxh")
    assert town.queue("phuong-1") == [], "the same answer again is harmless"
    assert town.names(CODE).count("step.transferred") == 1
    reply = town.web.post(
        f"/api/v1/tasks/{old}/answers",
        json={"answer_id": "muon", "kind": "taken"},
        headers=town.key("phuong-1"),
    )
    assert (reply.status_code, reply.get_json()["code"]) == (409, "already_transferred")


def test_over_https_a_slip_in_the_agency_is_told_and_the_task_stays(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    task, key = town.task("phuong-1"), town.key("phuong-1")

    def say(**body: str) -> Any:
        told = {"answer_id": town.ids.new(), "kind": "not_ours", "reason": "x"} | body
        return town.web.post(f"/api/v1/tasks/{task}/answers", json=told, headers=key)

    for agency, rule in (("cong-anh", "agency_unknown"), ("phuong-1", "agency_is_sender")):
        reply = say(agency=agency)
        assert reply.status_code == 422
        assert [(e["place"], e["rule"]) for e in reply.get_json()["errors"]] == [("agency", rule)]
    assert say(agency="cong-an").get_json()["state"] == "answered"
    shown = town.web.get(f"/api/v1/tasks/{task}", headers=key).get_json()
    assert (shown["state"], shown["outcome"], shown["form"]) == ("answered", None, {})


def test_the_list_is_the_heads_own_and_of_one_office(small_town: Town) -> None:
    town = small_town
    entry = listed(town)
    assert waiting(town, desk_key(town, "thue")) == []
    body = {"agency": "cong-an", "reason": "x"}
    assert put(town, desk_key(town, "thue"), entry, **body).status_code == 404
    assert put(town, town.key("phuong-1"), entry, **body).status_code == 403
    for role, status in (("officer", 403), ("agency", 403), ("head", 200)):
        carry_here(town.web, town.service.web, (role, "phuong-1"))
        assert town.web.get(LIST).status_code == status, role
        assert town.web.get("/api/v1/tasks/to-place").status_code == status, role


def test_what_is_wrong_with_a_placement_is_told(small_town: Town) -> None:
    town = small_town
    entry, key = listed(town), desk_key(town)
    reply = put(town, key, entry, agency="cong-an")
    assert reply.status_code == 422
    assert reply.get_json()["errors"][0]["place"] == "reason"
    reply = put(town, key, entry, agency="khong-co", reason="x")
    assert reply.get_json()["errors"][0]["rule"] == "agency_unknown"
    assert put(town, key, "khong-co", agency="cong-an", reason="x").status_code == 404
    for _ in range(2):
        assert put(town, key, entry, agency="cong-an", reason="x").status_code == 200
    assert put(town, key, entry, agency="bhxh", reason="x").get_json()["code"] == "already_placed"
    assert town.names(CODE).count("step.transferred") == 2


def test_withdrawn_or_placed_elsewhere_meanwhile_the_head_is_told_so(small_town: Town) -> None:
    town = small_town
    entry = listed(town)
    town.intake(withdrawn(CODE))
    reply = put(town, desk_key(town), entry, agency="cong-an", reason="x")
    assert (reply.status_code, reply.get_json()["code"]) == (409, "already_placed")
    assert waiting(town, desk_key(town)) == []


def test_the_head_places_a_step_by_the_page_and_nothing_typed_is_lost(small_town: Town) -> None:
    town = small_town
    entry = listed(town)
    carry_here(town.web, town.service.web, ("head", "phuong-1"))
    page = town.web.get(LIST).text
    for told in (CODE, "Bước birth", "Cơ quan phuong-1", "việc của nơi khác", "Còn 2 ngày"):
        assert told in page
    assert "Bé An" not in page, "nothing of the form"
    form = {"csrf_token": token(page), "agency": "", "reason": "nhờ công an"}
    wrong = town.web.post(f"{LIST}/{entry}", data=form)
    assert wrong.status_code == 422
    assert ">nhờ công an</textarea>" in wrong.text
    assert "Cơ quan làm:" in wrong.text
    done = town.web.post(f"{LIST}/{entry}", data=form | {"agency": "cong-an"})
    assert done.status_code == 303
    after = town.web.get(LIST).text
    assert "Đã giao việc cho Cơ quan cong-an." in after
    assert "Không có việc nào chờ điều phối." in after
    late = town.web.post(f"{LIST}/{entry}", data=form | {"agency": "bhxh"})
    assert late.status_code == 409
    assert "không còn chờ điều phối" in late.text


def test_an_officer_hands_a_task_on_by_a_button_that_asks_first(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    task = town.task("phuong-1")
    carry_here(town.web, town.service.web, ("agency", "phuong-1"))
    assert "Không thuộc thẩm quyền</summary>" in town.web.get(f"/nhiem-vu/{task}").text
    asked = send(town, task, "not_ours", reason="khác địa bàn", agency="bhxh")
    assert asked.status_code == 200
    assert "Chuyển việc này đi?" in asked.text
    assert '<option value="bhxh" selected>' in asked.text
    assert "step.transferred" not in town.names(CODE)
    assert send(town, task, "not_ours", agency="bhxh").status_code == 422, "without a reason"
    done = send(town, task, "not_ours", reason="khác địa bàn", agency="bhxh", sure="1")
    assert done.status_code == 303
    closed = town.web.get(f"/nhiem-vu/{task}").text
    assert "Đã chuyển đi: không thuộc thẩm quyền" in closed
    assert "Lê Thị Hoa" not in closed
    assert "Xem bản quét" not in closed, "the citizen's papers are not theirs any more"
    key = town.key("phuong-1")
    assert town.web.get(f"/api/v1/tasks/{task}/files", headers=key).status_code == 404
    assert "Đã chuyển đi" in town.web.get("/nhiem-vu/da-xong").text
    assert [each["named"]["code"] for n, each in town.facts(CODE) if n == "step.transferred"] == [
        "bhxh"
    ]


def test_status_and_measures_name_what_waits_for_a_head(small_town: Town) -> None:
    town = small_town
    store = town.service.store
    assert [each.value for each in measured(store)] == [0, 0]
    listed(town)
    town.clock.set(CALENDAR.add_days(NOW, 1))
    assert [each.value for each in measured(store)] == [1, 86_400]
    with store.read() as connection:
        told = [each for each in lines(connection, store.clock.now()) if "office" in each.name]
    (line,) = told
    assert (line.name, line.count) == ("office phuong-1", 1)
    assert line.act is not None
    assert "Điều phối" in line.act.vi


def test_a_step_that_nobody_holds_can_be_handed_on_to_the_head(small_town: Town) -> None:
    town = small_town
    town.receive(CODE, PERMIT)
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="không phải việc của phường")
    (entry,) = waiting(town, desk_key(town))
    assert entry["step"]["code"] == "consult"


def test_after_a_restart_the_list_is_as_it_was_and_each_task_is_kept_by_its_number(
    small_town: Town,
) -> None:
    entry = listed(small_town)
    small_town.close()
    town = Town(small_town.settings)
    assert [each["task"] for each in waiting(town, desk_key(town))] == [entry]
    assert put(town, desk_key(town), entry, agency="cong-an", reason="x").status_code == 200
    with town.service.store.read() as connection:
        rows = connection.execute(sa.select(tasks).order_by(tasks.c.number)).all()
    assert [(r.number, r.kind, r.agency, r.state, r.closed_by, r.named) for r in rows] == [
        (1, "task", "phuong-1", "answered", "transferred", None),
        (2, "placing", "phuong-1", "answered", "transferred", "cong-an"),
        (3, "task", "cong-an", "assigned", None, None),
    ]
    town.close()
