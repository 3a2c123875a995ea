"""Promise 5: what cannot be read or fails for good is parked, seen, replayed or discarded by people.

Other dossiers flow on meanwhile; the dossier that was held back goes on afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from shared.events.envelope import Envelope, encode
from shared.events.names import DOSSIER_FACTS, wire
from shared.messaging import OutMessage
from shared.messaging.consumer import Handler
from tests.embedded.townsfolk import INTERLINKED, held
from tests.promises.crashes import loop
from tests.promises.operator import Operator
from tests.promises.town import Portrait, Town, check_as_calm, check_once, gaps, portrait

PHONE = "+84907555666"


@pytest.fixture
def operator(town: Town, monkeypatch: pytest.MonkeyPatch) -> Operator:
    return Operator(town, monkeypatch)


@contextmanager
def failing(town: Town, consumer: str, name: str, code: str) -> Iterator[None]:
    """A defect: this consumer's handler breaks on this fact of this dossier, until it is mended."""
    setup = loop(town.city, consumer)._setup
    sound = setup.handlers[wire(name)]

    def apply(uow: Any, envelope: Envelope) -> Any:
        if envelope.subject == code:
            raise RuntimeError(f"cannot do {envelope.data} for {PHONE}")
        return sound.apply(uow, envelope)

    broken = {**setup.handlers, wire(name): Handler(apply, sound.load)}
    with mock.patch.object(loop(town.city, consumer), "_setup", replace(setup, handlers=broken)):
        yield


def publish(town: Town, body: bytes) -> None:
    publisher = town.city.bus.publisher()
    sent = publisher.publish([OutMessage(1, DOSSIER_FACTS, "intake.dossier.received", body)])
    assert sent.failed == {}
    publisher.close()


def states(town: Town) -> list[tuple[str, str]]:
    """(service, state) of whatever is held."""
    return sorted((service, state) for service, _, state, _ in held(town.city))


def until_parked(town: Town, count: int = 1) -> None:
    """Let the time of every try come; the budget ends in parking."""
    for _ in range(20 * count):
        town.city.pump(tolerant=True)
        if sum(state == "parked" for _, state in states(town)) == count:
            return
        due = town.city.next_due()
        assert due is not None
        town.clock.set(max(due, town.clock.now() + timedelta(seconds=1)))
    raise AssertionError("never parked")


def fact_id(listing: str, words: str) -> str:
    """The id in a listing above the lines that hold these words."""
    lines = listing.splitlines()
    (number,) = [n for n, line in enumerate(lines) if words in line]
    return next(line for line in reversed(lines[:number]) if not line.startswith(" "))


def test_bytes_and_versions_that_cannot_be_read_are_parked_and_others_flow_on(
    town: Town, operator: Operator, calm: Mapping[str, Portrait]
):
    newer = Envelope(
        id="a-newer-fact",
        source="/intake",
        type=wire("dossier.received", 2),
        subject="000.99.99.H20-220314-0001",
        time=town.clock.now(),
        data={"phone": PHONE, "dossier": "000.99.99.H20-220314-0001"},
        sequence=1,
    )
    publish(town, b"\xff\x00 nobody can read this")
    publish(town, encode(newer))
    code = town.desk().submit(INTERLINKED).code
    town.finish(code)
    check_as_calm(town.city, calm, code)

    town.carry(lambda: len(states(town)) == 4)
    listing = operator.types("parked", "list")
    assert states(town) == sorted([("notify", "parked"), ("routing", "parked")] * 2)
    assert "4 bản tin đang giữ" in listing
    assert "a version that is not known here" in listing
    assert "(unreadable)" in listing
    shown = operator.types("parked", "show", "a-newer-fact", "--service", "notify")
    assert "***666" in shown
    assert PHONE not in shown + listing
    shown = ("parked", "show", "a-newer-fact", "--service", "notify")
    revealed = operator.types(*shown, "--reveal", "--reason", "thử nghiệm")
    assert PHONE in revealed

    rubbish = fact_id(operator.types("parked", "list", "--service", "notify"), "(unreadable)")
    operator.types(
        "parked", "discard", rubbish[:12], "--service", "notify",
        "--who", "Lê Thị Hạnh", "--why", "thử đường truyền",
    )  # fmt: skip
    gone = operator.types("parked", "list", "--state", "discarded")
    assert "Lê Thị Hạnh: thử đường truyền" in gone
    assert "1 bản tin" in gone


def test_a_fact_that_fails_for_good_is_replayed_after_the_mend_and_its_dossier_goes_on(
    town: Town, operator: Operator
):
    sick, well = town.desk().submit(INTERLINKED).code, None
    with failing(town, "routing.facts", "dossier.received", sick):
        town.city.pump(tolerant=True)
        well = town.desk().submit(INTERLINKED).code
        town.finish_others(well)
        until_parked(town)
        listing = operator.types("parked", "list")
        assert "attempts 8" in listing
        assert "RuntimeError at " in listing
        assert PHONE not in listing
        assert sick in listing
        assert town.desk().status(sick) == 2
    ident = fact_id(listing, sick)
    assert "sẽ được" in operator.types(
        "parked", "replay", ident, "--service", "routing", "--who", "Hạnh", "--why", "đã sửa"
    ) or ident in operator.types("parked", "list", "--state", "retry", "--state", "parked")
    town.finish(sick, well)
    check_once(town.city, sick, well)
    assert portrait(town.city, sick, at=False) == portrait(town.city, well, at=False)


def test_a_discarded_fact_keeps_who_and_why_and_its_dossier_goes_on_without_it(
    town: Town, operator: Operator
):
    sick = town.desk().submit(INTERLINKED).code
    with failing(town, "notify.facts", "result.confirmed", sick):
        town.carry(lambda: town.desk().status(sick) == 9)
        town.desk().hand_over(sick)
        until_parked(town)
        well = town.desk().submit(INTERLINKED).code
        town.finish_others(well)
    town.carry(lambda: ("notify", "waiting") in states(town) or not gaps(town.city, sick))
    told = [moment for moment, _, _, _ in portrait(town.city, sick).messages]
    assert set(told) == {"received"}

    ident = fact_id(operator.types("parked", "list"), sick)
    operator.types(
        "parked", "discard", ident, "--service", "notify", "--who", "Hạnh", "--why", "mẫu tin sai"
    )
    town.carry(lambda: states(town) == [("notify", "discarded")])
    town.carry(
        lambda: (
            [m[:2] for m in portrait(town.city, sick).messages if m[2] == "sent"]
            == [("received", "sms")]
        )
    )
    assert "Hạnh: mẫu tin sai" in operator.types("parked", "list", "--state", "discarded")
