"""Promise 2: whatever order facts arrive in and however often, the end is that of a calm run.

The real services on the real bus; between their relays and the bus stands a courier that
shuffles, repeats and delays everything: facts, contacts, tasks and the agencies' answers.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.embedded.city import City
from shared.catalogue import Catalogue
from shared.messaging.consumer import Consumer, Handler
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED, LAND
from tests.promises.crashes import loop
from tests.promises.scattering import Postman, ScatteringBus, scattered
from tests.promises.town import Portrait, Town, check_as_calm, check_once

Applied = dict[tuple[str, str], list[int]]


class Watch:
    """Notes, for each consumer and stream, the numbers of the facts it applies, in that order."""

    def __init__(self, city: City) -> None:
        self.applied: Applied = defaultdict(list)
        self.ids: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for each in city.loops:
            if isinstance(each, Consumer):
                self._look_at(each)

    def _look_at(self, consumer: Any) -> None:
        setup = consumer._setup
        handlers = {
            kind: self._noting(consumer.name, handler) for kind, handler in setup.handlers.items()
        }
        consumer._setup = replace(setup, handlers=handlers)

    def _noting(self, consumer: str, handler: Handler) -> Handler:
        def apply(uow: Any, envelope: Any) -> Any:
            self.ids[consumer].append((envelope.source, envelope.id))
            if envelope.sequence is not None:
                self.applied[consumer, envelope.stream].append(envelope.sequence)
            return handler.apply(uow, envelope)

        return Handler(apply, handler.load)

    def check(self) -> None:
        for consumer, ids in self.ids.items():
            assert len(ids) == len(set(ids)), f"{consumer} applied a fact twice"
        for (consumer, stream), numbers in self.applied.items():
            assert numbers == sorted(set(numbers)), f"{consumer} left the order of {stream}"


@pytest.fixture(scope="module")
def scattering(
    lasting_place: Backend, catalogue: Catalogue, calm: object
) -> Iterator[tuple[Town, Postman, Watch]]:
    town = Town(lasting_place, catalogue, make_bus=ScatteringBus, more=scattered)
    yield town, loop(town.city, "postman"), Watch(town.city)
    town.close()


SLOW = st.sets(
    st.sampled_from(["citizen.contacts", "agency.tasks", "agency.answers", "intake", "routing"]),
    max_size=2,
)


@settings(max_examples=5)
@example(whims=0, slow={"citizen.contacts"}, repeats=0.6)
@given(
    whims=st.integers(0, 2**32), slow=SLOW, repeats=st.sampled_from([0.0, 0.3, 0.6])
)  # fmt: skip
def test_shuffled_repeated_and_delayed_facts_end_like_a_calm_run(
    scattering: tuple[Town, Postman, Watch],
    calm: Mapping[str, Portrait],
    whims: int,
    slow: set[str],
    repeats: float,
):
    town, postman, watch = scattering
    postman.whims, postman.slow, postman.repeats = random.Random(whims), slow, repeats
    codes = {name: town.desk(name).submit(name).code for name in (INTERLINKED, LAND)}
    for name, code in codes.items():
        town.finish(code, procedure=name)
    for name, code in codes.items():
        check_as_calm(town.city, calm, code, procedure=name)
    check_once(town.city, *codes.values())
    watch.check()


def test_the_courier_did_shuffle_and_repeat(scattering: tuple[Town, Postman, Watch]):
    town, postman, watch = scattering
    postman.whims, postman.slow, postman.repeats = random.Random(7), {"intake"}, 0.5
    before = postman.repeated
    code = town.desk().submit(INTERLINKED).code
    town.finish(code)
    assert postman.repeated > before + 10
    watch.check()
