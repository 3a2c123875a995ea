"""docs/operate.md shows what an operator really sees: its commands are typed, its output compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.catalogue import load
from shared.settings import PROJECT
from tests.backends import EmbeddedBackend, Templates
from tests.docs.night import Night, night
from tests.docs.pages import blocks
from tests.promises.town import Town

PAGE = PROJECT / "docs" / "operate.md"
TEXT = PAGE.read_text(encoding="utf-8")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "INSTANT"),
    (re.compile(r"\.py:\d+"), ".py:LINE"),
    (re.compile(r"\b\d+ facts since"), "N facts since"),
    (re.compile(r"\b\d+ not yet sealed"), "N not yet sealed"),
    (re.compile(r"\b00\d\d\b(?=[,\n]|$)"), "VERSION"),
)


@pytest.fixture
def tonight(
    tmp_path: Path, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Night]:
    with night(tmp_path, load(PROJECT / "catalogue"), templates, monkeypatch) as made:
        yield made


def sessions() -> list[tuple[str, list[str]]]:
    """(command, the lines that the page shows after it), in the order of the page."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(PAGE, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


class Ids:
    """Ids of the page and of this run, paired as they come."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def pair(self, shown: str, seen: str) -> None:
        self._real |= dict(zip(_UUID.findall(shown), _UUID.findall(seen), strict=False))

    def translate(self, command: str) -> str:
        """The command with the ids of this run, also where the page shortens them."""
        for shown, real in self._real.items():
            command = command.replace(shown, real)
            for length in range(len(shown) - 1, 7, -1):
                command = re.sub(rf"{shown[:length]}(?![\w-])", real, command)
        return command


def plain(text: str) -> str:
    text = _UUID.sub("ID", text)
    for varying, word in _VARYING:
        text = varying.sub(word, text)
    return text.rstrip()


def test_what_the_page_shows_is_what_the_operator_sees(tonight: Night):
    ids, typed = Ids(), 0
    for command, shown in sessions():
        seen = tonight.types(ids.translate(command)).splitlines()
        ids.pair("\n".join(shown), "\n".join(seen))
        if "…" in shown:
            wanted = [plain(line) for line in shown if line != "…"]
            assert [line for line in map(plain, seen) if line in wanted] == wanted, command
        else:
            assert [plain(line) for line in seen] == [plain(line) for line in shown], command
        typed += 1
    assert typed >= 8


def test_every_event_of_the_log_is_told_and_no_other():
    written = {"library.said"}  # shared/log.py gives it to what libraries write
    for room in ("services", "shared", "simulation"):
        for file in (PROJECT / room).rglob("*.py"):
            written |= events(ast.parse(file.read_text(encoding="utf-8")))
    table = TEXT.partition("## What the log says")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", row)}
    assert told == written


def events(tree: ast.Module) -> set[str]:
    """First words of log calls, `_log.info("…")`, and the second of `FixedEvent(origin, "…")`."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func
        owner = getattr(getattr(called, "value", None), "id", "")
        if getattr(called, "id", "") == "FixedEvent":
            said = node.args[1]
        elif owner == "_log":
            said = node.args[0]
        else:
            continue
        text = said.value if isinstance(said, ast.Constant) else None
        if isinstance(text, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", text):
            found.add(text)
    return found


def test_every_measure_is_told_and_no_other(tmp_path: Path, templates: Templates):
    town = Town(EmbeddedBackend(tmp_path, templates), load(PROJECT / "catalogue"))
    town.city.start()  # the measure of loops is there where loops run
    pages = [each.metrics.page().decode() for each in town.city.services.values()]
    town.close()
    shown = {name for page in pages for name in re.findall(r"^# TYPE (\w+)", page, re.MULTILINE)}
    shown = {name for name in shown if not name.endswith("_created")}
    table = TEXT.partition("## Measures and alarms")[2].partition("## What the log says")[0]
    told = set(re.findall(r"^\| `(lienthong_\w+)", table, re.MULTILINE))
    assert told == shown
