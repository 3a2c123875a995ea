"""Which columns a file of submissions may have, and which those of a file's header are.

A column is known by its title, by the field's own label or by its key (`f.full_name`), with or
without marks, in any order. What is not known is named with its letter, as a spreadsheet shows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from rapidfuzz import fuzz, process

from shared.catalogue import FormField, Procedure
from shared.kernel.errors import Fault
from shared.kernel.numbers import vietnamese
from shared.kernel.text import unaccent

Kind = Literal["text", "date", "instant", "number", "count", "choice", "bool", "digits"]
NUMBER: Final = "number"
RECEIVED: Final = "received_at"
CHANNEL: Final = "channel"
BRANCH: Final = "b."
#: Columns of a header that anybody needs; a real form has some thirty.
MOST_COLUMNS: Final = 200
#: So much alike are two names of a column, of 100, that one may be meant by the other.
_ALIKE: Final = 70
#: The column of reasons in a file to repair; it is passed over when it comes back.
REASONS: Final = "Lý do chưa nhận (cột này được bỏ qua)"
CHANNELS: Final = {"direct": "Trực tiếp", "online": "Trực tuyến", "postal": "Bưu chính"}
_LANGUAGES: Final = {"vi": "Tiếng Việt", "en": "Tiếng Anh"}
_YES: Final = ("Có", "Không")
_DAY_HINT: Final = "Ngày viết dd/mm/yyyy, ví dụ 05/04/1990."


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a file may have; `choices` are its words, by what is kept of each."""

    key: str
    title: str
    kind: Kind = "text"
    required: bool = False
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()  # other names that it goes by


def columns_of(procedure: Procedure, today: date) -> tuple[Column, ...]:
    """The columns for one procedure, in the order of the template."""
    found = [*_own(procedure), *_of_contact(), *(_field(each, today) for each in procedure.form)]
    found += _branches(procedure)
    for paper in procedure.papers:
        asked = f"Số bản; thủ tục cần {paper.original} bản chính, {paper.copy} bản sao."
        if paper.condition:
            asked += f" Chỉ khi: {paper.condition}."
        found += [
            Column(f"p.{paper.code}.original", f"{paper.name} – bản chính", "count", hint=asked),
            Column(f"p.{paper.code}.copy", f"{paper.name} – bản sao", "count", hint=asked),
        ]
    found += [
        Column("p.other.name", "Giấy tờ khác – tên"),
        Column("p.other.original", "Giấy tờ khác – bản chính", "count", hint="Số bản."),
        Column("p.other.copy", "Giấy tờ khác – bản sao", "count", hint="Số bản."),
    ]
    twice = Counter(fold(each.title) for each in found)
    return tuple(
        replace(each, title=f"{each.title} [{each.key}]") if twice[fold(each.title)] > 1 else each
        for each in found
    )


def _own(procedure: Procedure) -> list[Column]:
    channels = tuple((code, CHANNELS[code]) for code in procedure.channels if code in CHANNELS)
    return [
        Column(
            NUMBER,
            "Số thứ tự",
            required=True,
            hint="Số của nơi nhập, mỗi hồ sơ một số, không dùng lại cho hồ sơ khác (kể cả ở tệp "
            "khác), ví dụ 2022-HT-0001. Nhập lại tệp thì số đã nhận được bỏ qua.",
            also=("stt", "số hồ sơ", "own number"),
        ),
        Column(
            CHANNEL,
            "Hình thức nộp",
            "choice",
            required=True,
            hint=f"Chọn: {', '.join(words for _, words in channels)}.",
            choices=channels,
        ),
        Column(
            RECEIVED,
            "Tiếp nhận lúc",
            "instant",
            hint="Để trống: chỉ đăng ký (mới nộp, chưa tiếp nhận). Đã tiếp nhận hôm nay: ghi giờ, "
            "ví dụ 08:15; ngày hẹn trả tính từ lúc đó. Nộp trực tiếp thì phải ghi.",
        ),
    ]


def _of_contact() -> list[Column]:
    tick = tuple((word, word) for word in _YES)
    return [
        Column("c.name", "Họ và tên người nộp", required=True),
        Column("c.phone", "Số điện thoại người nộp", "digits", hint="Giữ số 0 ở đầu."),
        Column("c.email", "Thư điện tử người nộp"),
        Column("c.sms", "Đồng ý nhận SMS", "bool", hint="Có hoặc Không.", choices=tick),
        Column("c.mail", "Đồng ý nhận thư điện tử", "bool", hint="Có hoặc Không.", choices=tick),
        Column(
            "c.language",
            "Ngôn ngữ của tin báo",
            "choice",
            hint="Để trống: tiếng Việt.",
            choices=tuple(_LANGUAGES.items()),
        ),
    ]


_KINDS: Final[dict[str, Kind]] = {
    "date": "date",
    "number": "number",
    "choice": "choice",
    "bool": "bool",
    "phone": "digits",
    "id_number": "digits",
}


def _field(field: FormField, today: date) -> Column:
    kind = _KINDS.get(field.type, "text")
    choices = tuple((each, each) for each in field.choices)
    if kind == "bool":
        choices = tuple((word, word) for word in _YES)
    return Column(
        f"f.{field.name}",
        field.label,
        kind,
        required=field.required and not field.required_unless and field.type != "bool",
        hint=_hint(field, kind, today),
        choices=choices,
        also=(field.name,),
    )


