"""The pass of somebody who signed in: a signed cookie of five minutes that every door checks itself.

Intake alone gives passes out and renews them; whoever has the city's one secret can read them. A pass
names the person by an opaque id; the name that it carries never leaves the person's own browser.
Signed by HMAC-SHA256 (itsdangerous), with a salt of its own: no other cookie of ours is a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

from itsdangerous import BadData, URLSafeSerializer

from shared.identity.keys import Kind, Principal
from shared.kernel.clock import RealClock

Role = Literal["officer", "head", "agency", "leader", "operator"]
ROLES: Final = get_args(Role)
#: What each role opens: an officer and the head of an office the same desk.
KIND_OF: Final[dict[str, Kind]] = {
    "officer": "desk", "head": "desk", "agency": "agency", "leader": "leader",
    "operator": "operator",
}  # fmt: skip
#: A whole working day: a sign-in ends by itself after so long, in real time.
SIGNED_IN_FOR: Final = timedelta(hours=10)
LASTS: Final = timedelta(minutes=5)
#: From this age on intake gives out another with its answer.
RENEWED_AFTER: Final = timedelta(minutes=1)
#: How far the clocks of the doors may differ.
SKEW: Final = timedelta(seconds=90)
_SALT: Final = "lienthong.pass.1"
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that a person does, and where: the code of an office or agency, or `*`."""

    role: Role
    code: str

    @property
    def kind(self) -> Kind:
        """Which doors it opens."""
        return KIND_OF[self.role]


@dataclass(frozen=True, slots=True)
class Pass:
    """Who signed in (an opaque id), for which sign-in, and until when (UTC) that lasts at most."""

    person: str
    sign_in: str = field(repr=False)
    name: str = field(repr=False)
    places: tuple[Place, ...]
    made: datetime
    until: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Whether a door may believe it without asking intake."""
        return self.made - SKEW <= now < self.made + LASTS and now < self.until

    def place(self, kinds: Collection[str]) -> Place | None:
        """The first place of these kinds; the first of all where none is."""
        fitting = (each for each in self.places if each.kind in kinds)
        return next(fitting, self.places[0] if self.places else None)

    def principal(self, kinds: Collection[str]) -> Principal | None:
        """Who the person is at a door of these kinds."""
        place = self.place(kinds)
        if place is None:
            return None
        return Principal(place.kind, place.code, self.person, self.name, place.role)


class Passes:
    """Writes and reads passes with the city's secret."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def write(self, given: Pass) -> str:
        """The pass as a cookie holds it."""
        told = {
            "p": given.person,
            "s": given.sign_in,
            "n": given.name,
            "r": [[each.role, each.code] for each in given.places],
            "m": given.made.timestamp(),
            "u": given.until.timestamp(),
        }
        return str(self._signer.dumps(told))

    def read(self, text: str) -> Pass | None:
        """The pass, fresh or not; None for what we did not sign or cannot read."""
        if not text.isascii() or len(text) > _LONGEST:
            return None
        try:
            return _read(self._signer.loads(text))
        except (BadData, KeyError, TypeError, ValueError, OverflowError, OSError):
            return None


def _read(told: Any) -> Pass:
    return Pass(
        str(told["p"]),
        str(told["s"]),
        str(told["n"]),
        tuple(Place(role, str(code)) for role, code in told["r"] if role in ROLES),
        datetime.fromtimestamp(told["m"], UTC),
        datetime.fromtimestamp(told["u"], UTC),
    )


#: Whether a sign-in still holds, asked of intake's own ledger: the pass with its present places.
Holds = Callable[[Pass], Pass | None]


@dataclass(slots=True)
class Checkpoint:
    """How one door treats passes. `holds` is intake's alone: the others believe fresh passes.

    Time is the real one, whatever clock a city plays by: a cookie lives in a real browser.
    """

    passes: Passes
    cookie: str
    secure: bool
    holds: Holds | None = None
    now: Callable[[], datetime] = RealClock().now

    def seen(self, text: str | None) -> tuple[Pass | None, bool]:
        """The pass that a cookie is, if it counts here; and whether intake might renew it."""
        known = self.passes.read(text) if text else None
        if known is None or self.now() >= known.until:
            return None, False
        if self.holds is not None:
            return self.holds(known), False
        return (known, False) if known.is_fresh(self.now()) else (None, True)

    def wants_another(self, known: Pass) -> bool:
        """Whether intake should give out a new one with its answer."""
        return not -SKEW < self.now() - known.made < RENEWED_AFTER
