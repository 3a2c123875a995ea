"""What may be the sign-in name, the name and the password of somebody who works here.

A password is told apart after NFKC, so that the same keys mean the same on every machine (macOS and
some Vietnamese input methods type decomposed letters); nothing else of it is changed. Rules as in
NIST SP 800-63B: length counts, no mixture is asked for, what everybody tries is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from shared.kernel.errors import Fault
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.text import unaccent

SHORTEST: Final = 10
#: Letters of a password; a longer one is nobody's, and is not hashed for its length.
LONGEST: Final = 200
LONGEST_NAME: Final = 100
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_TRIED_BY_ALL: Final = frozenset({
    "0123456789", "1234567890", "12345678910", "123456789a", "1q2w3e4r5t", "abc1234567",
    "anhyeuem123", "matkhau123", "matkhau1234", "motcua1234", "motcua12345", "password12",
    "password123", "password1234", "passw0rd123", "qwertyuiop", "qwerty12345", "qwerty123456",
    "vietnam123", "vietnam1234", "vietnam2026", "caolanh123", "dongthap123", "lienthong123",
    "lienthong1",
})  # fmt: skip


def fold_login(text: str) -> str | None:
    """A sign-in name as it is kept; None for what can be nobody's."""
    folded = fold_wide(tidy(text[:200])).lower()
    return folded if _LOGIN.fullmatch(folded) else None


def fold_password(text: str) -> str | None:
    """A password as it is hashed; None for what can be nobody's."""
    if len(text) > LONGEST:
        return None
    folded = unicodedata.normalize("NFKC", text)
    return folded if folded and len(folded) <= LONGEST else None


def faults_of_password(text: str, login: str, name: str) -> list[Fault]:
    """What is wrong with a password that somebody wants to have."""
    folded = fold_password(text)
    if folded is None or len(folded) < SHORTEST:
        vi = f"Mật khẩu có từ {SHORTEST} đến {LONGEST} ký tự."
        return [Fault("password_new", vi, f"must have {SHORTEST} to {LONGEST} letters")]
    if any(unicodedata.category(letter) == "Cc" for letter in folded):
        vi = "Mật khẩu chứa ký tự không gõ được."
        return [Fault("password_new", vi, "holds letters that cannot be typed")]
    plain = _plain(folded)
    own = {_plain(login), _plain(name)}
    if plain in _TRIED_BY_ALL or plain in own or len(set(plain)) < 4:
        vi = "Mật khẩu này ai cũng đoán ra. Hãy ghép vài từ không liên quan, ví dụ một câu ngắn."
        return [Fault("password_new", vi, "too easy to guess")]
    return []


def _plain(text: str) -> str:
    return unaccent(text).replace(" ", "").lower()


def faults_of_person(login: str, name: str) -> list[Fault]:
    """What is wrong with the names of a new account."""
    faults = []
    if fold_login(login) is None:
        vi = "Tên đăng nhập gồm 2 đến 40 chữ thường không dấu, số, dấu . _ -"
        faults.append(Fault("login", vi, "must be 2 to 40 of a-z 0-9 . _ -"))
    tidied = tidy(name)
    if not tidied or len(tidied) > LONGEST_NAME or not tidied.isprintable():
        vi = f"Họ tên có từ 1 đến {LONGEST_NAME} ký tự, trên một dòng."
        faults.append(Fault("name", vi, f"must have 1 to {LONGEST_NAME} letters on one line"))
    return faults
