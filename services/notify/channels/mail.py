"""How a letter becomes an e-mail; used by the file channel (.eml) and by SMTP.

Written by hand, so that the same letter is the same bytes on every Python, and no field of it can
begin a header: line breaks and controls are gone before anything is put together.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final

from services.notify.channels.words import mailbox, one_line, phrase_as_it_is, unstructured
from services.notify.domain.delivery import Letter
from shared.kernel.clock import to_vn
from shared.kernel.errors import SettingsError

# An address that every mail server takes (RFC 5321, without quoted names and UTF-8).
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_LONGEST_ADDRESS: Final = 254
_LONGEST_NAME: Final = 100
_SETTING: Final = "LIENTHONG_MAIL_FROM"
_PLAIN: Final = 'Content-Type: text/plain; charset="utf-8"'
_HTML: Final = 'Content-Type: text/html; charset="utf-8"'
_BASE64: Final = "Content-Transfer-Encoding: base64"
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="max-width:40em;margin:1em;font-family:sans-serif;font-size:16px;line-height:1.5">
{body}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class MailFrom:
    """Who writes: the address, and the name that is shown (empty: none)."""

    name: str
    address: str


def is_address(text: str) -> bool:
    """Whether a mail server can be asked to bring something there."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def parse_mail_from(text: str) -> MailFrom:
    """Reads `mot-cua@example.vn` or `Một cửa, Cao Lãnh <mot-cua@example.vn>`, with or without quotes.

    SettingsError says what is wrong with it.
    """
    name, bracket, rest = text.strip().rpartition("<")
    address, _, behind = rest.partition(">") if bracket else (rest.strip(), "", "")
    if not is_address(address) or behind:
        raise SettingsError(
            f"{_SETTING}: write an address in ASCII, alone or behind a name, for example "
            "Một cửa Cao Lãnh <mot-cua@example.vn>",
            vi=f"{_SETTING}: hãy ghi một địa chỉ không dấu, đứng riêng hoặc sau tên, ví dụ "
            "Một cửa Cao Lãnh <mot-cua@example.vn>.",
        )
    shown = _unquoted(name.strip())
    if len(shown) > _LONGEST_NAME or shown != one_line(shown):
        raise SettingsError(
            f"{_SETTING}: the name has more than {_LONGEST_NAME} characters or one that cannot be "
            "seen",
            vi=f"{_SETTING}: tên dài quá {_LONGEST_NAME} ký tự hoặc có ký tự không hiển thị được.",
        )
    return MailFrom(shown, address)


def _unquoted(name: str) -> str:
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def on_the_wire(letter: Letter, sender: MailFrom, more: Sequence[str] = ()) -> bytes:
    """The letter for any mail server: ASCII alone, no long line, CRLF; without the final dot.

    To a citizen as text and as HTML that says the same and fetches nothing; `more` are headers.
    """
    head = [
        *_head(letter, sender),
        mailbox("From", sender.name, sender.address),
        unstructured("Subject", letter.subject),
        *more,
    ]
    text = [_PLAIN, _BASE64, "", _encoded(letter.body)]
    if letter.to_citizen:
        # No line of base64 begins like this.
        mark = f"=_{_mark(letter)}"
        page = [_HTML, _BASE64, "", _encoded(as_html(letter))]
        parts = [f"--{mark}", *text, f"--{mark}", *page, f"--{mark}--", ""]
        text = [f'Content-Type: multipart/alternative; boundary="{mark}"', "", *parts]
    return "\r\n".join([*head, *text]).encode("ascii", "replace")


def as_html(letter: Letter) -> str:
    """The text as a page: paragraphs and lines, everything in it escaped."""
    body = re.sub("\r\n|\r", "\n", letter.body).strip()
    said = (html.escape(each.strip()) for each in re.split("\n{2,}", body))
    paragraphs = "\n".join(f"<p>{each}</p>" for each in said).replace("\n", "<br>\n")
    return _PAGE.format(
        language=html.escape(letter.language or "vi"),
        title=html.escape(one_line(letter.subject)),
        body=paragraphs.replace("</p><br>", "</p>"),
    )


def _encoded(text: str) -> str:
    lines = re.sub("\r\n|\r|\n", "\r\n", text).encode("utf-8", "replace")
    return base64.encodebytes(lines).decode("ascii").replace("\n", "\r\n")


def for_eyes(letter: Letter, sender: MailFrom, more: Sequence[str] = ()) -> bytes:
    """The letter as a file that reads as it is and that a mail program opens."""
    name = phrase_as_it_is(sender.name)
    head = [
        *_head(letter, sender),
        f"From: {name} <{sender.address}>" if name else f"From: {sender.address}",
        f"Subject: {one_line(letter.subject)}",
        *more,
        _PLAIN,
        "Content-Transfer-Encoding: 8bit",
    ]
    return "\n".join([*head, "", letter.body]).encode("utf-8", "replace")


def _head(letter: Letter, sender: MailFrom) -> list[str]:
    """What both have: Message-ID and Date are the letter's own, however often it is sent."""
    return [
        f"Message-ID: <{_mark(letter)}@{sender.address.rpartition('@')[2]}>",
        f"Date: {format_datetime(to_vn(letter.made_at))}",
        f"To: {one_line(letter.to)}",
        # Notices of a public body: no auto-replies, please (RFC 3834).
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ]


def _mark(letter: Letter) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", letter.id)[:60]
