"""The dossier code as printed on receipts; counting belongs to storage."""

from __future__ import annotations

import re
from datetime import date

from shared.kernel.letters import fold_wide, tidy

_CODE = re.compile(r"(?:\d{2,3}\.){1,3}H\d{2}-\d{6}-\d{4,}")


def dossier_code(official_id: str, day: date, number: int) -> str:
    """`<agency id>-<yyMMdd>-<NNNN>`: padded to four digits, never cut (local day in Vietnam)."""
    return f"{official_id}-{day:%y%m%d}-{number:04d}"


def is_dossier_code(text: str) -> bool:
    """True for a text of the official shape, with a three- or four-part agency id."""
    return _CODE.fullmatch(text) is not None


def tidy_code(text: str) -> str:
    """A code as a citizen typed it: blanks gone, capital letter, every dash a plain hyphen."""
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", fold_wide(tidy(text)))
    return re.sub(r"\s+", "", plain).upper()


def tidy_word(text: str) -> str:
    """A look-up word as a citizen typed it: blanks and hyphens gone, upper case."""
    return re.sub(r"[\s\-]+", "", fold_wide(tidy(text))).upper()