def _hint(field: FormField, kind: Kind, today: date) -> str:
    if kind == "date":
        first = field.earliest(today)
        told = _DAY_HINT + (f" Không trước {first:%d/%m/%Y}." if first else "")
        return told + (" Không sau hôm nay." if field.not_after else "")
    if kind == "number":
        least, most = field.least, field.most(today)
        span = "" if least is None else f" Từ {vietnamese(least)}"
        span += "" if most is None else f" đến {vietnamese(most)}"
        return f"Số viết 1.250 hoặc 1250; phần lẻ sau dấu phẩy: 1,5.{span}"
    if kind == "digits":
        return "Chỉ chữ số, giữ số 0 ở đầu."
    if kind in ("choice", "bool"):
        return f"Chọn: {', '.join(field.choices or _YES)}."
    return f"Tối đa {field.max_length} ký tự." if field.max_length else ""


def _branches(procedure: Procedure) -> list[Column]:
    tick = tuple((word, word) for word in _YES)
    return [
        Column(
            f"{BRANCH}{branch.code}",
            f"Việc: {branch.name}",
            "bool",
            hint=f"Có hoặc Không; để trống: {_YES[0] if branch.default else _YES[1]}.",
            choices=tick,
        )
        for branch in procedure.branches
    ]


# --- the header of a file -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file by their places; None for one without a name or one to pass over."""

    columns: tuple[Column | None, ...]
    titles: tuple[str, ...]
    ignored: frozenset[int] = frozenset()

    def place_of(self, key: str) -> int | None:
        """The place of a column by its key, or of the first of a group (`p.to-khai`)."""
        for number, column in enumerate(self.columns):
            if column is not None and (column.key == key or column.key.startswith(f"{key}.")):
                return number
        return None


@dataclass(frozen=True, slots=True)
class UnknownColumn(Fault):
    """A column that the procedure does not have: whoever hands the file in may leave it out."""

    title: str = ""


def read_header(
    titles: Sequence[str], known: Sequence[Column], ignore: Collection[str] = ()
) -> Header | list[Fault]:
    """Which column each title is; or every fault of the header, each told once.

    `ignore`: titles of columns that are not read, as whoever hands the file in has chosen.
    """
    if len(titles) > MOST_COLUMNS:
        vi = f"Tệp có {len(titles)} cột; tối đa {MOST_COLUMNS}. Xóa các cột không dùng."
        return [Fault("columns", vi, f"{len(titles)} columns, at most {MOST_COLUMNS} are taken")]
    if not any(titles):
        vi = "Tệp không có gì: dòng đầu phải là tên cột, như trong tệp mẫu."
        return [Fault("columns", vi, "the file is empty: its first row must name the columns")]
    names = _names(known)
    faults: list[Fault] = []
    columns: list[Column | None] = []
    left_out = {fold(REASONS), *map(fold, ignore)}
    ignored = frozenset(n for n, title in enumerate(titles) if title and fold(title) in left_out)
    faults += [_not_there(each) for each in ignore if fold(each) not in set(map(fold, titles))]
    for number, title in enumerate(titles):
        found = names.get(fold(title), []) if title and number not in ignored else []
        if title and number not in ignored and len(found) != 1:
            faults.append(_unknown(number, title, found, names))
        elif found and found[0] in columns:
            vi = f"Cột {letter(number)} «{title}» có hai lần; chỉ giữ một."
            faults.append(Fault(letter(number), vi, "this column is there twice"))
        columns.append(found[0] if len(found) == 1 else None)
    missing = [each.title for each in known if each.required and each not in columns]
    if missing:
        vi = f"Thiếu cột bắt buộc: {'; '.join(missing)}."
        faults.append(Fault("columns", vi, f"required columns are missing: {'; '.join(missing)}"))
    return faults or Header(tuple(columns), tuple(titles), ignored)


def _names(known: Sequence[Column]) -> dict[str, list[Column]]:
    names: dict[str, list[Column]] = {}
    for column in known:
        label = column.title.removesuffix(f" [{column.key}]")
        for name in {fold(each) for each in (column.title, label, column.key, *column.also)}:
            names.setdefault(name, []).append(column)
    return names


def _not_there(title: str) -> Fault:
    vi = f"Tệp không có cột «{title[:60]}» để bỏ qua; ghi đúng tên cột ở dòng đầu."
    return Fault("columns", vi, "a column that is to be left out is not in the file")


def _unknown(
    number: int, title: str, found: Sequence[Column], names: Mapping[str, Sequence[Column]]
) -> Fault:
    shown = title if len(title) <= 60 else f"{title[:60]}…"
    if found:
        either = " hoặc ".join(f"«{each.title}»" for each in found)
        vi = f"Cột {letter(number)} «{shown}» có thể là {either}; hãy ghi tên đầy đủ."
        return Fault(letter(number), vi, "this column could be two: give its full title")
    vi = f"Cột {letter(number)} «{shown}» không có trong thủ tục này"
    en = "the procedure has no such column: name it right or leave it out"
    best = process.extractOne(fold(title), list(names), scorer=fuzz.ratio, score_cutoff=_ALIKE)
    if best is not None:
        near = names[best[0]][0].title
        vi, en = f"{vi}; gần giống nhất là «{near}»", f"{en}; the nearest is «{near}»"
    vi += ". Sửa tên cột, hoặc bỏ qua cột này để nhập các cột còn lại."
    return UnknownColumn(letter(number), vi, en, title=title)


def fold(title: str) -> str:
    """A title as it is compared: no marks, no capitals, no star of required ones."""
    plain = unaccent(title).lower().replace("(bat buoc)", " ")
    return " ".join(re.sub(r"[^a-z0-9.\[\]]+", " ", plain).split())


def letter(number: int) -> str:
    """The letters of a column as a spreadsheet shows them, counted from 0: A to Z, then AA."""
    letters, left = "", number + 1
    while left:
        left, last = divmod(left - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters
