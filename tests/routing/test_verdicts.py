"""Whoever answers is told the verdict: each kind of faulty answer by both doors, on both back ends.

One table of answers that may not be applied. Each is handed in over HTTP and as a message: the rule,
the place and the words are the same, and nothing has changed but that the agency knows it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.routing.domain import refusals, words
from services.routing.storage.tables import refused_answers
from shared.events.envelope import Envelope
from shared.events.names import wire
from shared.kernel.clock import format_instant, to_vn
from shared.messaging.tables import LEDGERS
from tests.routing.town import LAND, Town, withdrawn
from tests.routing.worlds import CALENDAR, NOW

OPEN, DONE, GONE, TAKEN = (f"000.00.01.H20-220301-000{n}" for n in (1, 2, 3, 4))
TAX, ASKED = "000.00.01.H20-220301-0005", "000.00.01.H20-220301-0006"
OFFICE = "phuong-1"
LATER = format_instant(NOW + timedelta(days=30))
LONG_AGO = format_instant(NOW - timedelta(days=30))


@dataclass(frozen=True)
class Faulty:
    """An answer of one agency that may not be applied, and the rule and place that say why."""

    rule: str
    place: str
    task: str
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    who: str = OFFICE
    status: int = 422
    answer_id: str | None = None


@dataclass
class Tasks:
    """The tasks that the table speaks of, by name; of the first dossiers they belong to the office."""

    town: Town
    ids: dict[str, str] = field(default_factory=dict)
    key: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        town = self.town
        for name, code in (("open", OPEN), ("done", DONE), ("gone", GONE), ("taken", TAKEN)):
            town.receive(code)
            self.ids[name] = town.task(OFFICE)
        town.receive(ASKED)
        self.ids["asked"] = town.task(OFFICE)
        town.grant(OFFICE, self.ids["done"])
        self.ids["police"] = town.task("cong-an")
        town.intake(withdrawn(GONE))
        town.answer(OFFICE, "taken", self.ids["taken"], answer_id="used")
        town.answer(
            OFFICE,
            "more_time_needed",
            self.ids["taken"],
            reason="đông",
            until=CALENDAR.add_days(NOW, 5),
        )
        town.answer(OFFICE, "supplement_needed", self.ids["asked"], items=("Sổ",), reason="mờ")
        town.receive(TAX, LAND)
        self.ids["tax"] = town.task("thue")
        self.ids["nowhere"] = "khong-co"
        self.key = {who: town.key(who) for who in (OFFICE, "cong-an", "thue")}
        for who in self.key:
            town.queue(who)


REASON = {"reason": "thiếu người"}
NO_KEY = f"{'0' * 16}.{'A' * 22}==.{'A' * 86}=="
TABLE = (
    Faulty("signature_wrong", "signature", "open", "taken", {"signature": "Lê Thị Hoa"}),
    Faulty("signature_key_unknown", "signature", "open", "taken", {"signature": NO_KEY}),
    Faulty("unknown_kind", "kind", "open", "complete"),
    Faulty("missing_field", "outcome", "open", "completed"),
    Faulty("missing_field", "reason", "open", "refused", {"reason": None}),
    Faulty("missing_field", "reason", "open", "completed", {"outcome": "refused"}),
    Faulty("missing_field", "items", "open", "supplement_needed", REASON),
    Faulty("missing_field", "items", "open", "supplement_needed", REASON | {"items": []}),
    Faulty("invalid_field", "outcome", "open", "completed", {"outcome": "maybe"}),
    Faulty("invalid_field", "reason", "open", "refused", {"reason": ""}),
    Faulty("invalid_field", "reason", "open", "refused", {"reason": " \u200b "}),
    Faulty("invalid_field", "reason", "open", "refused", {"reason": "x" * 4001}),
    Faulty("invalid_field", "reason", "open", "refused", {"reason": "a\u0007b"}),
    Faulty("invalid_field", "officer", "open", "taken", {"officer": 7}),
    Faulty("invalid_field", "items.1", "open", "supplement_needed", REASON | {"items": ["Sổ", ""]}),
    Faulty("invalid_field", "amount_vnd", "tax", "completed", {"outcome": "granted", "amount_vnd": "5"}, "thue"),
    Faulty("invalid_field", "amount_vnd", "tax", "completed", {"outcome": "granted", "amount_vnd": -5}, "thue"),
    Faulty("invalid_field", "until", "open", "more_time_needed", REASON | {"until": "2022-03-25T17:00:00"}),
    Faulty("invalid_field", "until", "open", "more_time_needed", REASON | {"until": "mai"}),
    Faulty("invalid_field", "until", "open", "more_time_needed", REASON | {"until": "0001-01-01T00:00:00+14:00"}),
    Faulty("invalid_field", "respond_by", "open", "supplement_needed",
           REASON | {"items": ["Sổ"], "respond_by": "2022-03-25 17:00"}),
    Faulty("unknown_field", "until", "open", "taken", {"until": LATER}),
    Faulty("unknown_field", "result_code", "open", "refused", REASON | {"result_code": "KQ.1"}),
    Faulty("unknown_task", "task", "police", "taken", status=404),
    Faulty("unknown_task", "task", "nowhere", "taken", status=404),
    Faulty("answer_id_used", "answer_id", "taken", "completed", {"outcome": "granted"},
           status=409, answer_id="used"),
    Faulty("answer_id_used", "answer_id", "open", "taken", status=409, answer_id="used"),
    Faulty("result_code_unknown", "result_code", "open", "completed",
           {"outcome": "granted", "result_code": "KQ.9"}),
    Faulty("result_code_not_allowed", "result_code", "tax", "completed",
           {"outcome": "granted", "result_code": "KQ.1"}, "thue"),
    Faulty("amount_not_asked", "amount_vnd", "open", "completed", {"outcome": "granted", "amount_vnd": 5}),
    Faulty("amount_not_asked", "amount_vnd", "tax", "completed",
           REASON | {"outcome": "refused", "amount_vnd": 5}, "thue"),
    Faulty("respond_by_past", "respond_by", "open", "supplement_needed",
           REASON | {"items": ["Sổ"], "respond_by": LONG_AGO}),
    Faulty("until_too_early", "until", "open", "more_time_needed", REASON | {"until": LONG_AGO}),
    Faulty("until_too_early", "until", "open", "more_time_needed",
           REASON | {"until": format_instant(NOW + timedelta(hours=1))}),
    Faulty("no_calendar", "until", "open", "more_time_needed", REASON | {"until": "2099-03-01T02:00:00Z"}),
    Faulty("already_answered", "", "done", "refused", REASON, status=409),
    Faulty("already_cancelled", "", "gone", "completed", {"outcome": "granted"}, status=409),
    Faulty("already_asked", "", "asked", "supplement_needed", REASON | {"items": ["Sổ"]}, status=409),
    Faulty("extensions_used", "", "taken", "more_time_needed", REASON | {"until": LATER}, status=409),
)  # fmt: skip


def by_the_door(tasks: Tasks, answer: Faulty, answer_id: str) -> Any:
    return tasks.town.web.post(
        f"/api/v1/tasks/{tasks.ids[answer.task]}/answers",
        json={"answer_id": answer_id, "kind": answer.kind, **answer.fields},
        headers=tasks.key[answer.who],
    )


def message(tasks: Tasks, answer: Faulty, answer_id: str, **attributes: Any) -> bytes:
    task = tasks.ids[answer.task]
    envelope = {
        "specversion": "1.0",
        "id": answer_id,
        "source": f"/agencies/{answer.who}",
        "type": wire(f"answer.{answer.kind}"),
        "subject": task,
        "time": format_instant(NOW),
        "datacontenttype": "application/json",
        "data": {"task": task, **answer.fields},
    }
    return json.dumps(envelope | attributes).encode()


def by_the_queue(tasks: Tasks, answer: Faulty, answer_id: str, **attributes: Any) -> None:
    key = f"answer.{answer.who}.{answer.kind}"
    tasks.town.send_bytes(key, message(tasks, answer, answer_id, **attributes))
    tasks.town.rest()


def verdicts(tasks: Tasks, who: str = OFFICE) -> list[Envelope]:
    """What is new on an agency's queue; nothing but verdicts is."""
    new = tasks.town.queue(who)
    assert {each.type for each in new} <= {wire("task.answer_refused")}
    return new


