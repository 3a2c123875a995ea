"""How long loops rest: seldom things at once, many things gathered, by what a step costs here."""

from __future__ import annotations

import pytest

from shared.messaging.loops.linger import APART, SHORTEST_SECONDS, TOGETHER, Pace, Rests


def _run(per_second: float, pace: Pace, *, fixed: float, each: float) -> tuple[float, float, float]:
    """Mean rest, mean size of a step and share of time at work of a loop fed evenly for 60 s.

    A step costs `fixed` and `each` for every thing in it, in seconds.
    """
    now, waiting, at_work = 0.0, 1.0, 0.0
    kept = Rests(pace)
    rests, sizes = [], []
    while now < 60.0:
        done = int(waiting)
        waiting -= done
        cost = fixed + done * each if done else 0.0
        rest = kept.after(done, cost, now + cost)
        if done:
            rests.append(rest)
            sizes.append(done)
            at_work += cost
        passed = cost + rest if done else 1 / per_second
        now += passed
        waiting += passed * per_second
    return sum(rests) / len(rests), sum(sizes) / len(sizes), at_work / now


def test_an_idle_step_is_followed_by_no_rest() -> None:
    assert Rests(APART).after(0, 0.5, 100.0) == 0.0


def test_a_full_step_is_followed_by_the_next_at_once() -> None:
    assert Rests(APART).after(APART.full, 0.5, 100.0) == 0.0


@pytest.mark.parametrize("pace", [APART, TOGETHER])
def test_a_loop_that_was_idle_has_time_to_its_credit(pace: Pace) -> None:
    kept = Rests(pace)
    step = pace.credit * pace.share / 4
    rests = [kept.after(1, step, 100.0 + n * 0.001) for n in range(6)]
    assert rests[:3] == [SHORTEST_SECONDS] * 3
    assert rests[5] > SHORTEST_SECONDS
    assert kept.after(1, step, 200.0) == SHORTEST_SECONDS


@pytest.mark.parametrize("pace", [APART, TOGETHER])
def test_no_rest_is_longer_than_the_longest_whatever_came_before(pace: Pace) -> None:
    kept = Rests(pace)
    for _ in range(5):
        kept.after(pace.full, 60.0, 100.0)
    assert kept.after(1, 60.0, 100.0) == pytest.approx(pace.longest)


def test_at_twenty_a_second_hardly_anything_is_held_up() -> None:
    rest, size, _ = _run(20.0, APART, fixed=0.005, each=0.0004)
    assert rest <= 0.01
    assert size == pytest.approx(1.0)


@pytest.mark.parametrize("pace", [APART, TOGETHER])
@pytest.mark.parametrize("dear", [1.0, 5.0])
def test_small_steps_take_no_more_than_their_share_however_dear_they_are(
    pace: Pace, dear: float
) -> None:
    """Nor does a loop get caught in small steps: dearer ones gather more."""
    _, size, busy = _run(60.0, pace, fixed=0.0015 * dear, each=0.0004 * dear)
    # What must be done in any case comes on top of the share, where the longest rest ends first.
    assert busy <= pace.share * 2 + 60.0 * 0.0004 * dear
    _, cheaper, _ = _run(60.0, pace, fixed=0.0003, each=0.0001)
    assert size >= cheaper


@pytest.mark.parametrize("pace", [APART, TOGETHER])
def test_at_high_rates_steps_fill_up(pace: Pace) -> None:
    rest, size, _ = _run(800.0, pace, fixed=0.0015, each=0.0004)
    assert size >= min(pace.full, 800.0 * pace.longest) * 0.5
    assert rest <= pace.longest
