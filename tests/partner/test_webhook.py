"""The kit's webhook receiver: signed and fresh, on disk before it says so, in the queue's own file."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from partner import Client, Message, NotSigned, Receiver, verify
from partner.errors import BadSettings
from partner.webhook import TRIAL, read_secrets, served
from services.routing.domain.webhook import secret_of
from services.routing.usecases.remind import set_addresses
from services.routing.usecases.webhooks import set_webhook
from shared.events.names import WEBHOOK_TRIED
from shared.settings import PROJECT
from shared.web.security import secret_key
from simulation.kit import open_city
from simulation.links import door_without_a_socket
from tests.ports import free_port

SECRET = "whsec_" + base64.b64encode(b"for tests alone, it opens nothing").decode()
NOW = datetime(2022, 3, 1, 2, tzinfo=UTC)
SAMPLE = (PROJECT / "shared/events/samples/task.assigned.v1.json").read_bytes()


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    """As any library of Standard Webhooks does it."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.digest(key, b"id-1." + stamp.encode() + b"." + body, "sha256")
    return {
        "webhook-id": "id-1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,bm90IG91cnM= v1,{base64.b64encode(made).decode()}",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-timestamp": "1646100001"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "١"},
        {"webhook-id": "id-2"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,Đ"},
        {"webhook-signature": "v2,bm90IG91cnM="},
    ],
)
def test_what_is_not_signed_by_the_city_is_refused(changed: Mapping[str, str]):
    verify([SECRET], signed(SAMPLE), SAMPLE, lambda: NOW)
    with pytest.raises(NotSigned):
        verify([SECRET], signed(SAMPLE) | dict(changed), SAMPLE, lambda: NOW)
    with pytest.raises(NotSigned):
        verify([SECRET], signed(SAMPLE), SAMPLE + b" ", lambda: NOW)
    for late in (timedelta(minutes=6), -timedelta(minutes=6)):
        with pytest.raises(NotSigned):
            verify([SECRET], signed(SAMPLE), SAMPLE, lambda: NOW + late)  # noqa: B023


def test_the_secrets_of_a_setting():
    assert read_secrets(f" {SECRET}\n{SECRET} ") == [SECRET, SECRET]
    for wrong in (None, "", "whsec_ă", "whsec_*"):
        with pytest.raises(BadSettings):
            read_secrets(wrong)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agency.db"


