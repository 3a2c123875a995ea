"""One key cannot exhaust the others: neither by many requests nor by slow ones."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
import structlog

from shared.identity.guard import require
from shared.identity.limits import Full, Shares
from shared.settings import KEY_AT_ONCE, KEY_PER_MINUTE, Settings
from shared.web.server import WebServer, serving
from tests.web.conftest import tiny_app


def test_a_key_has_so_many_requests_a_minute_and_so_has_a_person(tiny):
    tiny.app = tiny_app(replace(tiny.settings, key_per_minute=5), tiny.store)
    person, client = tiny.officer(), tiny.client()
    with structlog.testing.capture_logs() as lines:
        answers = [client.get("/api/v1/notes", headers=tiny.bearer()) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [person.get("/trang").status_code for _ in range(6)] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    assert answers[-1].json["code"] == "too_many_requests"
    [line] = [line for line in lines if line["event"] == "web.key_limited"]
    assert line["key"] == tiny.desk.split("_")[1]
    assert client.get("/api/v1/notes", headers=tiny.bearer(tiny.agency)).status_code == 200
    # Who does not have the key cannot use its share up.
    assert client.get("/api/v1/notes", headers=tiny.bearer(tiny.agency[:-1])).status_code == 401


def test_a_share_fills_up_again_as_time_goes_by():
    at = [0.0]
    shares = Shares(per_minute=60, now=lambda: at[0])
    for _ in range(60):
        shares.enter("a")
        shares.leave("a")
    with pytest.raises(Full) as full:
        shares.enter("a")
    assert full.value.seconds == pytest.approx(1.0)
    at[0] = 1.0
    shares.enter("a")
    at[0] = 9_999.0
    for _ in range(60):
        shares.enter("a")
    with pytest.raises(Full):
        shares.enter("a")


def test_slow_requests_of_one_key_leave_threads_to_the_others(tiny):
    """On a real server with four threads, two of which a key may have."""
    go, entered = threading.Event(), threading.Semaphore(0)

    def slow() -> str:
        entered.release()
        assert go.wait(90)
        return "done"

    tiny.app = tiny_app(replace(tiny.settings, key_at_once=2), tiny.store)
    tiny.app.add_url_rule("/cham", "slow", require("desk")(slow))
    tiny.app.add_url_rule("/hong", "defect", require("desk")(lambda: 1 // 0))
    answers: list[int] = []
    with serving(server := WebServer(tiny.app, threads=4)):

        def ask(path: str, key: str) -> int:
            request = urllib.request.Request(server.url + path, headers=tiny.bearer(key))
            try:
                with urllib.request.urlopen(request, timeout=90) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as refused:
                return refused.code

        threads = [
            threading.Thread(target=lambda: answers.append(ask("/cham", tiny.desk)))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                assert entered.acquire(timeout=30)
            ends = time.monotonic() + 60  # the others are told no while these two stand still
            while len(answers) < 4 and time.monotonic() < ends:
                time.sleep(0.05)
            assert ask("/api/v1/notes", tiny.agency) == 200
        finally:
            go.set()
            for thread in threads:
                thread.join(90)
        assert sorted(answers) == [200, 200, 429, 429, 429, 429]
        # What was let in was let out again, also where it failed.
        assert [ask("/hong", tiny.desk) for _ in range(3)] == [500] * 3
        assert [ask("/api/v1/notes", tiny.desk) for _ in range(3)] == [200] * 3


def test_a_service_that_runs_has_limits_and_a_city_in_hand_has_none(tmp_path):
    loaded = Settings.load("intake", {"LIENTHONG_DATA_DIR": str(tmp_path)})
    assert (loaded.key_per_minute, loaded.key_at_once) == (KEY_PER_MINUTE, KEY_AT_ONCE)
    assert Settings.load("intake", {"LIENTHONG_KEY_PER_MINUTE": "0"}).key_per_minute == 0
    held = Settings("intake", tmp_path, "sqlite://")
    assert (held.key_per_minute, held.key_at_once) == (0, 0)
