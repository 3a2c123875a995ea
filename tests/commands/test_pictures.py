"""`lienthong pictures`: small files of known names, on each of which something is to be seen."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from services.__main__ import load
from services.commands import pictures as command
from shared.settings import PROJECT
from simulation.pictures import HEIGHT, PICTURES, NoBrowser

MOST_BYTES = 80_000


def seen(folder: Path) -> None:
    """What must hold of every picture of a folder."""
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{name}.png" for name in PICTURES]
    for file in files:
        assert file.stat().st_size <= MOST_BYTES, file
        with Image.open(file) as shot:
            assert shot.size == (PICTURES[file.stem], HEIGHT)
            assert shot.mode == "P"
            shades = shot.convert("L").getcolors()
        # Writing on a ground: many shades, and none of them is nearly all of it.
        assert len(shades) >= 16, file
        assert max(count for count, _ in shades) < 0.97 * shot.width * shot.height, file


@pytest.mark.browser
@pytest.mark.long
def test_every_page_is_taken_in_a_tiny_city(chromium, tmp_path):
    del chromium  # skipped, aloud, without it
    folder = tmp_path / "pictures"
    done = CliRunner().invoke(load("pictures"), ["--to", str(folder), "--dossiers", "8"])
    assert done.exit_code == 0, done.exception
    assert len(done.output.splitlines()) == len(PICTURES)
    seen(folder)


def test_the_pictures_of_the_docs_are_those_of_the_command_and_each_is_told():
    seen(command.FOLDER)
    page = (PROJECT / "docs" / "pictures.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(pictures/([\w-]+)\.png\)", page) == list(PICTURES)


def test_without_a_browser_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    done = CliRunner().invoke(load("pictures"), ["--to", str(tmp_path / "pictures")])
    assert isinstance(done.exception, NoBrowser)
    assert "apt-get install chromium" in str(done.exception)
    assert not (tmp_path / "pictures").exists()
