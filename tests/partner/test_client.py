"""The agency's client on a real broker: nothing lost, nothing twice, whatever breaks."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime

import pytest

from partner import (
    AccessDenied,
    BadAnswer,
    BrokerUnreachable,
    Client,
    Message,
    Retry,
    UnknownTask,
)
from tests.partner.conftest import CityBroker, until


class Crash(Exception):
    """The agency's program dies here."""


def nothing(message: Message) -> None:
    """A handler that leaves the work to people."""


def test_tasks_come_in_order_and_are_taken_from_the_queue(broker: CityBroker, client: Client):
    broker.assign(1, 2, 3)
    came: list[Message] = []
    assert client.drain(came.append) == 3
    assert [each.sequence for each in came] == [1, 2, 3]
    assert [each.kind for each in came] == ["assigned"] * 3
    assert [task.id for task in client.tasks()] == ["task-1", "task-2", "task-3"]
    assert client.drain(came.append) == 0
    assert broker.waiting() == 0


def test_polling_waits_for_what_is_on_its_way(broker: CityBroker, client: Client):
    came: list[Message] = []
    assert client.poll(came.append, wait=0.0) == 0
    broker.assign(1, 2)
    while len(came) < 2:
        client.poll(came.append, wait=5.0)
    assert [each.sequence for each in came] == [1, 2]


def test_an_answer_carries_our_name_our_key_and_its_own_id(broker: CityBroker, client: Client):
    broker.assign(1)
    answer_ids = []

    def complete(message: Message) -> None:
        answer_ids.append(client.take(message.task, "Lê Thị Hoa"))
        answer_ids.append(
            client.complete(message.task, result_code="KQ.G15.000006", document="12/2022")
        )

    client.drain(complete)
    (taken, completed) = broker.answers()
    method, properties, answer = completed
    assert method.routing_key == f"answer.{broker.agency}.completed"
    assert properties.user_id == broker.agency
    assert properties.content_type == "application/cloudevents+json"
    assert [taken[2]["id"], answer["id"]] == answer_ids
    assert answer["source"] == f"/agencies/{broker.agency}"
    assert answer["subject"] == "task-1"
    assert answer["type"] == "vn.lienthong.answer.completed.v1"
    assert answer["data"] == {
        "task": "task-1",
        "outcome": "granted",
        "result_code": "KQ.G15.000006",
        "document": "12/2022",
        "reason": None,
        "amount_vnd": None,
        "file": None,
        "branch": None,
    }
    assert client.task("task-1").state == "completed"
    assert client.tasks() == []


def test_every_answer_fits_the_public_contract(broker: CityBroker, client: Client):
    import msgspec

    from shared.events.envelope import decode
    from shared.events.registry import KINDS

    broker.assign(1, 2, 3, 4, 5, 6, 7, 8)
    client.drain(nothing)
    soon = datetime(2022, 3, 8, 10, tzinfo=UTC)
    client.take("task-1", "Lê Thị Hoa")
    client.complete("task-2", "refused", reason="Không đủ điều kiện")
    client.ask("task-3", ["Giấy chứng sinh"], "Thiếu bản chính", soon)
    client.refuse("task-4", "Không đủ căn cứ")
    client.more_time("task-5", "Chờ xác minh", soon)
    client.not_ours("task-6", "Khác địa bàn", "cong-an-phuong-2")
    client.send_back("task-7", "Dưới một nửa đồng ý")
    client.verify("task-8", "Đối chiếu sổ gốc")
    assert client.flush() == 8
    answers = [answer for _, _, answer in broker.answers()]
    for answer in answers:
        read = decode(json.dumps(answer).encode())
        known = msgspec.to_builtins(read.event())
        assert read.data.keys() <= known.keys(), f"{KINDS[read.type].name} does not know it"
    kinds = [answer["type"].split(".")[3] for answer in answers]
    assert kinds == [
        "taken",
        "completed",
        "supplement_needed",
        "refused",
        "more_time_needed",
        "not_ours",
        "sent_back",
        "verification_needed",
    ]
    assert {client.task(task).state for task in ("task-6", "task-7")} == {"handed_on"}
    assert client.task("task-8").state == "taken"
    assert not {"task-6", "task-7"} & {task.id for task in client.tasks()}


def test_a_message_that_comes_twice_is_handled_once(broker: CityBroker, client: Client):
    broker.assign(1)
    broker.assign(1)
    came: list[Message] = []
    assert client.drain(came.append) == 1
    assert broker.waiting() == 0


