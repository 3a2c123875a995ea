"""Run in a tree with the event of docs/changing.md: the citizen reads it in either language."""

from __future__ import annotations

import sys
from pathlib import Path

from simulation.kit import City, open_city

OFFICE, PROCEDURE = "ubnd-phuong-1", "1.004194"
WORDS = {
    "vi": ("dang duoc Cong an Phuong 1 giai quyet", "Công an Phường 1 đang giải quyết hồ sơ"),
    "en": ("is being worked on: Cong an Phuong 1", "is working on your application"),
}


def try_in(city: City, language: str, channel: str) -> None:
    desk = city.desk(OFFICE)
    contact = {
        "name": "Nguyễn Thị Sáu",
        "phone": "0907100001",
        "email": "sau@example.vn",
        "language": language,
        "consent": {"sms": channel == "sms", "email": channel == "email"},
    }
    code = desk.submit(PROCEDURE, contact=contact).code
    city.rest()
    (police,) = city.agencies_of(PROCEDURE, OFFICE)
    with city.agency(police) as agency:
        (task,) = agency.tasks(code)
        agency.take(task.id, "Lê Thị Hoa")
        city.rest()
        agency.grant(task)
    city.rest()
    sent = [each for each in city.sent(code) if each.moment == "taken_up"]
    assert [each.channel for each in sent] == [channel], "once"
    text = sent[0].text or ""
    assert WORDS[language][("sms", "email").index(channel)] in text, text
    titles = [each["title"] for each in desk.timeline(code)]
    assert titles.count("Công an Phường 1 bắt đầu giải quyết") == 1, titles
    way = {"sms": "tin nhắn", "email": "thư điện tử"}[channel]
    assert f"Đã báo công dân bằng {way}: đang được giải quyết" in titles, titles
    assert "Hoa" not in "".join((*titles, text)), "an officer's name went out"
    assert desk.status(code) == 9


if __name__ == "__main__":
    with open_city(Path(sys.argv[1])) as opened:
        for spoken in WORDS:
            for way in ("sms", "email"):
                try_in(opened, spoken, way)
