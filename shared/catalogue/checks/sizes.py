"""How much one procedure may ask for: all that comes of its longest dossier fits into one event."""

from __future__ import annotations

from typing import Final

from shared.catalogue.model import FormField
from shared.catalogue.read import Folder

MOST_STEPS: Final = 24
#: Characters of a whole declaration, each text as long as its field allows.
LONGEST_FORM: Final = 20_000
_WITHOUT_LIMIT: Final = 500  # what a text may have whose field says nothing


def check_sizes(folder: Folder) -> None:
    """The steps and the form of every procedure version."""
    for found in folder.procedures:
        steps = len(found.value.steps)
        if steps > MOST_STEPS:
            found.entry.fault(
                "steps",
                en=f"{steps} steps, at most {MOST_STEPS}: draw some together",
                vi=f"có {steps} bước, tối đa {MOST_STEPS}: hãy gộp bớt",
            )
        length = sum(map(_length, found.value.form))
        if length > LONGEST_FORM:
            found.entry.fault(
                "form",
                en=f"its texts may have {length} characters together, at most {LONGEST_FORM}: "
                "lower max_length",
                vi=f"các ô chữ cộng lại tới {length} ký tự, tối đa {LONGEST_FORM}: "
                "hãy giảm max_length",
            )


def _length(field: FormField) -> int:
    return (field.max_length or _WITHOUT_LIMIT) if field.type in ("text", "name") else 0
