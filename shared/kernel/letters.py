"""What people type and paste, made plain: one form for letters that look the same, no invisible marks.

Used at every door before anything is compared, counted or kept. What cannot be made plain without a
guess is left for the caller to refuse. Composition is Unicode's NFC; the invisible marks are those of
its property Default_Ignorable_Code_Point, and the fillers that print as nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BLANKS: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS: Final = re.compile("\r\n|[\r\u0085\u2028\u2029]")

#: Letters of other alphabets that print exactly like a Latin one, and the Icelandic and African
#: capitals that print like Đ (old Vietnamese fonts and Latin-1 turn one into the other).
_LOOK_ALIKES: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухѕіј" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοÐƉ",
    "ABESIJKMHOPCTYXaeopcyxsij" "ABEZHIKMNOPTYXoĐĐ",
)  # fmt: skip
#: Letters whose kind is remembered: more than Vietnamese has.
_LETTERS: Final = 1024


def tidy(text: str) -> str:
    """The text in NFC, with plain blanks and line ends, without invisible marks or blanks around."""
    if text.isascii() and "\r" not in text:  # nearly all codes, phones and addresses
        return text.strip()
    seen = _LINE_ENDS.sub("\n", _BLANKS.sub(" ", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFC", seen).strip()


def fold_wide(text: str) -> str:
    """Full-width and ornamental letters and every alphabet's digits as the plain ones they stand for.

    Raised ones stay as they are: 120² is not 1202.
    """
    return text if text.isascii() else "".join(map(_plain, text))


@lru_cache(_LETTERS)
def _plain(letter: str) -> str:
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    if unicodedata.decomposition(letter).startswith(("<wide>", "<narrow>", "<font>")):
        return unicodedata.normalize("NFKC", letter)
    return letter


def fold_name(text: str) -> str:
    """A tidied name in Latin letters, as far as that is certain.

    Letters of another alphabet that look like Latin ones are exchanged only beside Latin ones: a
    whole name in another alphabet is another name (Russian «Сара» is Sara, not Capa).
    """
    plain = fold_wide(text)
    if plain.isascii() or not any(map(is_latin, plain)):
        return plain
    return unicodedata.normalize("NFC", plain.translate(_LOOK_ALIKES))


@lru_cache(_LETTERS)
def is_latin(letter: str) -> bool:
    """Whether it is a letter of the Latin alphabet, with or without marks."""
    return letter.isalpha() and (
        letter.isascii() or unicodedata.name(letter, "").startswith("LATIN ")
    )


def foreign_letter(text: str) -> str | None:
    """The first letter of another alphabet than the Latin one, None where there is none."""
    return next((each for each in text if each.isalpha() and not is_latin(each)), None)
