"""A citizen asks by SMS where a dossier stands: the whole way, over intake's own public door."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.intake.domain.guessing import OF_ADDRESS, OF_CODE
from services.notify.delivery.asking import LookUp
from services.notify.domain.incoming import Answer
from services.notify.domain.messages import ASKER
from services.notify.storage import queries
from services.notify.usecases.answering import Later
from simulation.kit import City, Rejected, open_city
from tests.notify.test_sms_http import SECRETS, described
from tests.ports import free_port

TEXTS = {
    "proof": {"by": "hmac", "secret": "receipts"},
    "sender": "from",
    "text": "text",
    "id": "id",
}
WRONG = "Khong co ho so nao co ma va tu tra cuu nay."


@contextmanager
def a_city(folder: Path) -> Iterator[City]:
    gateway = described(folder, texts=TEXTS, send__url=f"http://127.0.0.1:{free_port()}/sms")
    with open_city(folder, channel_sms="http", sms_http=gateway, sms_http_secrets=SECRETS) as city:
        yield city


def writes(city: City, text: str, sender: str = "0907123456") -> list[str]:
    """What the city has answered to this phone, after it wrote this."""
    body = json.dumps({"from": sender, "text": text, "id": city.built.notify.store.ids.new()})
    made = hmac.new(b"a-secret-of-the-receipts", body.encode(), hashlib.sha256).hexdigest()
    client = city.built.notify.web.test_client()
    answer = client.post("/tin-nhan/den/http", data=body, headers={"X-Signature": made})
    assert answer.status_code == 200
    city.built.pump(tolerant=True)
    with city.built.notify.store.read() as connection:
        found = queries.find(connection, queries.Search(channel="sms", limit=200))
    return [m.body for m in found if m.role == ASKER and m.to.endswith(sender[-9:])]


def test_a_phone_is_told_what_the_page_tells_and_one_answer_for_whatever_is_wrong(tmp_path: Path):
    with a_city(tmp_path) as city:
        desk = city.desk("ubnd-phuong-1")
        receipt = desk.submit("2.000986")
        city.built.pump(tolerant=True)
        (told,) = writes(city, f"hs {receipt.code.lower()} {receipt.word}")
        assert told.startswith(f"Tinh trang ho so {receipt.code}: D")
        assert "Hen tra" in told
        wrong_word = writes(city, f"HS {receipt.code} AAAAAA", "0907000001")
        wrong_code = writes(city, f"HS {receipt.code[:-1]}9 {receipt.word}", "0907000002")
        assert wrong_word == wrong_code
        assert wrong_word[0].startswith(WRONG)


def test_the_limits_are_those_of_the_page_and_each_phone_has_its_own(tmp_path: Path):
    with a_city(tmp_path) as city:
        code = city.desk("ubnd-phuong-1").submit("2.000986").code
        look = LookUp("", city.built.intake.web.config["SECRET_KEY"])
        look.through(city.built.web)
        asked = [look.ask(code, "AAAAAA", f"+8490700000{n}") for n in range(OF_CODE.free + 2)]
        assert asked[:-1] == [Answer("not_found")] * (OF_CODE.free + 1)
        assert isinstance(asked[-1], Later)
        page = city.citizen(code, "AAAAAA")
        with pytest.raises(Rejected) as refused:
            page.page()  # one count for the page and for phones
        assert refused.value.status == 429
        many = [look.ask(f"no-{n}", "A", "+84907000099") for n in range(OF_ADDRESS.free + 2)]
        assert isinstance(many[-1], Later)
        assert look.ask("no", "A", "+84907000098") == Answer("not_found")


def test_a_stranger_cannot_choose_as_whom_they_are_counted(tmp_path: Path):
    with open_city(tmp_path) as city:
        client = city.built.web.apps["intake"].test_client()  # type: ignore[attr-defined]
        seen = [
            client.post(
                "/api/v1/look-up",
                json={"code": f"no-{n}", "word": "A"},
                headers={"X-Lienthong-Asker": f"forged-{n}"},
            ).status_code
            for n in range(OF_ADDRESS.free + 2)
        ]
        assert seen == [404] * (OF_ADDRESS.free + 1) + [429]


def test_where_intake_is_away_or_not_named_it_is_asked_later(tmp_path: Path):
    assert LookUp("", "s" * 40).ask("x", "y", "+84907123456") == Later()
    away = LookUp(f"http://127.0.0.1:{free_port()}", "s" * 40)
    assert away.ask("x", "y", "+84907123456") == Later()
