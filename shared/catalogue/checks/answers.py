"""What is answered to a citizen's SMS: words that fit one SMS, and orders that mean one thing."""

from __future__ import annotations

from typing import Final

from shared.catalogue.checks.messages import LINK, longest_values
from shared.catalogue.model import AnsweringRule, Words
from shared.catalogue.read import Folder, Found
from shared.catalogue.render import BrokenTemplate, render_sms
from shared.kernel.text import sms_segments, squeezed

_LONGEST: Final = {
    "status": "Yeu cau thuc hien nghia vu tai chinh",
    "about": "Khong con cho bo sung",
    "sent_at": "17:30 31/12/2099",
    "mark": "WWWWW",
}


def check_answers(folder: Folder) -> None:
    """Each version of the rule."""
    longest = longest_values(folder) | _LONGEST
    for found in folder.answering_rules:
        _check_orders(found)
        rule = found.value
        for name, words in (*rule.words.items(), *([("mark", rule.mark)] if rule.mark else [])):
            _check_words(found, name, words, longest)


def _check_orders(found: Found[AnsweringRule]) -> None:
    rule, seen = found.value, set[str]()
    if not rule.stop:
        found.entry.fault(
            "stop",
            en="a citizen must be able to end the messages: write stop: [STOP, TU CHOI]",
            vi="người dân phải ngừng được tin nhắn: hãy ghi stop: [STOP, TU CHOI]",
        )
    for key in ("stop", "start", "status", "genuine"):
        for word in getattr(rule, key):
            same = squeezed(word)
            if not same or same in seen:
                found.entry.fault(
                    key,
                    en=f"'{word}' has no letter, or stands twice: each means one thing",
                    vi=f"'{word}' không có chữ nào, hoặc ghi hai lần: mỗi từ chỉ một nghĩa",
                )
            seen.add(same)


def _check_words(
    found: Found[AnsweringRule], name: str, words: Words, longest: dict[str, str]
) -> None:
    rule = found.value
    for said in (words.vi, words.en):
        try:
            text = render_sms(said, longest)
        except BrokenTemplate as broken:
            found.entry.fault(name, en=broken.en, vi=broken.vi)
            continue
        ends = name == "mark"  # behind other words: nobody sends it back alone
        if not ends and squeezed(said).startswith(
            tuple(map(squeezed, (*rule.status, *rule.genuine)))
        ):
            found.entry.fault(
                name,
                en="begins with an order: a machine that sends it back would be answered again",
                vi="bắt đầu bằng từ lệnh: máy gửi lại câu này sẽ lại được trả lời",
            )
        if LINK.search(said):
            found.entry.fault(
                name,
                en="no link in a message, false ones are a common fraud",
                vi="không đặt đường dẫn trong tin nhắn vì dễ bị giả mạo",
            )
        if (size := sms_segments(text)).parts > 1:
            found.entry.fault(
                name,
                en=f"with the longest values this takes {size.units} characters: say it in 160",
                vi=f"với giá trị dài nhất, tin này dài {size.units} ký tự: hãy viết trong 160",
            )
