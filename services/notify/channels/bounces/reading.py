"""What a mail that came in says: that a letter is lost, late, or nothing of the kind.

First by the fields of RFC 3464, then by what flufl.bounce knows of servers that write none. Bytes of
anybody's: nothing of a mail but codes, and ids of ours, is kept or told.
"""

from __future__ import annotations

import email
import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.utils import parseaddr
from typing import Final

from flufl.bounce import all_failures

from services.notify.channels.bounces.path import ReturnPath
from services.notify.domain.bounces import Bounce, Fate, Other

#: So much of a mail is read; the report stands before the letter that came back.
LONGEST: Final = 262_144
_MOST_PARTS: Final = 60
_LONGEST_TEXT: Final = 65_536
_STATUS: Final = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
#: Where a server writes which of its addresses a mail came to.
_CAME_TO: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_ENDS: Final = {"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}
_SERVERS: Final = ("mailer-daemon", "postmaster", "mail-daemon", "microsoftexchange")
_REPLIES: Final = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply")
# It says at each mail which of its detectors runs, and whole tracebacks.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


class Reader:
    """Reads mail for one return path; `domain` is that of our letters' names (Message-ID)."""

    def __init__(self, path: ReturnPath, domain: str) -> None:
        self._path = path
        self._name = re.compile(rf"<?\b([0-9a-f-]{{36}})@{re.escape(domain)}\b", re.IGNORECASE)

    def read(self, raw: bytes) -> Bounce | Other:
        """What it says; never an exception."""
        try:
            return self._read(raw[:LONGEST])
        # Whatever a stranger's bytes bring a library to (nested a thousand deep, no such character
        # set): it is this one mail's fault.
        except Exception:  # noqa: BLE001
            return Other(_digest(raw), Fate.SET_ASIDE)

    def _read(self, raw: bytes) -> Bounce | Other:
        mail = email.message_from_bytes(raw)
        told = _reported(mail) or _detected(mail)
        if told is None:
            replies = _is_auto_reply(mail)
            return Other(_name_of(mail, raw), Fate.AUTO_REPLY if replies else Fate.SET_ASIDE)
        kind, status, addresses = told
        if kind == "2":
            return Other(_name_of(mail, raw), Fate.ARRIVED)
        letter, proved = self._letter(mail)
        if letter is None:
            return Other(_name_of(mail, raw), Fate.FORGED if proved else Fate.UNKNOWN)
        return Bounce(
            _name_of(mail, raw, letter), letter, proved, kind == "5", status, frozenset(addresses)
        )

    def _letter(self, mail: Message) -> tuple[str | None, bool]:
        """Which letter, and whether its return path says so; (None, True) for a forged one."""
        texts = list(_texts(mail))
        paths = [letter for text in texts for letter in self._path.found(text)]
        if paths:
            return next((each for each in paths if each), None), True
        names = (match for text in texts for match in self._name.finditer(text))
        return next((match[1].lower() for match in names), None), False


def _texts(mail: Message) -> Iterator[str]:
    """Where a letter is named: the addresses that the mail came to, and what came back with it."""
    yield from _heads(mail, _CAME_TO)
    for part in _parts(mail):
        if part.is_multipart() or part.get_content_maintype() not in ("text", "message"):
            # A letter that came back is a part with a head of its own.
            yield from _heads(part, ("Return-Path", "Message-ID")) if part is not mail else ()
            continue
        found = part.get_payload(decode=True)
        if isinstance(found, bytes):
            yield found[:_LONGEST_TEXT].decode("utf-8", "replace")
        if part is not mail:
            yield from _heads(part, ("Return-Path", "Message-ID"))


def _parts(mail: Message) -> Iterator[Message]:
    for count, part in enumerate(mail.walk()):
        if count >= _MOST_PARTS:
            return
        yield part


def _heads(mail: Message, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (str(each) for each in mail.get_all(name, []))


def _reported(mail: Message) -> tuple[str, str, set[str]] | None:
    """What a report in the form of RFC 3464 says of the recipient that fared worst.

    The class of its status, the status, and the addresses that it is about.
    """
    found = [
        told
        for part in _parts(mail)
        if part.get_content_type() == "message/delivery-status" and part.is_multipart()
        for block in part.get_payload()
        if isinstance(block, Message) and (told := _recipient(block)) is not None
    ]
    return max(found, key=lambda told: told[0], default=None)


def _recipient(block: Message) -> tuple[str, str, set[str]] | None:
    action = str(block.get("Action", "")).strip().lower()
    match = _STATUS.search(str(block.get("Status", "")))
    kind = _ENDS.get(action) or (match[1] if match else None)
    if kind is None:
        return None
    said = (str(block.get(f"{which}-Recipient", "")) for which in ("Final", "Original"))
    addresses = {text.rpartition(";")[2].strip(" <>").lower() for text in said}
    return kind, match[0] if match else "", addresses - {""}


def _detected(mail: Message) -> tuple[str, str, set[str]] | None:
    """What flufl.bounce makes of a mail without such fields; nothing of one that answers by itself."""
    server = parseaddr(str(mail.get("From", "")))[1].lower().startswith(_SERVERS)
    if _is_auto_reply(mail) and not server:
        return None
    temporary, permanent = all_failures(mail)
    found = permanent or temporary
    if not found:
        return None
    told = {_plain(each) for each in found}
    return ("5" if permanent else "4"), "", told


def _plain(address: bytes | str) -> str:
    text = address.decode("ascii", "replace") if isinstance(address, bytes) else address
    return text.strip().lower()


def _is_auto_reply(mail: Message) -> bool:
    """A machine of the recipient's that answers every letter (RFC 3834), such as while on leave."""
    said = str(mail.get("Auto-Submitted", "no")).strip().lower()
    bulk = str(mail.get("Precedence", "")).strip().lower()
    marked = any(name in mail for name in _REPLIES)
    return marked or not said.startswith("no") or bulk in ("auto_reply", "auto-reply")


def _name_of(mail: Message, raw: bytes, letter: str = "") -> str:
    """What the same mail is known by, whichever servers it was carried through."""
    name, date = str(mail.get("Message-ID", "")).strip(), str(mail.get("Date", "")).strip()
    return _digest(f"{letter}\n{name}\n{date}".encode() if name else raw)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=20).hexdigest()
