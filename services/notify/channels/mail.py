"""How a letter becomes an e-mail; used by the file channel (.eml) and by SMTP."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from services.notify.domain.delivery import Letter
from shared.kernel.clock import to_vn


def mail_of(letter: Letter, mail_from: str) -> EmailMessage:
    """The same letter always gives the same bytes: its Message-ID and Date are its own."""
    name, address = parseaddr(mail_from)
    user, _, domain = address.rpartition("@")
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{letter.id}@{domain or 'localhost'}>"
    mail["Date"] = format_datetime(to_vn(letter.made_at))
    mail["From"] = Address(name, user, domain) if user else mail_from
    mail["To"] = letter.to
    mail["Subject"] = " ".join(letter.subject.split())
    # Notices of a public body: no auto-replies, please (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.body, charset="utf-8", cte="base64")
    return mail
