"""API keys of desks, agencies and operators: `lt_<id>_<secret>`, shown once, kept as a hash.

The secret has 160 bits from the system's randomness, so a plain SHA-256 is enough and quick; no
slow password hash is needed for what nobody has to remember. Each key has an end, which can be
moved on: what nobody renews was forgotten, and stops by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, cast

import sqlalchemy as sa

from shared.database import Store, batch
from shared.database.types import Instant
from shared.database.unit_of_work import UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.errors import Fault, InvalidInput, NotFound
from shared.messaging.metrics import Reading

Kind = Literal["desk", "agency", "leader", "operator"]
#: What a key can be for; a leader is a person.
OF_KEYS: Final = ("desk", "agency", "operator")
DAYS: Final = 365
MOST_DAYS: Final = 3650
#: How long before its end a key is told of.
WARNING: Final = timedelta(days=14)
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
        sa.Column("expires_at", Instant(), nullable=False),
    )


_KEYS: Final = define(sa.MetaData())
# Built once: it is asked with every request.
_HOLDER: Final = sa.select(_KEYS.c.kind, _KEYS.c.bound_to, _KEYS.c.hash, _KEYS.c.expires_at).where(
    _KEYS.c.id == sa.bindparam("key"), _KEYS.c.revoked_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: `bound_to` is the code of the office or agency.

    A programme by a key, whose id is `key_id`; or a person who signed in: then `key_id` is the
    person's opaque id, `name` what people call them, and `role` what they are there.
    """

    kind: Kind
    bound_to: str
    key_id: str
    name: str = field(default="", repr=False)
    role: str = ""

    @property
    def is_person(self) -> bool:
        """Whether somebody signed in; else a programme shows a key."""
        return bool(self.role)

    @property
    def actor(self) -> Actor:
        """Who acts; an agency's programme is known by the agency's code, by whatever way it comes."""
        if self.is_person:
            return Actor("operator" if self.kind == "operator" else "officer", self.key_id)
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
    expires_at: datetime

    def ends_soon(self, now: datetime) -> bool:
        """Whether somebody should renew it: it is in force, and ends within the warning."""
        return self.revoked_at is None and now < self.expires_at <= now + WARNING


def issue(
    uow: UnitOfWork, *, kind: Kind, bound_to: str, label: str, days: int = DAYS
) -> tuple[str, str]:
    """Make a key that is good for so many days; its id and the text, which is never shown again."""
    text = draw()
    register(uow, kind=kind, bound_to=bound_to, label=label, text=text, days=days)
    return _id_of(text), text


def draw() -> str:
    """A new key's text that no ledger knows yet; `register` makes it valid."""
    return f"lt_{_random(10)}_{_random(32)}"


def register(
    uow: UnitOfWork, *, kind: Kind, bound_to: str, label: str, text: str, days: int = DAYS
) -> bool:
    """Make a drawn key valid.

    False when its id was registered before: then its end moves on, unless it was revoked.
    """
    _check(kind, bound_to)
    key_id = _id_of(text)
    known = sa.select(_KEYS.c.revoked_at).where(_KEYS.c.id == key_id)
    if (before := uow.connection.execute(known).one_or_none()) is not None:
        if before.revoked_at is None:
            renew(uow, key_id, days=days)
        return False
    made = sa.insert(_KEYS).values(
        id=key_id,
        kind=kind,
        bound_to=bound_to,
        label=label,
        hash=hash_of(text),
        made_at=uow.now,
        expires_at=_end(uow.now, days),
    )
    uow.connection.execute(made)
    return True


def renew(uow: UnitOfWork, key_id: str, *, days: int = DAYS) -> datetime:
    """Move a key's end to so many days from now, also of one that has ended; the new end (UTC).

    NotFound where there is no such key, or it was revoked.
    """
    end = _end(uow.now, days)
    moved = uow.connection.execute(
        sa.update(_KEYS)
        .where(_KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None))
        .values(expires_at=end)
    )
    if moved.rowcount == 0:
        raise _no_such_key()
    return end


def _end(now: datetime, days: int) -> datetime:
    if not 0 < days <= MOST_DAYS:
        raise InvalidInput(
            [Fault("days", f"Từ 1 đến {MOST_DAYS} ngày.", f"must be from 1 to {MOST_DAYS} days")]
        )
    return now + timedelta(days=days)


def _check(kind: str, bound_to: str) -> None:
    faults = []
    if kind not in OF_KEYS:
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


def verify(connection: sa.Connection, text: str, now: datetime) -> Principal | None:
    """Who holds this key; None when it is unknown, revoked, at its end or no key at all."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    (rows,) = batch.query(connection, (_HOLDER, {"key": shape.group(1)}))
    for kind, bound_to, kept, end in rows:
        if now < end and hmac.compare_digest(bytes(kept), hash_of(text)):
            return Principal(cast("Kind", kind), bound_to, shape.group(1))
    return None


def revoke(uow: UnitOfWork, key_id: str) -> None:
    """End a key now; NotFound where there is no such key that is still valid."""
    ended = uow.connection.execute(
        sa.update(_KEYS)
        .where(_KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None))
        .values(revoked_at=uow.now)
    )
    if ended.rowcount == 0:
        raise _no_such_key()


def _no_such_key() -> NotFound:
    return NotFound("there is no valid key with this id", vi="Không có khóa còn hiệu lực này.")


def list_keys(connection: sa.Connection) -> list[KeyInfo]:
    """All keys, the oldest first, without their secrets."""
    rows = connection.execute(sa.select(_KEYS).order_by(_KEYS.c.made_at, _KEYS.c.id))
    return [
        KeyInfo(
            r.id, cast("Kind", r.kind), r.bound_to, r.label, r.made_at, r.revoked_at, r.expires_at
        )
        for r in rows
    ]


def ending(store: Store) -> list[KeyInfo]:
    """The keys that end soon and that nobody has renewed."""
    with store.read() as connection:
        return [key for key in list_keys(connection) if key.ends_soon(store.clock.now())]


def measured(store: Store) -> list[Reading]:
    """How many keys end soon, for the measures of a service."""
    return [Reading("lienthong_keys_ending", "Keys that end within 14 days", len(ending(store)))]


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
            return verify(connection, text, self.store.clock.now())
