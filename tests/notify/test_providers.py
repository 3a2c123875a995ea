"""Two providers behind one channel: by weight, away from one in trouble, back by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels import each_channel, open_channels
from services.notify.channels.providers import Provider, Providers
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Sent,
    Unknown,
    Word,
)
from services.notify.storage import receipts as rows
from shared.kernel.errors import SettingsError
from shared.settings import Settings
from tests.notify.ledger import Ledger, a_contact, received

AWAY = Failed("away")


@dataclass
class Way:
    """A provider with a clock: answers `says`, and takes `seconds` for it."""

    name: str
    now: list[float]
    says: Result = field(default_factory=Sent)
    seconds: float = 0.0
    idempotent: bool = False
    remote: bool = True
    letters: list[str] = field(default_factory=list)

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        for letter in letters:
            if not self.idempotent:
                yield GoingOut()
            self.letters.append(letter.id)
            self.now[0] += self.seconds
            yield self.says

    def close(self) -> None:
        """Nothing is held."""


def a_letter(number: int) -> Letter:
    at = datetime(2022, 3, 14, tzinfo=UTC)
    return Letter(f"m-{number}", "sms", f"+8490712{number:04}", "", "text", at)


class Two:
    """Three quarters by one, a quarter by the other."""

    def __init__(self) -> None:
        self.now = [1000.0]
        self.one, self.other = Way("sms.one", self.now), Way("sms.other", self.now)
        pair = [Provider(self.one, weight=3), Provider(self.other)]
        self.channel = Providers("sms", pair, now=lambda: self.now[0])
        self.count = 0

    def send(self, count: int = 1) -> list[Word]:
        letters = [a_letter(self.count + n) for n in range(count)]
        self.count += count
        return [w for w in self.channel.send(letters) if not isinstance(w, GoingOut)]

    def batches(self, count: int) -> tuple[int, int]:
        """So many letters, each alone, half a second apart; who took how many."""
        before = len(self.one.letters), len(self.other.letters)
        for _ in range(count):
            self.send()
            self.now[0] += 0.5
        return len(self.one.letters) - before[0], len(self.other.letters) - before[1]


def test_letters_go_by_weight_and_each_says_by_whom():
    two = Two()
    assert two.batches(400) == (300, 100)
    assert two.channel.shares()["sms.one"] == (pytest.approx(0.75, abs=0.01), True)
    assert {word.by for word in two.send(3)} <= {"sms.one", "sms.other"}  # type: ignore[union-attr]


@pytest.mark.parametrize("trouble", [AWAY, Unknown("no answer"), "slow"])
def test_from_one_in_trouble_letters_shift_within_a_minute_and_back_by_themselves(trouble: object):
    two = Two()
    two.batches(20)
    two.one.says = trouble if isinstance(trouble, Failed | Unknown) else Sent()
    two.one.seconds = 11.0 if trouble == "slow" else 0.0
    two.batches(120)  # the minute
    first, second = two.batches(600)
    assert second > 100 * first
    two.one.says, two.one.seconds = Sent(), 0.0
    two.now[0] += 300
    assert two.batches(400)[0] >= 295


def test_in_a_batch_what_the_one_does_not_take_goes_by_the_other_at_once():
    two = Two()
    two.one.says = AWAY
    said = two.send(50)
    assert [type(word) for word in said].count(Sent) == 49
    assert len(two.one.letters) == 1


def test_one_that_had_enough_rests_and_nobody_waits_while_another_is_well():
    two = Two()
    two.one.says = Busy("enough", 30.0)
    (first, *rest) = two.send(10)
    assert first == Busy("enough", 0.0, by="sms.one")
    assert {type(word) for word in rest} == {Sent}
    two.other.says = Busy("enough", 7.0)
    assert two.send()[0] == Busy("enough", 7.0, by="sms.other")


def test_a_no_for_good_speaks_of_the_letter_and_not_of_the_provider():
    two = Two()
    two.one.says = two.other.says = Failed("no such phone", permanent=True)
    assert two.batches(40) == (30, 10)


def test_where_both_are_away_the_one_that_is_soonest_is_tried():
    two = Two()
    two.one.says = two.other.says = AWAY
    assert len(two.send(20)) == 20
    two.other.says = Sent()
    assert two.batches(60)[1] > 0


def test_a_provider_that_forgets_a_letter_leaves_it_unknown():
    class Forgetful(Way):
        def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
            for _ in letters:
                yield GoingOut()

    now = [0.0]
    channel = Providers("sms", [Provider(Forgetful("sms.one", now))], now=lambda: now[0])
    assert [w for w in channel.send([a_letter(1)]) if isinstance(w, Unknown)] == [
        Unknown("no word", by="sms.one")
    ]


def test_what_a_willing_provider_would_do_twice_is_noted_before_it_goes(ledger: Ledger):
    now = [0.0]
    ways = [Way("sms.one", now, idempotent=True), Way("sms.other", now)]
    channel = Providers("sms", [Provider(way) for way in ways], now=lambda: now[0])
    for number in range(4):
        code = f"000.00.15.H20-220314-{number:04}"
        ledger.hear(a_contact(code, consent_email=False), received(code))
        sender = Sender("sms", channel, ledger.store)
        while sender.step(0):
            pass
        sender.close()
    assert [len(way.letters) for way in ways] == [2, 2]
    assert sorted(each.provider for each in ledger.messages()) == [
        "sms.one", "sms.one", "sms.other", "sms.other",
    ]  # fmt: skip
    with ledger.store.read() as connection:
        tried = rows.shares(connection, ledger.clock.now())
    assert tried == {("sms.one", "sent"): 2, ("sms.other", "sent"): 2}


# --- the setting ---------------------------------------------------------------------------------


def opened(folder: Path, sms: str, **more: str) -> dict[str, object]:
    env = {"DATA_DIR": str(folder), "CHANNEL_SMS": sms, **more}
    settings = Settings.load("notify", {f"LIENTHONG_{name}": text for name, text in env.items()})
    return dict(open_channels(settings))


def test_a_setting_names_several_with_their_weights(tmp_path: Path):
    channel = opened(
        tmp_path,
        "smpp:3, smpp-2",
        SMPP_URL="smpps://a:b@one.example",
        SMPP_URL_2="smpps://a:b@two.example",
    )["sms"]
    assert isinstance(channel, Providers)
    assert [(p.channel.name, p.weight) for p in channel.providers] == [
        ("sms.smpp", 3), ("sms.smpp-2", 1),
    ]  # fmt: skip
    assert [each.name for each in each_channel({"sms": channel})] == ["sms.smpp", "sms.smpp-2"]


@pytest.mark.parametrize("wrong", ["file:0", "file,file", "file,", "smtp", "file:x", "pigeon", ""])
def test_a_setting_that_names_none_is_told_at_the_start(tmp_path: Path, wrong: str):
    with pytest.raises(SettingsError, match="LIENTHONG_CHANNEL_SMS"):
        opened(tmp_path, wrong)


def test_a_second_address_is_named_where_it_is_wrong(tmp_path: Path):
    with pytest.raises(SettingsError, match="LIENTHONG_SMPP_URL_2"):
        opened(tmp_path, "smpp-2", SMPP_URL="smpps://a:b@one.example")
