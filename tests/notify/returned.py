"""Mails as mail servers write them when a letter comes back. No test lives here."""

from __future__ import annotations

DSN = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: {path}
Message-ID: <{name}@mx.example.net>
Date: Mon, 14 Mar 2022 09:03:00 +0700
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Mon, 14 Mar 2022 09:00:00 +0700

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{to}>: no such user

--b1
Content-Type: text/rfc822-headers

Message-ID: <{letter}@example.vn>
To: {to}
Subject: 000.00.15.H20-220314-0001

--b1--
"""
#: Of a server that writes no fields: what came back stands in the text.
QMAIL = """\
Return-Path: <>
From: MAILER-DAEMON@old.example.net
To: {path}
Date: Mon, 14 Mar 2022 09:03:00 +0700
Subject: failure notice

Hi. This is the qmail-send program at old.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{to}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <mot-cua@example.vn>
Message-ID: <{letter}@example.vn>
To: {to}

...
"""
AWAY = """\
From: Nguyen Thi Sau <{to}>
To: {path}
Message-ID: <{name}@example.vn>
In-Reply-To: <{letter}@example.vn>
Subject: Out of office: 000.00.15.H20-220314-0001
Auto-Submitted: auto-replied
Content-Type: text/plain; charset=utf-8

I am away until Monday. Delivery of mail is not affected.
"""
PERSON = """\
From: Tran Van Ba <ba@example.vn>
To: {path}
Message-ID: <{name}@example.vn>
Subject: Hoi ve ho so
Content-Type: text/plain; charset=utf-8

Cho toi hoi ho so da xong chua?
"""
TO = "sau.nguyen@example.vn"


def written(words: str, letter: str, path: str = "tra-lai@example.vn", **changes: str) -> bytes:
    """One of these about a letter, as bytes on the wire."""
    values = {"to": TO, "action": "failed", "status": "5.1.1", "name": "n-1", **changes}
    return words.format(letter=letter, path=path, **values).replace("\n", "\r\n").encode()
