"""The verdict comes back: an answer that was not applied is told, and its task can be answered anew."""

from __future__ import annotations

import json
import threading
from typing import Any

import pika
import pytest

from partner import Arrival, BrokerUnreachable, Client, Message, Refusal
from partner.__main__ import main
from tests.partner.conftest import CityBroker, envelope, until
from tests.partner.test_seams import AGENCY, City, Queue, by_door, client


def refusal(
    agency: str, number: int, answer: str, task: str = "task-1", **more: Any
) -> dict[str, Any]:
    """What routing puts on the agency's queue."""
    told = {
        "answer_id": answer,
        "kind": "completed",
        "rule": "result_code_unknown",
        "place": "result_code",
        "pointer": "#/data/result_code",
        "vi": "Không nhận kết quả: mã kết quả không thuộc bước này.",
        "en": "no result of this step",
        "state": "taken",
        "refused_at": "2022-03-01T03:00:00Z",
    }
    made = envelope(agency, number, "answer_refused", task=task)
    return made | {"data": made["data"] | told | more}


def test_a_refused_answer_is_told_to_the_program_and_its_task_is_open_again(
    broker: CityBroker, tmp_path
):
    told: list[Refusal] = []
    handled: list[Message] = []
    with Client(
        broker.agency, url=broker.url(), store=tmp_path / "a.db", on_refused=told.append
    ) as agency:
        broker.assign(1)
        agency.drain(lambda message: agency.take(message.task) and None)
        first = agency.complete("task-1", document="12/2022")
        agency.flush()
        assert agency.task("task-1").state == "completed"
        broker.put(json.dumps(refusal(broker.agency, 2, first)).encode())
        assert agency.drain(handled.append) == 1
        assert [message.kind for message in handled] == ["answer_refused"]
        ((said),) = told
        assert (said.answer, said.task, said.kind) == (first, "task-1", "completed")
        assert (said.rule, said.place) == ("result_code_unknown", "result_code")
        assert "mã kết quả" in said.vi
        assert said.said == "no result of this step"
        assert agency.task("task-1").state == "taken"
        assert agency.refusals(standing=True) == agency.refusals()
        second = agency.complete("task-1", document="12/2022", result_code="KQ.G15.000006")
        assert agency.flush() == 1
        assert second != first
        assert agency.refusals(standing=True) == []
        broker.assign(1)  # the city's broker lost its disk
        agency.drain(handled.append)
    sent = [answer["id"] for _, _, answer in broker.answers()]
    assert sent.count(first) == 1, "what was refused is not sent again"
    assert sent.count(second) == 2


def test_a_refusal_that_comes_twice_is_told_once(broker: CityBroker, tmp_path):
    told: list[Refusal] = []
    with Client(
        broker.agency, url=broker.url(), store=tmp_path / "a.db", on_refused=told.append
    ) as agency:
        broker.assign(1)
        agency.drain(lambda message: None)
        answer = agency.complete("task-1")
        agency.flush()
        for _ in range(2):
            broker.put(json.dumps(refusal(broker.agency, 2, answer)).encode())
        assert agency.drain(lambda message: None) == 1
    assert len(told) == 1


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("assigned", "open"),
        ("taken", "taken"),
        ("paused", "paused"),
        ("answered", "completed"),
        ("cancelled", "cancelled"),
        (None, "taken"),
        ("unheard-of", "taken"),
    ],
)
def test_the_task_stands_as_the_city_says_or_else_as_before(state: str | None, then: str):
    queue = Queue(1)
    with client(queue) as agency:
        agency.poll(lambda message: agency.take(message.task) and None)
        answer = agency.complete("task-1")
        queue.waiting.append(json.dumps(refusal(AGENCY, 2, answer, state=state)).encode())
        agency.poll(lambda message: None)
        assert agency.task("task-1").state == then


def test_what_was_answered_or_cancelled_since_stays_so():
    queue = Queue(1)
    with client(queue) as agency:
        agency.poll(lambda message: None)
        wrong, other = agency.complete("task-1"), agency.refuse("task-1", "Không thuộc thẩm quyền")
        queue.waiting.append(json.dumps(refusal(AGENCY, 2, wrong)).encode())
        agency.poll(lambda message: None)
        assert agency.task("task-1").state == "refused", "the later answer stands"
        assert agency.refusals(standing=True) == []
        queue.waiting.append(json.dumps(refusal(AGENCY, 3, other, state=None)).encode())
        agency.poll(lambda message: None)
        assert agency.task("task-1").state == "open", "as before the first of both"


def test_the_refusal_of_an_answer_that_is_not_ours_is_told_and_changes_no_task():
    queue = Queue(1)
    with client(queue) as agency:
        agency.poll(lambda message: agency.complete(message.task) and None)
        for number, told in enumerate(
            (
                refusal(AGENCY, 2, "by another program"),
                refusal(AGENCY, 3, "for no task", task="no-such-task", dossier="-", state=None),
            )
        ):
            queue.waiting.append(json.dumps(told).encode())
            agency.poll(lambda message: None)
            assert len(agency.refusals()) == number + 1
        assert agency.task("task-1").state == "completed"
        assert agency.unreadable() == []