def stored(town: Town) -> Any:
    """All that an answer could have changed."""
    with town.service.store.read() as connection:
        return [
            list(connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2")))
            for table in ("cases", "tasks", "answers")
        ]


def test_each_faulty_answer_is_refused_by_the_same_rule_at_both_doors(town: Town) -> None:
    tasks = Tasks(town)
    before = stored(town)
    for number, answer in enumerate(TABLE):
        where = f"{number}: {answer}"
        answer_id = answer.answer_id or f"a-{number}"
        reply = by_the_door(tasks, answer, answer_id)
        assert reply.status_code == answer.status, (where, reply.get_data(as_text=True))
        (fault,) = reply.get_json()["errors"]
        assert (fault["rule"], fault["place"]) == (answer.rule, answer.place), where
        assert not verdicts(tasks, answer.who), "who asked over HTTP has the reply"
        by_the_queue(tasks, answer, answer_id)
        (told,) = verdicts(tasks, answer.who)
        said = {name: told.data[name] for name in ("rule", "place", "vi", "en")}
        assert said == {name: fault[name] for name in said}, where
        assert (told.data["answer_id"], told.data["task"]) == (answer_id, tasks.ids[answer.task])
    assert stored(town) == before, "nothing else has changed"
    rows = [row for row in town.inbox("routing.answers") if row.fact_id.startswith("a-")]
    assert {row.state for row in rows} == {"refused"}
    ledger = LEDGERS.inbox.c
    with town.service.store.read() as connection:
        kept = connection.scalar(sa.select(sa.func.count()).select_from(refused_answers))
        assert connection.scalar(sa.select(sa.func.count()).where(ledger.state == "parked")) == 0
    assert kept == len(TABLE)


def test_a_refused_answer_is_told_once_however_often_it_comes(town: Town) -> None:
    tasks = Tasks(town)
    wrong = Faulty(
        "result_code_unknown",
        "",
        "open",
        "completed",
        {"outcome": "granted", "result_code": "KQ.9"},
    )
    body = message(tasks, wrong, "a-1")
    for _ in range(3):  # in one batch: the same id, twice the same and once something else
        town.send_bytes(f"answer.{OFFICE}.completed", body)
    other = message(tasks, Faulty("", "", "open", "taken"), "a-1")
    town.send_bytes(f"answer.{OFFICE}.taken", other)
    town.rest()
    assert [each.data["rule"] for each in verdicts(tasks)] == [
        "result_code_unknown",
        "answer_id_used",
    ]
    for again in (body, other):
        key = "completed" if again is body else "taken"
        town.send_bytes(f"answer.{OFFICE}.{key}", again)
        town.rest()
    assert not verdicts(tasks), "the same verdict stands: not two messages"
    reply = by_the_door(tasks, wrong, "a-1")
    assert (reply.status_code, reply.get_json()["code"]) == (422, "result_code_unknown")
    changed = Faulty("", "", "open", "completed", {"outcome": "granted"})
    reply = by_the_door(tasks, changed, "a-1")
    assert (reply.status_code, reply.get_json()["code"]) == (409, "answer_id_used")
    assert by_the_door(tasks, changed, "a-2").status_code == 200, "under a new id it is mended"


@pytest.mark.parametrize(
    "fields", [{"outcome": "granted"}, {"outcome": "granted", "document": "1"}]
)
def test_an_applied_answer_is_not_told_twice_and_its_id_takes_nothing_else(
    town: Town, fields: dict[str, Any]
) -> None:
    tasks = Tasks(town)
    first = Faulty("", "", "open", "completed", {"outcome": "granted"})
    by_the_queue(tasks, first, "a-1")
    town.queue(OFFICE)
    by_the_queue(tasks, Faulty("", "", "open", "completed", fields), "a-1")
    told = [each.data["rule"] for each in verdicts(tasks)]
    assert told == ([] if fields == first.fields else ["answer_id_used"])
    assert town.names(OPEN).count("step.answered") == 1 + len(told)


def test_what_a_message_alone_can_get_wrong_is_told_as_well(town: Town) -> None:
    tasks = Tasks(town)
    granted = Faulty("", "", "open", "completed", {"outcome": "granted"})
    key = f"answer.{OFFICE}.completed"
    odd = (
        ("unknown_version", "#/type", key, {"type": "vn.lienthong.answer.completed.v2"}),
        ("unknown_kind", "#/type", key, {"type": "vn.lienthong.answer.completed"}),
        ("unknown_kind", "#/type", key, {"type": "vn.lienthong.task.assigned.v1"}),
        ("unknown_kind", "#/type", key, {"type": "com.example.hello"}),
        ("kind_differs", "#/type", f"answer.{OFFICE}.refused", {}),
        ("task_differs", "#/data/task", key, {"subject": tasks.ids["done"]}),
        ("missing_field", "#/data/task", key, {"data": {"outcome": "granted"}}),
        ("unknown_task", "#/data/task", key, {"subject": "?", "data": {"task": "?", "outcome": "granted"}}),
    )  # fmt: skip
    for number, (rule, pointer, routing_key, attributes) in enumerate(odd):
        town.send_bytes(routing_key, message(tasks, granted, f"a-{number}", **attributes))
        town.rest()
        (told,) = verdicts(tasks)
        assert (told.data["rule"], told.data["pointer"]) == (rule, pointer), number
    assert {row.state for row in town.inbox("routing.answers")} <= {"done", "refused"}
    with town.service.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(refused_answers)) == len(
            odd
        )


