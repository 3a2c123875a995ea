"""The door at which a gateway calls back: its proof, its odd bodies, and nothing for strangers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.notify.channels.http import HttpChannel, load
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Sent
from services.notify.domain.states import State
from services.notify.web import create_web
from shared.identity.guard import assert_every_route_is_guarded
from tests.backends import Backend
from tests.notify.conftest import opened
from tests.notify.ledger import Ledger, RecordingChannel, a_contact, received
from tests.notify.test_notify_web import PUBLIC
from tests.notify.test_sms_http import SECRETS, described

KEY = b"a-secret-of-the-receipts"
DOOR = "/tin-nhan/bien-nhan/http"


@pytest.fixture
def ledger_here(embedded: Backend, clock) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    """One SMS that the gateway has taken under the name G-1."""
    with opened(embedded, clock) as made:
        made.hear(a_contact(consent_email=False), received())
        channel = RecordingChannel(name="sms.http", answers=[Sent(("G-1",))])
        sender = Sender("sms", channel, made.store)
        while sender.step(0):
            pass
        yield made


def door(ledger: Ledger, embedded: Backend, folder: Path, **changes: Any) -> FlaskClient:
    described_here = load(described(folder, **changes), SECRETS, "LIENTHONG_SMS_HTTP")
    gateways = {"http": HttpChannel("sms.http", *described_here)}
    settings = replace(embedded.settings("notify"), cookie_secure=False)
    app = create_web(settings, ledger.store, ledger.composer, gateways=gateways)
    assert_every_route_is_guarded(app, public={*PUBLIC, "receipts.told", "receipts.written"})
    return app.test_client()


def told(*reports: object) -> bytes:
    return json.dumps({"reports": list(reports)}).encode()


DELIVERED = told({"id": "g-1", "status": "DELIVERED", "phone": "0907123456", "error": None})


def signed(body: bytes, key: bytes = KEY) -> dict[str, str]:
    return {"X-Signature": hmac.new(key, body, hashlib.sha256).hexdigest().upper()}


def state(ledger: Ledger) -> State:
    (message,) = ledger.messages()
    return message.state


def test_a_signed_receipt_is_taken_once_however_often_it_comes(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    client = door(ledger_here, embedded, tmp_path)
    for _ in range(3):
        answer = client.post(DOOR, data=DELIVERED, headers=signed(DELIVERED))
        assert (answer.status_code, answer.text) == (200, "OK")
        assert state(ledger_here) is State.DELIVERED
    late = told({"id": "G-1", "status": "FAILED"})
    assert client.post(DOOR, data=late, headers=signed(late)).status_code == 200
    assert state(ledger_here) is State.DELIVERED


def test_without_the_proof_there_is_no_such_door(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    client = door(ledger_here, embedded, tmp_path)
    wrong: list[dict[str, str]] = [
        {},
        {"X-Signature": ""},
        signed(DELIVERED, b"another"),
        signed(DELIVERED + b" "),
        {"X-Signature": "ế" * 10},
    ]
    for headers in wrong:
        assert client.post(DOOR, data=DELIVERED, headers=headers).status_code == 404
    assert client.post("/tin-nhan/bien-nhan/other", data=DELIVERED).status_code == 404
    assert client.get(DOOR).status_code == 405
    assert state(ledger_here) is State.SENT


def test_an_address_that_only_the_gateway_knows_is_a_proof_too(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    proof = {"by": "path", "secret": "receipts"}
    form = {"receipts__proof": proof, "receipts__body": "form", "receipts__items": None}
    client = door(ledger_here, embedded, tmp_path, **form)
    body = {"id": "G-1", "status": "1", "phone": "84907123456"}
    assert client.post(f"{DOOR}/guessed", data=body).status_code == 404
    assert client.post(DOOR, data=body).status_code == 404
    assert client.post(f"{DOOR}/{KEY.decode()}", data=body).status_code == 200
    assert state(ledger_here) is State.DELIVERED


def test_a_signature_may_be_written_in_base64_behind_a_word(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    proof = {
        "by": "hmac",
        "secret": "receipts",
        "encoding": "base64",
        "prefix": "v1=",
        "header": "X",
    }
    client = door(ledger_here, embedded, tmp_path, receipts__proof=proof)
    made = base64.b64encode(hmac.new(KEY, DELIVERED, hashlib.sha256).digest()).decode()
    assert client.post(DOOR, data=DELIVERED, headers={"X": f"v1={made}"}).status_code == 200
    assert state(ledger_here) is State.DELIVERED


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[", 400),
        (b"[" * 100_000, 400),
        (b'{"reports": "none"}', 400),
        (b'{"reports": [1, 2]}', 400),
        (b"\xff\xfe", 400),
        (told(*[{"id": "1", "status": "SENT"}] * 1001), 400),
        (told(), 200),
        (told({"id": "G-1"}), 200),
        (told({"id": "G-1", "status": "COLOURFUL"}), 200),
        (told({"id": {"a": 1}, "status": "DELIVERED"}), 200),
        (told({"id": "x" * 201, "status": "DELIVERED"}), 200),
        (told({"id": "unknown", "status": "DELIVERED"}), 200),
    ],
    ids=range(13),
)
def test_an_odd_body_changes_nothing(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path, body: bytes, status: int
):
    client = door(ledger_here, embedded, tmp_path)
    assert client.post(DOOR, data=body, headers=signed(body)).status_code == status
    assert state(ledger_here) is State.SENT
