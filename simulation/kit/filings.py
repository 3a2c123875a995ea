"""What an invented citizen hands in: a filing that any procedure of a catalogue accepts.

Always the same for the same procedure and number, so that two runs can be compared. Nobody here
exists. Must not: drawing by chance (`simulation/people.py` does).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from shared.catalogue import FormField, Procedure

BORN: Final = date(2020, 2, 29)
#: For what may not lie far back, a child under six: true of any day from then to mid 2027.
RECENT: Final = date(2021, 6, 15)
SOME_DAY: Final = date(2022, 3, 1)


def filing(
    procedure: Procedure, number: int = 1, *, today: date = SOME_DAY, **changes: Any
) -> dict[str, Any]:
    """The body that intake's door takes `today`; `number` makes it another citizen.

    `today` matters only where a procedure has dates that may not lie too far back. `changes`
    replace whole members: `channel`, `form`, `papers`, `contact`, `branches`.
    """
    return {
        "procedure": procedure.code,
        "channel": "direct" if "direct" in procedure.channels else procedure.channels[0],
        "form": {field.name: _value(field, today) for field in procedure.form if field.required},
        "papers": [
            {"code": paper.code, "original": paper.original, "copy": paper.copy}
            for paper in procedure.papers
            if paper.condition is None
        ],
        "contact": {
            "name": f"Nguyễn Thị Sáu {number}",
            "phone": f"09071{number:05}",
            "email": f"sau{number}@example.vn",
            "consent": {"sms": True, "email": True},
        },
        **changes,
    }


def _value(field: FormField, today: date) -> Any:
    earliest = field.earliest(today)
    day = BORN if earliest is None else max(earliest, RECENT) if field.not_before else earliest
    return {
        "text": "Nguyễn Văn Tư"[: field.max_length],
        "name": "Nguyễn Văn Tư"[: field.max_length],
        "date": day.isoformat(),
        "number": max(12, field.least or 0),
        "choice": field.choices[0] if field.choices else "",
        "bool": True,
        "phone": "0907123456",
        "id_number": "087190001234",
    }[field.type]
