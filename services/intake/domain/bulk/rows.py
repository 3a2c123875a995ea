"""A row of a file as the command that the desk's form would have been, and faults back at its cells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.intake.domain import written
from services.intake.domain.bulk.cells import Odd, Value, Wrong, moment, text_of
from services.intake.domain.bulk.columns import (
    BRANCH,
    CHANNEL,
    CHANNELS,
    NUMBER,
    RECEIVED,
    Column,
    Header,
    letter,
)
from services.intake.domain.forms import PaperCount
from services.intake.domain.submission import SubmitDossier
from shared.catalogue import Procedure
from shared.kernel.errors import Fault

LONGEST_NUMBER: Final = 60
_TICKS: Final = frozenset({"c.sms", "c.mail"})
_YES: Final = "Có"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the file has it, and its line there (the header is on the first)."""

    line: int
    values: tuple[Value, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is not taken: the column's letter and title, None for the row as a whole."""

    column: str | None
    title: str | None
    vi: str = field(repr=False)
    en: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A row that was read: its own number, its command, and what tells its content from any other.

    `received` is the text of when it was received, empty where it is only to be registered.
    """

    line: int
    number: str
    digest: str
    command: SubmitDossier = field(repr=False)
    received: str
    texts: Mapping[str, str] = field(repr=False)


def read_row(
    office: str, procedure: Procedure, header: Header, row: Row
) -> Filled | tuple[Reason, ...]:
    """The row as a command, or why its cells cannot be read, each told once."""
    texts: dict[str, str] = {}
    reasons: list[Reason] = []
    for place, value in enumerate(row.values):
        column = header.columns[place] if place < len(header.columns) else None
        if column is None:
            if place not in header.ignored and value is not None and value != "":
                reasons.append(_nameless(place))
            continue
        text = text_of(column, value)
        if isinstance(text, Wrong):
            reasons.append(Reason(letter(place), column.title, text.vi, text.en))
        elif text:
            texts[column.key] = text
    number = texts.get(NUMBER, "")
    reasons += (
        [] if any(r.column == _letter(header, NUMBER) for r in reasons) else _number(header, number)
    )
    if reasons:
        return tuple(reasons)
    command = _command(office, procedure, texts)
    return Filled(
        row.line, number, _digest(procedure, texts), command, texts.get(RECEIVED, ""), texts
    )


def _nameless(place: int) -> Reason:
    vi = f"Cột {letter(place)} có nội dung mà không có tên cột; hãy ghi tên cột hoặc xóa ô này."
    return Reason(letter(place), None, vi, "a cell below no title: name the column or empty it")


def _number(header: Header, number: str) -> list[Reason]:
    column = (_letter(header, NUMBER), _title(header, NUMBER))
    if not number:
        vi = "Mỗi dòng cần một số của nơi nhập, để nhập lại tệp không thêm hồ sơ lần nữa."
        return [Reason(*column, vi, "every row needs a number of its own")]
    if len(number) > LONGEST_NUMBER or not number.isprintable():
        vi = f"Số dài tối đa {LONGEST_NUMBER} ký tự in được."
        return [Reason(*column, vi, f"at most {LONGEST_NUMBER} printable characters")]
    return []


def _letter(header: Header, key: str) -> str | None:
    place = header.place_of(key)
    return None if place is None else letter(place)


def _title(header: Header, key: str) -> str | None:
    place = header.place_of(key)
    return None if place is None else header.titles[place]


def _command(office: str, procedure: Procedure, texts: Mapping[str, str]) -> SubmitDossier:
    typed = {key: text for key, text in texts.items() if key not in _TICKS or text == _YES}
    for each in procedure.form:
        if each.type == "bool" and typed.get(f"f.{each.name}") != _YES:
            typed.pop(f"f.{each.name}", None)
    return SubmitDossier(
        office=office,
        procedure=procedure.code,
        channel=texts.get(CHANNEL, ""),
        form=written.form(procedure.form, typed),
        papers=tuple(written.papers(procedure.papers, typed)),
        branches=_branches(procedure, texts),
        contact=written.contact(typed),
    )


def _branches(procedure: Procedure, texts: Mapping[str, str]) -> tuple[str, ...] | None:
    """Each part as its cell says, an empty one as is usual; None where the file says nothing."""
    if not any(key.startswith(BRANCH) for key in texts):
        return None
    said = ((each, texts.get(f"{BRANCH}{each.code}")) for each in procedure.branches)
    return tuple(
        each.code for each, text in said if (each.default if text is None else text == _YES)
    )


def _digest(procedure: Procedure, texts: Mapping[str, str]) -> str:
    """The same for the same content, whatever the order of the columns and the kind of file."""
    told = json.dumps([procedure.code, texts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def received_at(filled: Filled, header: Header, now: datetime) -> datetime | Reason | None:
    """The instant (UTC) at which it was received; None where it is only to be registered."""
    column = (_letter(header, RECEIVED), _title(header, RECEIVED))
    if filled.received:
        found = moment(filled.received, now)
        return Reason(*column, found.vi, found.en) if isinstance(found, Wrong) else found
    if filled.command.channel != "direct":
        return None
    vi = (
        "Nộp trực tiếp thì đã được tiếp nhận: ghi giờ của hôm nay ở cột «Tiếp nhận lúc». Hồ sơ chưa "
        "tiếp nhận thì hình thức nộp là trực tuyến hoặc bưu chính."
    )
    return Reason(*column, vi, "filed at the desk means received: give today's time")


def reasons_of(
    faults: Sequence[Fault], counts: Sequence[PaperCount], header: Header, row: Row
) -> tuple[Reason, ...]:
    """The faults of a command at the cells of its row."""
    return tuple(_reason(fault, counts, header, row) for fault in faults)


def _reason(fault: Fault, counts: Sequence[PaperCount], header: Header, row: Row) -> Reason:
    key = written.input_of(fault.place, counts)
    place = header.place_of(BRANCH.rstrip(".") if key == "branches" else key)
    if key == CHANNEL:
        fault = Fault(key, _channels(fault.vi), fault.en)
    if place is None:
        return Reason(None, None, _named(fault), fault.en)
    column = header.columns[place]
    value = row.values[place] if place < len(row.values) else None
    vi = fault.vi
    if column is not None and column.kind == "digits" and _is_number(value):
        vi += " Excel đã bỏ số 0 ở đầu: đặt ô dạng Văn bản (Text) rồi gõ lại."
    return Reason(letter(place), header.titles[place], vi, fault.en)


def _channels(vi: str) -> str:
    for code, words in CHANNELS.items():
        vi = vi.replace(code, words.lower())
    return vi


def _named(fault: Fault) -> str:
    """What is missing for want of a column is told with the name of the place."""
    return (
        f"{fault.place}: {fault.vi}" if fault.place.startswith(("form.", "contact.")) else fault.vi
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool | Odd)


def column_at(header: Header, place: int) -> Column | None:
    """The column of a place; None beyond the last or without a name."""
    return header.columns[place] if place < len(header.columns) else None
