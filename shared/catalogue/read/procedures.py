"""Reads one procedure file: a code and its versions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args

from shared.catalogue.model import (
    Branch,
    Fee,
    FeeTiming,
    FieldType,
    FormField,
    Identifies,
    Level,
    NotAfter,
    Paper,
    Party,
    Procedure,
    SupplementRule,
    ThisYear,
    Unit,
)
from shared.catalogue.read.found import Found
from shared.catalogue.read.steps import (
    read_duration,
    read_other_times,
    read_results,
    read_slug,
    read_step,
)
from shared.catalogue.source import Entry
from shared.kernel.calendar import Duration

PROCEDURE_CODE = re.compile(r"^\d\.\d{6}$")
FIELD_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
ALWAYS_PERSONAL = frozenset({"name", "phone", "id_number"})
YEARS = re.compile(r"^(1?\d{1,2}) years$")
_LISTS = ("papers", "form", "branches", "steps", "parties")
CHANNELS = ("direct", "online", "postal")


def read_procedure(top: Entry) -> list[Found[Procedure]]:
    """All versions in the file; a version may say `based_on` and restate only what changed."""
    code = top.quoted("code", example="1.001570")
    if code and not PROCEDURE_CODE.match(code):
        top.fault(
            "code",
            en=f"'{code}' is no procedure code: one digit, a point, six digits",
            vi=f"'{code}' không phải mã thủ tục: một chữ số, dấu chấm, sáu chữ số",
        )
    earlier: dict[int, Entry] = {}
    found: list[Found[Procedure]] = []
    versions = top.entries("versions")
    if not versions:
        top.fault(
            "versions",
            en="a procedure needs at least one version: write 'versions:'",
            vi="thủ tục cần ít nhất một phiên bản: hãy ghi 'versions:'",
        )
    for entry in versions:
        number = entry.number("version")
        if number < 1:
            entry.fault(
                "version",
                en="versions are counted from 1: write version: 1",
                vi="phiên bản đếm từ 1: hãy ghi version: 1",
            )
        base = entry.maybe_number("based_on")
        if base is not None and base in earlier:
            entry.under = earlier[base]
        elif base is not None:
            entry.fault(
                "based_on",
                en=f"there is no version {base} above: name an earlier one",
                vi=f"không có phiên bản {base} ở trên: hãy ghi phiên bản trước đó",
            )
        found.append(_version(code, number, entry))
        earlier[number] = entry
        entry.done()
    return found


def _version(code: str, number: int, entry: Entry) -> Found[Procedure]:
    parts = {name: entry.entries(name) for name in _LISTS}
    valid_from, valid_to = entry.day("valid_from"), None
    if entry.writes("valid_to"):  # never inherited: each version ends on its own day
        valid_to = entry.maybe_day("valid_to")
    level, also = _levels(entry)
    procedure = Procedure(
        code=code,
        version=number,
        valid_from=valid_from,
        valid_to=valid_to,
        name=entry.text("name"),
        short_name=_short_name(entry),
        field=entry.text("field"),
        level=level,
        duration=read_duration(entry, "duration") or Duration(1, "working_day"),
        supplement_rule=entry.choice("supplement_rule", get_args(SupplementRule)),
        max_supplement_rounds=entry.maybe_number("max_supplement_rounds"),
        papers=tuple(_paper(paper) for paper in parts["papers"]),
        form=tuple(_field(item) for item in parts["form"]),
        fee=_fee(entry),
        branches=tuple(_branch(branch) for branch in parts["branches"]),
        min_branches=entry.number("min_branches", default=0),
        steps=tuple(read_step(step) for step in parts["steps"]),
        results=read_results(entry),
        channels=_channels(entry),
        check=entry.flag("check", default=False),
        other_times=read_other_times(entry),
        also_level=also,
        parties=tuple(_party(party) for party in parts["parties"]),
    )
    if not parts["steps"]:
        entry.fault(
            "steps",
            en="a procedure without steps never ends: write 'steps:'",
            vi="thủ tục không có bước nào thì không bao giờ xong: hãy ghi 'steps:'",
        )
    return Found(procedure, entry, parts)


def _levels(entry: Entry) -> tuple[Level, Level | None]:
    """Whose desks take it in: one level, or both, `[commune, city]`."""
    if set(entry.texts("level")) == set(get_args(Level)):
        return "commune", "city"
    return entry.choice("level", get_args(Level)), None


def _short_name(entry: Entry) -> str:
    name = entry.text("short_name")
    if not name.isascii():
        entry.fault(
            "short_name",
            en="write it without marks, it goes into SMS: 'Khai sinh'",
            vi="hãy ghi không dấu vì dùng trong tin nhắn: 'Khai sinh'",
        )
    return name


def _channels(entry: Entry) -> tuple[str, ...]:
    channels = entry.texts("channels")
    if not channels or not set(channels) <= set(CHANNELS):
        entry.fault(
            "channels",
            en="name one or more of: direct, online, postal",
            vi="hãy ghi một hay nhiều trong: direct, online, postal",
        )
    return channels


def _paper(entry: Entry) -> Paper:
    paper = Paper(
        code=read_slug(entry),
        name=entry.text("name"),
        original=entry.number("original", default=0),
        copy=entry.number("copy", default=0),
        condition=entry.maybe_text("condition"),
    )
    entry.done()
    return paper


def _field_name(entry: Entry) -> str:
    name = entry.text("name")
    if name and not FIELD_NAME.match(name):
        entry.fault(
            "name",
            en=f"'{name}': use lower-case letters, digits and underscores",
            vi=f"'{name}': hãy dùng chữ thường không dấu, chữ số và gạch dưới",
        )
    return name


def _field(entry: Entry) -> FormField:
    name = _field_name(entry)
    kind = entry.choice("type", get_args(FieldType), default="text")
    choices = entry.texts("choices")
    if (kind == "choice") != bool(choices):
        entry.fault(
            "choices",
            en="'choices' belongs to type choice, and there it is needed",
            vi="'choices' chỉ dùng cho type choice, và ở đó là bắt buộc",
        )
    personal = entry.flag("personal", default=False)
    if kind in ALWAYS_PERSONAL and not personal:
        entry.fault(
            "personal",
            en=f"a field of type {kind} is personal data: write personal: true",
            vi=f"trường kiểu {kind} là dữ liệu cá nhân: hãy ghi personal: true",
        )
    _belongs(entry, kind, "date", ("not_after", "not_before"))
    _belongs(entry, kind, "number", ("unit", "least", "greatest", "decimals"))
    least, greatest = _bounds(entry)
    required, unless = _required(entry)
    field = FormField(
        name=name,
        label=entry.text("label"),
        type=kind,
        required=required,
        personal=personal,
        choices=choices,
        max_length=entry.maybe_number("max_length"),
        not_after=_maybe_choice(entry, "not_after", NotAfter),
        not_before=_not_before(entry),
        unit=_maybe_choice(entry, "unit", Unit),
        least=least,
        greatest=greatest,
        decimals=entry.number("decimals", default=0),
        identifies=_maybe_choice(entry, "identifies", Identifies),
        required_unless=unless,
    )
    entry.done()
    return field


def _maybe_choice(entry: Entry, key: str, words: Any) -> Any:
    """One of a Literal's words, None where the key is left out."""
    return entry.choice(key, get_args(words)) if entry.has(key) else None


