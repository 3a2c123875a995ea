"""The agencies' API: catch-up, tasks, answers, and that no key opens another agency's tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.routing.domain.submission import KINDS as OVER_HTTP
from services.routing.on import ANSWERS, TABLE
from shared.events.registry import KINDS, kind_of
from shared.identity import keys
from shared.identity.guard import assert_every_route_is_guarded
from shared.messaging.tables import DONE
from tests.routing.town import Town

CODE = "000.00.01.H20-220301-0001"
GRANT = {"answer_id": "a-1", "kind": "completed", "outcome": "granted", "result_code": "KQ.1"}


def post(town: Town, task: str, key: dict[str, str], **body: Any) -> Any:
    return town.web.post(f"/api/v1/tasks/{task}/answers", json=body, headers=key)


def test_an_agency_that_missed_something_gets_the_very_messages_it_missed(town: Town) -> None:
    for number in (1, 2, 3):
        town.receive(f"000.00.01.H20-220301-000{number}")
    key = town.key("phuong-1")
    sent = [m.id for m in town.queue("phuong-1")]
    page = town.web.get("/api/v1/tasks?after=0&limit=2", headers=key).get_json()
    assert [m["id"] for m in page["items"]] == sent[:2]
    assert (page["next"], page["more"]) == (2, True)
    rest = town.web.get("/api/v1/tasks?after=2", headers=key).get_json()
    assert [m["id"] for m in rest["items"]] == sent[2:]
    assert rest["items"][0]["sequence"] == "0000000003"
    assert (rest["next"], rest["more"]) == (3, False)
    assert town.web.get("/api/v1/tasks?after=3", headers=key).get_json()["items"] == []


def test_an_answer_over_http_moves_the_journey_on(town: Town) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    reply = post(town, task, key, **GRANT)
    assert reply.status_code == 200
    assert reply.get_json() == {
        "answer_id": "a-1",
        "task": task,
        "kind": "completed",
        "applied": True,
        "state": "answered",
        "note": None,
    }
    town.rest()
    assert town.queue("cong-an")
    (row,) = town.inbox("routing.answers")
    assert (row.state, row.subject, row.source) == (DONE, task, "/agencies/phuong-1")
    assert json.loads(row.body)["data"]["result_code"] == "KQ.1"


def test_the_same_answer_again_gets_the_same_reply_and_another_body_is_a_conflict(
    town: Town,
) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    first = post(town, task, key, **GRANT)
    again = post(town, task, key, **GRANT)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    other = post(town, task, key, **GRANT | {"document": "99"})
    assert (other.status_code, other.get_json()["code"]) == (409, "answer_id_used")
    assert town.names(CODE).count("step.answered") == 1


def test_an_answer_may_be_repeated_by_the_other_door(town: Town) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    fields = {"outcome": "granted", "result_code": "KQ.1"}
    town.answer("phuong-1", "completed", task, answer_id="a-1", **fields)
    assert post(town, task, key, **GRANT).get_json()["applied"] is True
    town.answer("phuong-1", "completed", task, answer_id="a-1", **fields)
    assert town.names(CODE).count("step.answered") == 1


def test_an_answer_that_does_not_fit_any_more_changes_nothing_and_says_so(town: Town) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    post(town, task, key, **GRANT)
    late = post(town, task, key, answer_id="a-2", kind="refused", reason="muộn")
    assert (late.status_code, late.get_json()["code"]) == (409, "already_answered")
    assert late.get_json()["errors"][0]["rule"] == "already_answered"


def test_a_task_is_shown_with_what_its_step_shares_until_it_is_closed(town: Town) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    shown = town.web.get(f"/api/v1/tasks/{task}", headers=key).get_json()
    assert shown["form"] == {"child": "Bé An", "mother": "Lê Thị Hoa"}
    assert shown["results"] == ["KQ.1"]
    assert shown["step"] == {"code": "birth", "name": "Bước birth"}
    post(town, task, key, **GRANT)
    closed = town.web.get(f"/api/v1/tasks/{task}", headers=key).get_json()
    assert (closed["state"], closed["form"]) == ("answered", {})


def test_tasks_are_listed_by_state(town: Town) -> None:
    town.receive(CODE)
    town.receive("000.00.01.H20-220301-0002")
    key, task = town.key("phuong-1"), town.task("phuong-1")
    post(town, task, key, answer_id="t", kind="taken")
    open_ones = town.web.get("/api/v1/tasks?state=open", headers=key).get_json()["items"]
    assert sorted(each["state"] for each in open_ones) == ["assigned", "taken"]
    (taken,) = town.web.get("/api/v1/tasks?state=taken", headers=key).get_json()["items"]
    assert taken["task"] == task
    both = town.web.get("/api/v1/tasks?state=open&after=1", headers=key)
    assert both.status_code == 422


def _routes(task: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("GET", "/api/v1/tasks?after=0", None),
        ("GET", "/api/v1/tasks?state=open", None),
        ("GET", f"/api/v1/tasks/{task}", None),
        ("GET", f"/api/v1/tasks/{task}/files", None),
        ("POST", f"/api/v1/tasks/{task}/answers", GRANT),
        ("GET", "/api/v1/tasks/day-sums", None),
        ("POST", "/api/v1/tasks/day-sums", {"days": []}),
        ("GET", "/api/v1/tasks/evidence", None),
        ("GET", "/nhiem-vu", None),
        ("GET", "/api/v1/tasks?state=near", None),
        ("GET", "/nhiem-vu/sap-den-han", None),
        ("GET", "/nhiem-vu/da-xong", None),
        ("GET", f"/nhiem-vu/{task}", None),
        ("POST", f"/nhiem-vu/{task}/tra-loi", None),
    ]


def _of_heads(task: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("GET", "/api/v1/tasks/to-place", None),
        ("POST", f"/api/v1/tasks/{task}/placement", {"agency": "cong-an", "reason": "x"}),
        ("GET", "/nhiem-vu/dieu-phoi", None),
        ("POST", f"/nhiem-vu/dieu-phoi/{task}", None),
        ("GET", "/nhiem-vu/cac-co-quan", None),
    ]


def test_what_is_a_heads_opens_to_no_agency_and_to_no_other_office(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="x")
    task = str(town.one(CODE, "step.transferred")["next_task"])
    with town.service.store.begin() as uow:
        _, other = keys.issue(uow, kind="desk", bound_to="thue", label="desk")
    for method, path, body in _of_heads(task):
        form = {"agency": "cong-an", "reason": "x"} if "dieu-phoi/" in path else None
        asked: dict[str, Any] = {"method": method, "json": body, "data": form}
        assert town.web.open(path, **asked).status_code in (401, 303), path
        agency = town.web.open(path, **asked, headers=town.key("phuong-1"))
        assert agency.status_code == 403, path
        reply = town.web.open(path, **asked, headers={"Authorization": f"Bearer {other}"})
        assert reply.status_code == (404 if task in path else 200), path
        assert CODE not in reply.get_data(as_text=True), path
    assert town.names(CODE).count("step.transferred") == 1


def test_another_agencys_task_is_not_found_by_any_route(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    task, stranger = town.task("phuong-1"), town.key("cong-an")
    for method, path, body in _routes(task):
        form = {"kind": "taken", "answer_id": "x"} if "tra-loi" in path else None
        reply = town.web.open(path, method=method, json=body, data=form, headers=stranger)
        if task in path:
            assert reply.status_code == 404, path
        else:
            assert task not in reply.get_data(as_text=True), path
            assert CODE not in reply.get_data(as_text=True), path
    assert town.names(CODE) == ["dossier.started", "step.opened"]


def test_without_an_agencys_key_nothing_opens(small_town: Town) -> None:
    town = small_town
    with town.service.store.begin() as uow:
        _, desk = keys.issue(uow, kind="desk", bound_to="phuong-1", label="desk")
    for method, path, body in _routes("t-1"):
        alone = town.web.open(path, method=method, json=body)
        assert alone.status_code in (401, 303), path
        reply = town.web.open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {desk}"}
        )
        assert reply.status_code == 403, path


def test_every_route_names_its_rule(small_town: Town) -> None:
    assert_every_route_is_guarded(small_town.service.web, public=set())
    paths = {rule.rule for rule in small_town.service.web.url_map.iter_rules()}
    tried = {
        path.split("?")[0].replace("{t}", "<task_id>")
        for _, path, _ in (*_routes("{t}"), *_of_heads("{t}"))
    }
    ours = {p.replace("<string:task_id>", "<task_id>") for p in paths if "task" in p or "viec" in p}
    assert {path for path in ours if path.startswith(("/api", "/nhiem"))} <= tried


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"answer_id", "kind"}),
        ({"answer_id": "a", "kind": "completed"}, {"outcome"}),
        ({"answer_id": "a", "kind": "completed", "outcome": "refused"}, {"reason"}),
        ({"answer_id": "a", "kind": "supplement_needed"}, {"items", "reason"}),
        ({"answer_id": "a", "kind": "taken", "reason": "x", "until": "2022-03-01"}, {"until"}),
        ({"answer_id": "a", "kind": "taken", "reason": "x"}, {"reason"}),
        ({"answer_id": "a\n", "kind": "taken", "more": 1}, {"answer_id", "more"}),
    ],
)
def test_every_fault_of_an_answer_is_told_at_once(
    small_town: Town, body: dict[str, Any], places: set[str]
) -> None:
    reply = post(small_town, "t-1", small_town.key("phuong-1"), **body)
    assert reply.status_code == 422
    assert reply.content_type == "application/problem+json"
    assert {fault["place"] for fault in reply.get_json()["errors"]} == places


def test_the_tables_hold_every_answer_of_the_contract_and_facts_that_routing_reads() -> None:
    answers = {kind.cls for kind in KINDS.values() if kind.way == "answers"}
    assert set(ANSWERS) == answers
    assert set(OVER_HTTP.values()) == {cls for cls in answers if kind_of(cls).about == "task"}
    read = {kind.cls for kind in KINDS.values() if "routing" in kind.read_by} - answers
    assert {row.cls for row in TABLE} == read
