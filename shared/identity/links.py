"""Links that end: what somebody whom one door knows may do at another door, signed by the first.

Like a pass they are signed with the city's one secret (HMAC-SHA256 by itsdangerous, a salt of their
own) and name people and agencies by opaque ids alone. They are made when somebody asks, never kept,
and never put into a message. A receipt is the other way: a door's word that a file is there.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast, get_args

from itsdangerous import BadData, URLSafeSerializer

from shared.identity.keys import Kind, Principal
from shared.identity.passes import SKEW

Act = Literal["read", "hand_in", "citizen"]
LASTS: Final = timedelta(minutes=30)
#: Where a link leads to: for people, and for programs.
PAGE: Final = "/tep"
API: Final = "/api/v1/files"
QUERY: Final = "ve"
_SALT: Final = "lienthong.link.1"
_LONGEST: Final = 1500


@dataclass(frozen=True, slots=True)
class Link:
    """Who may do what with the files of which dossier, and until when (UTC).

    `caller` is None for a citizen; `task` is that of an agency, which hands in for it alone.
    """

    act: Act
    dossier: str
    until: datetime
    caller: Principal | None = field(default=None, repr=False)
    task: str = ""
    agency_name: str = ""


class Links:
    """Writes and reads links with the city's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._signer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def write(self, link: Link) -> str:
        """The link as an address carries it."""
        who = link.caller
        told = {
            "a": link.act,
            "d": link.dossier,
            "u": int(link.until.timestamp()),
            "t": link.task,
            "n": link.agency_name,
            "c": None if who is None else [who.kind, who.bound_to, who.key_id, who.role],
        }
        return str(self._signer.dumps(told))

    def read(self, text: str, act: Act, now: datetime) -> Link | None:
        """The link; None where we did not sign it, it is for something else, or it has ended."""
        if not text.isascii() or len(text) > _LONGEST:
            return None
        try:
            link = _read(self._signer.loads(text))
        except (BadData, KeyError, TypeError, ValueError, OverflowError, OSError):
            return None
        ends = link.until <= now or link.until > now + LASTS + SKEW
        return None if ends or link.act != act else link

    def receipt(self, file_id: str, task: str) -> str:
        """That this file was handed in for this task: whoever has the secret can tell."""
        return f"{file_id}.{self._mark(file_id, task)}"

    def receipted(self, text: str, task: str) -> str | None:
        """The id of the file; None where the receipt is not ours or another task's."""
        file_id, _, mark = text.rpartition(".")
        right = hmac.compare_digest(mark.encode(), self._mark(file_id, task).encode())
        return file_id if file_id and right else None

    def _mark(self, file_id: str, task: str) -> str:
        told = f"{_SALT} receipt\0{file_id}\0{task}".encode()
        return hmac.digest(self._secret, told, "sha256").hex()[:40]


def _read(told: Any) -> Link:
    act, who = str(told["a"]), told["c"]
    if act not in get_args(Act):
        raise ValueError("no such act")
    caller = None
    if who is not None:
        kind, bound_to, key_id, role = map(str, who)
        caller = Principal(cast("Kind", kind), bound_to, key_id, "", role)
    until = datetime.fromtimestamp(told["u"], UTC)
    return Link(cast("Act", act), str(told["d"]), until, caller, str(told["t"]), str(told["n"]))
