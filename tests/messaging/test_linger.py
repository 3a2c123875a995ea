"""How long loops rest: seldom things at once, many things gathered."""

from __future__ import annotations

import pytest

from shared.messaging.loops.linger import APART, SHORT_REST_SECONDS, TOGETHER, Linger, Pace


def _run(
    per_second: float, *, seconds: float, step_seconds: float = 0.005, pace: Pace = APART
) -> tuple[float, float]:
    """The mean rest and the mean size of the steps of a loop to which things come evenly."""
    linger, now, waiting = Linger(pace), 0.0, 0.0
    rests, sizes = [], []
    while now < seconds:
        done = int(waiting)
        waiting -= done
        rest = linger.rest(done, now)
        if done:
            rests.append(rest)
            sizes.append(done)
        passed = rest + step_seconds if done else 1 / per_second
        now += passed
        waiting += passed * per_second
    half = len(rests) // 2
    return sum(rests[half:]) / len(rests[half:]), sum(sizes[half:]) / len(sizes[half:])


def test_what_comes_after_a_quiet_time_is_followed_by_the_shortest_rest_only() -> None:
    linger = Linger()
    assert linger.rest(0, 0.0) == 0.0
    assert linger.rest(1, 10.0) == SHORT_REST_SECONDS


def test_an_idle_step_is_followed_by_no_rest() -> None:
    linger = Linger()
    for step in range(100):
        linger.rest(5, step / 100)
    assert linger.rest(0, 1.01) == 0.0


def test_at_twenty_a_second_nothing_is_held_up() -> None:
    rest, _ = _run(20.0, seconds=10.0)
    assert rest == pytest.approx(SHORT_REST_SECONDS)


@pytest.mark.parametrize("pace", [APART, TOGETHER])
@pytest.mark.parametrize("per_second", [170.0, 500.0])
def test_at_high_rates_steps_grow_until_the_rest_has_its_longest(
    per_second: float, pace: Pace
) -> None:
    rest, size = _run(per_second, seconds=20.0, pace=pace)
    assert size >= min(pace.step, per_second * pace.longest) * 0.5
    assert rest <= pace.longest


@pytest.mark.parametrize("pace", [APART, TOGETHER])
def test_a_flood_that_ended_holds_up_nobody_for_long(pace: Pace) -> None:
    linger, now = Linger(pace), 0.0
    for _ in range(200):
        now += 0.05
        linger.rest(pace.step // 2, now)
    waited = 0.0
    for _ in range(20):  # one thing after the other, twenty a second from here on
        now += 0.05
        rest = linger.rest(1, now)
        waited += rest
        now += max(0.0, rest - 0.05)
    assert rest == pytest.approx(SHORT_REST_SECONDS)
    assert waited < 0.5


def test_a_large_step_is_followed_by_the_next_at_once() -> None:
    linger = Linger()
    for step in range(100):
        linger.rest(10, step / 100)
    assert linger.rest(APART.step, 1.01) == 0.0


def test_a_clock_that_stands_still_does_no_harm() -> None:
    linger = Linger()
    assert linger.rest(3, 1.0) >= 0.0
    assert linger.rest(3, 1.0) >= 0.0
