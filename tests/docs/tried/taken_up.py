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


def try_in(city: City, language: str) -> None:
    desk = city.desk(OFFICE)
    contact = {
        "name": "Nguyễn Thị Sáu",
        "phone": "0907100001",
        "email": "sau@example.vn",
        "language": language,
        "consent": {"sms": True, "email": True},
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
    assert sorted(each.channel for each in sent) == ["email", "sms"], "each once"
    texts = {each.channel: each.text or "" for each in sent}
    sms, mail = WORDS[language]
    assert sms in texts["sms"], texts["sms"]
    assert mail in texts["email"], texts["email"]
    titles = [each["title"] for each in desk.timeline(code)]
    assert titles.count("Công an Phường 1 bắt đầu giải quyết") == 1, titles
    assert "Đã báo công dân bằng tin nhắn: đang được giải quyết" in titles, titles
    assert "Hoa" not in "".join((*titles, *texts.values())), "an officer's name went out"
    assert desk.status(code) == 9


if __name__ == "__main__":
    with open_city(Path(sys.argv[1])) as opened:
        for spoken in WORDS:
            try_in(opened, spoken)
