"""Text that reaches a citizen or a log: unaccented Vietnamese, SMS lengths, masking.

Phone numbers themselves are read in phones.py; message templates live in the catalogue.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# GSM 03.38 basic table: one septet each. The escape itself (0x1B) is no character.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# The extension table: an escape and a character, so two septets.
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM = _GSM_BASIC | _GSM_EXTENDED

# What forms and word processors put in that does not decompose into an ASCII letter.
_PLAIN = {
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "₫": "d",
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"',
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "ʼ": "'", "`": "'", "´": "'",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "…": "...", "•": "-", "·": ".", "×": "x", "÷": "/", "№": "so ", "°": " do",
    "⁄": "/", "\t": " ", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ł": "l", "Ł": "L",
}  # fmt: skip

_PERSONAL = frozenset(
    {
        "address", "addresses", "applicant", "body", "citizen", "contact", "data", "date_of_birth", "dob",
        "email", "form", "full_name", "id_number", "lookup_word", "name", "params", "parameters",
        "password", "payload", "phone", "recipient", "secret", "to",
    }
)  # fmt: skip
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text travels by SMS: `units` are septets (gsm7) or UTF-16 code units (ucs2)."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    parts: int


def msgid(vi: str) -> str:
    """Marks a sentence of a table for the catalogues of pages; it is looked up where it is shown."""
    return vi


def unaccent(text: str) -> str:
    """The text in ASCII as a Vietnamese reader would write it without marks; all of it is GSM.

    Composed and decomposed text give the same; what has no plain form becomes a blank, never "?".
    """
    return unicodedata.normalize("NFC", text).translate(_PLAIN_FORMS)


def squeezed(text: str) -> str:
    """Letters and digits alone, unaccented and in capitals: as words typed by anybody compare."""
    return "".join(each for each in unaccent(text).upper() if each.isalnum())


class _PlainForms(dict[int, str]):
    """Each character's plain form, found out once: messages are made thousands at a time."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in _PLAIN:
            plain = _PLAIN[character]
        elif character.isascii():
            plain = character if character in _GSM else " "
        else:
            plain = _decomposed(character)
        self[code] = plain
        return plain


_PLAIN_FORMS = _PlainForms()


def _decomposed(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or category.startswith("M"):  # invisible marks: joiners, soft hyphen, BOM
        return ""
    parts = unicodedata.normalize("NFKD", character)
    kept = (_PLAIN.get(part, part) for part in parts if unicodedata.category(part)[0] != "M")
    plain = "".join(part for part in kept if part.isascii())
    return plain or " "


def is_gsm(text: str) -> bool:
    """Whether every character is in the GSM 03.38 tables, so that no SMS of it needs UCS-2."""
    return _GSM.issuperset(text)


def sms_segments(text: str) -> Segments:
    """Count the parts of an SMS (GSM 03.38: 160, then 153 each; UCS-2: 70, then 67 each).

    Escape pairs and surrogate pairs are never cut in two, so a part may end one unit early.
    """
    composed = unicodedata.normalize("NFC", text)
    if is_gsm(composed):
        units = len(composed) + sum(map(composed.count, _GSM_EXTENDED))
        if units <= 160:
            return Segments("gsm7", units, 1)
        widths = [2 if each in _GSM_EXTENDED else 1 for each in composed]
        return Segments("gsm7", sum(widths), _parts(widths, alone=160, joined=153))
    widths = [2 if ord(each) > 0xFFFF else 1 for each in composed]
    return Segments("ucs2", sum(widths), _parts(widths, alone=70, joined=67))


def _parts(widths: list[int], *, alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return parts


def mask_phone(phone: str) -> str:
    """The number with all but its last three digits hidden."""
    digits = [each for each in phone if each.isdigit()]
    return _HIDDEN + "".join(digits[-3:]) if len(digits) > 5 else _HIDDEN


def mask_email(email: str) -> str:
    """The address with all but the first letter and the domain hidden."""
    user, at, domain = email.rpartition("@")
    return f"{user[:1]}{_HIDDEN}@{domain}" if at and user else _HIDDEN


_WITHOUT_INSIDE: frozenset[type] = frozenset({str, int, float, bool, type(None)})


def mask_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which the values of personal keys are hidden, at any depth."""
    return {key: _masked(str(key), value) for key, value in values.items()}


def _masked(key: str, value: Any) -> Any:
    kind = key.lower()
    if kind not in _PERSONAL:
        # Nearly all that is logged: a plain value has no inside.
        return value if type(value) in _WITHOUT_INSIDE else _masked_inside(value)
    if value is None or value == "":
        return value
    if kind == "phone" and isinstance(value, str):
        return mask_phone(value)
    if kind == "email" and isinstance(value, str):
        return mask_email(value)
    return _HIDDEN


def _masked_inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return mask_mapping(value)
    if isinstance(value, list | tuple):
        return [_masked_inside(each) for each in value]
    return value