@pytest.fixture
def url(file: Path) -> Iterator[str]:
    app = Receiver(lambda: Client("cong-an", store=file), [SECRET], lambda: NOW)
    with served(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/"


def post(url: str, body: bytes | None, headers: Mapping[str, str]) -> int:
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


class Door:
    """The city's door as the kit sees it."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def __call__(self, method: str, path: str, body: bytes | None, _: Any) -> tuple[int, bytes]:
        if method == "GET":
            return 200, b'{"items": [], "next": null, "more": false}'
        self.answers.append(json.loads(body or b"null"))
        return 200, b'{"applied": true}'


def test_a_message_is_on_disk_before_the_word_and_is_handled_once_and_answered_by_the_door(
    url: str, file: Path
):
    for _ in range(2):
        assert post(url, SAMPLE, signed(SAMPLE)) == 204
    handled: list[str] = []
    door = Door()
    with Client("cong-an", store=file, http=door, door_key="k", now=lambda: NOW) as client:

        def handle(message: Message) -> None:
            handled.append(message.kind)
            client.take(message.task, "Hoa")

        client.catch_up(handle)
    assert handled == ["assigned"]
    assert [answer["kind"] for answer in door.answers] == ["taken"]


def test_a_trial_is_taken_and_forgotten_and_what_is_odd_is_put_aside(url: str, file: Path):
    assert TRIAL == WEBHOOK_TRIED
    trial = json.dumps({"specversion": "1.0", "type": TRIAL}).encode()
    assert post(url, trial, signed(trial)) == 204
    odd = b"no JSON"
    assert post(url, odd, signed(odd)) == 204
    with Client("cong-an", store=file) as client:
        assert [each.body for each in client.unreadable()] == [odd]
        assert client.tasks() == []


def test_what_cannot_be_taken_has_its_own_word(url: str, file: Path):
    assert post(url, SAMPLE, signed(SAMPLE, secret="whsec_bm90IG91cnM=")) == 401
    assert post(url, None, {}) == 405
    assert post(url, SAMPLE, signed(SAMPLE) | {"Content-Length": str(1 << 21)}) == 413
    assert post(url, SAMPLE, signed(SAMPLE) | {"Content-Length": "-5"}) == 411
    assert not file.exists()


def test_a_store_that_cannot_be_written_gets_it_again(url: str, file: Path):
    assert post(url, SAMPLE, signed(SAMPLE)) == 204
    file.with_name("agency.db-wal").unlink(missing_ok=True)
    file.write_bytes(b"this is no database at all, whatever it was before")
    assert post(url, SAMPLE, signed(SAMPLE)) == 503
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(file).execute("SELECT 1 FROM messages")


def test_a_whole_city_calls_its_agency_which_answers_by_the_door(tmp_path: Path, file: Path):
    with open_city(tmp_path / "city", webhook_loopback=True) as city:
        desk = city.desk("ubnd-phuong-1")
        (code, *_) = city.agencies_of("2.000986", "ubnd-phuong-1")
        store, key = city.built.routing.store, city.key("routing", "agency", code)
        secrets: list[str] = []
        app = Receiver(lambda: Client(code, store=file), secrets, city.clock.now)
        with served(app, "127.0.0.1", 0) as port:
            with store.begin() as uow:
                set_addresses(uow, city.built.catalogue, code, ["a@x.example"], remove=False)
                url = f"http://127.0.0.1:{port}/"
                nonce = set_webhook(uow, city.built.catalogue, code, url, (), loopback=True)
            settings = city.built.routing.settings
            secrets += read_secrets(secret_of(secret_key(settings), code, str(nonce)))
            dossier = desk.submit("2.000986").code
            city.rest()
        with Client(code, store=file) as kept:
            assert [task.state for task in kept.tasks()] == ["open"], "it came with no question"
        door = door_without_a_socket(city.built.web)
        with Client(code, store=file, http=door, door_key=key, now=city.clock.now) as client:
            client.catch_up(lambda message: client.take(message.task, "Hoa") and None)
        city.rest()
        (taken,) = city.agency(code).told("GET", "/tasks", query={"state": "taken"})["items"]
        assert taken["dossier"] == dossier


class _EmptyDoor(BaseHTTPRequestHandler):
    """A door at which there is nothing to catch up."""

    def do_GET(self) -> None:
        said = b'{"items": [], "next": null, "more": false}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        pass


def test_the_command_receives_prints_and_ends(tmp_path: Path):
    door = ThreadingHTTPServer(("127.0.0.1", 0), _EmptyDoor)
    threading.Thread(target=door.serve_forever, args=(0.1,), daemon=True).start()
    port = free_port()
    env = os.environ | {
        "PARTNER_AGENCY": "cong-an-cao-lanh",
        "PARTNER_STORE": str(tmp_path / "agency.db"),
        "PARTNER_DOOR": f"http://127.0.0.1:{door.server_port}",
        "PARTNER_DOOR_KEY": "k",
        "PARTNER_WEBHOOK_SECRET": SECRET,
    }
    words = [sys.executable, "-m", "partner", "receive", "--listen", f"127.0.0.1:{port}"]
    program = subprocess.Popen(words, env=env, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert _post_when_there(f"http://127.0.0.1:{port}/") == 204
        assert program.stdout is not None
        assert "000." in program.stdout.readline()
    finally:
        program.terminate()
        assert program.wait(15) == 0
        door.shutdown()
        door.server_close()


def _post_when_there(url: str) -> int:
    end = time.monotonic() + 30
    while True:
        try:
            return post(url, SAMPLE, signed(SAMPLE, datetime.now(UTC)))
        except urllib.error.URLError:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_the_app_that_the_page_shows_is_one(monkeypatch: pytest.MonkeyPatch):
    page = (PROJECT / "docs" / "agencies.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.setenv("PARTNER_WEBHOOK_SECRET", SECRET)
    made: dict[str, Any] = {}
    exec(code, made)
    assert isinstance(made["app"], Receiver)
