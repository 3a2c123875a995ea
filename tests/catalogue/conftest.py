"""A copy of the city's catalogue that a test may spoil."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import Catalogue, check, load
from shared.kernel.errors import Fault

CITY = Path(__file__).resolve().parents[2] / "catalogue"
MARCH_2022 = date(2022, 3, 7)


class Spoiled:
    """A catalogue folder of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the first place where `old` stands; it must stand there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def faults(self, today: date | None = None) -> list[Fault]:
        return check(self.folder, today=today)


@pytest.fixture(scope="session")
def city() -> Catalogue:
    return load(CITY)


@pytest.fixture
def spoiled(tmp_path: Path) -> Spoiled:
    folder = tmp_path / "catalogue"
    shutil.copytree(CITY, folder)
    return Spoiled(folder)
