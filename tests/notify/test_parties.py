"""A second party: told what the catalogue names for them, in their own words, by their own consent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.notify.app import open_store
from services.notify.domain.composing import Composer
from services.notify.domain.states import State
from services.notify.storage import stops
from services.notify.storage.stops import Stop
from services.notify.usecases import personal
from shared.catalogue import Catalogue, check, load
from shared.events.intake import DossierReturned, PartyGiven, ResultConfirmed
from shared.events.parts import Consent
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from tests.backends import Backend
from tests.catalogue.invented import with_invented
from tests.notify.ledger import (
    DOSSIER,
    START,
    Ledger,
    a_contact,
    migrate,
    received,
    sample,
)
from tests.notify.test_courtesy import Line, at

NEIGHBOUR = "giap-ranh"
PHONE, MAILBOX = "+84907654321", "ranh@example.vn"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load(with_invented(tmp_path_factory.mktemp("parties") / "catalogue"))


@pytest.fixture
def ledger(backend: Backend, clock: FixedClock, book: Catalogue) -> Iterator[Ledger]:
    backend.migrated("notify", migrate)
    store = open_store(backend.settings("notify"), clock=clock, ids=SeededIds(8))
    yield Ledger(store, Composer(book), clock)
    store.close()


def neighbour(**changes: object) -> PartyGiven:
    values: dict[str, object] = {
        "dossier": DOSSIER,
        "role": NEIGHBOUR,
        "name": "Trần Văn Ranh",
        "phone": PHONE,
        "email": MAILBOX,
        "language": "vi",
        "consent": Consent(sms=True, email=True),
        "told": ("received", "resolved"),
        "given_at": START,
    }
    return PartyGiven(**{**values, **changes})  # type: ignore[arg-type]


def theirs(ledger: Ledger) -> list[tuple[str, str, State]]:
    found = [m for m in ledger.messages() if m.role == NEIGHBOUR]
    return [(m.moment, m.channel, m.state) for m in found]


def test_they_hear_of_their_moments_alone_and_nothing_of_the_applicants(ledger: Ledger):
    ledger.hear(neighbour(), a_contact(), received(channel="online"))
    ledger.hear(sample(ResultConfirmed), sample(DossierReturned))
    assert [moment for moment, channel, _ in theirs(ledger) if channel == "sms"] == [
        "received",
        "resolved",
    ]
    written = [m for m in ledger.messages() if m.role == NEIGHBOUR]
    assert {m.to for m in written} == {PHONE, MAILBOX}
    words = " ".join(m.subject + m.body for m in written)
    for alien in ("Nguyễn Thị Sáu", "K7M2QP", "+84907123456", "sau.nguyen@example.vn"):
        assert alien not in words
    assert "Trần Văn Ranh" in words
    assert "ranh gioi" in words
    assert not [m for m in written if m.channel == "call"], "they have nothing to do"


def test_facts_that_come_before_any_contact_are_told_to_them_too(ledger: Ledger):
    ledger.hear(received(channel="online"))
    assert theirs(ledger) == []
    ledger.hear(neighbour())
    ledger.hear(a_contact(consent_sms=False, consent_email=False))
    assert theirs(ledger) == [
        ("received", "sms", State.QUEUED),
        ("received", "email", State.STANDBY),
    ]


def test_the_stop_list_the_hours_and_the_ladder_are_for_them_as_well(ledger: Ledger):
    line = Line(ledger)
    with ledger.store.begin() as uow:
        stops.add(uow.connection, Stop(PHONE, "sms", START, "sms"))
    line.hear(at(22), neighbour(), a_contact(consent_email=False), received(channel="online"))
    assert line.left() == [], "nobody is written to at night"
    line.until(at(8, day=15))
    assert len(line.channel.letters) == 1, "the applicant alone"
    states = {channel: state for _, channel, state in theirs(ledger)}
    assert states == {"sms": State.OPTED_OUT, "email": State.QUEUED}, "then by mail"
    assert not [data for name, data in ledger.told() if name == "citizen.stop_changed"], (
        "the desk is not told that the applicant wants nothing"
    )


def test_who_was_told_is_said_with_the_role_and_nobody_has_to_call(ledger: Ledger):
    line = Line(ledger)
    unheard = neighbour(email=None, consent=Consent(sms=True, email=False))
    line.hear(at(9), unheard, a_contact(consent_email=False), received(channel="online"))
    told = {data.get("party") for name, data in ledger.told() if name == "citizen.notified"}
    assert told == {None, NEIGHBOUR}
    line.hear(at(9, 30), neighbour(phone=None, email=None, consent=Consent(sms=True, email=False)))
    line.hear(at(10), sample(ResultConfirmed))
    (lost,) = [data for name, data in ledger.told() if name == "citizen.unreachable"]
    assert (lost["party"], lost["moment"], lost.get("call")) == (NEIGHBOUR, "resolved", None)


def test_what_is_known_of_them_is_found_shown_and_erased(ledger: Ledger):
    ledger.hear(neighbour(), a_contact(), received(channel="online"))
    with ledger.store.begin() as uow:
        assert personal.of_address(uow.connection, PHONE) == [DOSSIER]
        known = personal.known(uow.connection, DOSSIER)
        assert known is not None
        assert known["parties"][NEIGHBOUR]["phone"] == PHONE
        assert NEIGHBOUR in {each["to_whom"] for each in known["messages"]}
        assert personal.erase(uow, [DOSSIER], "op") == 1
        gone = personal.known(uow.connection, DOSSIER)
    assert gone is not None
    assert gone["parties"] == {}
    assert {each["to"] for each in gone["messages"]} == {""}


def test_words_of_a_party_may_not_hold_what_is_the_applicants(tmp_path: Path):
    folder = with_invented(tmp_path / "catalogue")
    file = folder / "templates" / f"{NEIGHBOUR}.received.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Hoi: {hotline}", "{lookup} {reason}", 1), encoding="utf-8")
    told = [fault.en for fault in check(folder)]
    assert any("nothing fills {lookup}" in each for each in told)
    assert any("nothing fills {reason}" in each for each in told)