def test_a_broken_envelope_is_told_while_it_says_whose_it_is(town: Town) -> None:
    tasks = Tasks(town)
    granted = Faulty("", "", "open", "completed", {"outcome": "granted"})
    key = f"answer.{OFFICE}.completed"
    odd: tuple[tuple[str, dict[str, Any]], ...] = (
        ("#/time", {"time": "2022-03-14T08:15:00"}),
        ("#/time", {"time": None}),
        ("#/specversion", {"specversion": "0.3"}),
        ("#/sequence", {"sequence": 7}),
        ("#/data", {"data": [1]}),
        ("#/traceparent", {"traceparent": "00-x"}),
    )
    for number, (pointer, attributes) in enumerate(odd):
        town.send_bytes(key, message(tasks, granted, f"a-{number}", **attributes))
        town.rest()
        (told,) = verdicts(tasks)
        assert (told.data["rule"], told.data["pointer"]) == ("bad_envelope", pointer), attributes
        assert told.data["state"] == "assigned"
    mended = message(tasks, granted, "a-0")
    for body in (message(tasks, granted, "a-0", **odd[0][1]), mended):
        town.send_bytes(key, body)
        town.rest()
    assert [each.data["rule"] for each in verdicts(tasks)] == ["answer_id_used"]
    assert {row.state for row in town.inbox("routing.answers")} <= {"done", "refused"}


