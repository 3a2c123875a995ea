"""The city's catalogue with procedures that are invented, one for each thing a step can say."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.settings import PROJECT

SECOND = "diem-tiep-nhan-phuong-1"
TODAYS_SECOND = "diem-tiep-nhan-phuong-cao-lanh"  # since 2025-07-01
LOOP, TIMES, VERIFICATION, WAIT, PLACE, CHOICE, PARTY = (
    f"0.00001{number}" for number in range(1, 8)
)


def with_invented(folder: Path) -> Path:
    """A copy of the city's catalogue in a folder of the test's own, with the invented ones in."""
    shutil.copytree(PROJECT / "catalogue", folder)
    for file in Path(__file__).parent.glob("*.yaml"):
        kind = "procedures" if file.stem.startswith("0.") else "templates"
        shutil.copy(file, folder / ("agencies" if file.stem == "agencies" else kind))
    return folder
