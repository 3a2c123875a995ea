"""Where a fault lies in a JSON body, as a JSON pointer (RFC 6901, in its URI form: `#/papers/0`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def pointer(place: str, body: Any) -> str:
    """The pointer for a place such as `papers.0.code`.

    Names may hold dots themselves, so the body says where one ends. What is missing points to where
    it would stand; an element of a list that is not there points to the list.
    """
    steps: list[str] = []
    here, left = body, place.split(".") if place else []
    while left:
        if isinstance(here, Mapping):
            name, left = _longest(here, left)
            here = here.get(name)
        elif isinstance(here, Sequence) and not isinstance(here, str):
            name = left[0]
            if not (name.isascii() and name.isdigit() and int(name) < len(here)):
                break
            here, left = here[int(name)], left[1:]
        else:
            name, left = left[0], left[1:]
        steps.append(name)
    return "#" + "".join(f"/{_escaped(step)}" for step in steps)


def _longest(here: Mapping[str, Any], left: list[str]) -> tuple[str, list[str]]:
    """The longest name of this object that the place goes on with; its first part if there is none."""
    for size in range(len(left), 0, -1):
        name = ".".join(left[:size])
        if name in here:
            return name, left[size:]
    return left[0], left[1:]


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
