"""The table "follow one dossier" of the README names files and functions that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| \d+ \| .* \| `(?P<file>[^`]+)` \| `(?P<name>[^`]+)` \|$", re.MULTILINE)
LINK = re.compile(r"\]\((?P<path>[^)#]+)\)")
STOPS = [match.groups() for match in ROW.finditer((PROJECT / "README.md").read_text("utf-8"))]


def names_in(file: Path) -> set[str]:
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found |= {f"{node.name}.{each.name}" for each in inner}
    return found


def test_the_table_has_every_stop_of_the_way() -> None:
    assert len(STOPS) >= 20
    services = {file.split("/")[1] for file, _ in STOPS if file.startswith("services/")}
    assert services == {"intake", "routing", "notify"}


@pytest.mark.parametrize(("file", "name"), STOPS, ids=[name for _, name in STOPS])
def test_each_stop_is_where_the_table_says(file: str, name: str) -> None:
    assert name in names_in(PROJECT / file)


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_every_page_that_is_linked_exists(page: str) -> None:
    links = LINK.findall((PROJECT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (PROJECT / link).exists()]
    assert missing == []
