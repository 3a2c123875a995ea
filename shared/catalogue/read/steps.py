"""Reads the steps of a procedure, and what other records share with them: times, codes."""

from __future__ import annotations

import re
from typing import get_args

from shared.catalogue.source import Entry
from shared.catalogue.step import Back, Choice, OtherTime, Silence, Step, StepKind, Verification
from shared.kernel.calendar import Duration

RESULT_CODE = re.compile(r"^KQ\.G\d{2}\.\d{6}$")
SLUG = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
UNITS = ("same_day", "working_day", "day", "working_hour", "hour")


def read_duration(entry: Entry, key: str) -> Duration | None:
    """{value: 15, unit: day}; same_day carries a cutoff instead of a value."""
    inner = entry.entry(key)
    if inner is None:
        return None
    unit = inner.choice("unit", UNITS)
    cutoff = inner.clock("cutoff")
    value = inner.number("value", default=0)
    if unit == "same_day" and cutoff is None:
        inner.fault(
            "cutoff",
            en='same_day needs the hour it holds until: cutoff: "15:00"',
            vi='same_day cần giờ chốt: cutoff: "15:00"',
        )
    if unit != "same_day" and value < 1:
        inner.fault("value", en="write how many: value: 3", vi="hãy ghi số lượng: value: 3")
    if unit != "same_day" and cutoff is not None:
        inner.fault(
            "cutoff",
            en="only same_day has a cutoff: delete it",
            vi="chỉ same_day mới có giờ chốt: hãy xóa đi",
        )
    inner.done()
    return Duration(value, unit, cutoff)  # type: ignore[arg-type]  # choice() gave a known unit


def read_slug(entry: Entry, key: str = "code") -> str:
    """A code of the catalogue's own, in letters that are safe in a name of a queue."""
    code = entry.text(key)
    if code and not SLUG.match(code):
        entry.fault(
            key,
            en=f"'{code}': use lower-case letters, digits and hyphens",
            vi=f"'{code}': hãy dùng chữ thường không dấu, chữ số và gạch nối",
        )
    return code


def read_step(entry: Entry) -> Step:
    """One node of the graph."""
    step = Step(
        code=read_slug(entry),
        name=entry.text("name"),
        role=entry.text("role"),
        kind=entry.choice("kind", get_args(StepKind), default="task"),
        after=entry.texts("after"),
        budget=read_duration(entry, "budget"),
        shares=entry.texts("shares"),
        branch=entry.maybe_text("branch"),
        silence=entry.choice("silence", get_args(Silence), default="none"),
        after_result=entry.flag("after_result", default=False),
        pauses_clock=entry.flag("pauses_clock", default=False),
        results=read_results(entry),
        max_extensions=entry.number("max_extensions", default=1),
        other_times=read_other_times(entry),
        back=_back(entry),
        verification=_verification(entry),
        place=entry.maybe_text("place"),
        chooses=tuple(_choice(item) for item in entry.entries("chooses")),
    )
    entry.done()
    return step


def read_other_times(entry: Entry) -> tuple[OtherTime, ...]:
    """Times for some ways of filing, some cases of the declaration, some branches."""
    return tuple(_other_time(item) for item in entry.entries("other_times"))


def _other_time(entry: Entry) -> OtherTime:
    channel, branch = entry.maybe_text("channel"), entry.maybe_text("branch")
    field, value = entry.maybe_text("field"), entry.maybe_text("is")
    if not (channel or field or branch):
        entry.fault(
            "time",
            en="say for whom this time is: channel, field (with is) or branch",
            vi="hãy ghi thời hạn này cho ai: channel, field (kèm is) hoặc branch",
        )
    if (field is None) != (value is None):
        entry.fault(
            "field",
            en="a case needs both: field, and is with the answer",
            vi="một trường hợp cần cả hai: field, và is là câu trả lời",
        )
    time = _needed_time(entry, "time")
    entry.done()
    return OtherTime(time, channel, field, value, branch)


def _needed_time(entry: Entry, key: str) -> Duration:
    found = read_duration(entry, key)
    if found is None:
        entry.fault(
            key,
            en=f"'{key}' is missing: write {{value: 5, unit: working_day}}",
            vi=f"thiếu '{key}': hãy ghi {{value: 5, unit: working_day}}",
        )
    return found or Duration(1, "working_day")


def _back(entry: Entry) -> Back | None:
    inner = entry.entry("back")
    if inner is None:
        return None
    back = Back(inner.text("to"), inner.maybe_number("most") or 0)
    if back.most < 1:
        inner.fault(
            "most",
            en="a loop needs a bound: write how often at most, such as most: 2",
            vi="vòng lặp phải có giới hạn: hãy ghi tối đa mấy lần, như most: 2",
        )
    inner.done()
    return back


def _verification(entry: Entry) -> Verification | None:
    inner = entry.entry("verification")
    if inner is None:
        return None
    found = Verification(_needed_time(inner, "time"), inner.number("most", default=1))
    if found.most < 1:
        inner.fault(
            "most",
            en="write how often at most, such as most: 1",
            vi="hãy ghi tối đa mấy lần, như most: 1",
        )
    inner.done()
    return found


def _choice(entry: Entry) -> Choice:
    choice = Choice(read_slug(entry), entry.text("name"), read_duration(entry, "time"))
    if choice.time is not None and choice.time.unit == "same_day":
        entry.fault(
            "time",
            en="a branch adds time: write {value: 10, unit: working_day}",
            vi="nhánh cộng thêm thời gian: hãy ghi {value: 10, unit: working_day}",
        )
    entry.done()
    return choice


def read_results(entry: Entry) -> tuple[str, ...]:
    """Result codes of the national portal."""
    results = entry.texts("results")
    for code in results:
        if not RESULT_CODE.match(code):
            entry.fault(
                "results",
                en=f"'{code}' is no result code: write it as KQ.G15.000031",
                vi=f"'{code}' không phải mã kết quả: hãy ghi như KQ.G15.000031",
            )
    return results
