"""Checking a declaration, its papers and branches against a procedure; all faults at once.

Faults name the place and the rule, never the value: they may be logged.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import msgspec

from services.intake.domain.texts import check_name, check_text, missing
from shared.catalogue import FormField, Paper, Procedure
from shared.events import parts
from shared.kernel.clock import parse_day
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.numbers import Unreadable, decimals, vietnamese
from shared.kernel.phones import normalise_phone

LONGEST_FIELD = 500
MOST_PAPERS = 50
MOST_COPIES = 99
_OTHER = "other-"
_ID_NUMBER = re.compile("[0-9]{9}|[0-9]{12}")


@dataclass(frozen=True, slots=True)
class PaperCount:
    """A paper as counted at the desk; one without a catalogue code needs a name of its own."""

    code: str | None
    original: int = 0
    copy: int = 0
    name: str | None = None


def check_form(
    fields: Sequence[FormField],
    raw: Mapping[str, Any],
    faults: list[Fault],
    *,
    today: date,
    partial: bool = False,
    there: Collection[str] = (),
) -> dict[str, Any]:
    """The declaration with every value tidied; `partial` asks only for the fields that are given.

    Of a partial one a field that is given empty stays, as None: the citizen takes its value out.
    Dates stay ISO texts, numbers numbers, phones become E.164. `today` is the local day, which
    some dates may not lie after. `there`: the papers, and of a partial one the fields, that are
    held besides: one of them may make a field optional.
    """
    known = {f.name for f in fields}
    faults.extend(
        Fault(f"form.{name}", "Không có ô này trong tờ khai.", "there is no such field")
        for name in raw
        if name not in known
    )
    filled = {name for name, value in raw.items() if not _is_empty(value)} | (set(there) - set(raw))
    asked = [field for field in fields if not partial or _is_touched(field, raw)]
    checked = {}
    for field in asked:
        if field.required and field.name not in filled and filled.isdisjoint(field.required_unless):
            faults.append(missing(f"form.{field.name}"))
        elif not partial or field.name in raw:
            checked[field.name] = _checked(field, raw.get(field.name), faults, today)
    return {name: value for name, value in checked.items() if partial or value is not None}


def _is_empty(given: Any) -> bool:
    if not isinstance(given, str):
        return given is None
    return not given[:1].isalnum() and not tidy(given)


def _is_touched(field: FormField, raw: Mapping[str, Any]) -> bool:
    """Whether a partial declaration gives this field, or one that makes it optional."""
    return field.name in raw or not raw.keys().isdisjoint(field.required_unless)


def _checked(field: FormField, given: Any, faults: list[Fault], today: date) -> Any:
    """The tidied value of one field; None where nothing, or nothing right, was given."""
    place = f"form.{field.name}"
    if _is_empty(given):
        return None
    if isinstance(given, Unreadable):
        faults.append(Fault(place, given.vi, given.en))
        return None
    value = _CHECKS[field.type](field, given, faults)
    if value is None:
        return None
    limit = _date_limit if field.type == "date" else _number_limit
    if field.type in ("date", "number") and (wrong := limit(field, value, today)) is not None:
        faults.append(Fault(place, *wrong))
        return None
    return value


def _date_limit(field: FormField, value: str, today: date) -> tuple[str, str] | None:
    """What is wrong with a date that lies where the procedure's cannot."""
    if field.not_after == "today" and value > today.isoformat():
        return "Ngày này chưa đến; không thể ở sau hôm nay.", "must not be after today"
    earliest = field.earliest(today)
    if earliest is not None and value < earliest.isoformat():
        return f"Không thể trước ngày {earliest:%d/%m/%Y}.", f"must not be before {earliest}"
    return None


