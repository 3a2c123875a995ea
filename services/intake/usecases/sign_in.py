"""Signing in: the password, the second factor, how often each may be tried; signing out.

Every try is counted before it is looked at, right or wrong, known name or not (domain/guessing.py): the
next one waits, longer each time, and nobody is locked out for good. Who tries from a browser that
the person has signed in with before has a count of their own: strangers cannot make them wait.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import pyotp

from services.intake.domain.guessing import Allowance
from services.intake.domain.staff import fold_login
from services.intake.storage import guesses, staff
from services.intake.storage.staff import Person
from services.intake.usecases import passwords
from shared.database import Store, UnitOfWork
from shared.identity.callers import address_of, house_of
from shared.identity.passes import SIGNED_IN_FOR, Pass

#: Of a name, by whoever asks; a password of ten letters stands this for centuries.
OF_LOGIN: Final = Allowance(free=6, per_minute=0.5, longest=300.0)
#: A whole office may share an address, and all of it signs in at half past seven.
OF_ADDRESS: Final = Allowance(free=60, per_minute=20.0, longest=120.0)
#: Of a second factor: a million codes, of which three count at a time.
OF_CODE: Final = Allowance(free=5, per_minute=0.5, longest=300.0)
_STEP_SECONDS: Final = 30


def allowances(
    login: str, device: str | None, caller: str | None, secret: str
) -> dict[str, Allowance]:
    """What a try is counted under; names and addresses are kept as keyed digests only."""

    def kept(text: str) -> str:
        return hmac.digest(secret.encode(), text.encode("utf-8", "replace"), "sha256").hex()[:32]

    name = f"device {device}" if device else f"login {fold_login(login) or login[:200]}"
    found = {f"sign-in:{kept(name)}": OF_LOGIN}
    for where in {address_of(caller), house_of(caller)}:
        found[f"sign-in-from:{kept(where)}"] = OF_ADDRESS
    return found


def wait(store: Store, counted: Mapping[str, Allowance]) -> float:
    """Count a try; 0, or the seconds until the next one, which this was not."""
    waiting = guesses.wait_for(store, counted)
    return 0.0 if waiting is None else waiting[1]


def known(store: Store, login: str) -> Person | None:
    """The account of a sign-in name, disabled or not."""
    folded = fold_login(login)
    if folded is None:
        return None
    with store.query() as connection:
        return staff.by_login(connection, folded)


def check(person: Person | None, password: str) -> bool:
    """Whether the password opens this account; as slow for one that is not there."""
    right = passwords.is_password(password, person.hash if person is not None else None)
    return right and person is not None and person.disabled_at is None and bool(person.places)


def passed(store: Store, counted: Mapping[str, Allowance]) -> None:
    """A try was right: those of the name, or of its browser, are forgotten."""
    guesses.forget(store, [key for key in counted if key.startswith("sign-in:")])


def check_code(uow: UnitOfWork, person: Person, typed: str, now: datetime) -> bool:
    """Whether a code of the person's device, or a recovery code, is right; either counts once."""
    digits = "".join(letter for letter in typed[:40] if letter.isascii() and letter.isdigit())
    if person.totp and len(digits) == 6:
        step = matching_step(person.totp, digits, now)
        if step is not None and staff.use_step(uow.connection, person.id, step):
            return True
    left = passwords.used_recovery(typed[:40], person.recovery)
    if left is None:
        return False
    staff.change(uow.connection, person.id, recovery=left)
    return True


def matching_step(secret: str, digits: str, now: datetime) -> int | None:
    """The time step (RFC 6238) that the code is of: this one, or the one before or after."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // _STEP_SECONDS
    for each in (step, step - 1, step + 1):
        if hmac.compare_digest(totp.generate_otp(each), digits):
            return each
    return None


def enter(uow: UnitOfWork, person: Person, now: datetime) -> Pass:
    """The person is signed in from now, in real time; the pass to hand out."""
    sign_in, until = secrets.token_urlsafe(24), now + SIGNED_IN_FOR
    staff.begin(uow.connection, sign_in, person.id, now, until)
    return Pass(person.id, sign_in, person.name, person.places, now, until)


def leave(uow: UnitOfWork, shown: Pass, *, everywhere: bool = False) -> None:
    """This sign-in is over, or all of the person's."""
    if everywhere:
        staff.end_all(uow.connection, shown.person)
    else:
        staff.end(uow.connection, shown.sign_in)
