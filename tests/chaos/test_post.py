"""The mail server of a chaos run: what it logs as kept is what it kept, whatever its temper was."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

from simulation.chaos.mail import KEPT, TEMPERS, Post


def _hand_over(post: Post, number: int) -> str:
    """What the sender knows in the end: `sent`, or the name of what happened."""
    letter = EmailMessage()
    letter["Message-ID"], letter["Subject"] = f"<m-{number}@example.vn>", "Hồ sơ"
    letter["To"], letter["From"] = f"nobody{number}@example.vn", "desk@example.vn"
    letter.set_content("Kính gửi\n.một dòng bắt đầu bằng dấu chấm\n" + "x" * 900)
    try:
        with smtplib.SMTP(*post.address, timeout=30) as line:
            line.send_message(letter)
    except smtplib.SMTPException as refused:
        return type(refused).__name__
    return "sent"


def test_the_log_tells_what_was_kept_and_what_the_sender_was_told(tmp_path: Path):
    with Post(tmp_path / "mail.jsonl", 5) as post:
        told = {f"m-{number}": _hand_over(post, number) for number in range(60)}
        logged = {each.id: each for each in post.seen()}
    assert {each.temper for each in logged.values()} >= KEPT - {"slow after the dot"}
    for name, said in told.items():
        if said == "sent":
            assert logged[name].kept
            assert logged[name].said == "250"
        elif name in logged and logged[name].kept:
            assert logged[name].said == "", "a letter that is kept was never refused"
    assert any(each.kept and not each.said for each in logged.values())
    assert len((tmp_path / "mail.jsonl").read_text().splitlines()) == len(logged)


def test_a_calm_server_takes_everything(tmp_path: Path):
    with Post(tmp_path / "mail.jsonl", 5) as post:
        post.calm_down()
        assert {_hand_over(post, number) for number in range(30)} == {"sent"}
        assert all(each.kept and each.whole for each in post.seen())
    assert set(TEMPERS) >= KEPT
