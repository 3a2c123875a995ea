"""Webhooks to agencies: addresses, secrets, signatures, and what becomes of a failure. No I/O.

Signatures are those of Standard Webhooks 1.0.0 (symmetric, `v1`).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from shared.events.agencies import TaskAnswerRefused, TaskCancelled, TaskChanged
from shared.events.event import Event, kind_of
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.retry import RetryPolicy

_NOTICES: Final[tuple[type[Event], ...]] = (TaskChanged, TaskCancelled, TaskAnswerRefused)
#: What an agency may choose not to be sent, by its name there; an assigned task always is.
NOTICES: Final = {kind.name.removeprefix("task."): kind.type for kind in map(kind_of, _NOTICES)}
#: 5 s, 15 s, 45 s … at most every three hours, for a day from the first failure on.
RETRIES: Final = RetryPolicy(max_attempts=1000, first=5.0, factor=3.0, cap=3 * 3600.0)
GIVE_UP: Final = timedelta(hours=24)
#: The longest pause that an agency may ask for (Retry-After).
LONGEST_ASKED: Final = timedelta(hours=1)
#: For so long an old secret still signs beside a new one.
GRACE: Final = timedelta(hours=24)
#: For so long a process may send to an agency without saying that it still does.
LEASE: Final = timedelta(seconds=120)
BY_HAND: Final = "by hand"
WELL: Final = "ok"  # what a trial came to
GONE: Final = "http 410"
_LONGEST_URL: Final = 500
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Secret:
    """One generation: what it is drawn from, and until when it signs beside a newer one (UTC)."""

    nonce: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """How an agency is reached; `last` is the last number of its stream. Instants in UTC.

    `cursor`: the last that it acknowledged; `paused` says why nothing is sent, None while it is.
    """

    agency: str
    url: str
    skips: tuple[str, ...]
    secrets: tuple[Secret, ...]
    paused: str | None
    since: datetime
    cursor: int
    attempts: int = 0
    failing_since: datetime | None = None
    failure: str | None = None
    next_at: datetime | None = None
    held_until: datetime | None = None
    delivered: int = 0
    failed: int = 0
    delivered_at: datetime | None = None
    trial_asked_at: datetime | None = None
    trial_at: datetime | None = None
    trial: str | None = None
    last: int = 0

    def due(self, now: datetime) -> datetime | None:
        """When something is to be sent, None for nothing; `now` is the time of all of these."""
        if self.trial_asked_at is None and (self.paused is not None or self.last <= self.cursor):
            return None
        planned = None if self.trial_asked_at else self.next_at
        # What lies farther off than anything is planned was written before the clock was put back.
        later = ((planned, RETRIES.beyond(now)), (self.held_until, now + LEASE))
        return max((at for at, most in later if at is not None and at <= most), default=now)

    def goes(self, kind: str) -> bool:
        """Whether messages of this wire type are sent."""
        return kind not in {NOTICES[name] for name in self.skips if name in NOTICES}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: `failure` is None where the agency has it, else a word of ours.

    `wait` is what it asked for by Retry-After.
    """

    failure: str | None = None
    wait: timedelta | None = None


def failed(hook: Webhook, outcome: Outcome, now: datetime) -> Webhook:
    """After a failure: when it is tried again, or paused after a day, or at once where it is gone."""
    since, attempts = hook.failing_since or now, hook.attempts + 1
    tried = replace(
        hook,
        attempts=attempts,
        failing_since=since,
        failure=outcome.failure,
        failed=hook.failed + 1,
        next_at=None,
    )
    if outcome.failure == GONE or now >= since + GIVE_UP:
        return replace(tried, paused=outcome.failure, since=now)
    pause = RETRIES.pause(attempts, hook.agency)
    asked = min(outcome.wait or timedelta(), LONGEST_ASKED)
    return replace(tried, next_at=min(now + max(pause, asked), since + GIVE_UP))


def begun_anew(hook: Webhook) -> Webhook:
    """As if nothing had failed: tried at once, by whoever comes first."""
    return replace(hook, attempts=0, failing_since=None, failure=None, next_at=None)


# --- secrets and signatures ---------------------------------------------------------------------


def renewed(secrets: Iterable[Secret], nonce: str, now: datetime) -> tuple[Secret, ...]:
    """The generations with a new one first; the one before it signs on for a while, others end."""
    kept = [replace(each, until=now + GRACE) for each in secrets if each.until is None]
    return (Secret(nonce), *kept)


def secret_of(key: str, agency: str, nonce: str) -> str:
    """The text that the agency is given: drawn from the city's own secret, and kept nowhere."""
    drawn = hmac.digest(key.encode(), f"webhook\0{agency}\0{nonce}".encode(), "sha256")
    return f"whsec_{base64.b64encode(drawn).decode()}"


def headers(key: str, hook: Webhook, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of one request, signed by every secret that holds now."""
    stamp = str(int(now.timestamp()))
    holding = [each for each in hook.secrets if each.until is None or each.until > now]
    signed = (
        sign(secret_of(key, hook.agency, each.nonce), message_id, stamp, body) for each in holding
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signed),
    }


def sign(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """One signature as Standard Webhooks has it; `secret` as it is given to the agency."""
    told = b".".join((message_id.encode(), stamp.encode(), body))
    made = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), told, "sha256")
    return f"v1,{base64.b64encode(made).decode()}"


# --- addresses ----------------------------------------------------------------------------------


def check_url(text: str, *, loopback: bool) -> str:
    """The address as it is kept; InvalidInput says what is wrong with it.

    `loopback`: this machine alone may be named, and without TLS (for tests).
    """
    url = text.strip()
    try:
        parts = urlsplit(url) if url.isascii() and url.isprintable() and " " not in url else None
        host, port = (parts.hostname or "", parts.port) if parts else ("", None)
    except ValueError:
        parts, host, port = None, "", None
    if parts is None or not host or port == 0 or len(url) > _LONGEST_URL:
        raise _wrong("Hãy ghi đủ, ví dụ https://coquan.gov.vn/webhook.", "not such an address")
    if parts.username is not None or parts.fragment:
        raise _wrong("Không ghi tên, mật khẩu hoặc # trong địa chỉ.", "no user, password or #")
    literal = _literal(host)
    at_home = loopback and (host == "localhost" or (literal is not None and literal.is_loopback))
    if parts.scheme != "https" and not (parts.scheme == "http" and at_home):
        raise _wrong("Phải bắt đầu bằng https://.", "https alone")
    if not at_home and (host == "localhost" or (literal and not is_public(literal))):
        raise _wrong(
            "Đây là địa chỉ mạng nội bộ: hãy ghi địa chỉ trên Internet.",
            "an address of a private network",
        )
    return url


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address lies on the public Internet, whatever IPv4 address an IPv6 one wraps."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _wrong(vi: str, en: str) -> InvalidInput:
    return InvalidInput([Fault("url", vi, f"the webhook's address: {en}")])


def check_skips(given: Iterable[str]) -> tuple[str, ...]:
    """The kinds of notices that are not sent, each once; InvalidInput for whatever is none."""
    skips = tuple(sorted(set(given)))
    if any(each not in NOTICES for each in skips):
        known = ", ".join(NOTICES)
        vi = f"Chỉ có thể không nhận: {known}. Việc được giao thì luôn gửi."
        raise InvalidInput([Fault("skips", vi, f"one of {known}; assigned tasks are always sent")])
    return skips