def _required(entry: Entry) -> tuple[bool, tuple[str, ...]]:
    """Whether a field must be filled in, and what makes that optional."""
    required = entry.flag("required", default=True)
    unless = entry.texts("required_unless")
    if unless and not required:
        entry.fault(
            "required_unless",
            en="'required_unless' belongs to a field that is required",
            vi="'required_unless' chỉ dùng cho ô bắt buộc",
        )
    return required, unless


def _belongs(entry: Entry, kind: FieldType, only: FieldType, keys: Sequence[str]) -> None:
    """Keys that say something of one type alone."""
    for key in keys:
        if kind != only and entry.has(key):
            entry.fault(
                key,
                en=f"'{key}' belongs to type {only}",
                vi=f"'{key}' chỉ dùng cho type {only}",
            )


def _bounds(entry: Entry) -> tuple[float | None, float | ThisYear | None]:
    least = entry.maybe_decimal("least")
    if entry.maybe_text("greatest") == "this_year":
        return least, "this_year"
    greatest = entry.maybe_decimal("greatest")
    if least is not None and greatest is not None and least > greatest:
        entry.fault(
            "least",
            en=f"nothing lies between {least} and {greatest}: write the smaller one here",
            vi=f"không có số nào từ {least} đến {greatest}: hãy ghi số nhỏ hơn ở đây",
        )
    return least, greatest


def _not_before(entry: Entry) -> int | None:
    """`today`, or so many years before it: `6 years`."""
    text = entry.maybe_text("not_before")
    if text is None or text == "today":
        return None if text is None else 0
    if match := YEARS.match(text):
        return int(match[1])
    entry.fault(
        "not_before",
        en=f"'{text}' is not known here: write today, or '6 years' for six years before it",
        vi=f"'{text}' không dùng được ở đây: hãy ghi today, hoặc '6 years' là trước đó sáu năm",
    )
    return None


def _fee(entry: Entry) -> Fee:
    inner = entry.entry("fee")
    if inner is None:
        entry.fault(
            "fee",
            en="'fee' is missing: write {amount_vnd: 0, timing: none}",
            vi="thiếu 'fee': hãy ghi {amount_vnd: 0, timing: none}",
        )
        return Fee(0, "none")
    fee = Fee(
        amount_vnd=inner.maybe_number("amount_vnd"),
        timing=inner.choice("timing", get_args(FeeTiming)),
        note=inner.maybe_text("note"),
    )
    if fee.amount_vnd is None and fee.note is None:
        inner.fault(
            "note",
            en="no fixed amount: say in 'note' how it is found",
            vi="không có mức cố định: hãy ghi cách tính trong 'note'",
        )
    inner.done()
    return fee


def _branch(entry: Entry) -> Branch:
    branch = Branch(
        code=read_slug(entry), name=entry.text("name"), default=entry.flag("default", default=False)
    )
    entry.done()
    return branch


def _party(entry: Entry) -> Party:
    party = Party(code=read_slug(entry), name=entry.text("name"), told=entry.texts("told"))
    entry.done()
    return party
