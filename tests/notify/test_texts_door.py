"""The door at which a gateway brings what citizens write: proved, once, and nothing odd kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.notify.storage.tables import heard
from tests.backends import Backend
from tests.notify.ledger import Ledger
from tests.notify.test_receipts_door import door, ledger_here

DOOR = "/tin-nhan/den/http"
TEXTS = {
    "proof": {"by": "hmac", "secret": "receipts", "header": "X-Signature"},
    "items": "messages",
    "sender": "from",
    "text": "body.text",
    "id": "id",
}
__all__ = ["ledger_here"]


def client_of(ledger: Ledger, embedded: Backend, folder: Path, **changes: Any) -> FlaskClient:
    return door(ledger, embedded, folder, texts={**TEXTS, **changes})


def post(client: FlaskClient, told: object, key: bytes = b"a-secret-of-the-receipts") -> int:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    made = hmac.new(key, body, hashlib.sha256).hexdigest()
    return client.post(DOOR, data=body, headers={"X-Signature": made}).status_code


def kept(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.store.read() as connection:
        return [(row.sender, row.text) for row in connection.execute(heard.select())]


def a_text(text: object = "HS 1 A", sender: object = "0907123456", name: object = 7) -> dict:
    return {"from": sender, "body": {"text": text}, "id": name}


def test_a_text_is_kept_once_however_often_it_is_brought(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    client = client_of(ledger_here, embedded, tmp_path)
    for _ in range(3):
        assert post(client, {"messages": [a_text(), a_text("STOP", name=8)]}) == 200
    assert kept(ledger_here) == [("+84907123456", "HS 1 A"), ("+84907123456", "STOP")]


def test_a_stranger_brings_nothing(ledger_here: Ledger, embedded: Backend, tmp_path: Path):
    client = client_of(ledger_here, embedded, tmp_path)
    assert post(client, {"messages": [a_text()]}, b"another") == 404
    assert client.post(DOOR, data=b"{}").status_code == 404
    assert client.get(DOOR).status_code == 405
    assert kept(ledger_here) == []


def test_a_gateway_that_is_described_without_texts_has_no_such_door(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path
):
    assert post(door(ledger_here, embedded, tmp_path), {"messages": [a_text()]}) == 404


@pytest.mark.parametrize(
    ("told", "status", "texts"),
    [
        (b"[", 400, []),
        ({"messages": "none"}, 400, []),
        ({"messages": [a_text(7)]}, 200, []),
        ({"messages": [a_text(sender=None)]}, 200, []),
        ({"messages": [a_text("a\0b", name=None)]}, 200, ["ab"]),
        ({"messages": [a_text("\ud800")]}, 200, ["?"]),
        ({"messages": [a_text("x" * 5000)]}, 200, ["x" * 1000]),
        ({"messages": [a_text("x", sender="y" * 500)]}, 200, ["x"]),
    ],
)
def test_an_odd_text_does_no_harm(
    ledger_here: Ledger, embedded: Backend, tmp_path: Path, told: Any, status: int, texts: list
):
    client = client_of(ledger_here, embedded, tmp_path)
    assert post(client, told) == status
    assert [text for _, text in kept(ledger_here)] == texts
