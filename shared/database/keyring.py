"""The file that holds the keys of what is sealed: drawn once, added to, kept by the operator.

One key a line: those that seal, the newest first, and after the word `search:` the one that marks
are made with, which stays for ever. Whoever has a database and not this file can read nothing sealed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.kernel.errors import SettingsError

SEARCH: Final = "search:"
SIZE: Final = 32  # bytes of a key: AES-256 and HMAC-SHA-256
_ID: Final = 6


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that seal, the newest first, and the one that marks are made with."""

    sealing: tuple[bytes, ...] = field(repr=False)
    search: bytes = field(repr=False)

    def text(self) -> str:
        """As they stand in the file."""
        lines = [_told(key) for key in self.sealing]
        return "\n".join([*lines, f"{SEARCH}{_told(self.search)}", ""])

    def with_new(self) -> Keys:
        """These, and a new one before them."""
        return Keys((secrets.token_bytes(SIZE), *self.sealing), self.search)

    def newest_alone(self) -> Keys:
        """Without those that sealed before."""
        return Keys(self.sealing[:1], self.search)


def drawn() -> Keys:
    """New keys of a new installation."""
    return Keys((secrets.token_bytes(SIZE),), secrets.token_bytes(SIZE))


def id_of(key: bytes) -> bytes:
    """What says in a sealed value by which key it was sealed; tells nothing of the key."""
    return hashlib.sha256(b"lienthong key 1" + key).digest()[:_ID]


def read(text: str) -> Keys:
    """The keys in a text; SettingsError where it holds something else, which is not repeated."""
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    sealing = tuple(_key(word) for word in words if not word.startswith(SEARCH))
    search = [_key(word.removeprefix(SEARCH)) for word in words if word.startswith(SEARCH)]
    if not sealing or len(search) != 1:
        raise _broken()
    return Keys(sealing, search[0])


class KeyFile:
    """The file at `path`; where there is none it is drawn, by whichever process comes first.

    Not where the operator has named it (`draws`): a lost file must not be replaced by other keys.
    """

    def __init__(self, path: Path, *, draws: bool = True) -> None:
        self.path = path
        self._draws = draws

    def read(self, *, anew: bool = True) -> Keys:
        """The keys; SettingsError where the file cannot be read or kept.

        Not `anew`: they were read before, so a file that is gone is lost.
        """
        try:
            if self._draws and anew and not self.path.exists():
                self._draw()
            return read(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as broken:
            why = broken.strerror if isinstance(broken, OSError) else "no text"
            raise SettingsError(
                f"LIENTHONG_PRIVACY_KEYS: the keys cannot be read or kept ({why}); a new "
                "installation draws them by `secrets make`, a lost file comes back by `privacy restore`",
                vi="LIENTHONG_PRIVACY_KEYS: không đọc hoặc không ghi được tệp khóa; cài đặt mới tạo "
                "bằng `secrets make`, tệp bị mất khôi phục bằng `privacy restore`.",
            ) from None

    def changed_at(self) -> float:
        """When it was written last, in seconds since 1970; long ago where it cannot be told."""
        try:
            return self.path.stat().st_mtime
        except OSError:
            return 0.0

    def write(self, keys: Keys) -> None:
        """Put these in its place, whole or not at all; who may read it stays as it was."""
        draft = self._draft(keys)
        if self.path.exists():
            draft.chmod(self.path.stat().st_mode & 0o777)
        draft.replace(self.path)

    def _draw(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._draft(drawn())
        try:
            os.link(draft, self.path)  # fails where another process was first: then its keys count
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def _draft(self, keys: Keys) -> Path:
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(keys.text())
            out.flush()
            os.fsync(out.fileno())
        return draft


def names(keys: Sequence[bytes]) -> list[str]:
    """The ids of keys, as people are told them."""
    return [id_of(key).hex() for key in keys]


def _told(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def _key(word: str) -> bytes:
    try:
        key = base64.b64decode(word, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _broken() from None
    if len(key) != SIZE:
        raise _broken()
    return key


def _broken() -> SettingsError:
    return SettingsError(
        "LIENTHONG_PRIVACY_KEYS: the file holds no keys of ours: one a line, 32 bytes in base64, "
        f"and one after '{SEARCH}'; put the sealed spare copy back (docs/operate.md)",
        vi="LIENTHONG_PRIVACY_KEYS: tệp không chứa khóa hợp lệ; hãy khôi phục bản sao đã niêm phong.",
    )
