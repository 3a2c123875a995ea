"""The slip that a desk gives out while its line is away: a number of a series of its own, a word, an instant.

No slip's number is a dossier code. It is `TT-<series>-<count>-<check>`: the series is drawn for each
browser, the check is ISO 7064 MOD 97-10 over letters and digits, as an IBAN has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from services.intake.domain.codes import tidy_word
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.ids import WORD_ALPHABET, WORD_LENGTH
from shared.kernel.letters import fold_wide, tidy

_NUMBER: Final = re.compile(rf"TT([{WORD_ALPHABET}]{{6}})([0-9]{{4,6}})([0-9]{{2}})")
_WORD: Final = re.compile(rf"[{WORD_ALPHABET}]{{{WORD_LENGTH}}}")
#: How far the desk's clock may be ahead of ours, and how long a slip may have waited to be believed.
_AHEAD: Final = timedelta(minutes=5)
_BEHIND: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands on the citizen's slip; `taken_at` (UTC) is the desk's own word, None where it cannot be."""

    number: str
    word: str = field(repr=False)
    taken_at: datetime | None


def read_number(text: str) -> str | None:
    """The number of a slip, however it is typed; None for what is none or has a slip of the hand."""
    plain = re.sub(r"[^0-9A-Z]", "", fold_wide(tidy(text))[:40].upper())
    # A series has no letter that is easily read for a digit.
    found = _NUMBER.fullmatch(plain.replace("O", "0").replace("I", "1").replace("L", "1"))
    if found is None or _remainder("".join(found.groups())) != 1:
        return None
    return f"TT-{found[1]}-{found[2]}-{found[3]}"


def numbered(series: str, count: int) -> str:
    """The slip of a series with this count, from 1; as the browser makes it."""
    told = f"{series}{count:04d}"
    return f"TT-{series}-{count:04d}-{98 - _remainder(f'{told}00'):02d}"


def _remainder(text: str) -> int:
    return int("".join(str(int(each, 36)) for each in text)) % 97


def read_slip(number: str, word: str, taken: str, now: datetime) -> Slip:
    """What a browser says of its slip; `taken` are milliseconds of Unix time by the desk's clock.

    A clock that cannot be right refuses nobody: its instant is left out. InvalidInput where number
    or word are none that our page makes.
    """
    read, plain = read_number(number), tidy_word(word)
    if read is None or not _WORD.fullmatch(plain):
        raise InvalidInput([Fault("o.number", "Số tạm không đúng.", "is no number of a slip")])
    return Slip(read, plain, _believed(taken, now))


def _believed(taken: str, now: datetime) -> datetime | None:
    if not re.fullmatch("[0-9]{1,15}", taken):
        return None
    try:
        at = datetime.fromtimestamp(int(taken) // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return at if now - _BEHIND <= at <= now + _AHEAD else None
