"""Headers that are not ASCII, in the encoded words of RFC 2047; the same on every Python.

The standard library cuts long ones in the middle of a character now and then, another way in each
version. Here a word is at most 75 characters, holds whole characters, and stands on its own line.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

_BEFORE: Final = "=?utf-8?b?"
_AFTER: Final = "?="
_LONGEST_WORD: Final = 75
_LONGEST_LINE: Final = 76
_QUOTED: Final = frozenset('()<>[]:;@\\,."')
# Spaces, controls, halves of characters, and marks that turn the direction of reading. Written out:
# what a Python calls printable grows with each version.
_UNSEEN: Final = re.compile(
    "[\x00-\x20\x7f-\xa0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]+"
)


def one_line(text: str) -> str:
    """The text without line breaks and controls, which could begin a header of their own."""
    return _UNSEEN.sub(" ", text).strip(" ")


def unstructured(name: str, text: str) -> str:
    """The header `name` with this text, folded; such as a subject."""
    plain = one_line(text)
    first = len(name) + 2
    if _is_plain(plain) and first + len(plain) <= _LONGEST_LINE:
        return f"{name}: {plain}"
    return f"{name}: {_folded(plain, first)}"


def mailbox(name: str, display: str, address: str) -> str:
    """The header `name` with one address; `display` is the person's or office's name."""
    plain, first = one_line(display), len(name) + 2
    if not plain:
        return f"{name}: {address}"
    said = _phrase(plain)
    if said is None or first + len(said) > _LONGEST_LINE:
        said = _folded(plain, first)
    last = len(said.rpartition("\r\n")[2]) + (0 if "\r\n" in said else first)
    between = " " if last + len(address) + 3 <= _LONGEST_LINE else "\r\n "
    return f"{name}: {said}{between}<{address}>"


def phrase_as_it_is(display: str) -> str:
    """A name for a header in UTF-8 (RFC 6532), in quotes where its characters ask for them."""
    plain = one_line(display)
    return _in_quotes(plain) if set(plain) & _QUOTED else plain


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


def _phrase(text: str) -> str | None:
    if not _is_plain(text):
        return None
    return _in_quotes(text) if set(text) & _QUOTED else text


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _folded(text: str, first: int) -> str:
    return "\r\n ".join(_words(text, first))


def _words(text: str, first: int) -> Iterator[str]:
    """The text as encoded words; on the first line `first` characters are taken already."""
    room, held = _room(_LONGEST_LINE - first), b""
    for character in text:
        more = character.encode()
        if len(held) + len(more) > room:
            yield _word(held)
            room, held = _room(_LONGEST_LINE - 1), b""
        held += more
    if held:
        yield _word(held)


def _room(line: int) -> int:
    """How many bytes fit into a word on what is left of a line."""
    return (min(line, _LONGEST_WORD) - len(_BEFORE + _AFTER)) // 4 * 3


def _word(held: bytes) -> str:
    return f"{_BEFORE}{base64.b64encode(held).decode('ascii')}{_AFTER}"
