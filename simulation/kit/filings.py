"""What an invented citizen hands in: a filing that any procedure of a catalogue accepts.

Always the same for the same procedure and number, so that two runs can be compared. Nobody here
exists. Must not: drawing by chance (`simulation/people.py` does).
"""

from __future__ import annotations

from typing import Any

from shared.catalogue import FormField, Procedure


def filing(procedure: Procedure, number: int = 1, **changes: Any) -> dict[str, Any]:
    """The body that intake's door takes; `number` makes it another citizen.

    `changes` replace whole members: `channel`, `form`, `papers`, `contact`, `branches`.
    """
    return {
        "procedure": procedure.code,
        "channel": "direct" if "direct" in procedure.channels else procedure.channels[0],
        "form": {field.name: _value(field) for field in procedure.form if field.required},
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


def _value(field: FormField) -> Any:
    return {
        "text": "Nguyễn Văn Tư"[: field.max_length],
        "date": "2020-02-29",
        "number": 12,
        "choice": field.choices[0] if field.choices else "",
        "bool": True,
        "phone": "0907123456",
        "id_number": "087190001234",
    }[field.type]
