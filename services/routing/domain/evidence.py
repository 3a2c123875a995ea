"""Evidence: what was handed over and answered as signed records, each holding the digest of the last.

No record tells of a person: it has ids, kinds, numbers and instants, and salted digests of what
was said (docs/decisions/0020). How a file of them is checked, by anybody and without us, is the
kit's (partner/evidence.py); this is its writing side, and the checking of an agency's signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from services.routing.domain.signing import Signer, as_text, from_text, holds
from shared.kernel.clock import format_instant

FORMAT: Final = 1
#: The owner of the city's own keys, where an agency's code stands for every other.
CITY: Final = ""
SALT_BYTES: Final = 16
_ANSWER: Final = "lienthong answer 1"

Kind = Literal["published", "fetched", "answered", "refused", "expired"]


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and when its holder signed by it (UTC); `until` is None while they do."""

    owner: str
    key: str
    public: bytes
    since: datetime
    until: datetime | None = None

    def held(self, at: datetime) -> bool:
        """Whether it was in use then."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Happened:
    """What one record is about (`at` in UTC): `told` holds ids and instants, nothing of a person.

    `content` are the bytes that were handed over or said; only their salted digest is recorded.
    `row` is what the city keeps it under.
    """

    kind: Kind
    at: datetime
    told: Mapping[str, Any]
    content: bytes | None = field(default=None, repr=False)
    row: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Where an agency's chain ends; `message`: all its messages up to this number are in it."""

    agency: str
    number: int = 0
    digest: str = ""
    message: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One link: `core` is what was signed, `salt` what its digest of the content was made with."""

    agency: str
    number: int
    happened: Happened
    core: bytes
    digest: str
    signature: bytes
    key: str
    salt: bytes | None
    sealed_at: datetime


def sealed(head: Head, what: Happened, signer: Signer, salt: bytes, now: datetime) -> Record:
    """The next record of a chain, signed now."""
    told: dict[str, Any] = {
        "agency": head.agency,
        "number": head.number + 1,
        "kind": what.kind,
        "at": format_instant(what.at),
        "before": head.digest,
        "sealed_at": format_instant(now),
        "key": signer.key,
        **what.told,
    }
    if what.content is not None:
        told["digest"] = hashlib.sha256(salt + what.content).hexdigest()
    core = canonical(told)
    return Record(
        agency=head.agency,
        number=head.number + 1,
        happened=what,
        core=core,
        digest=hashlib.sha256(core).hexdigest(),
        signature=signer.sign(core),
        key=signer.key,
        salt=None if what.content is None else salt,
        sealed_at=now,
    )


def canonical(told: Mapping[str, Any]) -> bytes:
    """JSON that everybody writes alike: names sorted, no blanks, UTF-8."""
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


# --- an agency's own signature --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """A signature as it came with an answer: `KEY.SALT.SIGNATURE`, the last two in base64."""

    key: str
    salt: bytes
    signature: bytes

    @classmethod
    def read(cls, text: str) -> Given | None:
        """None for what is not written like one."""
        key, _, rest = text.partition(".")
        salt, signature = map(from_text, (rest.partition(".")[0], rest.partition(".")[2]))
        return cls(key, salt, signature) if salt and signature and len(signature) == 64 else None

    def kept(self, digest: str) -> str:
        """What is kept of it, without the salt: `KEY.DIGEST.SIGNATURE`."""
        return f"{self.key}.{digest}.{as_text(self.signature)}"

    def digest(self, task: str, fields: Mapping[str, Any]) -> str:
        """The salted digest of what an answer says: its fields as they were sent, null ones left out.

        Empty for what cannot be written: nobody can have signed it.
        """
        said = {name: value for name, value in fields.items() if value is not None}
        said.pop("signature", None)
        try:
            return hashlib.sha256(self.salt + canonical(said | {"task": task})).hexdigest()
        except (ValueError, RecursionError):
            return ""

    def by(self, public: bytes, named: tuple[str, str, str, str], digest: str) -> bool:
        """Whether the holder of this key signed it; `named`: agency, answer id, task, kind."""
        told = "\n".join((_ANSWER, *named, digest)).encode()
        return holds(public, self.signature, told)


def as_kept(text: str | None) -> dict[str, str] | None:
    """What a record says of the signature that is kept as `KEY.DIGEST.SIGNATURE`."""
    if text is None:
        return None
    key, digest, signature = text.split(".", 2)
    return {"key": key, "digest": digest, "signature": signature}
