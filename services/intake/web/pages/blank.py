"""Pages without a person: what a browser keeps of the desk's forms, to open them while the line is away.

Nothing personal stands in one: no name in its head, no draft, nothing typed. They hold the forms of the
office that the address was asked for, as they are today.
"""

from __future__ import annotations

from typing import Any, Final

from flask import request

ASKED: Final = "trong"


def is_asked() -> bool:
    """Whether the page that is asked for is one to be kept by the browser."""
    return ASKED in request.args


def context() -> dict[str, Any]:
    """What the page's template is told beside its own matter."""
    if not is_asked():
        return {}
    return {"signed_in": None, "elsewhere": (), "line_away": True, "page_data": {"blank": "1"}}
