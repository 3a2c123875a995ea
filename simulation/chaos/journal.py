"""What the driver did, line by line, and the verdict that each act got in the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Entry:
    """One act: `expected` in words; `ok` is None until there is a verdict, `said` tells it."""

    number: int
    act: str
    what: Mapping[str, Any]
    expected: str
    ok: bool | None = None
    said: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # what reconciling needs to know of it


class Journal:
    """Kept in memory and in a file that a failing run leaves behind; for any thread."""

    def __init__(self, file: Path) -> None:
        self.entries: list[Entry] = []
        self._file = file.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def note(self, act: str, what: Mapping[str, Any], expected: str, **facts: Any) -> Entry:
        """Write an act down, before it is done."""
        with self._lock:
            entry = Entry(len(self.entries) + 1, act, dict(what), expected, facts=facts)
            self.entries.append(entry)
            self._write(n=entry.number, act=act, what=entry.what, expected=expected)
        return entry

    def settle(self, entry: Entry, said: str, *, ok: bool) -> None:
        """Write down what came of it; the first verdict counts."""
        with self._lock:
            if entry.ok is None:
                entry.ok, entry.said = ok, said
                self._write(verdict_of=entry.number, ok=ok, said=said)

    def close(self) -> None:
        """The file is whole."""
        self._file.close()

    def _write(self, **line: Any) -> None:
        line = {"at": round(time.monotonic() - self._began, 3), **line}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
