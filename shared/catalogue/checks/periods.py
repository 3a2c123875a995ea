"""Periods of validity: none ends before it begins, and no two of one thing overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

from shared.catalogue.faults import did_you_mean
from shared.catalogue.model import Template, Ward
from shared.catalogue.read import Folder, Found
from shared.catalogue.read.templates import VERSION


class Dated(Protocol):
    """Anything with a period."""

    @property
    def valid_from(self) -> date: ...

    @property
    def valid_to(self) -> date | None: ...


D = TypeVar("D", bound=Dated)


def check_periods(folder: Folder) -> None:
    """Every period, and every pair of neighbours of the same code."""
    _each(folder.agencies)
    _each(folder.wards)
    _each(folder.procedures)
    texts = _texts(folder)
    _each(texts)
    _each(folder.papers_rules)
    _each(folder.untaken_rules)
    _each(folder.dates_rules)
    _each(folder.forms)
    _each(folder.telling_rules)
    _each(folder.answering_rules)
    _each(folder.cost_rules)
    _neighbours(folder.wards, lambda ward: ward.code)
    _successors(folder.wards)
    _neighbours(folder.procedures, lambda procedure: procedure.code)
    _neighbours(texts, lambda one: one.moment)
    starts = {one.value.valid_from for one in folder.procedures} - {date.min}  # one that is none
    _unbroken(texts, min(starts, default=date.max))
    _neighbours(folder.papers_rules, lambda _: "asked_papers")
    _neighbours(folder.untaken_rules, lambda _: "untaken_tasks")
    _neighbours(folder.dates_rules, lambda _: "promised_dates")
    _neighbours(folder.telling_rules, lambda _: "told_citizens")
    _neighbours(folder.answering_rules, lambda _: "answered_sms")
    _neighbours(folder.cost_rules, lambda _: "message_costs")
    for role in ("", *sorted({role for found in folder.forms for role in found.value.used_by})):
        meant = [one for one in folder.forms if role in (one.value.used_by or ("",))]
        _neighbours(meant, lambda form: form.kind)


def _each(records: Iterable[Found[D]]) -> None:
    for found in records:
        start, end = found.value.valid_from, found.value.valid_to
        if end is not None and end < start:
            found.entry.fault(
                "valid_to",
                en=f"it ends ({end}) before it begins ({start}): mend one of the dates",
                vi=f"kết thúc ({end}) trước khi bắt đầu ({start}): hãy sửa một trong hai ngày",
            )


def _successors(wards: Iterable[Found[Ward]]) -> None:
    """A unit that ends names the one that has its area the day after; one that goes on names none."""
    known = list(wards)
    for found in known:
        ward, day = found.value, None
        if ward.valid_to is not None and ward.valid_to < date.max:
            day = ward.valid_to + timedelta(days=1)
        after = {w.value.code for w in known if day is not None and w.value.is_valid(day)}
        if day is None and ward.into is not None:
            found.entry.fault(
                "into",
                en="a unit that goes on has no successor: write valid_to, or leave 'into' out",
                vi="đơn vị còn hiệu lực thì không có đơn vị kế tiếp: hãy ghi valid_to hoặc bỏ 'into'",
            )
        elif after and ward.into not in after:
            en, vi = did_you_mean(ward.into or "", after)
            found.entry.fault(
                "into",
                en=f"which unit has the area of {ward.name} on {day}? {en}",
                vi=f"ngày {day} địa bàn {ward.name} thuộc đơn vị nào? {vi}",
            )


def _neighbours(records: Iterable[Found[D]], name: Callable[[D], object]) -> None:
    groups: dict[object, list[Found[D]]] = {}
    for found in records:
        groups.setdefault(name(found.value), []).append(found)
    for group in groups.values():
        for one, following in pairwise(sorted(group, key=lambda each: each.value.valid_from)):
            end, start = one.value.valid_to, following.value.valid_from
            if end is None or end >= start:
                where = one.entry.place()
                following.entry.fault(
                    "valid_from",
                    en=f"on {start} an earlier version is still in force ({where}): "
                    "write valid_to there, the day before",
                    vi=f"ngày {start} phiên bản trước vẫn còn hiệu lực ({where}): "
                    "hãy ghi valid_to ở đó là ngày liền trước",
                )


def _texts(folder: Folder) -> list[Found[Template]]:
    """The versions of the moments, each once: its channels and languages are in force together."""
    found = {one.parts[VERSION][0]: one.value for one in folder.templates}
    return [Found(value, entry, {}) for entry, value in found.items()]


def _unbroken(texts: Iterable[Found[Template]], first: date) -> None:
    """On each day from the first one on something is said, and it can be told which version did."""
    groups: dict[str, list[Found[Template]]] = {}
    for found in texts:
        groups.setdefault(found.value.moment, []).append(found)
    for group in groups.values():
        versions = sorted(group, key=lambda each: each.value.valid_from)
        _gap(versions[0], first)
        for one, following in pairwise(versions):
            if (end := one.value.valid_to) is not None and end < date.max:
                _gap(following, end + timedelta(days=1))
            if following.value.version <= one.value.version:
                following.entry.fault(
                    "version",
                    en=f"a later version needs a higher number than {one.value.version}: "
                    "messages keep it",
                    vi=f"phiên bản sau cần số lớn hơn {one.value.version}: tin nhắn giữ số này",
                )
        if (end := versions[-1].value.valid_to) is not None:
            versions[-1].entry.fault(
                "valid_to",
                en=f"after {end} nothing would be said: take valid_to away, or write a next version",
                vi=f"sau ngày {end} không còn lời nhắn: hãy bỏ valid_to, hoặc ghi phiên bản tiếp",
            )


def _gap(found: Found[Template], since: date) -> None:
    """Nothing is said from this day on, until this version begins."""
    start = found.value.valid_from
    if start > since:
        found.entry.fault(
            "valid_from",
            en=f"from {since} until {start} nothing would be said: "
            "begin the day after the version before",
            vi=f"từ {since} đến {start} không có lời nhắn: "
            "hãy bắt đầu ngay sau ngày cuối của phiên bản trước",
        )
