"""Reads the files of official forms: what each circular prescribes, for whom and since when."""

from __future__ import annotations

from typing import get_args

from shared.catalogue.model import FormKind, OfficialForm
from shared.catalogue.read.found import Found
from shared.catalogue.source import Entry


def read_forms(top: Entry) -> list[Found[OfficialForm]]:
    """All forms of all circulars in the file."""
    found: list[Found[OfficialForm]] = []
    for circular in top.entries("sets"):
        found.extend(_set(circular))
        circular.done()
    return found


def _set(circular: Entry) -> list[Found[OfficialForm]]:
    name, used_by = circular.text("circular"), circular.texts("used_by")
    valid_from, valid_to = circular.day("valid_from"), circular.maybe_day("valid_to")
    entries = circular.entries("forms")
    if not entries:
        circular.fault(
            "forms",
            en="a circular without forms says nothing: write 'forms:'",
            vi="thông tư không có mẫu nào: hãy ghi 'forms:'",
        )
    found = []
    for entry in entries:
        form = OfficialForm(
            kind=entry.choice("kind", get_args(FormKind)),
            number=entry.quoted("number", example="01"),
            title=entry.text("title"),
            suffix=entry.text("suffix"),
            circular=name,
            used_by=used_by,
            valid_from=valid_from,
            valid_to=valid_to,
        )
        entry.done()
        entry.under = circular  # the period and the roles are the circular's: faults name its line
        found.append(Found(form, entry, {}))
    return found