def test_a_failing_handler_loses_nothing_sends_nothing_and_gives_nothing_back(
    broker: CityBroker, tmp_path
):
    broker.assign(1, 2)
    broker.assign(3, kind="cancelled", task="task-1", reason="Công dân rút hồ sơ")
    came: list[int] = []

    def handle(message: Message) -> None:
        came.append(message.sequence)
        client.complete(message.task)
        if message.sequence == 1:
            raise Crash

    retry = Retry(tries=3, first=0.01)
    with Client(broker.agency, url=broker.url(), store=tmp_path / "a.db", retry=retry) as client:
        assert client.poll(handle, wait=5.0) >= 1
        until(lambda: client.poll(handle) == 0 and came.count(1) == 3)
        assert broker.waiting() == 0
        assert [answer["subject"] for _, _, answer in broker.answers()] == ["task-2"]
        (failed,) = client.aside()
        assert (failed.task, failed.waiting, failed.behind) == ("task-1", False, 1)
        assert "Crash at test_client.py" in failed.reason
        assert 3 not in came, "what is later of the same task waits"
        client.again("task-1")
        assert client.poll(lambda message: came.append(-message.sequence)) == 2
    assert came[-2:] == [-1, -3]


def test_a_crash_before_the_acknowledgement_repeats_nothing(
    broker: CityBroker, tmp_path, monkeypatch
):
    broker.assign(1)
    store = tmp_path / "agency.db"
    handled: list[str] = []

    def complete(client: Client):
        def handle(message: Message) -> None:
            handled.append(message.task)
            client.complete(message.task)

        return handle

    with Client(broker.agency, url=broker.url(), store=store) as first:
        monkeypatch.setattr("partner.broker.Broker.acknowledge", _crash)
        with pytest.raises(Crash):
            first.drain(complete(first))
    monkeypatch.undo()
    with Client(broker.agency, url=broker.url(), store=store) as second:
        assert second.drain(complete(second)) == 1, "it was kept, and is handled from there"
        assert second.drain(complete(second)) == 0
    assert handled == ["task-1"]
    assert [answer["subject"] for _, _, answer in broker.answers()] == ["task-1"]
    assert broker.waiting() == 0


def test_what_the_city_sends_anew_is_answered_anew_under_the_same_ids(
    broker: CityBroker, client: Client
):
    """A broker that loses its disk loses answers too; nobody but the agency has them."""

    def complete(message: Message) -> None:
        client.take(message.task)
        client.complete(message.task, document="12/2022")

    broker.assign(1, 2)
    client.drain(complete)
    given = [answer for _, _, answer in broker.answers()]
    broker.assign(1)
    assert client.drain(complete) == 0
    assert [answer for _, _, answer in broker.answers()] == given[:2]
    assert client.unsent() == 0


def test_a_crash_between_the_broker_s_word_and_our_note_sends_the_same_answer_again(
    broker: CityBroker, client: Client, monkeypatch
):
    broker.assign(1)
    client.drain(nothing)
    answer_id = client.complete("task-1")
    monkeypatch.setattr("partner.outbox.Outbox.sent", _crash)
    with pytest.raises(Crash):
        client.flush()
    monkeypatch.undo()
    assert client.flush() == 1
    assert [answer["id"] for _, _, answer in broker.answers()] == [answer_id, answer_id]


def _crash(*_: object) -> None:
    raise Crash


def test_the_client_comes_back_after_the_line_was_cut(broker: CityBroker, tmp_path):
    came: list[int] = []
    stop = threading.Event()
    first, last = threading.Event(), threading.Event()

    def work(url: str) -> None:  # a client belongs to the thread that made it
        def handle(message: Message) -> None:
            came.append(message.sequence)
            client.take(message.task)
            (first if message.sequence == 1 else last).set()

        with Client(broker.agency, url=url, store=tmp_path / "agency.db") as client:
            client.run(handle, stop)
            client.flush()

    with broker.line() as (proxy, url):
        agency = threading.Thread(target=work, args=(url,))
        agency.start()
        broker.assign(1)
        assert first.wait(30)
        proxy.cut()
        broker.assign(2)
        proxy.heal()
        assert last.wait(30)
        stop.set()
        agency.join(30)
        assert not agency.is_alive()
    assert came == [1, 2]
    assert {answer["subject"] for _, _, answer in broker.answers()} == {"task-1", "task-2"}