def _number_limit(field: FormField, value: float, today: date) -> tuple[str, str] | None:
    """What is wrong with a number outside its bounds or finer than its field takes."""
    least, most = field.least, field.most(today)
    said = partial(vietnamese, grouped=field.unit != "ordinal")
    below, above = least is not None and value < least, most is not None and value > most
    if (below or above) and least is not None and most is not None:
        return f"Phải từ {said(least)} đến {said(most)}.", f"must be from {least} to {most}"
    if below and least is not None:
        return f"Ít nhất là {said(least)}.", f"must be at least {least}"
    if above and most is not None:
        return f"Nhiều nhất là {said(most)}.", f"must be at most {most}"
    if decimals(value) > field.decimals:
        if field.decimals == 0:
            return "Phải là số nguyên, không có phần lẻ.", "must be a whole number"
        return (
            f"Tối đa {field.decimals} chữ số sau dấu phẩy.",
            f"at most {field.decimals} decimals",
        )
    return None


def _text(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    longest = field.max_length or LONGEST_FIELD
    return check_text(raw, f"form.{field.name}", faults, longest=longest)


def _name(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    longest = field.max_length or LONGEST_FIELD
    return check_name(raw, f"form.{field.name}", faults, longest=longest)


def _date(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    try:
        day = parse_day(tidy(raw)) if isinstance(raw, str) else None
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2100:
        faults.append(
            Fault(
                f"form.{field.name}",
                "Phải là một ngày có thật, từ năm 1900.",
                "must be a real date, YYYY-MM-DD",
            )
        )
        return None
    return day.isoformat()


def _number(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        vi = "Phải là một số, không phải chữ (trong JSON: 1250.5 không có dấu nháy)."
        faults.append(Fault(f"form.{field.name}", vi, "must be a JSON number, not a text"))
        return None
    if abs(raw) >= 1e15:
        faults.append(Fault(f"form.{field.name}", "Số quá lớn.", "the number is too large"))
        return None
    return raw


def _choice(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    chosen = tidy(raw) if isinstance(raw, str) else raw
    for choice in field.choices:
        if chosen == tidy(choice):
            return choice
    said = ", ".join(field.choices)
    faults.append(
        Fault(f"form.{field.name}", f"Phải chọn một trong: {said}.", f"must be one of: {said}")
    )
    return None


def _bool(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    if isinstance(raw, bool):
        return raw
    faults.append(Fault(f"form.{field.name}", "Phải là có hoặc không.", "must be true or false"))
    return None


def _phone(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    place = f"form.{field.name}"
    text = check_text(raw, place, faults, longest=40)
    if text is None:
        return None
    try:
        return normalise_phone(text, place=place).e164
    except InvalidInput as wrong:
        faults.extend(wrong.faults)
        return None


def _id_number(field: FormField, raw: Any, faults: list[Fault]) -> Any:
    digits = re.sub(r"[\s.\-]", "", fold_wide(tidy(raw))) if isinstance(raw, str) else ""
    if _ID_NUMBER.fullmatch(digits):
        return digits
    letter = next((each for each in digits if not each.isdigit()), None)
    named = f" Có «{letter}» không phải chữ số." if letter and letter.isprintable() else ""
    faults.append(
        Fault(
            f"form.{field.name}",
            f"Số định danh có 12 chữ số (CMND cũ 9 chữ số).{named}",
            "an identity number has 12 digits (old ones 9)",
        )
    )
    return None


_CHECKS: dict[str, Callable[[FormField, Any, list[Fault]], Any]] = {
    "text": _text,
    "name": _name,
    "date": _date,
    "number": _number,
    "choice": _choice,
    "bool": _bool,
    "phone": _phone,
    "id_number": _id_number,
}


def check_papers(
    papers: Sequence[Paper], counts: Sequence[PaperCount], faults: list[Fault]
) -> tuple[parts.Paper, ...]:
    """The counted papers under their catalogue names; codes that repeat or are unknown are faults."""
    names = {p.code: p.name for p in papers}
    held: dict[str, parts.Paper] = {}
    if len(counts) > MOST_PAPERS:
        faults.append(
            Fault("papers", f"Tối đa {MOST_PAPERS} loại giấy.", f"at most {MOST_PAPERS} papers")
        )
        return ()
    for place, count in ((f"papers.{i}", c) for i, c in enumerate(counts)):
        paper = _held(place, count, names, len(held), faults)
        if paper is None:
            continue
        if paper.code in held:
            faults.append(Fault(place, "Giấy tờ ghi hai lần.", "this paper is given twice"))
        elif paper.original or paper.copy:
            held[paper.code] = paper
    return tuple(held.values())


def _held(
    place: str, count: PaperCount, names: Mapping[str, str], number: int, faults: list[Fault]
) -> parts.Paper | None:
    if not (0 <= count.original <= MOST_COPIES and 0 <= count.copy <= MOST_COPIES):
        faults.append(
            Fault(place, f"Số bản từ 0 đến {MOST_COPIES}.", f"counts go from 0 to {MOST_COPIES}")
        )
        return None
    if count.code is None:
        name = check_text(count.name, f"{place}.name", faults, longest=300)
        if name is None:
            return None
        return parts.Paper(
            code=f"{_OTHER}{number + 1}", name=name, original=count.original, copy=count.copy
        )
    if count.code not in names:
        faults.append(
            Fault(
                f"{place}.code",
                "Thủ tục không có giấy tờ này.",
                "this procedure has no such paper",
            )
        )
        return None
    return parts.Paper(
        code=count.code, name=names[count.code], original=count.original, copy=count.copy
    )


def numbered_on(
    held: Sequence[parts.Paper], papers: Sequence[parts.Paper]
) -> tuple[parts.Paper, ...]:
    """Papers outside the catalogue's list numbered on from those held: each stays one of its own."""
    taken = {p.code for p in held}
    free = (code for n in itertools.count(1) if (code := f"{_OTHER}{n}") not in taken)
    return tuple(
        msgspec.structs.replace(paper, code=next(free)) if is_other(paper) else paper
        for paper in papers
    )


def is_other(paper: parts.Paper) -> bool:
    """Whether it is a paper outside the catalogue's list."""
    return paper.code.startswith(_OTHER)


def missing_papers(papers: Sequence[Paper], held: Sequence[parts.Paper]) -> list[Fault]:
    """What is still missing for a valid reception; papers with a condition are the desk's call.

    An original that is handed in beyond those asked for stands for a copy.
    """
    have = {p.code: p for p in held}
    faults = []
    for paper in papers:
        if paper.condition is not None:
            continue
        got = have.get(paper.code)
        originals, copies = (got.original, got.copy) if got else (0, 0)
        spare = max(0, originals - paper.original)
        if originals < paper.original or copies + spare < paper.copy:
            faults.append(_missing_paper(paper, originals, copies))
    return faults


def _counted(originals: int, copies: int) -> str:
    parts = [f"{originals} bản chính"] if originals else []
    parts += [f"{copies} bản sao"] if copies else []
    return ", ".join(parts) or "không bản nào"


def _missing_paper(paper: Paper, originals: int, copies: int) -> Fault:
    return Fault(
        f"papers.{paper.code}",
        f"Thiếu «{paper.name}»: cần {_counted(paper.original, paper.copy)}; "
        f"hiện có {_counted(originals, copies)}.",
        f"needs {paper.original} original(s) and {paper.copy} copies, has {originals} and {copies}",
    )


def check_branches(
    procedure: Procedure, chosen: Sequence[str] | None, faults: list[Fault]
) -> tuple[str, ...]:
    """The chosen parts in the catalogue's order; None means those that are usual."""
    known = [b.code for b in procedure.branches]
    if chosen is None:
        return tuple(b.code for b in procedure.branches if b.default)
    unknown = set(chosen) - set(known)
    if unknown:
        said = ", ".join(known) or "-"
        faults.append(
            Fault("branches", f"Chỉ chọn được: {said}.", f"only these can be chosen: {said}")
        )
        return ()
    branches = tuple(code for code in known if code in chosen)
    if len(branches) < procedure.min_branches:
        faults.append(
            Fault(
                "branches",
                f"Phải chọn ít nhất {procedure.min_branches} việc.",
                f"at least {procedure.min_branches} must be chosen",
            )
        )
    return branches
