"""What two versions of the contract would not understand of each other.

A *reader* of the old version meets what the new one sends; a *writer* of the old version sends what
the new one reads. While services roll over, and for as long as an agency's program is older than
the city, both happen. An event may gain optional names and nothing else; all else is a new version
of it, beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

Node = Mapping[str, Any]

READERS: Final = "readers"
WRITERS: Final = "writers"


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """One change that is not understood: where, by whom of the old version, and what it was."""

    place: str
    whom: str  # READERS, WRITERS or "readers, writers"
    was: str
    now: str


_BOTH: Final = f"{READERS}, {WRITERS}"
_GONE: Final = "-"
#: Limits of a value: what holds where none is said, and whether a greater one allows more.
_LIMITS: Final[Mapping[str, tuple[float, bool]]] = {
    "minLength": (0, False),
    "minimum": (-inf, False),
    "maxLength": (inf, True),
    "maximum": (inf, True),
    "minItems": (0, False),
    "maxItems": (inf, True),
}
#: What must be the same, since nobody can say which of two allows more.
_SAME: Final = ("pattern", "format", "const")


def documents(old: Node, new: Node) -> list[Break]:
    """All breaks between two AsyncAPI documents of ours, 3.0 or 3.1, in order of their places.

    ValueError where one of them is none.
    """
    before, after = _messages(old), _messages(new)
    found = [Break(name, _BOTH, "", _GONE) for name in before.keys() - after.keys()]
    for name in before.keys() & after.keys():
        found += _addresses(before[name], after[name], name)
        was, now = _data(before[name]), _data(after[name])
        found += schemas(was, now, f"{name} data")
    return sorted(found)


def schemas(was: Node, now: Node, place: str) -> Iterator[Break]:
    """The breaks between two JSON Schemas of one event's data."""
    was, now = _plain(was), _plain(now)
    yield from _of_a_value(was, now, place)
    if "items" in was:
        yield from schemas(was["items"], now.get("items", {}), f"{place}[]")
    names, after = was.get("properties", {}), now.get("properties", {})
    for name, below in names.items():
        if name in after:
            yield from schemas(below, after[name], f"{place}.{name}")
        else:
            yield Break(f"{place}.{name}", READERS, "", _GONE)
    lost = set(was.get("required", ())) - set(now.get("required", ()))
    for name in lost & after.keys():
        yield Break(f"{place}.{name}", READERS, "required", "optional")
    for name in set(now.get("required", ())) - set(was.get("required", ())):
        yield Break(f"{place}.{name}", WRITERS, "optional" if name in names else "", "required")


def _of_a_value(was: Node, now: Node, place: str) -> Iterator[Break]:
    for what in ("types", "words"):
        before, after = was[what], now[what]
        whom = _whom(more=bool(_more(before, after)), less=bool(_more(after, before)))
        if whom:
            yield Break(place, whom, _told(before), _told(after))
    for name, (unlimited, upper) in _LIMITS.items():
        before, after = was.get(name, unlimited), now.get(name, unlimited)
        whom = _whom(more=(after > before) == upper, less=(after < before) == upper)
        if before != after:
            yield Break(place, whom, f"{name} {before}", f"{name} {after}")
    for name in _SAME:
        if was.get(name) != now.get(name):
            yield Break(place, _BOTH, f"{name} {was.get(name)}", f"{name} {now.get(name)}")


def _more(before: frozenset[Any] | None, after: frozenset[Any] | None) -> object:
    """Whether `after` allows what `before` did not; None allows everything."""
    if before is None:
        return False
    return after is None or after - before


def _whom(*, more: bool, less: bool) -> str:
    return ", ".join(whom for whom, hurt in ((READERS, more), (WRITERS, less)) if hurt)


def _told(allowed: frozenset[Any] | None) -> str:
    return "any" if allowed is None else " | ".join(sorted(map(str, allowed)))


def _plain(schema: Node) -> dict[str, Any]:
    """A schema with its types and words as sets, however "or null" is written down."""
    flat = dict(schema)
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    some = [each for each in options if each != {"type": "null"}]
    if len(some) == 1:
        flat = {**flat, **some[0]}
    elif some:
        flat["const"] = repr(options)  # several shapes: the same ones, or not understood
    types = flat.get("type")
    kinds = {types} if isinstance(types, str) else set(types or ())
    words = flat.get("enum")
    if len(some) < len(options) or None in (words or ()):
        kinds.add("null")
    if words:
        kinds |= {"string"}
    flat["types"] = frozenset(kinds) or None
    flat["words"] = frozenset(word for word in words if word is not None) if words else None
    return flat


def _messages(document: Node) -> Mapping[str, Node]:
    try:
        messages = document["components"]["messages"]
        return {message["name"]: message for message in messages.values()}
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ValueError("no AsyncAPI document with messages") from wrong


def _data(message: Node) -> Node:
    for part in message.get("payload", {}).get("allOf", ()):
        data = part.get("properties", {}).get("data")
        if data is not None:
            return data  # type: ignore[no-any-return]
    raise ValueError(f"the message {message['name']} does not say what its data is")


def _addresses(was: Node, now: Node, name: str) -> Iterator[Break]:
    """Under which keys and from which sources an event comes: readers are bound to them."""
    for what in ("x-routing-keys", "x-sources"):
        for gone in sorted(set(was.get(what, ())) - set(now.get(what, ()))):
            yield Break(name, READERS, f"{what[2:]} {gone}", _GONE)
