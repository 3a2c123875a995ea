#!/usr/bin/env python3
"""Hands a letter that came back over to Liên Thông; run by the mail server, the mail on standard input.

Standard library alone, any Python from 3.8 on. Usage:

    return_mail.py https://motcua.example.vn/tin-nhan/thu-tra-lai /etc/lienthong/bounce_secret

Ends as sysexits.h has it, which Postfix, Exim and Sendmail understand: 0 taken, 75 try again later,
65 for a person to look at, 78 not set up.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
import urllib.error
import urllib.request
from pathlib import Path

DATA, AGAIN, CONFIG = 65, 75, 78
MOST = 256 * 1024  # the report stands before the letter that came back


def main(words: list[str]) -> int:
    """Bring the mail there; how it ended."""
    if len(words) != 3 or not words[1].startswith(("https://", "http://")):
        return CONFIG
    try:
        secret = Path(words[2]).read_text(encoding="utf-8").strip().encode()
    except OSError:
        return CONFIG
    mail = sys.stdin.buffer.read(MOST)
    signed = hmac.new(secret, mail, hashlib.sha256).hexdigest()
    head = {"Content-Type": "message/rfc822", "X-Signature": signed}
    try:
        asked = urllib.request.Request(words[1], data=mail, headers=head)  # noqa: S310 - see above
        with urllib.request.urlopen(asked, timeout=60):  # noqa: S310
            return 0
    except urllib.error.HTTPError as refused:
        # 404: a wrong address or secret. Kept by the mail server until it is mended.
        return DATA if refused.code in (400, 413, 415, 422) else AGAIN
    except (OSError, ValueError):
        return AGAIN


if __name__ == "__main__":
    sys.exit(main(sys.argv))
