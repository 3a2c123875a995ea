"""`./run bench routing` runs to its end, judges every date and sends every message; never how fast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.backends import Servers
from tests.bench.running import run


@pytest.mark.long
@pytest.mark.servers
@pytest.mark.timeout(600)
def test_a_quick_run_judges_every_date_and_sends_every_message(
    servers: Servers, tmp_path: Path
) -> None:
    target = tmp_path / "bench.json"
    done = run(servers, "routing", "--quick", "--json", str(target))
    assert done.returncode == 0, done.stderr  # a date or a message that is missing is an error
    result = json.loads(target.read_text(encoding="utf-8"))
    assert result["deadlines"]["flood"]["due"] == 200
    assert result["deadlines"]["together"]["committed_s"] > 0
    assert result["webhooks"]["product_per_second"] > 0
    (goal,) = result["goals"]
    assert goal["met"] is not None
    assert goal["what"] in done.stdout
