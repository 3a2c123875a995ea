"""Every snippet of docs/testing.md runs as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import PROJECT
from tests.docs.pages import blocks

SNIPPETS = blocks(PROJECT / "docs" / "testing.md", "python")


@pytest.mark.slow
@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_of_the_page_runs_as_it_stands(snippet: str, tmp_path: Path):
    known = {"folder": tmp_path}
    exec(compile(snippet, "docs/testing.md", "exec"), known)
    assert "city" in known, "a snippet without a city shows nothing"


def test_the_page_names_everything_that_is_kept():
    import simulation.kit

    page = (PROJECT / "docs" / "testing.md").read_text(encoding="utf-8")
    unnamed = {name for name in simulation.kit.__all__ if name not in page}
    assert unnamed == set()
