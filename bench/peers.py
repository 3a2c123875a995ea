"""Peers of a benchmark, each in a process of its own, so that what they do costs nobody else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection


@contextmanager
def peer(serve: Callable[[Connection], None]) -> Iterator[int]:
    """The port of whoever `serve` is: it listens, says at which port, and serves until it is ended."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()
