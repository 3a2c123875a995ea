"""Free text from people: composed, trimmed, printable, not endless. No field is named here."""

from __future__ import annotations

import unicodedata
from typing import Any

from shared.kernel.errors import Fault

LONGEST = 2000


def clean(text: str) -> str:
    """The same text in NFC with line ends as one character and no blanks around."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def check_text(
    raw: Any, place: str, faults: list[Fault], *, longest: int = LONGEST, required: bool = True
) -> str | None:
    """The cleaned text, or None with a fault noted; an empty text that is not required is None."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if required:
            faults.append(missing(place))
        return None
    if not isinstance(raw, str):
        faults.append(Fault(place, "Phải là chữ.", "must be a text"))
        return None
    text = clean(raw)
    if not text.isprintable() and any(
        unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text
    ):
        faults.append(
            Fault(place, "Có ký tự không in được.", "holds characters that cannot be printed")
        )
        return None
    if len(text) > longest:
        faults.append(
            Fault(
                place,
                f"Dài {len(text)} ký tự, tối đa {longest}.",
                f"{len(text)} characters, at most {longest} are taken",
            )
        )
        return None
    return text


def missing(place: str) -> Fault:
    """The fault of something that must be given and is not."""
    return Fault(place, "Bắt buộc phải có.", "is required")
