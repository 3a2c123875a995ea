"""Look-up words cannot be guessed, and nobody who knows theirs is locked out."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog

from services.intake.domain.guessing import OF_ADDRESS, OF_CODE, Allowance, Tries, one_more
from services.intake.storage.guesses import wait_for
from services.intake.storage.tables import guesses
from services.intake.web import create_web
from shared.identity.callers import house_of, place_of
from tests.intake.made import CATALOGUE, NOW
from tests.intake.rig import Desk
from tests.intake.test_pages import Browser

HERE = "203.0.113.7"


def ask(desk: Desk, code: str, word: str, caller: str = HERE, web=None):
    """A look-up by a browser that keeps its form open."""
    browser = Browser(desk)
    if web is not None:
        browser.client = web.test_client()
    browser.get("/tra-cuu")
    browser.client.environ_base["REMOTE_ADDR"] = caller
    return browser.post("/tra-cuu", {"code": code, "word": word})


def until_limited(desk: Desk, code: str, word: str, callers) -> list[int]:
    """The answers up to the first 429."""
    seen = []
    for n in range(200):
        seen.append(ask(desk, code, word, callers(n)).status_code)
        if seen[-1] == 429:
            return seen
    pytest.fail("nobody stops it")


def test_a_code_may_be_tried_a_few_times_whoever_tries(desk):
    code = desk.submit()
    seen = until_limited(desk, code, "AAAAAA", lambda n: f"198.51.{n}.1")
    assert Counter(seen) == {404: OF_CODE.free + 1, 429: 1}
    other = desk.submit()
    assert ask(desk, other, desk.dossier(other).lookup_word).status_code == 200


def test_being_let_through_tells_nothing_the_true_word_counts_and_waits_alike(desk):
    code = desk.submit()
    word = desk.dossier(code).lookup_word
    seen = until_limited(desk, code, word, lambda n: f"198.51.{n}.1")
    assert Counter(seen) == {200: OF_CODE.free + 1, 429: 1}
    true, wrong = ask(desk, code, word), ask(desk, code, "AAAAAA")
    assert (true.status_code, wrong.status_code) == (429, 429)
    assert true.headers["Retry-After"] == wrong.headers["Retry-After"] == "2"
    assert "Vui lòng đợi 2 giây" in true.text


def test_the_wait_grows_and_has_an_end_and_the_citizen_gets_in(desk):
    code = desk.submit()
    word = desk.dossier(code).lookup_word
    until_limited(desk, code, "AAAAAA", lambda n: HERE)
    waits = []
    for _ in range(12):
        refused = ask(desk, code, "AAAAAA")
        assert refused.status_code == 429
        waits.append(int(refused.headers["Retry-After"]))
        desk.clock.advance(timedelta(seconds=waits[-1]))
        assert ask(desk, code, "AAAAAA").status_code == 404
    assert waits[:4] == sorted(set(waits[:4]))
    assert max(waits) == OF_CODE.longest
    desk.clock.advance(timedelta(seconds=OF_CODE.longest))
    assert ask(desk, code, word).status_code == 200


def test_an_address_and_an_ipv6_line_may_try_so_many_codes(desk):
    seen = until_limited(desk, "no code at all", "AAAAAA", lambda n: HERE)
    assert Counter(seen) == {404: OF_ADDRESS.free + 1, 429: 1}
    line = until_limited(desk, "no code at all", "AAAAAA", lambda n: f"2001:db8:1:2::{n:x}")
    assert 60 <= len(line) <= 65
    assert ask(desk, "x", "A", "2001:db8:1:3::1").status_code == 404


def test_two_processes_count_together(desk):
    code = desk.submit()
    other = create_web(desk.service.settings, desk.store, CATALOGUE)
    for n in range(OF_CODE.free + 1):
        web = other if n % 2 else None
        assert ask(desk, code, "AAAAAA", f"198.51.{n}.1", web).status_code == 404
    assert ask(desk, code, "AAAAAA", "198.51.100.1", other).status_code == 429


def test_many_at_the_same_moment_are_counted_one_by_one(desk):
    answers: list[object] = []
    together = threading.Barrier(8)

    def many() -> None:
        together.wait(30)
        tried = {"code:x": OF_CODE, "address:y": OF_ADDRESS}
        answers.extend(wait_for(desk.store, tried) for _ in range(3))

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers.count(None) == OF_CODE.free + 1


def test_guessing_leaves_lines_and_a_measure_and_no_word_no_address(desk):
    code = desk.submit()
    with structlog.testing.capture_logs() as lines:
        until_limited(desk, code, "QWERTY", lambda n: HERE)
    told = [line for line in lines if line["event"].startswith("web.look_up")]
    assert {line["event"] for line in told} == {"web.look_up_refused", "web.look_up_limited"}
    assert all(line["place"] == "203.0.113.0/24" for line in told)
    assert "QWERTY" not in str(told)
    assert HERE not in str(told)
    page = desk.service.metrics.page().decode()
    assert 'lienthong_tries_total{door="look-up",outcome="not_found"} 7.0' in page
    assert 'lienthong_tries_total{door="look-up",outcome="limited"} 1.0' in page
    with desk.store.read() as connection:
        kept = [row.key for row in connection.execute(sa.select(guesses))]
    assert HERE not in str(kept)


def test_what_was_tried_long_ago_is_forgotten(desk):
    ask(desk, "x", "A", "198.51.100.1")
    desk.clock.advance(timedelta(hours=3))
    ask(desk, "x", "A", "198.51.100.2")
    with desk.store.read() as connection:
        assert len(connection.execute(sa.select(guesses)).all()) == 1


def test_a_clock_that_was_put_back_keeps_nobody_waiting_longer():
    far = NOW + timedelta(hours=7)
    allowance = Allowance(free=0, per_minute=1, longest=60)
    tried = one_more(None, allowance, far)
    assert tried.wait(allowance, NOW) == 60
    assert one_more(tried, allowance, NOW).at == NOW
    assert Tries(1, NOW, NOW).wait(allowance, NOW) == 0


@pytest.mark.parametrize(
    ("caller", "house", "place"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("nonsense", "?", "?"),
        (None, "?", "?"),
    ],
)
def test_callers_are_told_apart_by_the_line_they_are_given(caller, house, place):
    assert (house_of(caller), place_of(caller)) == (house, place)
