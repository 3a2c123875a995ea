"""A catalogue file nested without end is a fault with file and line, not the end of the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from shared.catalogue.depth import DEEPEST, too_deep
from shared.settings import PROJECT
from tests.catalogue.conftest import Spoiled

CHECK = """
import sys
from pathlib import Path
from shared.catalogue import check
for fault in check(Path(sys.argv[1])):
    if fault.place.startswith("templates/deep-"):
        print(fault.place, "|", fault.en, "|", fault.vi)
"""
SHAPES = {
    "brackets": "a: " + "[" * 100_000,
    "closed": "[" * 20_000 + "]" * 20_000,
    "braces": "{a: " * 20_000 + "1" + "}" * 20_000,
    "lines": "\n".join(["[" for _ in range(20_000)]),
    "items": "- " * 20_000 + "x",
    "indent": "".join(" " * level + "a:\n" for level in range(3_000)),
    "quoted": '"' + "[" * 50_000 + '"',
    "itself": "a: &a [*a]",
}


def test_no_nesting_ends_the_process(spoiled: Spoiled):
    for name, text in SHAPES.items():
        spoiled.write(f"templates/deep-{name}.yaml", text)
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(spoiled.folder)],
        cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    told = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    for name in ("brackets", "closed", "braces", "items"):
        assert "deeper than 32 levels" in told[f"templates/deep-{name}.yaml:1"]
        assert "32 tầng" in told[f"templates/deep-{name}.yaml:1"]
    assert "deeper than 32" in told[f"templates/deep-lines.yaml:{DEEPEST + 1}"]
    assert "deeper than 32" in told[f"templates/deep-indent.yaml:{DEEPEST + 1}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" * DEEPEST + "]" * DEEPEST, None),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), 1),
        ("a: '" + "[" * 500 + "'", None),
        ("a: 1\nb: [{c: 2}]\n", None),
    ],
)
def test_the_limit_is_where_it_is_said_to_be(text: str, line: int | None):
    assert too_deep(text, yaml.CSafeLoader) == line


def test_the_citys_own_files_are_not_even_looked_at_twice():
    for path in Path(PROJECT / "catalogue").rglob("*.yaml"):
        assert too_deep(path.read_text(encoding="utf-8"), None) is None, path.name