def test_an_answer_made_while_the_broker_is_away_is_kept_and_sent_later(
    broker: CityBroker, tmp_path
):
    broker.assign(1)
    with broker.line() as (proxy, url):
        with Client(broker.agency, url=url, store=tmp_path / "agency.db") as client:
            client.drain(nothing)
            proxy.cut()
            client.complete("task-1")
            with pytest.raises(BrokerUnreachable):
                client.flush()
            assert client.unsent() == 1
            proxy.heal()
            assert client.flush() == 1
    assert len(broker.answers()) == 1


def test_what_cannot_be_read_is_put_aside_and_the_rest_flows_on(
    broker: CityBroker, client: Client, caplog
):
    broker.put(b"\xff\xfe not json")
    broker.put(json.dumps({"specversion": "1.0", "data": {}}).encode())
    broker.assign(1)
    assert client.drain(nothing) == 1
    assert len(client.unreadable()) == 2
    assert broker.waiting() == 0
    assert "put aside" in caplog.text


def test_a_number_that_comes_under_two_ids_is_put_aside(broker: CityBroker, client: Client):
    broker.assign(1)
    broker.assign(1, id="another", task="task-9")
    assert client.drain(nothing) == 1
    assert len(client.unreadable()) == 1


def test_an_older_message_never_undoes_a_newer_one(broker: CityBroker, client: Client):
    later = {"task": "task-1", "due_at": None, "form": {}, "papers": [], "note": None}
    broker.assign(1)
    broker.assign(3, kind="cancelled", task="task-1", reason="Công dân rút hồ sơ")
    broker.assign(2, kind="changed", change="paused", **later)
    client.drain(nothing)
    assert client.task("task-1").state == "cancelled"


def test_a_change_that_overtook_its_assignment_is_applied_to_it(broker: CityBroker, client: Client):
    change = {"task": "task-1", "change": "supplemented", "due_at": "2022-03-02T10:30:00Z"}
    paper = {"code": "cccd", "name": "Căn cước", "original": 0, "copy": 1}
    broker.assign(2, kind="changed", form={"child_name": "Nguyễn An"}, papers=[paper], **change)
    broker.assign(1)
    client.drain(nothing)
    task = client.task("task-1")
    assert task.due_at == "2022-03-02T10:30:00Z"
    assert task.data["form"] == {"child_name": "Nguyễn An"}
    assert [each["code"] for each in task.data["papers"]] == ["giay-chung-sinh", "cccd"]


def test_an_answer_that_the_city_would_refuse_is_refused_here(broker: CityBroker, client: Client):
    broker.assign(1)
    client.drain(nothing)
    with pytest.raises(UnknownTask):
        client.take("task-77")
    with pytest.raises(BadAnswer, match="reason"):
        client.complete("task-1", "refused")
    with pytest.raises(BadAnswer):
        client.not_ours("task-1", "")
    with pytest.raises(BadAnswer, match="outcome"):
        client.complete("task-1", "perhaps")
    with pytest.raises(BadAnswer, match=r"KQ\.G15\.000006"):
        client.complete("task-1", result_code="KQ.G01.000001")
    with pytest.raises(BadAnswer, match="missing item"):
        client.ask("task-1", [], "thiếu")
    with pytest.raises(BadAnswer, match="list"):
        client.ask("task-1", "Giấy chứng sinh", "thiếu")
    with pytest.raises(BadAnswer, match="time zone"):
        client.more_time("task-1", "chờ", datetime(2022, 3, 8))
    with pytest.raises(BadAnswer, match="respond_by is a datetime"):
        client.ask("task-1", ["Bản sao"], "thiếu", respond_by="2022-03-29T10:23:10Z")
    with pytest.raises(BadAnswer, match="whole number"):
        client.complete("task-1", amount_vnd=-1)
    assert client.unsent() == 0


def test_a_wrong_password_is_told_and_not_tried_for_ever(broker: CityBroker, tmp_path):
    url = broker.backend.amqp_url(broker.agency, "wrong")
    with Client(broker.agency, url=url, store=tmp_path / "agency.db") as client:
        with pytest.raises(AccessDenied, match="password"):
            client.run(nothing)


def test_another_agency_s_queue_is_told_to_be_refused(broker: CityBroker, tmp_path):
    with Client(broker.other, url=broker.url(broker.agency), store=tmp_path / "a.db") as client:
        with pytest.raises(AccessDenied, match="ACCESS_REFUSED"):
            client.run(nothing)


def test_the_store_is_readable_by_its_owner_alone(client: Client, tmp_path):
    assert (tmp_path / "agency.db").stat().st_mode & 0o077 == 0
