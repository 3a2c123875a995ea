"""What ships for Prometheus and Grafana asks only for what our processes tell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from shared.catalogue import load
from shared.settings import PROJECT
from tests.backends import EmbeddedBackend, Templates
from tests.promises.town import Town

ROOM = PROJECT / "deploy" / "monitoring"
ALERTS = yaml.safe_load((ROOM / "alerts.yaml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
BOARD = json.loads((ROOM / "board.json").read_text(encoding="utf-8"))
_SAMPLE = re.compile(r"^(lienthong_\w+)(?:\{(.*)\})? ", re.MULTILINE)
_ASKED = re.compile(r"(lienthong_\w+)(?:\{([^}]*)\})?")
_ADDED = {"service", "instance", "job"}  # by prometheus.yaml and Prometheus itself


def expressions() -> list[str]:
    board = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in RULES] + board


@pytest.fixture
def told(tmp_path: Path, templates: Templates) -> dict[str, set[str]]:
    """Every sample that a city tells, with its labels."""
    town = Town(EmbeddedBackend(tmp_path, templates), load(PROJECT / "catalogue"))
    town.city.start()
    found: dict[str, set[str]] = {}
    for service in town.city.services.values():
        metrics = service.metrics
        metrics.handled("c", "t", "done", age=1.0)
        metrics.batch("c", 0.1)
        metrics.sent(1, 1)
        for name, labels in _SAMPLE.findall(metrics.page().decode()):
            found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    town.close()
    return found


def test_alarms_and_board_ask_only_for_what_is_told(told):
    for text in expressions():
        asked = _ASKED.findall(text)
        assert asked or "up{" in text, text
        for name, labels in asked:
            assert name in told, f"{name} is told by no process: {text}"
            assert set(re.findall(r"(\w+)\s*=", labels)) <= told[name] | _ADDED, text
        everything = set().union(_ADDED, *(told[name] for name, _ in asked)) | {"le"}
        for grouped in re.findall(r"by \(([^)]*)\)", text):
            assert set(grouped.split(", ")) <= everything, text


def test_each_alarm_says_who_is_woken_and_what_they_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["for"], rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]


def test_the_commands_that_alarms_name_exist():
    from services.__main__ import COMMANDS

    named = set(re.findall(r"lienthong (\w+)", json.dumps([rule["annotations"] for rule in RULES])))
    assert named
    assert named <= set(COMMANDS)


def test_every_process_of_the_compose_file_is_asked():
    asked = yaml.safe_load((ROOM / "prometheus.yaml").read_text(encoding="utf-8"))
    (job,) = asked["scrape_configs"]
    targets = {target for config in job["static_configs"] for target in config["targets"]}
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    running = {
        name for name in services if name.endswith(("-web", "-work", "-webhooks", "-queues"))
    }
    assert targets == {f"{name}:9000" for name in running}
    doors = services["lienthong"]["environment"]["LIENTHONG_STATUS_DOORS"]
    assert set(doors.split()) == {f"http://{name}:9000" for name in running}


def promtool(*arguments: str) -> None:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("NOT RUN: it needs promtool (Debian's package prometheus)")
    done = subprocess.run([found, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_files():
    promtool("check", "config", str(ROOM / "prometheus.yaml"))


def test_the_alarms_go_off_and_are_silent_in_a_calm_city(tmp_path):
    played = (Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8")
    (tmp_path / "played.yaml").write_text(
        played.replace("[ALERTS]", f"[{ROOM / 'alerts.yaml'}]"), encoding="utf-8"
    )
    promtool("test", "rules", str(tmp_path / "played.yaml"))
