"""API keys of desks, agencies and operators: `lt_<id>_<secret>`, shown once, kept as a hash.

The secret has 160 bits from the system's randomness, so a plain SHA-256 is enough and quick; no
slow password hash is needed for what nobody has to remember.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, cast, get_args

import sqlalchemy as sa

from shared.database import Store
from shared.database.types import Instant
from shared.database.unit_of_work import UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.errors import Fault, InvalidInput, NotFound

Kind = Literal["desk", "agency", "operator"]
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_SHAPE: Final = re.compile(r"lt_([a-z0-9]{10})_([a-z0-9]{32})", re.ASCII)


def define(metadata: sa.MetaData) -> sa.Table:
    """Add the table of keys to a service's metadata; of a secret only its hash is kept."""
    return sa.Table(
        "api_keys",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("bound_to", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant()),
    )


_KEYS: Final = define(sa.MetaData())
# Built once: it is asked with every request.
_HOLDER: Final = sa.select(_KEYS.c.kind, _KEYS.c.bound_to, _KEYS.c.hash).where(
    _KEYS.c.id == sa.bindparam("key"), _KEYS.c.revoked_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds a key: `bound_to` is the code of the office or agency."""

    kind: Kind
    bound_to: str
    key_id: str

    @property
    def actor(self) -> Actor:
        """Who acts when this key is used; an agency is known by its code, by whatever way it comes."""
        if self.kind == "agency":
            return Actor("agency", self.bound_to)
        return Actor("officer" if self.kind == "desk" else "operator", self.key_id)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    key_id: str
    kind: Kind
    bound_to: str
    label: str = field(repr=False)
    made_at: datetime
    revoked_at: datetime | None


def issue(uow: UnitOfWork, *, kind: Kind, bound_to: str, label: str) -> tuple[str, str]:
    """Make a key; returns its id and the whole text, which is never shown again."""
    text = draw()
    register(uow, kind=kind, bound_to=bound_to, label=label, text=text)
    return _id_of(text), text


def draw() -> str:
    """A new key's text that no ledger knows yet; `register` makes it valid."""
    return f"lt_{_random(10)}_{_random(32)}"


def register(uow: UnitOfWork, *, kind: Kind, bound_to: str, label: str, text: str) -> bool:
    """Make a drawn key valid; False when its id was registered before (also if since revoked)."""
    _check(kind, bound_to)
    key_id = _id_of(text)
    known = sa.select(_KEYS.c.id).where(_KEYS.c.id == key_id)
    if uow.connection.execute(known).one_or_none() is not None:
        return False
    row = {"id": key_id, "kind": kind, "bound_to": bound_to, "label": label, "hash": hash_of(text)}
    uow.connection.execute(sa.insert(_KEYS), {**row, "made_at": uow.now, "revoked_at": None})
    return True


def _check(kind: str, bound_to: str) -> None:
    faults = []
    if kind not in get_args(Kind):
        faults.append(Fault("kind", "Loại khóa không có.", "there is no such kind of key"))
    if not bound_to.strip():
        faults.append(
            Fault("bound_to", "Thiếu mã cơ quan.", "the code of the office or agency is missing")
        )
    if faults:
        raise InvalidInput(faults)


def _id_of(text: str) -> str:
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise InvalidInput([Fault("text", "Không phải là khóa.", "this is not the text of a key")])
    return shape.group(1)


def verify(connection: sa.Connection, text: str) -> Principal | None:
    """Who holds this key; None when it is unknown, revoked or no key at all."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    row = connection.execute(_HOLDER, {"key": shape.group(1)}).one_or_none()
    if row is None or not hmac.compare_digest(bytes(row.hash), hash_of(text)):
        return None
    return Principal(cast("Kind", row.kind), row.bound_to, shape.group(1))


def find(connection: sa.Connection, key_id: str) -> Principal | None:
    """Who holds the key of this id, for a session that was opened with it; None once revoked."""
    row = connection.execute(
        sa.select(_KEYS.c.kind, _KEYS.c.bound_to).where(
            _KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Principal(cast("Kind", row.kind), row.bound_to, key_id)


def revoke(uow: UnitOfWork, key_id: str) -> None:
    """End a key now; NotFound where there is no such key that is still valid."""
    ended = uow.connection.execute(
        sa.update(_KEYS)
        .where(_KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None))
        .values(revoked_at=uow.now)
    )
    if ended.rowcount == 0:
        raise NotFound("there is no valid key with this id", vi="Không có khóa còn hiệu lực này.")


def list_keys(connection: sa.Connection) -> list[KeyInfo]:
    """All keys, the oldest first, without their secrets."""
    rows = connection.execute(sa.select(_KEYS).order_by(_KEYS.c.made_at, _KEYS.c.id))
    return [
        KeyInfo(r.id, cast("Kind", r.kind), r.bound_to, r.label, r.made_at, r.revoked_at)
        for r in rows
    ]


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def hash_of(text: str) -> bytes:
    """What is kept of a key's text."""
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """Asks the ledger anew each time, so that a revoked key stops at once."""

    store: Store

    def verify(self, text: str) -> Principal | None:
        """The principal of a key's full text, or None."""
        with self.store.query() as connection:
            return verify(connection, text)

    def still_valid(self, key_id: str) -> Principal | None:
        """The principal of a key that was verified before, or None where it is revoked."""
        with self.store.query() as connection:
            return find(connection, key_id)
