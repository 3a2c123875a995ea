"""How much memory the C library may set aside for the threads of this process.

glibc gives nearly every thread a heap of its own and returns little of it: with a loop in each
thread a city that did nothing new grew by 15 to 20 MB within 3,000 dossiers. Python's threads take
turns anyway, so two heaps serve them all.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h of glibc
HEAPS: Final = 2


def share_heaps() -> bool:
    """Let all threads that start from now on share a few heaps; False where nothing was changed.

    What the operator has chosen by MALLOC_ARENA_MAX stays; other C libraries have no such heaps.
    """
    if os.environ.get("MALLOC_ARENA_MAX"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, HEAPS))
