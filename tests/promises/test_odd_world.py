"""Odd and huge messages on every queue of the three services: each is parked, the city goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import pytest
import sqlalchemy as sa

from shared.catalogue import Catalogue
from shared.events.envelope import MAX_BYTES
from shared.events.names import READINGS
from shared.messaging.tables import LEDGERS, PARKED
from tests.backends import ServersBackend
from tests.embedded.townsfolk import INTERLINKED, held, unsent
from tests.messaging.raw import RawPublisher
from tests.messaging.test_odd_messages import ODD
from tests.promises.town import Portrait, Town, check_as_calm, gaps

KEYS = {
    "dossier.facts": ("intake.odd.made", "routing.odd.made", "steps.odd.made", "notify.odd.made"),
    "citizen.contacts": ("intake.odd.made",),
    "agency.answers": ("answer.nobody.made",),
}
HEADERS = [
    ODD[name]
    for name in ("timestamp in milliseconds", "strings that are no text", "a huge table", "decimal")
]


@pytest.fixture
def town(on_servers: ServersBackend, catalogue: Catalogue) -> Iterator[Town]:
    made = Town(on_servers, catalogue)
    yield made
    made.close()


def _strew(backend: ServersBackend, turn: int) -> Counter[str]:
    """One odd and one huge message under every key; how many each queue gets of them."""
    given: Counter[str] = Counter()
    with RawPublisher(backend.amqp_url()) as stranger:
        for exchange, keys in KEYS.items():
            for key in keys:
                rubbish = f"{turn} {exchange} {key}".encode()
                for number, odd in enumerate(HEADERS):
                    stranger.publish(exchange, key.encode(), odd, b"%d %s" % (number, rubbish))
                stranger.publish(exchange, key.encode(), HEADERS[0], rubbish.ljust(4 * MAX_BYTES))
                given.update(
                    reading.queue
                    for reading in READINGS
                    if reading.exchange == exchange
                    and any(fnmatchcase(key, pattern) for pattern in reading.patterns)
                )
    return Counter({queue: count * (len(HEADERS) + 1) for queue, count in given.items()})


def _parked(town: Town) -> Counter[str]:
    query = sa.select(LEDGERS.inbox.c.consumer).where(LEDGERS.inbox.c.state == PARKED)
    found: Counter[str] = Counter()
    for service in town.city.services.values():
        with service.store.read() as connection:
            found.update(connection.scalars(query))
    return found


def test_every_consumer_parks_what_is_odd_and_carries_the_rest(
    town: Town, on_servers: ServersBackend, calm: Mapping[str, Portrait]
) -> None:
    given = _strew(on_servers, 1)
    code = town.desk().submit(INTERLINKED).code
    given += _strew(on_servers, 2)
    assert given.keys() == {reading.queue for reading in READINGS}
    town.finish(code)
    town.carry(lambda: _parked(town) == given)
    check_as_calm(town.city, calm, code)
    assert {state for _, _, state, _ in held(town.city)} == {"parked"}
    assert (gaps(town.city, code), unsent(town.city)) == ([], 0)
