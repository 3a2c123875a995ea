"""Templates: all there, they render, an SMS is one segment even with the longest names.

Never in a message: a link, an ID number, an address; the person's name only in an e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import Template
from shared.catalogue.moments import (
    APPLICANTS_ONLY,
    EMAIL_ONLY,
    MOMENTS,
    PARTY_VALUES,
    RESERVED_ROLES,
    VALUES,
    party_moment,
)
from shared.catalogue.read import Folder, Found
from shared.catalogue.read.templates import CHANNELS
from shared.catalogue.render import (
    VALUE,
    BrokenTemplate,
    Part,
    Room,
    parts_of,
    render,
    room_for_mark,
)
from shared.catalogue.source import Entry
from shared.kernel.text import sms_segments

LINK = re.compile(r"https?://|www\.|\b[a-z0-9-]+\.(?:vn|com|org|net)\b", re.IGNORECASE)
# A long sentence of a clerk; what a person types has no longest name, and is shortened anyway.
LONG_SENTENCE = "thieu ban sao giay chung nhan quyen su dung dat va to khai co chu ky hai ben " * 2


def check_messages(folder: Folder, faults: Faults) -> None:
    """Every template, and that none is missing."""
    _check_all_there(folder, faults)
    longest = longest_values(folder)
    for found in folder.templates:
        _check_words(found)
        if found.value.channel == "sms" and found.value.body:
            _check_length(found, longest, smallest_room(folder, found.value))


def _check_all_there(folder: Folder, faults: Faults) -> None:
    there = {(one.value.moment, one.value.channel, one.value.language) for one in folder.templates}
    for moment in MOMENTS:
        if not any((moment, channel, "vi") in there for channel in CHANNELS):
            faults.add(
                f"templates/{moment}.yaml",
                en=f"nothing is said at the moment '{moment}': write this file",
                vi=f"không có lời nhắn cho '{moment}': hãy tạo tệp này",
            )
    _check_parties(folder, {moment for moment, _, _ in there})
    roles = {party.code for found in folder.procedures for party in found.value.parties}
    known = {*MOMENTS, *(party_moment(role, moment) for role in roles for moment in MOMENTS)}
    for found in folder.templates:
        if found.value.moment and found.value.moment not in known:
            en, vi = did_you_mean(found.value.moment, known)
            faults.add(
                f"{found.entry.file}:1: moment",
                en=f"there is no moment '{found.value.moment}': {en}",
                vi=f"không có thời điểm '{found.value.moment}': {vi}",
            )


def _check_parties(folder: Folder, there: set[str]) -> None:
    """Each hears of moments that there are, under a role of their own, in words of their own."""
    for found in folder.procedures:
        for party, entry in zip(found.value.parties, found.parts["parties"], strict=True):
            if party.code in RESERVED_ROLES:
                entry.fault(
                    "code",
                    en=f"'{party.code}' means somebody else: give this party another code",
                    vi=f"'{party.code}' chỉ người khác: hãy đặt mã khác cho người này",
                )
            if not party.told:
                entry.fault(
                    "told",
                    en="a party that hears of nothing is none: name moments, such as told: [received]",
                    vi="người không được báo gì thì không cần ghi: hãy nêu thời điểm, như told: [received]",
                )
            for moment in party.told:
                _check_told(party.code, moment, entry, there)


def _check_told(role: str, moment: str, entry: Entry, there: set[str]) -> None:
    allowed = [each for each in MOMENTS if each not in APPLICANTS_ONLY]
    if moment not in allowed:
        en, vi = did_you_mean(moment, allowed)
        entry.fault(
            "told",
            en=f"a party cannot be told of '{moment}': {en}",
            vi=f"không báo được cho người này về '{moment}': {vi}",
        )
    elif (name := party_moment(role, moment)) not in there:
        entry.fault(
            "told",
            en=f"a party has words of their own: write templates/{name}.yaml",
            vi=f"người này có lời nhắn riêng: hãy tạo templates/{name}.yaml",
        )


def _key(template: Template) -> str:
    return "body" if template.channel == "email" else template.language


def _check_words(found: Found[Template]) -> None:
    template, entry = found.value, found.entry
    key = _key(template)
    words = f"{template.subject or ''}\n{template.body}"
    used = set(re.findall(r"\{([^{}]*)\}", words))
    given = PARTY_VALUES if "." in template.moment else MOMENTS.get(template.moment, VALUES)
    for name in sorted(used - given):
        en, vi = did_you_mean(name, given)
        whose = ", ".join(each for each, values in MOMENTS.items() if name in values)
        entry.fault(
            key,
            en=f"nothing fills {{{name}}} at '{template.moment}'"
            + (f" (only at {whose}): {en}" if whose else f": {en}"),
            vi=f"không có gì điền vào {{{name}}} ở '{template.moment}'"
            + (f" (chỉ có ở {whose}): {vi}" if whose else f": {vi}"),
        )
    if used <= given:
        _check_renders(found, key)
    if "code" not in used and template.body:
        entry.fault(
            key,
            en="the citizen must see which dossier it is: write {code}",
            vi="công dân cần biết hồ sơ nào: hãy ghi {code}",
        )
    if LINK.search(words):
        entry.fault(
            key,
            en="no link in a message, false ones are a common fraud: name the hotline instead",
            vi="không đặt đường dẫn trong tin nhắn vì dễ bị giả mạo: hãy ghi đường dây nóng",
        )
    if template.channel == "sms":
        _check_sms(found, key, used)


def _check_renders(found: Found[Template], key: str) -> None:
    try:
        for text in (found.value.subject or "", found.value.body):
            parts_of(text)
    except BrokenTemplate as error:
        found.entry.fault(
            key,
            en=f"the template does not render ({error.en}): each '[' needs its ']', '{{' its '}}'",
            vi=f"mẫu tin không dùng được ({error.vi}) mỗi '[' cần có ']', mỗi '{{' cần có '}}'",
        )


def _check_sms(found: Found[Template], key: str, used: set[str]) -> None:
    if not found.value.body.isascii():
        found.entry.fault(
            key,
            en="write an SMS without marks: with them it costs more than twice",
            vi="hãy viết tin nhắn không dấu: có dấu tốn hơn gấp đôi",
        )
    for name in sorted(used & EMAIL_ONLY):
        found.entry.fault(
            key,
            en=f"{{{name}}} is for e-mail only: take it out of the SMS",
            vi=f"{{{name}}} chỉ dùng trong thư điện tử: hãy bỏ khỏi tin nhắn",
        )


def longest_values(folder: Folder) -> dict[str, str]:
    """The longest of everything that the catalogue can put into an SMS."""
    agencies = [found.value for found in folder.agencies]
    offices = [agency.short_name for agency in agencies if agency.is_office]
    ids = [agency.official_id for agency in agencies]
    return {
        "code": f"{_longest(ids)}-991231-9999",
        "procedure": _longest(found.value.short_name for found in folder.procedures),
        "step": _longest(s.name for found in folder.procedures for s in found.value.steps),
        "due": "17:30 31/12/2099",
        "respond_by": "17:30 31/12/2099",
        "place": _longest(offices),
        "office": _longest(offices),
        "agency": _longest(agency.short_name for agency in agencies),
        "hotline": _longest(agency.hotline for agency in agencies),
        "lookup": "WWWWWW",
        "otp": "999999",
        "replaces": "TB-1234/2099",
        "amount": "9.999.999.999 đ",
        "reason": LONG_SENTENCE,
        "next_step": LONG_SENTENCE,
        "items": LONG_SENTENCE,
    }


def _longest(names: Iterable[str]) -> str:
    return max(names, key=len, default="")


def smallest_room(folder: Folder, template: Template) -> Room:
    """What this SMS may take on the day that leaves it the least."""
    parts = [each.value.parts.get(template.moment, 1) for each in folder.telling_rules]
    marks = [each.value.mark for each in folder.answering_rules if each.value.mark]
    kept = [room_for_mark(mark, template.language) for mark in marks]
    return Room(min(parts, default=1), max(kept, default=0))


def _check_length(found: Found[Template], longest: dict[str, str], room: Room) -> None:
    try:
        text = render(found.value, longest, room).body
    except BrokenTemplate:
        return  # told already
    size = sms_segments(text)
    if size.units > room.septets:
        fixed = sum(len(VALUE.sub("", part.text)) for part in _kept(found.value))
        found.entry.fault(
            _key(found.value),
            en=f"with the longest names this SMS takes {size.units} characters of {room.septets} "
            f"({fixed} are fixed words): say it in fewer, put a part in [ ], or give it another of "
            "'parts' in rules.yaml",
            vi=f"với tên dài nhất, tin này dài {size.units} ký tự, chỉ được {room.septets} "
            f"({fixed} ký tự là lời cố định): hãy viết ngắn hơn, đặt một phần trong [ ], hoặc cho "
            "thêm một phần ở 'parts' trong rules.yaml",
        )


def _kept(template: Template) -> list[Part]:
    return [part for part in parts_of(template.body) if not part.optional]
