"""Sums of days and what they differ in: pure, against a slow and obviously right computation."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from partner import reconciling as of_kit
from partner.store import Store as KitStore
from services.routing.domain.reconciling import (
    DaySum,
    Span,
    Summing,
    compare,
    count,
    merged,
    without,
)
from tests.partner.conftest import envelope

DAY = date(2022, 3, 1)
NUMBERS = st.sets(st.integers(1, 60), max_size=40)


def spans(numbers: set[int]) -> tuple[Span, ...]:
    return merged((number, number) for number in numbers)


def numbers(of: tuple[Span, ...]) -> set[int]:
    return {number for first, last in of for number in range(first, last + 1)}


def summed(messages: dict[int, str]) -> DaySum:
    made = Summing(DAY)
    for number in sorted(messages):
        made.add(number, messages[number])
    return made.sum()


@given(NUMBERS, NUMBERS)
def test_spans_are_sets_of_numbers(one: set[int], other: set[int]):
    assert numbers(spans(one)) == one
    assert numbers(without(spans(one), spans(other))) == one - other
    assert count(spans(one)) == len(one)
    assert all(b[0] > a[1] + 1 for a, b in zip(spans(one), spans(one)[1:], strict=False))


@given(st.dictionaries(st.integers(1, 60), st.text("ab", min_size=1, max_size=3), max_size=30))
def test_a_sum_is_that_of_the_lines_of_number_and_id(messages: dict[int, str]):
    lines = "".join(f"{number} {messages[number]}\n" for number in sorted(messages))
    found = summed(messages)
    assert found.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert (found.count, numbers(found.spans)) == (len(messages), set(messages))


@given(NUMBERS, NUMBERS, st.integers(0, 70))
def test_what_differs_is_named_by_whose_turn_it_is(ours: set[int], theirs: set[int], last: int):
    ours = {number for number in ours if number <= last}
    mine, given_ = (summed({n: f"m-{n}" for n in each}) for each in (ours, theirs))
    compared = compare(mine, given_, last)
    assert compared.agreed == (ours == theirs)
    assert numbers(compared.missing) == ours - theirs
    assert numbers(compared.forgotten) == {n for n in theirs - ours if n <= last}
    assert numbers(compared.unknown) == {n for n in theirs - ours if n > last}


def test_the_same_numbers_with_another_id_are_the_operators():
    ours, theirs = summed({1: "a", 2: "b"}), summed({1: "a", 2: "c"})
    assert compare(ours, theirs, 2).trouble == "other_ids"
    assert compare(ours, ours, 2).trouble is None


INSTANTS = st.lists(
    st.datetimes(datetime(2024, 2, 27), datetime(2024, 3, 3), timezones=st.just(UTC)), max_size=12
)


@given(INSTANTS, st.sets(st.integers(0, 11), max_size=3))
def test_the_kit_adds_up_the_same_over_midnight_and_a_leap_day(
    instants: list[datetime], absent: set[int]
):
    """Each message by the wall clock of Viet Nam, in the kit's own file, whatever order it came in."""
    store = KitStore(":memory:", lambda: datetime(2024, 2, 28, tzinfo=UTC))
    here = {n: at for n, at in enumerate(sorted(instants), 1) if n - 1 not in absent}
    for number in sorted(here, key=lambda n: -n):
        body = envelope("a", number) | {"time": here[number].isoformat().replace("+00:00", "Z")}
        store.do(
            "INSERT INTO messages (id, sequence, task, kind, body, came_at, state)"
            " VALUES (?, ?, 't', 'assigned', ?, ?, 'done')",
            f"m-a-{number}",
            number,
            json.dumps(body).encode(),
            store.when(),
        )
    days = [date(2024, 2, 26) + timedelta(days=n) for n in range(8)]
    assert date(2024, 2, 29) in days
    for each in of_kit.sums(store, days):
        mine = [
            n
            for n, at in sorted(here.items())
            if at.astimezone(timezone(timedelta(hours=7))).date() == each.day
        ]
        lines = "".join(f"{n} m-a-{n}\n" for n in mine)
        assert each.sha256 == hashlib.sha256(lines.encode()).hexdigest()
        assert (each.count, numbers(each.spans)) == (len(mine), set(mine))
    store.close()
