"""Judges a file by its content, in a process of its own (child.py); its parent's side."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from services.intake.domain.files import MEDIA, WHY
from services.intake.judging.child import STARTS
from shared.log import get
from shared.settings import PROJECT

SECONDS: Final = 60.0
#: So many at once; others wait. Two pictures of 64 million pixels take 400 MB.
AT_ONCE: Final = 2
_CHILD: Final = "services.intake.judging.child"
_turn = threading.BoundedSemaphore(AT_ONCE)
_log = get("files")


class _Told(msgspec.Struct, frozen=True):
    media: str | None = None
    why: str | None = None


def media_type(path: Path) -> tuple[str | None, str | None]:
    """What the file is (a key of `MEDIA`) and None; or None and why it is not taken.

    A file at which the libraries break, or that takes them more memory or time than a scan may, is
    not taken either.
    """
    with path.open("rb") as file:
        if not file.read(8).startswith(tuple(STARTS)):
            return None, "kind"  # no process is begun for what is nothing of ours
    order = [sys.executable, "-I", "-c", _START, str(PROJECT), str(path), str(path.stat().st_size)]
    with _turn:
        try:
            ended = subprocess.run(  # noqa: S603 - our own words and a path that we made
                order, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            _log.warning("files.judge_slow", seconds=SECONDS)
            return None, "too_complex"
    if ended.returncode != 0:
        _log.warning("files.judge_ended", code=ended.returncode, told=_last(ended.stderr))
        return None, "too_complex"
    told = msgspec.json.decode(ended.stdout, type=_Told)
    if told.media in MEDIA:
        return told.media, None
    return None, told.why if told.why in WHY else "broken"


#: As `python -m` would, but with nothing on the path that the caller's folder could bring.
_START: Final = (
    f"import sys; sys.path.insert(0, sys.argv.pop(1)); import {_CHILD} as child; child.main()"
)


def _last(said: bytes) -> str:
    """The kind of the error alone: what a library says may quote the file."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].partition(":")[0][:60] if lines else ""
