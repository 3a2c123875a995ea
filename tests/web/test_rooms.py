"""One address: every path is one service's, by the same words in the city and in the proxy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.web import rooms
from simulation.kit import City, open_city

PROXY = Path(__file__).resolve().parents[2] / "deploy" / "proxy" / "nginx.conf"
#: What each app has and only the first answers with at the one address: the same files.
SHARED = {"/lienthong/<path:filename>", "/"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory):
    with open_city(tmp_path_factory.mktemp("city")) as made:
        yield made


def test_no_path_of_a_service_is_anothers(city: City) -> None:
    for name, service in city.built.services.items():
        for rule in service.web.url_map.iter_rules():
            if rule.rule not in SHARED:
                assert rooms.owner(rule.rule) == name, rule.rule


def test_the_proxy_has_the_same_families() -> None:
    told = PROXY.read_text(encoding="utf-8")
    found = {
        service: tuple(f"/{each}".replace("\\.", ".") for each in families.split("|"))
        for families, service in re.findall(r"~\^/\(([^)]+)\)\(/\|\$\) http://(\w+)-web", told)
    }
    assert found == rooms.FAMILIES
    assert f"default http://{rooms.FIRST}-web:8080;" in told


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("", "intake"), ("/", "intake"), ("/nhiem-vu", "routing"), ("/nhiem-vu/a", "routing"),
        ("/nhiem-vuxyz", "intake"), ("/tin-nhan/", "notify"), ("/api/v1/tasks/x", "routing"),
        ("/api/v1/tasksx", "intake"), ("/docs/notify", "notify"), ("/docs", "intake"),
        ("//nhiem-vu", "intake"), ("/phien", "intake"),
    ],
)  # fmt: skip
def test_a_path_goes_by_whole_words(path: str, service: str) -> None:
    assert rooms.owner(path) == service


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "/a\nb",
        "evil",
        "/" + "x" * 3000,
        "/\\/a",
    ],
)
def test_nothing_leads_to_another_host(target: str) -> None:
    assert rooms.local({"next": target}) == ""
