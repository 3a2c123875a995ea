"""`./run bench notify` runs to its end and hands every message over; never how fast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.backends import Servers
from tests.bench.running import run


@pytest.mark.long
@pytest.mark.servers
@pytest.mark.timeout(600)
def test_a_quick_run_hands_every_message_over_on_both_channels(
    servers: Servers, tmp_path: Path
) -> None:
    target = tmp_path / "bench.json"
    done = run(servers, "notify", "--quick", "--json", str(target))
    assert done.returncode == 0, done.stderr  # a message that is not sent is an error
    result = json.loads(target.read_text(encoding="utf-8"))
    for channel in ("email", "sms"):
        assert result[channel]["product_per_second"] > 0
        assert result[channel]["bare_per_second"] > 0
    assert [goal["name"] for goal in result["goals"]] == ["email", "sms"]
    assert all(goal["met"] is not None for goal in result["goals"])
