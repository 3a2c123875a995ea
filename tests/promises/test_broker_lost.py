"""After the broker lost its disk, `lienthong resend` brings everything back; the inboxes absorb it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.embedded.city import City
from shared.catalogue import Catalogue
from tests.backends import ServersBackend
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.operator import Operator
from tests.promises.town import Portrait, Town, check_as_calm, check_once


def a_few_steps(city: City, steps: int) -> None:
    """So many steps that did something, wherever that leaves the dossiers."""
    for _ in range(400):
        for each in city.loops:
            if each.step(0.01):
                steps -= 1
            if steps == 0:
                return


def lose_the_disk(backend: ServersBackend) -> None:
    """The broker comes back empty: no queue, no exchange, no message."""
    backend.management.drop_vhost(backend.vhost)
    backend.management.call("PUT", f"/vhosts/{backend.vhost}", {})
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    user = backend.management.user
    backend.management.call("PUT", f"/permissions/{backend.vhost}/{user}", rights)


def test_a_broker_that_lost_its_disk_gets_everything_again(
    on_servers: ServersBackend,
    catalogue: Catalogue,
    calm: Mapping[str, Portrait],
    monkeypatch: pytest.MonkeyPatch,
):
    town = Town(on_servers, catalogue)
    done = town.desk().submit(INTERLINKED).code
    town.finish(done)
    codes = [town.desk().submit(INTERLINKED).code for _ in range(3)]
    a_few_steps(town.city, 9)
    lose_the_disk(on_servers)

    told = Operator(town, monkeypatch).types(
        "resend", "--since", "2022-03-14", "--who", "Hạnh", "--why", "mất đĩa"
    )
    assert "intake: " in told
    assert "will be sent again" in told
    town.finish(done, *codes)
    for code in (done, *codes):
        check_as_calm(town.city, calm, code)
    check_once(town.city, done, *codes)
    town.close()
