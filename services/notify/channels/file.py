"""The channel of the embedded city: one file per message, where a person can look at it.

E-mails are `.eml` files that a mail program opens, text messages are `.txt`. A file is named by
the message's id and always has the same content for it, so that writing it twice is harmless.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.notify.channels.mail import MailFrom, for_eyes
from services.notify.channels.unsubscribing import Unsubscribing, more_of
from services.notify.domain.contacts import EMAIL
from services.notify.domain.delivery import Failed, Letter, Result, Sent


class FileChannel:
    """Writes letters into one folder, each whole or not at all, and on disk when it says so."""

    idempotent = True
    remote = False

    def __init__(self, folder: Path, kind: str, sender: MailFrom) -> None:
        self.name = f"{kind}.file"
        self.folder = folder
        self._kind = kind
        self._sender = sender
        self.unsubscribing: Unsubscribing | None = None

    def send(self, letters: Iterable[Letter]) -> Iterator[Result]:
        for letter in letters:
            try:
                self._write(letter)
            except OSError as error:
                yield Failed(f"file: {error.strerror or type(error).__name__}")
            else:
                yield Sent()

    def path_of(self, letter_id: str) -> Path:
        ending = ".eml" if self._kind == EMAIL else ".txt"
        return self.folder / f"{letter_id}{ending}"

    def close(self) -> None:
        """No file stays open."""

    def _write(self, letter: Letter) -> None:
        # Names and numbers of citizens: for the owner's eyes only.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path_of(letter.id)
        # A name that no reader takes for a message; the same after a crash, so none is left over.
        partial = path.with_name(f".{path.name}.part")
        with partial.open("wb") as file:
            file.write(self._content(letter))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(self.folder)

    def _content(self, letter: Letter) -> bytes:
        if self._kind == EMAIL:
            return for_eyes(letter, self._sender, more_of(letter, self.unsubscribing))
        return f"To: {letter.to}\n\n{letter.body}\n".encode("utf-8", "replace")


def _sync_folder(folder: Path) -> None:
    # The rename is on disk only when the folder is.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
