"""E-mails as bytes: headers that every reader can read, the same on every Python."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.file import FileChannel
from services.notify.channels.mail import MailFrom, for_eyes, on_the_wire
from services.notify.channels.words import mailbox, one_line, unstructured
from services.notify.domain.delivery import Letter

CITY = MailFrom("Một cửa, Cao Lãnh", "mot-cua@caolanh.example")

GOLDEN = {
    "Ho so 000.00.15 da duoc tiep nhan": "Subject: Ho so 000.00.15 da duoc tiep nhan",
    "Hồ sơ 000.21.87.H20-220314-0002 đã được tiếp nhận": (
        "Subject: =?utf-8?b?SOG7kyBzxqEgMDAwLjIxLjg3LkgyMC0yMjAzMTQtMDAwMiDEkcOj?=\r\n"
        " =?utf-8?b?IMSRxrDhu6NjIHRp4bq/cCBuaOG6rW4=?="
    ),
    "Xin lỗi: hồ sơ của Ông/Bà trễ hẹn, hẹn lại 09:00 ngày 14/03/2022 – mong Ông/Bà thông cảm": (
        "Subject: =?utf-8?b?WGluIGzhu5dpOiBo4buTIHPGoSBj4bunYSDDlG5nL0LDoCB0cg==?=\r\n"
        " =?utf-8?b?4buFIGjhurluLCBo4bq5biBs4bqhaSAwOTowMCBuZ8OgeSAxNC8wMy8yMDIy?=\r\n"
        " =?utf-8?b?IOKAkyBtb25nIMOUbmcvQsOgIHRow7RuZyBj4bqjbQ==?="
    ),
    "no =?word?= of ours": "Subject: =?utf-8?b?bm8gPT93b3JkPz0gb2Ygb3Vycw==?=",
    "two\r\nBcc: x@y.vn\n\nlines": "Subject: two Bcc: x@y.vn lines",
    "": "Subject: ",
}
SENDERS = {
    ("", "a@x.vn"): "From: a@x.vn",
    ("Mot cua", "a@x.vn"): "From: Mot cua <a@x.vn>",
    ('P. 1, "A"', "a@x.vn"): 'From: "P. 1, \\"A\\"" <a@x.vn>',
    ("Một cửa, Cao Lãnh", "mot-cua@caolanh.example"): (
        "From: =?utf-8?b?TeG7mXQgY+G7rWEsIENhbyBMw6NuaA==?= <mot-cua@caolanh.example>"
    ),
    ("Bộ phận tiếp nhận và trả kết quả Phường Cao Lãnh", "mot-cua@caolanh.example"): (
        "From: =?utf-8?b?QuG7mSBwaOG6rW4gdGnhur9wIG5o4bqtbiB2w6AgdHLhuqMga+G6v3Qg?=\r\n"
        " =?utf-8?b?cXXhuqMgUGjGsOG7nW5nIENhbyBMw6NuaA==?= <mot-cua@caolanh.example>"
    ),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_a_subject_is_written_to_the_letter_as_it_was_on_the_first_day(text: str):
    assert unstructured("Subject", text) == GOLDEN[text]


@pytest.mark.parametrize("sender", SENDERS)
def test_a_sender_is_written_to_the_letter_as_it_was_on_the_first_day(sender: tuple[str, str]):
    assert mailbox("From", *sender) == SENDERS[sender]


def decoded(header: str) -> str:
    """An independent reader of RFC 2047: each word stands for itself, space between two is nothing."""
    lines = header.split("\r\n")
    assert all(len(line) <= 76 for line in lines), header
    assert all(line.startswith(" ") for line in lines[1:]), header
    text = "".join(lines)
    text = re.sub(r"(\?=)\s+(?==\?)", r"\1", text)

    def word(found: re.Match[str]) -> str:
        assert len(found[0]) <= 75, found[0]
        return base64.b64decode(found[1], validate=True).decode("utf-8")  # whole characters

    return re.sub(r"=\?utf-8\?b\?([^?]*)\?=", word, text)


TEXTS = st.text(max_size=200) | st.text(
    alphabet='aăâđêôơưáàảãạ =?_,.<>"\\\r\n\u200b😀', max_size=200
)


@given(TEXTS)
def test_any_subject_is_read_as_it_was_meant(text: str):
    header = unstructured("Subject", text)
    assert header.isascii()
    plain = one_line(text)
    assert decoded(header) == f"Subject: {plain}"
    parsed = email.message_from_string(f"{header}\r\n\r\n", policy=email.policy.compat32)
    parts = email.header.decode_header(parsed["Subject"])
    joined = "".join(p.decode(c or "ascii") if isinstance(p, bytes) else p for p, c in parts)
    assert joined == plain


@given(TEXTS)
def test_any_name_of_a_sender_is_read_as_it_was_meant(text: str):
    header = mailbox("From", text, CITY.address)
    plain = one_line(text)
    said = decoded(header)
    assert said.endswith(f"{CITY.address}>" if plain else f" {CITY.address}")
    parsed = email.message_from_string(f"{header}\r\n\r\n", policy=email.policy.default)
    assert [address.addr_spec for address in parsed["From"].addresses] == [CITY.address]
    name = said.removeprefix("From: ").removesuffix(f"<{CITY.address}>").rstrip(" ")
    if "=?" not in header and name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    assert name == (plain or CITY.address)


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=40))
def test_no_field_of_a_letter_begins_a_header_or_ends_the_text(subject: str, body: str, mark: str):
    at = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
    letter = Letter(mark, "email", f"a@x.vn{mark}", subject, body, at)
    raw = on_the_wire(letter, CITY)
    head, _, text = raw.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] != b" "]
    assert names == [
        b"Message-ID", b"Date", b"To", b"Auto-Submitted", b"MIME-Version",
        b"From", b"Subject", b"Content-Type", b"Content-Transfer-Encoding",
    ]  # fmt: skip
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert not [line for line in lines if b"\r" in line or b"\n" in line or line.startswith(b".")]
    meant = re.sub("\r\n|\r|\n", "\r\n", body).encode("utf-8", "replace")
    assert base64.b64decode(text) == meant
    assert for_eyes(letter, CITY).partition(b"\n\n")[0].count(b"\n") == 8


def test_a_letter_of_odd_characters_is_written_all_the_same(tmp_path: Path):
    at = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
    letter = Letter("m-1", "email", "a@x.vn", "nửa \ud800 ký tự\x00", "\ud800\x00 hết", at)
    for raw in (on_the_wire(letter, CITY), for_eyes(letter, CITY)):
        assert email.message_from_bytes(raw, policy=email.policy.default)["Subject"] == "nửa ký tự"
    for kind in ("sms", "email"):
        list(FileChannel(tmp_path, kind, CITY).send([letter]))
    assert len(list(tmp_path.iterdir())) == 2
