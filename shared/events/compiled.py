"""Fast checkers and readers derived once from the marshmallow schemas.

A marshmallow load of a ten-field fact costs some 60 us; the functions made here cost a few.  They
only ever say yes or no: every message about a fault comes from the schema itself.  That both agree
is proved in tests/events/test_compiled.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma

from shared.events.fields import Leaf, Many, Part

Check = Callable[[Any], bool]
Read = Callable[[Any], Any]
_MISSING = object()


class NotThis(Exception):
    """The value does not fit; the schema will say why."""


def checker(schema: ma.Schema) -> Check:
    """A function that is true exactly when the schema loads the data with unknown names refused."""
    rows = [
        (name, field.required, bool(field.allow_none), _check_field(field))
        for name, field in schema.fields.items()
    ]

    def check(data: Any) -> bool:
        if not isinstance(data, Mapping):
            return False
        known = 0
        get = data.get
        for name, required, nullable, fits in rows:
            value = get(name, _MISSING)
            if value is _MISSING:
                if required:
                    return False
                continue
            known += 1
            if value is None:
                if not nullable:
                    return False
            elif not fits(value):
                return False
        return known == len(data)

    return check


def _check_field(field: Any) -> Check:
    if isinstance(field, Leaf):
        return field.fits
    if isinstance(field, Part):
        return checker(field.schema_class())
    if isinstance(field, Many):
        return _check_many(_check_field(field.inner), field.longest)
    raise TypeError(f"no checker for a field of type {type(field).__name__}")


def _check_many(inner: Check, longest: int) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, list | tuple) or len(value) > longest:
            return False
        return all(entry is not None and inner(entry) for entry in value)

    return check


def reader(schema: ma.Schema) -> Read:
    """A function that gives the known names only, null for optional ones that are left out.

    It raises `NotThis` exactly when the schema does not load the data with unknown names excluded.
    """
    rows = [
        (name, field.required, bool(field.allow_none), _read_field(field))
        for name, field in schema.fields.items()
    ]

    def read(data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise NotThis
        out: dict[str, Any] = {}
        get = data.get
        for name, required, nullable, take in rows:
            value = get(name, _MISSING)
            if value is _MISSING:
                if required:
                    raise NotThis
                value = None
            elif value is None:
                if not nullable:
                    raise NotThis
            else:
                value = take(value)
            out[name] = value
        return out

    return read


def _read_field(field: Any) -> Read:
    if isinstance(field, Leaf):
        return _read_leaf(field.fits)
    if isinstance(field, Part):
        return reader(field.schema_class())
    if isinstance(field, Many):
        return _read_many(_read_field(field.inner), field.longest)
    raise TypeError(f"no reader for a field of type {type(field).__name__}")


def _read_leaf(fits: Check) -> Read:
    def read(value: Any) -> Any:
        if not fits(value):
            raise NotThis
        return value

    return read


def _read_many(inner: Read, longest: int) -> Read:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) > longest or None in value:
            raise NotThis
        return [inner(entry) for entry in value]

    return read
