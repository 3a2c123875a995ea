"""Reads rules.yaml: what holds for the whole city, whatever the procedure."""

from __future__ import annotations

from typing import Final, cast, get_args

from shared.catalogue.model import (
    AnsweringRule,
    CostRule,
    DatesRule,
    MessageChannel,
    PapersRule,
    TellingRule,
    Unanswered,
    UntakenRule,
    Words,
)
from shared.catalogue.moments import ANSWERS, MOMENTS
from shared.catalogue.read.found import Found
from shared.catalogue.read.steps import read_duration
from shared.catalogue.read.templates import CHANNELS
from shared.catalogue.source import Entry

RULES_FILE: Final = "rules.yaml"


def read_papers_rules(top: Entry) -> list[Found[PapersRule]]:
    """All versions of what holds for papers that were asked for."""
    return [_papers_rule(entry) for entry in top.entries("asked_papers")]


def read_untaken_rules(top: Entry) -> list[Found[UntakenRule]]:
    """All versions of what holds for tasks that no agency takes."""
    return [_untaken_rule(entry) for entry in top.entries("untaken_tasks")]


def read_dates_rules(top: Entry) -> list[Found[DatesRule]]:
    """All versions of what holds for dates that come near and are missed."""
    return [_dates_rule(entry) for entry in top.entries("promised_dates")]


def read_telling_rules(top: Entry) -> list[Found[TellingRule]]:
    """All versions of how citizens are told."""
    return [_telling_rule(entry) for entry in top.entries("told_citizens")]


def read_answering_rules(top: Entry) -> list[Found[AnsweringRule]]:
    """All versions of what is answered to a citizen's SMS."""
    return [_answering_rule(entry) for entry in top.entries("answered_sms")]


def read_cost_rules(top: Entry) -> list[Found[CostRule]]:
    """All versions of what messages cost and may cost."""
    return [_cost_rule(entry) for entry in top.entries("message_costs")]


def _cost_rule(entry: Entry) -> Found[CostRule]:
    budget = entry.entry("budget_vnd")
    offices = budget.entry("offices") if budget else None
    rule = CostRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        vnd_per_part=_numbers(entry, "vnd_per_part", CHANNELS),
        city_vnd=budget.maybe_number("city") if budget else None,
        office_vnd=budget.maybe_number("each_office") if budget else None,
        offices_vnd={key: offices.number(key) for key in offices.names()} if offices else {},
    )
    if budget:
        budget.done()
    entry.done()
    return Found(rule, entry, {"offices": (offices,)} if offices else {})


def _numbers(entry: Entry, key: str, names: tuple[str, ...]) -> dict[str, int]:
    """Whole numbers by the names that may stand there."""
    inner = entry.entry(key)
    if inner is None:
        return {}
    found = {name: inner.number(name) for name in names if inner.has(name)}
    inner.done()
    return found


def _answering_rule(entry: Entry) -> Found[AnsweringRule]:
    said = entry.entry("words")
    rule = AnsweringRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        stop=entry.texts("stop"),
        start=entry.texts("start"),
        status=entry.texts("status"),
        genuine=entry.texts("genuine"),
        most_a_day=entry.number("most_a_day", default=10),
        words={key: _words(said, key) for key in ANSWERS if said.has(key)} if said else {},
        mark=_words(entry, "mark") if entry.has("mark") else None,
    )
    if said:
        said.done()
    entry.done()
    return Found(rule, entry, {})


def _telling_rule(entry: Entry) -> Found[TellingRule]:
    quiet = entry.entry("quiet")
    most, behalf = entry.entry("most_per_dossier"), entry.entry("on_behalf")
    rule = TellingRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        channels=cast("tuple[MessageChannel, ...]", entry.texts("channels")),
        next_after_hours=entry.number("next_after_hours"),
        uncertain_after_hours=entry.number("uncertain_after_hours"),
        quiet_from=quiet.clock("from") if quiet else None,
        quiet_to=quiet.clock("to") if quiet else None,
        together_minutes=entry.number("together_minutes", default=0),
        most_a_day=entry.maybe_number("most_a_day"),
        urgent=entry.texts("urgent"),
        needs_act=entry.texts("needs_act"),
        at_desk=entry.texts("at_desk"),
        most_per_dossier={way: most.number(way) for way in CHANNELS if most.has(way)}
        if most
        else {},
        on_behalf={way: _words(behalf, way) for way in CHANNELS if behalf.has(way)}
        if behalf
        else {},
        parts=_numbers(entry, "parts", tuple(MOMENTS)),
    )
    for inner in filter(None, (quiet, most, behalf)):
        inner.done()
    entry.done()
    return Found(rule, entry, {})


def _dates_rule(entry: Entry) -> Found[DatesRule]:
    rule = DatesRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        near=read_duration(entry, "near"),
        soon=read_duration(entry, "soon"),
        apologise_after=read_duration(entry, "apologise_after"),
        new_date=read_duration(entry, "new_date"),
        mail_at=entry.clock("mail_at"),
    )
    entry.done()
    return Found(rule, entry, {})


def _untaken_rule(entry: Entry) -> Found[UntakenRule]:
    rule = UntakenRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        repeat_after=read_duration(entry, "repeat_after"),
    )
    entry.done()
    return Found(rule, entry, {})


def _papers_rule(entry: Entry) -> Found[PapersRule]:
    rule = PapersRule(
        valid_from=entry.day("valid_from"),
        valid_to=entry.maybe_day("valid_to"),
        remind_before=read_duration(entry, "remind_before"),
        unanswered=entry.choice("unanswered", get_args(Unanswered)),
        reason=_words(entry, "reason"),
        next_step=_words(entry, "next_step"),
    )
    entry.done()
    return Found(rule, entry, {})


def _words(entry: Entry, key: str) -> Words:
    inner = entry.entry(key)
    if inner is None:
        entry.fault(
            key, en=f"'{key}' is missing: write it as vi: and en:", vi=f"thiếu '{key}': hãy ghi vào"
        )
        return Words("", "")
    words = Words(inner.text("vi"), inner.text("en"))
    inner.done()
    return words
