"""SMS over HTTP by a gateway that a file describes, on a real socket: whatever it answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.notify.channels.http import HttpChannel, load
from services.notify.channels.http.described import Gateway
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Sent,
    Unknown,
    Waiting,
)
from shared.kernel.errors import SettingsError
from tests.ports import free_port

SECRETS = "token=T0ken-of-the-city\nreceipts=a-secret-of-the-receipts\n"
DESCRIBED: dict[str, Any] = {
    "send": {
        "url": "http://127.0.0.1:1/sms",
        "headers": {"Authorization": "Bearer {secret.token}"},
        "json": {"to": "{digits}", "text": "{text}", "ref": "{id}", "from": "UBND"},
        "timeout_seconds": 1.0,
    },
    "answers": [
        {"means": "sent", "status": [200, 202], "where": {"code": [0]}, "reference": "data.id"},
        {"means": "busy", "status": [429], "wait_seconds": 2},
        {"means": "busy", "where": {"code": ["TOO_FAST"]}},
        {"means": "final", "where": {"code": [12]}},
        {"means": "failed", "status": ["503"]},
    ],
    "receipts": {
        "proof": {"by": "hmac", "secret": "receipts", "header": "X-Signature"},
        "items": "reports",
        "reference": "id",
        "state": "status",
        "to": "phone",
        "code": "error",
        "delivered": ["DELIVERED", 1],
        "lost": ["FAILED"],
        "underway": ["SENT"],
    },
}


def described(folder: Path, **changes: Any) -> Path:
    made = json.loads(json.dumps(DESCRIBED))
    for place, value in changes.items():
        *above, last = place.split("__")
        inside = made
        for name in above:
            inside = inside[name]
        inside[last] = value
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return path


def a_channel(folder: Path, url: str, **changes: Any) -> HttpChannel:
    path = described(folder, send__url=url, **changes)
    return HttpChannel("sms.http", *load(path, SECRETS, "LIENTHONG_SMS_HTTP"))


def a_letter(number: int = 1, body: str = "Hồ sơ {id} “đã xong” {secret.token}") -> Letter:
    at = datetime(2022, 3, 14, tzinfo=UTC)
    return Letter(f"m-{number}", "sms", f"+8490712{number:04}", "", body, at)


def results(channel: HttpChannel, letters: Iterable[Letter]) -> list[Result]:
    said = channel.send(letters)
    return [word for word in said if not isinstance(word, GoingOut | Waiting)]


def test_a_text_goes_as_it_is_described_and_its_own_braces_mean_nothing(
    tmp_path: Path, httpserver: HTTPServer
):
    httpserver.expect_request("/sms", method="POST").respond_with_json(
        {"code": 0, "data": {"id": "G-1"}}
    )
    channel = a_channel(tmp_path, httpserver.url_for("/sms"))
    assert results(channel, [a_letter()]) == [Sent(("G-1",))]
    request, _ = httpserver.log[0]
    assert request.headers["Authorization"] == "Bearer T0ken-of-the-city"
    assert request.get_json() == {
        "to": "84907120001", "text": a_letter().body, "ref": "m-1", "from": "UBND",
    }  # fmt: skip
    channel.close()
    assert results(channel, [a_letter(2)]) == [Sent(("G-1",))]
    channel.close()


def test_a_form_and_a_sign_in_and_a_query_are_known_too(tmp_path: Path, httpserver: HTTPServer):
    httpserver.expect_request("/sms").respond_with_json({"code": "0", "data": {"id": 7}})
    channel = a_channel(
        tmp_path,
        httpserver.url_for("/sms"),
        send__json=None,
        send__form={"phone": "{local}", "msg": "{text}"},
        send__query={"brand": "UBND & 1"},
        send__basic=["city", "{secret.token}"],
        send__headers={},
    )
    assert results(channel, [a_letter(body="a&b=c + d")]) == [Sent(("7",))]
    request, _ = httpserver.log[0]
    assert request.form.to_dict() == {"phone": "0907120001", "msg": "a&b=c + d"}
    assert request.args["brand"] == "UBND & 1"
    assert request.authorization is not None
    assert request.authorization.password == "T0ken-of-the-city"
    channel.close()


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (202, {"code": "0"}, Sent(())),
        (429, "slow down", Busy("http: status 429, busy", 2.0)),
        (200, {"code": "TOO_FAST"}, Busy("http: status 200, busy", 5.0)),
        (400, {"code": 12}, Failed("http: status 400, final", permanent=True)),
        (503, "", Failed("http: status 503, failed")),
        (401, "who?", Failed("http: status 401")),
        (302, "", Failed("http: status 302")),
        (500, "?", Unknown("http: status 500, an answer that no rule describes")),
        (200, "<html>", Unknown("http: status 200, an answer that no rule describes")),
        (200, "[" * 9000, Unknown("http: status 200, an answer that no rule describes")),
        (200, {"code": {"0": 0}}, Unknown("http: status 200, an answer that no rule describes")),
        (200, {"code": 0, "data": {"id": ["x"]}}, Sent(())),
        (200, {"code": 0, "data": {"id": "x" * 500}}, Sent(())),
        (200, "x" * 70_000, Unknown("http: status 200, an answer that no rule describes")),
    ],
)
def test_an_answer_means_what_the_first_rule_says_that_fits(
    tmp_path: Path, httpserver: HTTPServer, status: int, body: Any, found: Result
):
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Location": httpserver.url_for("/elsewhere")} if status == 302 else {}
    httpserver.expect_request("/sms").respond_with_data(text, status=status, headers=headers)
    channel = a_channel(tmp_path, httpserver.url_for("/sms"))
    assert results(channel, [a_letter()]) == [found]
    assert [request.path for request, _ in httpserver.log] == ["/sms"], "no redirect is followed"
    channel.close()


def test_a_gateway_that_is_not_there_failed_and_one_that_says_nothing_is_unknown(
    tmp_path: Path, httpserver: HTTPServer
):
    away = a_channel(tmp_path, f"http://127.0.0.1:{free_port()}/sms")
    assert results(away, [a_letter()]) == [Failed("http: ConnectError")]

    def slowly(_: Request) -> Response:
        time.sleep(1.6)
        return Response("{}")

    httpserver.expect_request("/sms").respond_with_handler(slowly)
    silent = a_channel(tmp_path, httpserver.url_for("/sms"))
    said = list(silent.send([a_letter()]))
    assert said[-1] == Unknown("http: ReadTimeout")
    assert sum(isinstance(word, Waiting) for word in said) >= 3


def raw_server(answer: bytes, pause: float = 0.0) -> tuple[int, list[bytes]]:
    """A port at which this is said in answer to anything, byte by byte where there is a pause."""
    listening, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        line, _ = listening.accept()
        heard.append(line.recv(65536))
        for piece in [answer[n : n + 1] for n in range(len(answer))] if pause else [answer]:
            try:
                line.sendall(piece)
            except OSError:
                break
            time.sleep(pause)
        line.close()
        listening.close()

    threading.Thread(target=serve, daemon=True).start()
    return listening.getsockname()[1], heard


@pytest.mark.parametrize(
    "answer", [b"", b"SMTP ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_one_that_hangs_up_or_speaks_otherwise_leaves_it_unknown(tmp_path: Path, answer: bytes):
    port, heard = raw_server(answer)
    (result,) = results(a_channel(tmp_path, f"http://127.0.0.1:{port}/sms"), [a_letter()])
    assert isinstance(result, Unknown)
    assert len(heard) == 1


def test_one_that_drips_gains_no_time(tmp_path: Path):
    port, _ = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900, 0.02)
    began = time.monotonic()
    (result,) = results(a_channel(tmp_path, f"http://127.0.0.1:{port}/sms"), [a_letter()])
    assert isinstance(result, Unknown)
    assert time.monotonic() - began < 6


def test_a_window_asks_for_several_at_once_and_answers_in_order(tmp_path: Path):
    def slowly(request: Request) -> Response:
        time.sleep(0.3)
        told = {"code": 0, "data": {"id": request.get_json()["ref"]}}
        return Response(json.dumps(told), mimetype="application/json")

    letters = [a_letter(n) for n in range(8)]
    with HTTPServer(threaded=True) as server:
        server.expect_request("/sms").respond_with_handler(slowly)
        url, began = server.url_for("/sms"), time.monotonic()
        channel = a_channel(tmp_path, url, send__window=4, send__timeout_seconds=5.0)
        said = [word for word in channel.send(letters) if not isinstance(word, Waiting)]
        assert time.monotonic() - began < 8 * 0.3
    sent = [Sent((letter.id,)) for letter in letters]
    assert said == [GoingOut(4), *sent[:4], GoingOut(4), *sent[4:]]
    channel.close()


def test_one_that_had_enough_is_left_alone_longer_each_time(tmp_path: Path, httpserver: HTTPServer):
    httpserver.expect_request("/sms").respond_with_data("", status=429)
    channel = a_channel(tmp_path, httpserver.url_for("/sms"))
    pauses = [results(channel, [a_letter(1), a_letter(2)])[0] for _ in range(3)]
    assert [each.seconds for each in pauses if isinstance(each, Busy)] == [2.0, 4.0, 8.0]
    assert {request.get_json()["ref"] for request, _ in httpserver.log} == {"m-1"}
    channel.close()


def test_no_secret_and_no_text_comes_into_a_log(
    tmp_path: Path, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
):
    httpserver.expect_request("/sms").respond_with_data("", status=500)
    caplog.set_level(logging.DEBUG)
    channel = a_channel(
        tmp_path, httpserver.url_for("/sms"), send__query={"key": "{secret.token}", "t": "{text}"}
    )
    results(channel, [a_letter()])
    channel.close()
    for hidden in ("T0ken", "84907120001", "xong"):
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("werkzeug")]
        assert hidden not in "".join(ours)
        assert hidden not in repr(channel)


# --- the description -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"send__url": "sms.example"},
        {"send__url": "http://sms.example/send"},
        {"send__url": "https://sms.example/{to}"},
        {"send__headers": {"X": "{text}"}},
        {"send__json": {"to": "{phone}"}},
        {"send__json": {"key": "{secret.unknown}"}},
        {"send__colour": "red"},
        {"send__window": 0},
        {"answers": []},
        {"answers": [{"means": "sent"}]},
        {"answers": [{"means": "good", "status": [200]}]},
        {"answers": [{"means": "sent", "status": ["2xx"]}]},
        {"receipts__proof__secret": "token2"},
        {"receipts__proof__by": "trust"},
        {"receipts__delivered": []},
    ],
    ids=str,
)
def test_a_description_by_which_no_text_could_go_is_told_at_the_start(
    tmp_path: Path, wrong: dict[str, Any]
):
    with pytest.raises(SettingsError) as refused:
        load(described(tmp_path, **wrong), SECRETS, "LIENTHONG_SMS_HTTP")
    for said in (refused.value.en, refused.value.vi):
        assert said.startswith("LIENTHONG_SMS_HTTP: ")
        assert "T0ken" not in said


def test_what_is_no_description_and_what_are_no_secrets_is_told(tmp_path: Path):
    path = tmp_path / "x.yaml"
    for text in ("a: [", "just words", "\x00"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match="LIENTHONG_SMS_HTTP"):
            load(path, "", "LIENTHONG_SMS_HTTP")
    for missing in (None, tmp_path / "none.yaml"):
        with pytest.raises(SettingsError, match="LIENTHONG_SMS_HTTP"):
            load(missing, "", "LIENTHONG_SMS_HTTP")
    with pytest.raises(SettingsError, match="LIENTHONG_SMS_HTTP_SECRETS: line 1") as refused:
        load(described(tmp_path), "hunter2", "LIENTHONG_SMS_HTTP")
    assert "hunter2" not in refused.value.en


# --- receipts ------------------------------------------------------------------------------------


def proof_of(gateway: Gateway, body: bytes, key: bytes = b"a-secret-of-the-receipts") -> str:
    assert gateway.receipts is not None
    made = hmac.new(key, body, hashlib.sha256)
    if gateway.receipts.proof.encoding == "base64":
        return base64.b64encode(made.digest()).decode()
    return gateway.receipts.proof.prefix + made.hexdigest()
