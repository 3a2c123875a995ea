"""A chaos run lives in a place of its own on servers of others, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.catalogue import Catalogue, load
from shared.settings import PROJECT
from simulation.chaos.place import NoPlace, Servers, fresh
from simulation.chaos.stepped import stepped, write
from tests.backends import Management, ServersBackend
from tests.partner.conftest import SmallCity


def _there(management: Management) -> dict[str, Any]:
    return {
        part: {each["name"] for each in management.call("GET", f"/{part}")}
        for part in ("vhosts", "users")
    }


def _servers(backend: ServersBackend) -> Servers:
    at = backend.servers
    return Servers(at.amqp_url, at.management_url, at.database_url, own=False)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


def test_it_has_the_rights_of_a_real_city_and_is_gone_afterwards(
    on_servers: ServersBackend, catalogue: Catalogue
):
    with fresh(_servers(on_servers), catalogue) as place:
        assert place.vhost in _there(on_servers.management)["vhosts"]
        assert {"intake", "bhxh-cao-lanh"} <= _there(on_servers.management)["users"]
    assert place.vhost not in _there(on_servers.management)["vhosts"]
    assert not {"bhxh-cao-lanh"} & _there(on_servers.management)["users"]


def test_it_does_not_move_in_where_such_users_live(on_servers: ServersBackend):
    management, city = on_servers.management, SmallCity()
    somebody = city.codes[0]
    management.call("PUT", f"/users/{somebody}", {"password_hash": "", "tags": ""})
    try:
        with pytest.raises(NoPlace, match=somebody), fresh(_servers(on_servers), city):
            pass
        assert somebody in _there(management)["users"]
        assert city.codes[1] not in _there(management)["users"]
    finally:
        management.call("DELETE", f"/users/{somebody}")


def test_a_clock_is_off_by_what_its_file_says(tmp_path: Path):
    from datetime import UTC, datetime, timedelta

    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    write(tmp_path / "clock", -7200)
    off = stepped(tmp_path / "clock", lambda _: noon)
    assert off(None) == noon - timedelta(hours=2)  # type: ignore[arg-type]
