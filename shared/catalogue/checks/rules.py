"""Rules of the whole city: there, and with words that can be filled in."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import CostRule, PapersRule, TellingRule, Words
from shared.catalogue.moments import MOMENTS
from shared.catalogue.read import Folder, Found
from shared.catalogue.read.rules import RULES_FILE
from shared.catalogue.read.templates import CALL, CHANNELS
from shared.kernel.calendar import Duration

#: What the words of a rule may draw on: day of the request, the date, the office's name.
PAPERS_VALUES: Final = ("asked", "respond_by", "office")
#: And those for a representative: the applicant.
BEHALF_VALUES: Final = ("name",)
_NAME = re.compile(r"\{([^{}]*)\}")


def check_rules(folder: Folder, faults: Faults) -> None:
    """That there is a rule for papers that were asked for, and each of its versions."""
    if not folder.papers_rules:
        faults.add(
            RULES_FILE,
            en="nothing is laid down for papers that were asked for: write 'asked_papers:'",
            vi="chưa có quy tắc cho giấy tờ được yêu cầu bổ sung: hãy ghi 'asked_papers:'",
        )
    for found in folder.papers_rules:
        _check_reminder(found)
        _check_words(found, "reason", found.value.reason)
        _check_words(found, "next_step", found.value.next_step)
    if not folder.dates_rules:
        faults.add(
            RULES_FILE,
            en="nothing is laid down for dates that are near or missed: write 'promised_dates:'",
            vi="chưa có quy tắc cho hạn sắp đến và hạn đã lỡ: hãy ghi 'promised_dates:'",
        )
    for untaken in folder.untaken_rules:
        _check_time(untaken, "repeat_after", untaken.value.repeat_after)
    for dates in folder.dates_rules:
        for key in ("near", "soon", "apologise_after", "new_date"):
            _check_time(dates, key, getattr(dates.value, key))
    written = {(each.value.moment, each.value.version) for each in folder.templates}
    spoken = {
        (each.value.moment, each.value.version)
        for each in folder.templates
        if each.value.channel == CALL
    }
    for telling in folder.telling_rules:
        _check_telling(telling, {moment for moment, _ in written - spoken})
    offices = {found.value.code for found in folder.agencies if found.value.is_office}
    for cost in folder.cost_rules:
        _check_cost(cost, offices)


def _check_telling(found: Found[TellingRule], unsaid: Collection[str]) -> None:
    rule, entry = found.value, found.entry
    for key, words, known in (
        ("channels", rule.channels, CHANNELS),
        *((key, getattr(rule, key), MOMENTS) for key in ("urgent", "needs_act", "at_desk")),
    ):
        for word in sorted(set(words) - set(known)):
            en, vi = did_you_mean(word, known)
            entry.fault(
                key, en=f"there is no '{word}' here: {en}", vi=f"không có '{word}' ở đây: {vi}"
            )
    if not rule.channels:
        entry.fault(
            "channels",
            en="say which way comes first: [sms, email]",
            vi="hãy ghi kênh nào trước: [sms, email]",
        )
    for words in rule.on_behalf.values():
        _check_words(found, "on_behalf", words, BEHALF_VALUES)
        if set("[]") & set(words.vi + words.en):
            entry.fault("on_behalf", en="no brackets here", vi="không dùng dấu ngoặc vuông ở đây")
    for moment in sorted(set(rule.needs_act) & set(unsaid)):
        entry.fault(
            "needs_act",
            en=f"an officer who calls needs words: write 'call:' in templates/{moment}.yaml",
            vi=f"cán bộ gọi điện cần lời để nói: hãy ghi 'call:' trong templates/{moment}.yaml",
        )


def _check_cost(found: Found[CostRule], offices: Collection[str]) -> None:
    for office in sorted(set(found.value.offices_vnd) - set(offices)):
        en, vi = did_you_mean(office, offices)
        found.parts["offices"][0].fault(
            office,
            en=f"there is no office '{office}': {en}",
            vi=f"không có nơi nhận '{office}': {vi}",
        )


def _check_time(found: Found[Any], key: str, time: Duration | None) -> None:
    if time is None or time.unit == "same_day":
        found.entry.fault(
            key,
            en="say how long: write {value: 4, unit: working_hour}",
            vi="hãy ghi bao lâu: {value: 4, unit: working_hour}",
        )


def _check_reminder(found: Found[PapersRule]) -> None:
    before = found.value.remind_before
    if before is not None and before.unit == "same_day":
        found.entry.fault(
            "remind_before",
            en="a reminder comes some time before the date: write {value: 1, unit: working_day}",
            vi="nhắc trước hạn một khoảng thời gian: hãy ghi {value: 1, unit: working_day}",
        )


def _check_words(
    found: Found[Any], key: str, words: Words, values: Collection[str] = PAPERS_VALUES
) -> None:
    for name in sorted(set(_NAME.findall(f"{words.vi} {words.en}")) - set(values)):
        en, vi = did_you_mean(name, values)
        found.entry.fault(
            key,
            en=f"there is no value {{{name}}} here: {en}",
            vi=f"không có giá trị {{{name}}} ở đây: {vi}",
        )
