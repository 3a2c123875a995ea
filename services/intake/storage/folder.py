"""Where the bytes of files lie: one port, and a folder behind it.

A file is written beside its place, flushed to disk and renamed: whoever reads finds all of it or
nothing. Names are made by us alone, of digests and ids. Another store (S3) is another class.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, Final, Protocol

CHUNK: Final = 64 * 1024
_KEY: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}-[A-Za-z0-9._-]{1,60}")


class FileStore(Protocol):
    """Keeps bytes under keys; a key is never used twice."""

    def draft(self) -> BinaryIO:
        """A file on this machine for bytes that come in: of no name that anybody knows, 0600."""

    @contextmanager
    def arriving(self, source: IO[bytes]) -> Iterator[Path]:
        """The bytes as a file that is there within the block alone."""

    def keep(self, source: Path, key: str) -> None:
        """Keep a file of this machine under a key; on disk when this returns."""

    def open(self, key: str) -> BinaryIO:
        """Read it; FileNotFoundError where it is not there."""

    def delete(self, key: str) -> None:
        """Delete it, if it is there."""

    def old(self, before: datetime) -> Iterator[str]:
        """The keys of what was kept before then (UTC)."""

    def clear_drafts(self, before: datetime) -> int:
        """Delete what was left over of files that came in before then; how many."""


class Folder:
    """Files below one folder, which all processes of the service share."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = root / "incoming"

    def draft(self) -> BinaryIO:
        return os.fdopen(self._new(), "w+b")

    def _new(self) -> int:
        """A file without a name: it goes with the process, however that ends."""
        self._make(self._drafts)
        handle, path = self._named()
        path.unlink()
        return handle

    def _named(self) -> tuple[int, Path]:
        self._make(self._drafts)
        path = self._drafts / secrets.token_hex(16)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), path

    @contextmanager
    def arriving(self, source: IO[bytes]) -> Iterator[Path]:
        handle, path = self._named()
        try:
            with os.fdopen(handle, "wb") as out:
                while chunk := source.read(CHUNK):
                    out.write(chunk)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, source: Path, key: str) -> None:
        place = self._place(key)
        self._make(place.parent)
        with source.open("rb") as written:
            os.fsync(written.fileno())
        source.rename(place)
        for folder in (place.parent, self._root):
            _flush(folder)

    def open(self, key: str) -> BinaryIO:
        return self._place(key).open("rb")

    def delete(self, key: str) -> None:
        self._place(key).unlink(missing_ok=True)

    def old(self, before: datetime) -> Iterator[str]:
        for path in _files(self._root.glob("[0-9a-f][0-9a-f]/*"), before):
            yield f"{path.parent.name}/{path.name}"

    def clear_drafts(self, before: datetime) -> int:
        found = list(_files(self._drafts.glob("*"), before))
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _place(self, key: str) -> Path:
        if _KEY.fullmatch(key) is None:
            raise FileNotFoundError("no key of a file")
        return self._root / key

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)


def _files(paths: Iterable[Path], before: datetime) -> Iterator[Path]:
    for path in paths:
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                yield path


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Counting:
    """Hands on what it reads, with its digest and length; reads no more than `most` bytes."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._most = most
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = CHUNK) -> bytes:
        """Some more; Overfull beyond the limit."""
        chunk = self._source.read(size)
        self.size += len(chunk)
        if self.size > self._most:
            raise Overfull
        self._digest.update(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        """Of all that was read."""
        return self._digest.hexdigest()


class Overfull(Exception):
    """There are more bytes than may be taken."""
