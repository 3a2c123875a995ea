"""How long loops rest: seldom things at once, many things gathered."""

from __future__ import annotations

import pytest

from shared.messaging.loops.linger import (
    LARGE_STEP,
    LONGEST_REST_SECONDS,
    SHORT_REST_SECONDS,
    Linger,
)


def _run(per_second: float, *, seconds: float, step_seconds: float = 0.005) -> tuple[float, float]:
    """The mean rest and the mean size of the steps of a loop to which things come evenly."""
    linger, now, waiting = Linger(), 0.0, 0.0
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


@pytest.mark.parametrize("per_second", [170.0, 500.0])
def test_at_high_rates_steps_grow_large(per_second: float) -> None:
    rest, size = _run(per_second, seconds=20.0)
    assert size >= 20
    assert rest <= LONGEST_REST_SECONDS


def test_a_flood_that_ended_holds_up_nobody_for_long() -> None:
    linger, now = Linger(), 0.0
    for _ in range(200):
        now += 0.05
        linger.rest(25, now)
    waited, rest = 0.0, linger.rest(25, now + 0.05)
    now += 0.05
    while rest > SHORT_REST_SECONDS:
        waited += rest
        now += rest
        rest = linger.rest(max(1, round(20 * rest)), now)  # twenty a second from here on
    assert waited < 0.5


def test_a_large_step_is_followed_by_the_next_at_once() -> None:
    linger = Linger()
    for step in range(100):
        linger.rest(10, step / 100)
    assert linger.rest(LARGE_STEP, 1.01) == 0.0


def test_a_clock_that_stands_still_does_no_harm() -> None:
    linger = Linger()
    assert linger.rest(3, 1.0) >= 0.0
    assert linger.rest(3, 1.0) >= 0.0
