"""What is wrong between the files: one module per question, each noting faults with the mend."""

from __future__ import annotations

from datetime import date

from shared.catalogue.faults import Faults
from shared.catalogue.read import Folder


def check_folder(folder: Folder, faults: Faults, *, today: date | None = None) -> None:
    """Ask every question; answers are faults."""
