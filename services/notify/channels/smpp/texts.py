"""A text as the bytes of one or more short messages: GSM 7 bit or UCS-2, never a letter in half.

What the text says is the composer's; here nothing is added, dropped or replaced. Parts are as many
as `shared.kernel.text.sms_segments` counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smpplib import consts
from smpplib.gsm import GSM_CHARACTER_TABLE

from shared.kernel.text import is_gsm

GSM: Final = int(consts.SMPP_ENCODING_DEFAULT)
UCS2: Final = int(consts.SMPP_ENCODING_ISO10646)
_ESCAPE: Final = 0x1B
# Octets: GSM letters travel unpacked, one an octet; the SMSC packs them.
_ALONE: Final = {GSM: 160, UCS2: 140}
_JOINED: Final = {GSM: 153, UCS2: 134}
_MOST_PARTS: Final = 255
# The library's table has a grave accent, which GSM has not, wherever it has nothing; and no §.
_PLACES: Final = {
    letter: place for place, letter in enumerate(GSM_CHARACTER_TABLE) if letter not in "`\x1b"
} | {"§": 0x5F, "\f": 0x80 + 0x0A}

_LETTERS: Final = {place: letter for letter, place in _PLACES.items()}


class TooLong(ValueError):
    """No phone joins so many parts."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A text in parts; `joined` where each begins with a header that says which it is."""

    coding: int
    parts: tuple[bytes, ...]
    joined: bool


def cut(text: str, reference: int) -> Cut:
    """The text in as many parts as it needs; `reference` (0 to 255) tells its parts from others'."""
    coding, letters = _letters(text)
    whole = b"".join(letters)
    if len(whole) <= _ALONE[coding]:
        return Cut(coding, (whole,), joined=False)
    parts = list(_portions(letters, _JOINED[coding]))
    if len(parts) > _MOST_PARTS:
        raise TooLong
    heads = (bytes((5, 0, 3, reference, len(parts), n)) for n in range(1, len(parts) + 1))
    return Cut(coding, tuple(map(bytes.__add__, heads, parts)), joined=True)


def whole(text: str) -> tuple[int, bytes]:
    """The text in one piece, however long: its coding and its bytes."""
    coding, letters = _letters(text)
    return coding, b"".join(letters)


def _letters(text: str) -> tuple[int, list[bytes]]:
    composed = unicodedata.normalize("NFC", text)
    if is_gsm(composed):
        return GSM, [_septets(letter) for letter in composed]
    # Half a character, which no channel can send, is a blank.
    return UCS2, [letter.encode("utf-16-be", "replace") for letter in composed]


def _septets(letter: str) -> bytes:
    place = _PLACES[letter]
    return bytes((place,)) if place < 0x80 else bytes((_ESCAPE, place - 0x80))


def _portions(letters: list[bytes], room: int) -> Iterator[bytes]:
    held = b""
    for letter in letters:
        if len(held) + len(letter) > room:
            yield held
            held = b""
        held += letter
    yield held


def read_gsm(octets: bytes) -> str:
    """The letters of GSM 03.38 in these octets, one septet an octet; a blank for what is none."""
    letters, rest = "", iter(octets)
    for octet in rest:
        place = 0x80 + next(rest, 0x80) if octet == _ESCAPE else octet
        letters += _LETTERS.get(place, " ")
    return letters
