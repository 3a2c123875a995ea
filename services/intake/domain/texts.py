"""Text and names from people: tidied, printable, not endless. No field is named here."""

from __future__ import annotations

import unicodedata
from typing import Any

from shared.events.types import WRITTEN_TEXT
from shared.kernel.errors import Fault
from shared.kernel.letters import fold_name, foreign_letter, tidy

LONGEST = WRITTEN_TEXT


def check_text(
    raw: Any, place: str, faults: list[Fault], *, longest: int = LONGEST, required: bool = True
) -> str | None:
    """The cleaned text, or None with a fault noted; an empty text that is not required is None."""
    if raw is not None and not isinstance(raw, str):
        faults.append(Fault(place, "Phải là chữ.", "must be a text"))
        return None
    text = tidy(raw or "")
    if not text:
        if required:
            faults.append(missing(place))
        return None
    if not text.isprintable() and any(
        unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text
    ):
        faults.append(
            Fault(place, "Có ký tự không in được.", "holds characters that cannot be printed")
        )
        return None
    if "\ufffd" in text:  # what a wrong decoding leaves where a letter was
        faults.append(
            Fault(place, "Có chữ bị hỏng («\ufffd»); hãy gõ lại.", "holds a letter that was lost")
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


def check_name(
    raw: Any, place: str, faults: list[Fault], *, longest: int, required: bool = True
) -> str | None:
    """The name of a person or body in Latin letters, or None with a fault noted."""
    text = check_text(raw, place, faults, longest=longest, required=required)
    if text is None:
        return None
    name = " ".join(fold_name(text).split())
    if (stranger := foreign_letter(name)) is not None:
        faults.append(
            Fault(
                place,
                f"Có chữ «{stranger}» không thuộc bảng chữ cái La-tinh; gõ lại tên bằng chữ "
                "La-tinh như trên giấy tờ.",
                "holds a letter of another alphabet; names are written in Latin letters",
            )
        )
        return None
    if not any(map(str.isalpha, name)):
        faults.append(
            Fault(place, "Tên phải có chữ, không chỉ có số hoặc dấu.", "a name holds letters")
        )
        return None
    return name


def missing(place: str) -> Fault:
    """The fault of something that must be given and is not."""
    return Fault(place, "Bắt buộc phải có.", "is required")
