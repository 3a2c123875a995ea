"""An event log as rows by the names of its columns; how the file is read is in shared/kernel/table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.kernel.table import read_csv


@dataclass(frozen=True, slots=True)
class Row:
    """One row by the names of its columns, and its line in the file (the header is line 1)."""

    line: int
    cells: Mapping[str, str]


def read_table(path: Path) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of the columns, and the rows; InvalidInput says what to do with another kind of file."""
    header, lines = read_csv(path.read_bytes())
    names = header.cells
    rows = (Row(line.number, dict(zip(names, line.cells, strict=False))) for line in lines)
    return names, rows