def test_a_refusal_at_the_door_is_the_same_thing_with_place_and_words_and_the_handler_gets_it():
    city = City(1)
    problem = {
        "title": "The data is not valid",
        "status": 422,
        "code": "invalid_input",
        "detail": "The data is not valid",
        "errors": [
            {"place": "result_code", "pointer": "#/result_code", "vi": "mã lạ", "en": "unknown"},
            {"place": "document", "vi": "quá dài", "en": "too long"},
        ],
    }
    city.status, city.reply = 422, problem
    handled: list[Message] = []
    with by_door(city) as agency:
        agency.catch_up(lambda message: None)
        agency.complete("task-1")
        assert agency.flush() == 0
        (said,) = agency.refusals()
        assert (said.rule, said.place) == ("invalid_input", "result_code")
        assert (said.vi, said.said) == ("mã lạ; quá dài", "unknown; too long")
        assert agency.task("task-1").state == "open"
        agency.catch_up(handled.append)
        (message,) = handled
        assert (message.kind, message.task, message.sequence) == ("answer_refused", "task-1", 0)
        assert message.data["place"] == "result_code"
        assert agency.catch_up(handled.append) == 0


@pytest.mark.parametrize(
    ("rule", "then"), [("already_answered", "completed"), ("already_cancelled", "cancelled")]
)
def test_a_task_that_is_closed_at_the_city_is_not_opened_again_by_a_refusal_of_the_door(
    rule: str, then: str
):
    city = City(1)
    city.status, city.reply = 409, {"errors": [{"place": "", "rule": rule, "vi": "x", "en": "y"}]}
    with by_door(city) as agency:
        agency.catch_up(lambda message: None)
        agency.take("task-1")
        agency.flush()
        assert [each.rule for each in agency.refusals()] == [rule]
        assert agency.task("task-1").state == then


def test_a_refusal_is_told_though_the_line_broke_before_the_acknowledgement():
    class Breaking(Queue):
        def acknowledge(self, arrival: Arrival) -> None:
            if self.breaks == 0:
                self.close()
                raise BrokerUnreachable("it is gone")
            super().acknowledge(arrival)

    queue = Breaking()
    told: list[Refusal] = []
    queue.waiting.append(json.dumps(refusal(AGENCY, 1, "a-1")).encode())
    with Client(AGENCY, store=":memory:", transport=queue, on_refused=told.append) as agency:
        with pytest.raises(BrokerUnreachable):
            agency.poll(lambda message: None)
        agency.poll(lambda message: None)
    assert [each.answer for each in told] == ["a-1"]
    assert (queue.taken, len(queue.waiting)) == ({}, 0)


def test_a_notice_that_fails_takes_nothing_along(caplog):
    queue = Queue(1)

    def fail(_: object) -> None:
        raise RuntimeError("Nguyễn Văn An")

    with Client(
        AGENCY, store=":memory:", transport=queue, on_refused=fail, on_gap=fail
    ) as agency:  # fmt: skip
        agency.poll(lambda message: None)
        answer = agency.complete("task-1")
        queue.waiting.append(json.dumps(refusal(AGENCY, 3, answer)).encode())
        assert agency.poll(lambda message: None) == 1
        assert queue.taken == {}
        assert [each.answer for each in agency.refusals()] == [answer]
    assert caplog.text.count("a notice failed: RuntimeError at test_refusals.py") == 2
    assert "Nguyễn" not in caplog.text


@pytest.fixture
def type_(broker: CityBroker, tmp_path, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        env = {
            "PARTNER_AGENCY": broker.agency,
            "PARTNER_URL": broker.url(),
            "PARTNER_STORE": str(tmp_path / "agency.db"),
            "PARTNER_WAIT": "0",
        }
        status = main(arguments, env)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_the_command_line_tells_a_refusal_and_ends_with_3(broker: CityBroker, type_):
    broker.assign(1)
    type_("watch", "--once")
    answer = type_("complete", "task-1")[1].split()[-1]
    broker.put(json.dumps(refusal(broker.agency, 2, answer)).encode())
    status, out, _ = type_("watch", "--once")
    assert status == 3
    assert "result_code_unknown (result_code): Không nhận kết quả" in out
    assert "task-1  taken" in type_("list")[1]
    assert "the city refused the answer completed" in type_("list")[1]
    assert type_("complete", "task-1", "--result-code", "KQ.G15.000006")[0] == 0
    assert "the city refused" not in type_("list")[1]


def test_a_command_that_waits_for_the_citys_word_tells_it_itself(broker: CityBroker, type_):
    broker.assign(1)
    type_("watch", "--once")

    def city() -> None:
        came: list[Any] = []
        until(lambda: came.extend(broker.answers()) or bool(came))
        broker.put(json.dumps(refusal(broker.agency, 2, came[0][2]["id"])).encode())

    routing = threading.Thread(target=city)
    routing.start()
    status, out, _ = type_("complete", "task-1", "--wait", "60")
    routing.join(60)
    assert status == 3
    assert "answered" not in out
    assert "no result of this step" in out
    assert type_("watch", "--once")[0] == 0, "told once; the message is handled now"


def test_a_command_takes_nothing_from_a_queue_that_a_program_reads(broker: CityBroker, type_):
    broker.assign(1)
    type_("watch", "--once")
    program = pika.BlockingConnection(pika.URLParameters(broker.url()))
    channel = program.channel()
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(f"agency.{broker.agency}.tasks", lambda *_: None)
    broker.assign(2, 3)
    until(lambda: broker.waiting() == 1)
    assert type_("take", "task-1", "--wait", "0.6")[0] == 0
    assert broker.waiting() == 1
    program.close()


def test_the_command_line_ends_with_4_where_something_cannot_be_read_and_shows_it(
    broker: CityBroker, type_
):
    broker.put("<html>lỗi</html>".encode())
    broker.assign(1)
    status, out, _ = type_("watch", "--once")
    assert (status, out.splitlines()[-1]) == (4, "1 taken")
    assert "1 messages cannot be read" in type_("list")[1]
    assert "not JSON in UTF-8" in type_("aside")[1]
    assert type_("aside", "--show", "1")[1] == "<html>lỗi</html>\n"
    assert type_("watch", "--once")[0] == 0, "told once"
