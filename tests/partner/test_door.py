"""The HTTPS door as the kit uses it: catching up, and answering without a broker."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from partner import Client, DoorRefused, Message
from tests.partner.conftest import CityBroker, envelope, until


def nothing(message: Message) -> None:
    """A handler that leaves the work to people."""


class serving:  # noqa: N801 - used as `with serving(...)`
    """A stand-in for the city's door, two messages a page."""

    def __init__(self, items, posted=None, refuse=None, port=0) -> None:
        posted = [] if posted is None else posted

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                after = int(parse_qs(urlsplit(self.path).query)["after"][0])
                page = [each for each in items if int(each["sequence"]) > after][:2]
                self.reply(200, {"items": page})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if f"/{refuse}/" in self.path:
                    self.reply(409, {"title": "Conflict"})
                    return
                posted.append((self.path, body))
                self.reply(200, {"applied": True})

            def reply(self, status: int, body: object) -> None:
                if self.headers["Authorization"] != "Bearer lt_1_secret":
                    status, body = 401, {"title": "Unauthorized", "detail": "khóa không đúng"}
                text = json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Door)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_gap_is_told_and_filled_over_https(broker: CityBroker, tmp_path):
    gaps: list[range] = []
    everything = [envelope(broker.agency, number) for number in range(1, 6)]
    broker.assign(1, 4)
    with serving(everything) as url, Client(
        broker.agency,
        url=broker.url(),
        store=tmp_path / "agency.db",
        door=url,
        door_key="lt_1_secret",
        on_gap=gaps.append,
    ) as client:  # fmt: skip
        client.drain(nothing)
        assert gaps == [range(2, 4)]
        assert client.missing() == [range(2, 4)]
        late: list[Message] = []
        assert client.catch_up(late.append) == 3
        assert [each.sequence for each in late] == [2, 3, 5]
        assert client.missing() == []
        assert client.catch_up(late.append) == 0
        broker.assign(5)
        assert client.drain(nothing) == 0


def test_the_key_never_travels_in_the_clear(tmp_path):
    with pytest.raises(DoorRefused, match="https"):
        Client("phuong-1", store=tmp_path / "a.db", door="http://city.example", door_key="lt_x")


def test_an_agency_without_a_broker_answers_over_https(tmp_path):
    posted: list[tuple[str, dict[str, object]]] = []
    with serving([envelope("phuong-3", 1)], posted) as url, Client(
        "phuong-3", store=tmp_path / "agency.db", door=url, door_key="lt_1_secret"
    ) as client:  # fmt: skip
        assert client.catch_up(nothing) == 1
        answer_id = client.refuse("task-1", "Không thuộc thẩm quyền")
        assert client.flush() == 1
    ((path, body),) = posted
    assert path == "/api/v1/tasks/task-1/answers"
    assert body == {"answer_id": answer_id, "kind": "refused", "reason": "Không thuộc thẩm quyền"}


def test_an_answer_that_the_door_refuses_for_good_does_not_hold_back_the_others(tmp_path):
    posted: list[tuple[str, dict[str, object]]] = []
    items = [envelope("phuong-3", 1), envelope("phuong-3", 2)]
    with serving(items, posted, refuse="task-1") as url:
        with Client(
            "phuong-3", store=tmp_path / "a.db", door=url, door_key="lt_1_secret"
        ) as client:
            client.catch_up(nothing)
            client.take("task-1")
            client.take("task-2")
            assert client.flush() == 1
            (refused,) = client.refusals()
    assert (refused.task, refused.kind) == ("task-1", "taken")
    assert "409" in refused.said
    assert [path for path, _ in posted] == ["/api/v1/tasks/task-2/answers"]


def test_a_refusal_of_the_door_says_what_the_city_said(tmp_path):
    with serving([]) as url:
        with Client("a", store=tmp_path / "a.db", door=url, door_key="wrong") as client:
            with pytest.raises(DoorRefused, match=r"401.*khóa") as refused:
                client.catch_up(nothing)
    assert refused.value.status == 401


def test_an_agency_without_a_broker_works_all_day_by_the_door_alone(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("partner.client.ASK_AGAIN", 0.2)
    items, posted = [envelope("phuong-3", 1)], []
    stop = threading.Event()

    def work(url: str) -> None:
        with Client(
            "phuong-3", store=tmp_path / "a.db", door=url, door_key="lt_1_secret"
        ) as client:
            client.run(lambda message: client.take(message.task) and None, stop)

    with serving(items, posted) as url:
        agency = threading.Thread(target=work, args=(url,))
        agency.start()
        until(lambda: len(posted) == 1)
    port = int(url.rpartition(":")[2])
    until(lambda: "trying again" in caplog.text)
    with serving(items, posted, port=port):
        items.append(envelope("phuong-3", 2))
        until(lambda: len(posted) == 2)
        stop.set()
        agency.join(30)
    assert not agency.is_alive()
    assert [path for path, _ in posted] == [f"/api/v1/tasks/task-{n}/answers" for n in (1, 2)]


def test_a_key_that_the_door_does_not_know_ends_the_day(tmp_path):
    with serving([]) as url:
        with Client("a", store=tmp_path / "a.db", door=url, door_key="wrong") as client:
            with pytest.raises(DoorRefused, match="401"):
                client.run(nothing)


def test_a_reply_that_breaks_off_is_a_door_that_cannot_be_reached(tmp_path):
    """Half a reply is no OSError to http.client, and must not end a program."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def half() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")

        threading.Thread(target=half, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with Client("a", store=tmp_path / "a.db", door=url, door_key="k") as client:
            with pytest.raises(DoorRefused, match="cannot be reached") as refused:
                client.catch_up(nothing)
    assert refused.value.status == 0
