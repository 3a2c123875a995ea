"""Column types for personal data: sealed on their way into the database, opened on their way out.

AES-256-GCM with a random nonce for each value, behind the id of its key. What was written in clear
before is still read, and sealed when it is written next or by `resealing`. A sealed value can be
compared with nothing: what it is found by is a `Marked` column beside it, a keyed digest.

An engine without a sealer (a test of the kit) keeps all of it in clear.
"""

from __future__ import annotations

import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import cache
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from shared.database.keyring import KeyFile, Keys, id_of
from shared.database.types import Json
from shared.kernel.digests import Digests
from shared.kernel.errors import LienThongError, SettingsError, Transient
from shared.log import get

#: How a sealed value begins: this, and the id of its key. Nine bytes: base64 of them stands by itself.
_BEGINS: Final = b"lt\x01"
_HEAD: Final = 9
_NONCE: Final = 12
_AT_ONCE: Final = 256
#: A key that is added to the file is used by every process after so many seconds.
LOOK_SECONDS: Final = 60.0
#: How sealed text begins.
TEXT: Final = "lt1:"
_ATTRIBUTE: Final = "lienthong_sealer"
_log = get("privacy")


class KeyLost(Transient):
    """Something was sealed by a key that is not among ours: it opens when the key is put back."""

    default_vi = (
        "Không mở được dữ liệu đã niêm phong: thiếu khóa. Hãy khôi phục tệp khóa (docs/operate.md)."
    )


class SealBroken(LienThongError):
    """What was sealed was changed since, and says nothing any more."""

    default_vi = "Dữ liệu đã niêm phong bị thay đổi, không mở được."


# Drawn many at once: asking the system for each lets another thread in, which costs more than sealing.
_nonces: list[bytes] = []
os.register_at_fork(after_in_child=_nonces.clear)


def _nonce() -> bytes:
    """One that no other value was or will be sealed with."""
    while True:
        try:
            return _nonces.pop()
        except IndexError:
            drawn = os.urandom(_NONCE * _AT_ONCE)
            _nonces.extend(drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE))


class _Ring(NamedTuple):
    head: bytes
    cipher: AESGCM
    others: Mapping[bytes, AESGCM]
    search: Digests


class Sealer:
    """Seals by the newest key of a file and opens by any of them; one for an engine, for all threads.

    A key that is added to the file is used a minute later, and found at once where a value is met
    that was sealed by it.
    """

    def __init__(self, file: KeyFile) -> None:
        self.file = file
        self._ring: _Ring | None = None
        self._look_at = 0.0

    @property
    def head(self) -> bytes:
        """How whatever is sealed now begins."""
        return self._known().head

    @property
    def text_head(self) -> str:
        """How text begins that is sealed now."""
        return TEXT + b2a_base64(self.head, newline=False).decode("ascii")

    def reread(self) -> None:
        """Look into the file again: the newest key may be another. SettingsError where it is none."""
        self._ring = _ring(self.file.read(anew=self._ring is None))
        self._look_at = monotonic() + LOOK_SECONDS

    def seal(self, plain: bytes) -> bytes:
        """Sealed by the newest key."""
        head, cipher, *_ = self._known()
        nonce = _nonce()
        return head + nonce + cipher.encrypt(nonce, plain, None)

    def open(self, value: bytes) -> bytes:
        """What was sealed; as it is where it never was. KeyLost without its key."""
        if value[:3] != _BEGINS:
            return value
        head, nonce = value[:_HEAD], value[_HEAD : _HEAD + _NONCE]
        try:
            return self._cipher(head).decrypt(nonce, value[_HEAD + _NONCE :], None)
        except (InvalidTag, ValueError):
            raise SealBroken("what was sealed was changed since, and cannot be opened") from None

    def seal_text(self, plain: bytes) -> str:
        """Sealed, as text."""
        return TEXT + b2a_base64(self.seal(plain), newline=False).decode("ascii")

    def open_text(self, value: str) -> bytes:
        """What was sealed as text."""
        try:
            shut = a2b_base64(value[len(TEXT) :])
        except ValueError:
            shut = b""
        if not shut.startswith(_BEGINS):
            raise SealBroken("what was sealed was changed since, and cannot be opened")
        return self.open(shut)

    def mark(self, text: str) -> str:
        """A keyed digest by which a text is found and cannot be guessed, 32 hex digits."""
        return self._known().search(text)[:32]

    def _known(self) -> _Ring:
        if self._ring is None:
            self.reread()
        elif monotonic() > self._look_at:
            try:
                self.reread()
            except SettingsError:  # what runs goes on with what it knows
                self._look_at = monotonic() + LOOK_SECONDS
                _log.error("privacy.keys_unreadable")
        assert self._ring is not None
        return self._ring

    def _cipher(self, head: bytes) -> AESGCM:
        found = self._known().others.get(head)
        if found is None:
            self._look_at = 0.0
            found = self._known().others.get(head)
        if found is None:
            raise KeyLost(f"the key {head[3:].hex()} is not among ours; put the spare copy back")
        return found


