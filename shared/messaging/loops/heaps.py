"""How this process deals with memory: the heaps of its threads, and how often cycles are looked for.

glibc gives nearly every thread a heap of its own and returns little of it: with a loop in each
thread a city that did nothing new grew by 15 to 20 MB within 3,000 dossiers. Python's threads take
turns anyway, so two heaps serve them all.

A batch of dossiers makes some ten thousand objects, nearly all gone at its end; a look for cycles
after every 700 of them, as Python does it, cost 3 to 8 % of a dossier.
"""

from __future__ import annotations

import ctypes
import gc
import os
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h of glibc
HEAPS: Final = 2
#: New objects between two looks for cycles (generation 0).
YOUNG: Final = 10_000


def share_heaps() -> bool:
    """Let all threads that start from now on share a few heaps; False where nothing was changed.

    What the operator has chosen by MALLOC_ARENA_MAX stays; other C libraries have no such heaps.
    """
    if os.environ.get("MALLOC_ARENA_MAX"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, HEAPS))


def collect_seldom() -> None:
    """Look for cycles after more new objects than Python does; a higher threshold stays."""
    young, *older = gc.get_threshold()
    if 0 < young < YOUNG:  # 0: whoever runs this process has turned it off
        gc.set_threshold(YOUNG, *older)
