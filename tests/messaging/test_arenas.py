"""The heaps that the C library keeps for the threads of a process: few, unless told otherwise."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys

import pytest

from shared.messaging.loops.heaps import YOUNG, collect_seldom

_GLIBC = platform.libc_ver()[0] == "glibc"
# Many threads that hold what they allocate; then how many heaps glibc reports.
_COUNT = """
import ctypes, re, tempfile, threading
from shared.messaging.loops.heaps import share_heaps
print(share_heaps())
met = threading.Barrier(13)
def work():
    held = [bytearray(3000) for _ in range(50)]
    met.wait(); met.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
met.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file); libc.fclose(file)
    print(len(re.findall(r"<heap nr", open(told.name).read())))
met.wait()
"""


def counted(**more: str) -> tuple[str, int]:
    env = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", _COUNT], env=env | more, capture_output=True, text=True, check=True
    )
    answer, heaps = done.stdout.split()
    return answer, int(heaps)


@pytest.mark.skipif(not _GLIBC, reason="only glibc has such heaps")
def test_many_threads_share_two_heaps() -> None:
    assert counted() == ("True", 2)


@pytest.mark.skipif(not _GLIBC, reason="only glibc has such heaps")
def test_what_the_operator_has_chosen_stays() -> None:
    assert counted(MALLOC_ARENA_MAX="4") == ("False", 4)


@pytest.mark.parametrize(
    ("young", "then"), [(700, YOUNG), (0, 0), (50_000, 50_000)], ids=["usual", "off", "higher"]
)
def test_cycles_are_looked_for_seldom_unless_told_otherwise(young: int, then: int) -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(young, *before[1:])
        collect_seldom()
        assert gc.get_threshold() == (then, *before[1:])
    finally:
        gc.set_threshold(*before)