def test_a_verdict_is_numbered_with_the_tasks_and_served_to_whoever_missed_it(town: Town) -> None:
    tasks = Tasks(town)
    by_the_queue(tasks, Faulty("", "", "done", "refused", REASON), "a-1")
    (told,) = verdicts(tasks)
    page = town.web.get(
        f"/api/v1/tasks?after={(told.sequence or 0) - 1}", headers=tasks.key[OFFICE]
    )
    (served,) = page.get_json()["items"]
    assert (served["id"], served["data"]["rule"]) == (told.id, "already_answered")
    assert served["data"]["dossier"] == DONE
    assert (served["data"]["state"], told.causationid) == ("answered", "a-1")


def test_the_timeline_says_that_it_was_not_taken_and_so_does_the_agencys_page(town: Town) -> None:
    tasks = Tasks(town)
    by_the_queue(tasks, Faulty("", "", "open", "completed", {"outcome": "granted", "result_code": "KQ.9"}), "a-1")  # fmt: skip
    answered = town.one(OPEN, "step.answered")
    assert (answered["rule"], answered["outcome"]) == ("result_code_unknown", None)
    assert "KQ.1" in answered["reason"]
    page = town.web.get(f"/nhiem-vu/{tasks.ids['open']}", headers=tasks.key[OFFICE])
    text = page.get_data(as_text=True)
    assert "Trả kết quả: không được ghi nhận" in text
    assert "KQ.1" in text


def test_an_instant_counts_however_its_offset_is_written(town: Town) -> None:
    tasks = Tasks(town)
    until = CALENDAR.add_days(NOW, 5)
    local = to_vn(until).isoformat()
    assert local.endswith("+07:00")
    by_the_queue(tasks, Faulty("", "", "open", "more_time_needed", REASON | {"until": local}), "a-1",
                 time=to_vn(NOW).isoformat())  # fmt: skip
    (asked,) = town.queue(OFFICE)
    assert words.minute(until) in asked.data["note"]
    reply = by_the_door(
        tasks,
        Faulty("", "", "police", "more_time_needed", REASON | {"until": local}, "cong-an"),
        "a-2",
    )
    assert reply.status_code == 200


def test_an_unknown_sender_and_unreadable_bytes_are_parked_and_nobody_is_told(town: Town) -> None:
    tasks = Tasks(town)
    granted = Faulty("", "", "open", "completed", {"outcome": "granted"}, who="khong-ai")
    key = f"answer.{OFFICE}.completed"
    town.send_bytes("answer.khong-ai.completed", message(tasks, granted, "a-1"))
    town.send_bytes(key, message(tasks, granted, "a-2"))
    town.send_bytes(key, b"\xff\x00")
    town.rest()
    states = [row.state for row in town.inbox("routing.answers")]
    assert states.count("parked") == 3
    assert not verdicts(tasks)


def test_nothing_that_a_caller_wrote_becomes_a_label(town: Town) -> None:
    tasks = Tasks(town)
    secret = "vn.lienthong.answer.le-thi-hoa.v1"
    by_the_queue(tasks, Faulty("", "", "open", "taken"), "a-1", type=secret)
    page = town.service.metrics.page().decode()
    assert "le-thi-hoa" not in page
    assert 'outcome="refused",type="other"' in page


def test_every_rule_has_words_in_both_languages_and_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "agencies.md").read_text(encoding="utf-8")
    rows = [each for each in vars(refusals).values() if isinstance(each, refusals.Refusal)]
    for each in rows:
        assert each.vi
        assert each.en
        assert f"`{each.rule}`" in page, each.rule
