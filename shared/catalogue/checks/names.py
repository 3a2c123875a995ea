"""Names that are used twice, or that point to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import WHOLE_CITY, Procedure
from shared.catalogue.read import Folder, Found
from shared.catalogue.source import Entry

T = TypeVar("T")
LISTS = (("papers", "code"), ("form", "name"), ("branches", "code"), ("steps", "code"),
         ("parties", "code"))  # fmt: skip


def check_names(folder: Folder, faults: Faults) -> None:
    """Every code once, and every reference to something that is there."""
    if not folder.holidays.entry:
        faults.add(
            "calendar/holidays.yaml",
            en="the holiday table is missing: write this file",
            vi="thiếu bảng ngày nghỉ: hãy tạo tệp này",
        )
    _once(folder.agencies, "code", lambda agency: agency.code)
    _once(folder.agencies, "official_id", lambda agency: agency.official_id)
    _once(folder.roles, "code", lambda role: role.code)
    _once(folder.calendars, "code", lambda calendar: calendar.code)
    _once(folder.wards, "code", lambda ward: (ward.code, ward.valid_from), shown=lambda w: w.code)
    _once(
        folder.procedures,
        "version",
        lambda one: (one.code, one.version),
        shown=lambda one: f"{one.code} version {one.version}",
    )
    for found in folder.procedures:
        for part, key in LISTS:
            _once_in(found.parts[part], key)
        _check_fields(found)
        _check_stand_ins(found)
    _check_agencies(folder)


def _once(
    records: Iterable[Found[T]],
    key: str,
    name: Callable[[T], object],
    shown: Callable[[T], str] | None = None,
) -> None:
    seen: dict[object, Entry] = {}
    for found in records:
        value = name(found.value)
        first = seen.setdefault(value, found.entry)
        if first is not found.entry:
            said = shown(found.value) if shown else value
            where = first.place(key)
            found.entry.fault(
                key,
                en=f"'{said}' is there already ({where}): give this one another, or delete it",
                vi=f"'{said}' đã có ({where}): hãy đặt tên khác hoặc xóa đi",
            )


def _once_in(entries: Iterable[Entry], key: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        code = entry.text(key, default="")
        if code in seen:
            entry.fault(
                key,
                en=f"'{code}' stands twice in this list: rename or delete one",
                vi=f"'{code}' có hai lần trong danh sách: hãy đổi tên hoặc xóa một",
            )
        seen.add(code)


def _check_stand_ins(found: Found[Procedure]) -> None:
    """A field is made optional only by a paper or a field that there is."""
    procedure = found.value
    fields = [field.name for field in procedure.form]
    there = [*fields, *(paper.code for paper in procedure.papers)]
    for field, entry in zip(procedure.form, found.parts["form"], strict=True):
        for name in field.required_unless:
            if name not in there:
                en, vi = did_you_mean(name, there)
                entry.fault(
                    "required_unless",
                    en=f"there is no paper or field '{name}': {en}",
                    vi=f"không có giấy tờ hay ô '{name}': {vi}",
                )


def _check_fields(found: Found[Procedure]) -> None:
    procedure = found.value
    fields = [field.name for field in procedure.form]
    for step, entry in zip(procedure.steps, found.parts["steps"], strict=True):
        for name in step.shares:
            if name not in fields:
                en, vi = did_you_mean(name, fields)
                entry.fault(
                    "shares",
                    en=f"the form has no field '{name}': {en}",
                    vi=f"tờ khai không có trường '{name}': {vi}",
                )
        for code in step.results:
            if code not in procedure.results:
                en, vi = did_you_mean(code, procedure.results)
                entry.fault(
                    "results",
                    en=f"'{code}' is no result of the procedure: {en}",
                    vi=f"'{code}' không phải kết quả của thủ tục: {vi}",
                )
    for paper, entry in zip(procedure.papers, found.parts["papers"], strict=True):
        if paper.original + paper.copy == 0:
            entry.fault(
                "original",
                en=f"'{paper.code}' asks for no original and no copy: write how many",
                vi=f"'{paper.code}' không cần bản chính hay bản sao nào: hãy ghi số lượng",
            )


def _check_agencies(folder: Folder) -> None:
    roles = {found.value.code for found in folder.roles}
    calendars = {found.value.code for found in folder.calendars}
    wards = {found.value.code for found in folder.wards}
    for found in folder.agencies:
        agency, entry = found.value, found.entry
        for role in agency.roles:
            if role not in roles:
                en, vi = did_you_mean(role, roles)
                entry.fault(
                    "roles",
                    en=f"there is no role '{role}' in agencies/roles.yaml: {en}",
                    vi=f"không có vai trò '{role}' trong agencies/roles.yaml: {vi}",
                )
        if agency.calendar and agency.calendar not in calendars:
            en, vi = did_you_mean(agency.calendar, calendars)
            entry.fault(
                "calendar",
                en=f"there is no calendar '{agency.calendar}' in calendar/offices.yaml: {en}",
                vi=f"không có lịch '{agency.calendar}' trong calendar/offices.yaml: {vi}",
            )
        if agency.territory and agency.territory not in (*wards, WHOLE_CITY):
            en, vi = did_you_mean(agency.territory, wards)
            entry.fault(
                "territory",
                en=f"there is no ward '{agency.territory}' in agencies/wards.yaml: {en}",
                vi=f"không có xã phường '{agency.territory}' trong agencies/wards.yaml: {vi}",
            )
