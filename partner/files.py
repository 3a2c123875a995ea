"""Files of a task's dossier: scans to read, and the result to hand in. By the HTTPS door alone.

The door gives links that end; they are asked for anew each time and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from partner.door import Door
from partner.errors import DoorRefused

KINDS = {b"%PDF": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


@dataclass(frozen=True, slots=True)
class File:
    """One file that lies with the dossier; only `clean` ones can be read."""

    id: str
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    state: str


class Files:
    """What the door lets this agency do with files."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def of(self, task: str) -> list[File]:
        """The files of the task's dossier; DoorRefused where the task is not ours."""
        told = self._door.ask("GET", self._link(task, "read"))
        items = told.get("items") if isinstance(told, dict) else None
        if not isinstance(items, list):
            raise DoorRefused("the door's answer cannot be read")
        return [_file(each) for each in items]

    def read(self, task: str, file_id: str) -> bytes:
        """The bytes of one of them."""
        path, _, shown = self._link(task, "read").partition("?")
        return self._door.content(f"{path}/{quote(file_id, safe='')}?{shown}")

    def hand_in(self, task: str, path: Path) -> str:
        """Hand in the result of a task; its receipt, which `complete` is given as `file`."""
        content = path.read_bytes()
        kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
        told = self._door.ask(
            "POST",
            self._link(task, "hand_in"),
            content,
            {
                "Content-Type": kind or "application/octet-stream",
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name)}",
            },
        )
        receipt = told.get("receipt") if isinstance(told, dict) else None
        if not isinstance(receipt, str):
            raise DoorRefused("the door's answer cannot be read")
        return receipt

    def _link(self, task: str, act: str) -> str:
        told = self._door.ask("GET", f"/api/v1/tasks/{quote(task, safe='')}/files")
        link = told.get(act) if isinstance(told, Mapping) else None
        if not isinstance(link, str) or not link.startswith("/"):
            raise DoorRefused("the task is closed: nothing can be handed in for it")
        return link


def _file(told: Any) -> File:
    try:
        return File(**{each.name: told[each.name] for each in fields(File)})
    except (KeyError, TypeError):
        raise DoorRefused("the door's answer cannot be read") from None