def _ring(keys: Keys) -> _Ring:
    ciphers = {_BEGINS + id_of(key): AESGCM(key) for key in keys.sealing}
    head = _BEGINS + id_of(keys.sealing[0])
    return _Ring(head, ciphers[head], ciphers, Digests(keys.search))


def give(engine: sa.Engine, sealer: Sealer) -> None:
    """Let this engine's columns be sealed; before its first statement."""
    setattr(engine.dialect, _ATTRIBUTE, sealer)


def sealer_of(dialect: Dialect) -> Sealer | None:
    """Who seals for this engine."""
    found: Sealer | None = getattr(dialect, _ATTRIBUTE, None)
    return found


def mark_of(connection: sa.Connection, text: str) -> str:
    """The mark of a text in this database."""
    sealer = sealer_of(connection.dialect)
    return text if sealer is None else sealer.mark(text)


class Kept(TypeDecorator[Any]):
    """What is written in another form than it is given. Empty values stay as they are."""

    impl: Any = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The value as it is written."""
        sealer = sealer_of(dialect)
        return value if sealer is None or not value else self.written(sealer, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value as it was given."""
        sealer = sealer_of(dialect)
        return value if sealer is None or not value else self.read(sealer, value)

    def written(self, sealer: Sealer, value: Any) -> Any:
        """As it lies in the database."""
        raise NotImplementedError

    def read(self, sealer: Sealer, value: Any) -> Any:
        """As it is meant; what was written in clear before is given as it is."""
        raise NotImplementedError


class SealedText(Kept):
    """Text that nobody reads without the key."""

    cache_ok = True

    def written(self, sealer: Sealer, value: str) -> str:
        """Sealed."""
        return sealer.seal_text(value.encode())

    def read(self, sealer: Sealer, value: str) -> str:
        """Opened."""
        return sealer.open_text(value).decode() if value.startswith(TEXT) else value


class SealedBytes(Kept):
    """Bytes that nobody reads without the key."""

    impl = sa.LargeBinary
    cache_ok = True

    def written(self, sealer: Sealer, value: bytes) -> bytes:
        """Sealed."""
        return sealer.seal(bytes(value))

    def read(self, sealer: Sealer, value: bytes) -> bytes:
        """Opened."""
        return sealer.open(bytes(value))


class SealedJson(Kept):
    """JSON that nobody reads without the key: a JSON string that is sealed; {} and [] stay."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """As plain JSON is kept."""
        return Json().dialect_impl(dialect)

    def written(self, sealer: Sealer, value: Any) -> str:
        """Sealed."""
        return sealer.seal_text(msgspec.json.encode(value))

    def read(self, sealer: Sealer, value: Any) -> Any:
        """Opened."""
        if isinstance(value, str) and value.startswith(TEXT):
            return msgspec.json.decode(sealer.open_text(value))
        return value


class Marked(Kept):
    """The mark of the text in column `of`: given the text, compared with the text, read as the mark."""

    cache_ok = True

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of

    def written(self, sealer: Sealer, value: str) -> str:
        """Its mark."""
        return sealer.mark(value)

    def read(self, sealer: Sealer, value: str) -> str:  # noqa: ARG002 - as its kin
        """As it lies there: nobody gets a text from its mark."""
        return value


@cache
def kept_of(table: sa.Table) -> Mapping[str, Kept]:
    """The columns of a table that are written in another form."""
    return {each.name: each.type for each in table.columns if isinstance(each.type, Kept)}


def is_bytes(kind: sa.types.TypeEngine[Any]) -> bool:
    """Whether a column's values are bytes in the database."""
    return isinstance(kind, sa.LargeBinary | SealedBytes)
