"""What tells two dossiers apart: the fields of a form that say `identifies` can be compared at all."""

from __future__ import annotations

from typing import Final

from shared.catalogue.model import FormField
from shared.catalogue.read import Folder
from shared.catalogue.source import Entry

#: What a parcel of land is known by, and a person.
_OF_LAND: Final = ("number", "text", "choice")
_OF_PEOPLE: Final = ("name", "date", "id_number")


def check_identities(folder: Folder) -> None:
    """A person has an ID number, or a name with a day of birth; a parcel has a number."""
    for found in folder.procedures:
        pairs = list(zip(found.value.form, found.parts["form"], strict=True))
        for role in dict.fromkeys(field.identifies for field, _ in pairs if field.identifies):
            own = [(field, entry) for field, entry in pairs if field.identifies == role]
            (_check_land if role == "parcel" else _check_person)(own)


def _check_person(own: list[tuple[FormField, Entry]]) -> None:
    kinds: set[str] = set()
    for field, entry in own:
        if field.type not in _OF_PEOPLE:
            _wrong_type(field, entry, _OF_PEOPLE)
        elif field.type in kinds:
            entry.fault(
                "identifies",
                en=f"two fields of type {field.type} identify the same {field.identifies}: "
                "leave it at one of them, or name the other one spouse, child or deceased",
                vi=f"hai ô kiểu {field.type} cùng xác định một {field.identifies}: "
                "hãy để ở một ô, hoặc ghi ô kia là spouse, child hay deceased",
            )
        kinds.add(field.type)
    if "id_number" not in kinds and not {"name", "date"} <= kinds:
        own[0][1].fault(
            "identifies",
            en="a name alone tells nobody apart: mark the ID number, or the day of birth too",
            vi="chỉ có họ tên thì không xác định được ai: "
            "hãy đánh dấu cả số định danh hoặc ngày sinh",
        )


def _check_land(own: list[tuple[FormField, Entry]]) -> None:
    for field, entry in own:
        if field.type not in _OF_LAND:
            _wrong_type(field, entry, _OF_LAND)
    if not any(field.type == "number" for field, _ in own):
        own[0][1].fault(
            "identifies",
            en="a parcel is known by its numbers: mark the map sheet and the parcel",
            vi="thửa đất được xác định bằng số: hãy đánh dấu số tờ bản đồ và số thửa",
        )


def _wrong_type(field: FormField, entry: Entry, known: tuple[str, ...]) -> None:
    said = ", ".join(known)
    entry.fault(
        "identifies",
        en=f"a field of type {field.type} identifies no {field.identifies}: use it with {said}",
        vi=f"ô kiểu {field.type} không xác định được {field.identifies}: chỉ dùng với {said}",
    )
