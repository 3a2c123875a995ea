"""The city's address is a setting: what a caller says of it stands on no page and in no header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.errors import SettingsError
from shared.settings import Settings
from simulation.kit import City, open_city

FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Host": "evil.example",
    "Forwarded": "host=evil.example;proto=https",
    "X-Forwarded-Proto": "evil",
    "X-Forwarded-Prefix": "/evil.example",
}
BIRTH = "2.000986"
OURS = "https://motcua.example.vn"


@pytest.fixture(params=["", OURS], ids=["no address", "with an address"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    with open_city(tmp_path, public_url=request.param, proxy_hops=1, host="0.0.0.0") as made:
        yield made


def paths(app: Any, values: dict[str, str]) -> list[str]:
    """An address for every GET route, and such as werkzeug itself would send elsewhere."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda name: values.get(name[1], "x"), rule.rule)
            found += [path, path.replace("/", "//"), f"{path}/"]
    return found


def test_a_forged_host_is_printed_nowhere(city: City) -> None:
    receipt = city.desk("ubnd-phuong-1").submit(BIRTH)
    city.rest()
    sent = city.sent(receipt.code)
    values = {"code": receipt.code, "message_id": sent[0].id, "filename": "lienthong.css"}
    signed = {
        "intake": city.desk("ubnd-phuong-1"),
        "routing": city.agency(city.agencies_of(BIRTH, "ubnd-phuong-1")[0]),
        "notify": city.operator(),
    }
    asked = 0
    for name, who in signed.items():
        app = city.built.services[name].web
        client = app.test_client()
        for path in paths(app, values):
            for key in ({}, who._headers):
                answer = client.get(path, headers={**FORGED, **key, "Accept": "text/html"})
                told = f"{answer.headers}{answer.get_data().decode(errors='replace')}"
                assert "evil" not in told, f"{name} {path}: {answer.status}"
                asked += 1
    assert asked > 150


def test_a_receipt_names_the_address_of_the_city_alone(city: City) -> None:
    desk = city.desk("ubnd-phuong-1")
    receipt = desk.submit(BIRTH)
    app = city.built.intake.web
    page = app.test_client().get(f"/ho-so/{receipt.code}/giay-hen", headers=desk._headers).text
    known = city.built.intake.settings.public_url
    assert (f"<strong>{OURS}/tra-cuu</strong>" in page) is bool(known)
    assert "http://" not in page.replace("http://www.w3.org", "")


def settings(**env: str) -> Settings:
    return Settings.load("intake", {f"LIENTHONG_{name}": text for name, text in env.items()})


def test_an_address_is_taken_without_what_follows_it() -> None:
    assert settings(PUBLIC_URL="https://motcua.example.vn/").home == "https://motcua.example.vn"
    assert settings(PUBLIC_URL="", HOST="0.0.0.0").home == ""
    assert settings(PORT="8123").home == "http://127.0.0.1:8123"
    for wrong in ("motcua.example.vn", "ftp://x", "https://x/ho-so", "https://a:b@x", "https://"):
        with pytest.raises(SettingsError):
            settings(PUBLIC_URL=wrong)
