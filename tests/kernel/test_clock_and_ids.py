"""Clocks, written instants, ids and look-up words."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.clock import (
    FixedClock,
    RealClock,
    format_instant,
    parse_day,
    parse_instant,
    to_vn,
)
from shared.kernel.ids import WORD_ALPHABET, RandomIds, SeededIds


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_an_instant_comes_back_as_it_was_written(at):
    text = format_instant(at)
    assert parse_instant(text) == at.astimezone(UTC)
    assert text.endswith("Z")
    assert format_instant(parse_instant(text)) == text


@pytest.mark.parametrize(
    "text", ["2024-W09-4", "20240229", "2024-2-29", "2024-02-29 ", "٢٠٢٤-02-29"]
)
def test_only_year_month_day_is_a_day(text):
    with pytest.raises(ValueError, match="day"):
        parse_day(text)
    with pytest.raises(ValueError, match=r"instant|isoformat"):
        parse_instant(f"{text}T08:00:00+07:00")


def test_microseconds_are_written_only_where_there_are_any():
    assert format_instant(datetime(2022, 3, 1, tzinfo=UTC)) == "2022-03-01T00:00:00Z"
    exact = datetime(2022, 3, 1, 0, 0, 0, 1500, tzinfo=UTC)
    assert format_instant(exact) == "2022-03-01T00:00:00.001500Z"


def test_an_offset_is_turned_into_utc():
    assert format_instant(parse_instant("2022-03-01T07:30:00+07:00")) == "2022-03-01T00:30:00Z"


@pytest.mark.parametrize("text", ["2022-03-01", "2022-03-01T07:30:00", "yesterday", ""])
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's own words
        parse_instant(text)


def test_a_datetime_without_a_zone_is_never_guessed():
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2022, 3, 1))
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2022, 3, 1))


def test_a_fixed_clock_stands_still_until_it_is_moved():
    clock = FixedClock(datetime(2022, 3, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    assert clock.advance(timedelta(hours=7)) == datetime(2022, 3, 1, 7, tzinfo=UTC)
    clock.set(datetime(2022, 2, 1, tzinfo=UTC))
    assert clock.now() == datetime(2022, 2, 1, tzinfo=UTC)
    assert to_vn(clock.now()).hour == 7


def test_the_real_clock_is_in_utc():
    assert RealClock().now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(7)])
def test_ids_are_uuids_of_version_7_and_words_have_no_look_alikes(ids):
    made = [ids.new() for _ in range(200)]
    assert len(set(made)) == 200
    assert {uuid.UUID(each).version for each in made} == {7}
    assert {uuid.UUID(each).variant for each in made} == {uuid.RFC_4122}
    words = {ids.word() for _ in range(200)}
    assert all(len(word) == 6 and set(word) <= set(WORD_ALPHABET) for word in words)
    assert not set("0OQ1IL5S8B2Z") & (set(WORD_ALPHABET) - {"Q"})


def test_the_same_seed_gives_the_same_ids_in_order():
    one, other = SeededIds(2022), SeededIds(2022)
    first = [(one.new(), one.word()) for _ in range(50)]
    assert first == [(other.new(), other.word()) for _ in range(50)]
    assert [each for each, _ in first] == sorted(each for each, _ in first)
    assert first[0] != (SeededIds(2023).new(), SeededIds(2023).word())


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(7)])
def test_no_id_is_given_twice_to_threads(ids):
    made = []

    def make() -> None:
        made.extend(ids.new() for _ in range(500))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_a_forked_process_makes_no_id_that_its_parent_makes():
    """Not even of one that asked before the fork: what was asked for ahead is not taken along."""
    ids = RandomIds()
    ids.new()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, "\n".join(ids.new() for _ in range(300)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    own = {each[19:] for each in (ids.new() for _ in range(300))}  # without the instant
    with os.fdopen(reader) as pipe:
        theirs = {each[19:] for each in pipe.read().split("\n")}
    os.waitpid(child, 0)
    assert len(own) == len(theirs) == 300
    assert not own & theirs
