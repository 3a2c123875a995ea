"""The rooms of the one address: which paths are whose, and what stands in the head of a page.

Paths of two services never overlap, so that one address serves all: the embedded city chooses by
`owner`, the proxy before containers by the same words (a test holds them to it).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from shared.web.words import msgid

SIGN_IN: Final = "/dang-nhap"
SIGN_OUT: Final = "/dang-xuat"
RENEW: Final = "/phien"
ACCOUNT: Final = "/tai-khoan"
#: The service that has all paths which no other has.
FIRST: Final = "intake"
#: Whose a path is by how it begins; what stands nowhere here is the first service's.
FAMILIES: Final = {
    "routing": ("/nhiem-vu", "/api/v1/tasks", "/docs/routing", "/openapi/routing.json"),
    "notify": ("/tin-nhan", "/api/v1/messages", "/docs/notify", "/openapi/notify.json"),
}


#: Addresses that take files: the one place where much may come in.
_FILES: Final = re.compile(
    r"/ho-so/nhap-tep|/ho-so/[^/]+/tep|/tep|/api/v1/files|/api/v1/dossiers/[^/]+/attachments"
)


def takes_files(path: str) -> bool:
    """Whether a file may come to this address."""
    return _FILES.fullmatch(path) is not None


def owner(path: str) -> str:
    """The service that answers this path."""
    for service, families in FAMILIES.items():
        if any(path == family or path.startswith(f"{family}/") for family in families):
            return service
    return FIRST


@dataclass(frozen=True, slots=True)
class Room:
    """A page where somebody's work begins: for these kinds of people."""

    kinds: frozenset[str]
    address: str
    words: str


ROOMS: Final = (
    Room(frozenset({"desk"}), "/ho-so", msgid("Hồ sơ")),
    Room(frozenset({"agency"}), "/nhiem-vu", msgid("Nhiệm vụ")),
    Room(frozenset({"leader"}), "/bao-cao", msgid("Báo cáo")),
    Room(frozenset({"operator"}), "/tin-nhan", msgid("Tin nhắn")),
)


def of_kinds(kinds: Collection[str]) -> list[Room]:
    """The rooms of somebody who is all of this."""
    return [room for room in ROOMS if room.kinds & set(kinds)]


def signing_in(target: str) -> str:
    """The sign-in page that leads on to a path of ours."""
    return _with_next(SIGN_IN, target)


def renewing(target: str) -> str:
    """Where a pass is renewed before a path of ours is asked again."""
    return _with_next(RENEW, target)


def _with_next(path: str, target: str) -> str:
    return f"{path}?next={quote(target, safe='/?')}"


def local(values: Any) -> str:
    """Where to go next, if it is a path of ours: never another host."""
    target = str(values.get("next", ""))
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and len(target) < 2000
    return target if safe and target.isprintable() and "\\" not in target else ""
