"""Everything to rest in one thread."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.kernel.errors import BrokerAway
from shared.messaging.loops import pump as module
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.pump import NeverAtRest, next_due, pump
from tests.messaging.loops import START, Scripted, failing, times


def test_the_pump_goes_on_until_no_loop_moves_and_counts_what_was_done() -> None:
    one, two = Scripted("one", *times(3)), Scripted("two", *times(5))
    assert pump([one, two]) == 8
    assert one.stepped == two.stepped == 6


def test_loops_are_asked_in_the_order_of_the_list() -> None:
    order: list[str] = []

    def note(name: str) -> Scripted:
        def once() -> int:
            order.append(name)
            return 1

        return Scripted(name, once, lambda: 0)

    pump([note("intake"), note("routing"), note("notify")])
    assert order == ["intake", "routing", "notify"]


def test_a_broker_that_is_away_is_raised_unless_patience_is_asked_for() -> None:
    away = Scripted("away", failing(BrokerAway("gone")))
    other = Scripted("other", *times(2))
    with pytest.raises(BrokerAway):
        pump([away, other])
    assert pump([away, other], tolerant=True) == 2


def test_an_error_of_any_other_kind_is_never_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        pump([Scripted("bad", failing(ZeroDivisionError()))], tolerant=True)


def test_loops_that_keep_each_other_busy_for_ever_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_ROUNDS", 50)
    with pytest.raises(NeverAtRest, match="busy"):
        pump([Scripted("busy", lambda: 1), Scripted("calm", lambda: 0)])


def test_the_next_due_instant_is_the_earliest_of_all_loops() -> None:
    loops: list[Loop] = [Scripted(name, lambda: 0) for name in "abc"]
    assert next_due(loops) is None
    for loop, hours in zip(loops[:2], (5, 3), strict=True):
        assert isinstance(loop, Scripted)
        loop.due = START + timedelta(hours=hours)
    assert next_due(loops) == START + timedelta(hours=3)
