"""What a gateway's answers and receipts mean, by its description. No network here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from services.notify.channels.http.described import Gateway, Proof, Receipts, Rule, Texts
from services.notify.domain.delivery import Busy, Failed, Result, Sent, Unknown
from services.notify.domain.incoming import LONGEST, Incoming
from services.notify.domain.receipts import Fate, Receipt, even

_MOST_RECEIPTS: Final = 1000
_MISSING: Final = object()


def result_of(gateway: Gateway, status: int, body: bytes | None) -> Result:
    """What became of a letter; `body` is None where it was too long to be read.

    What no rule of the description fits is not known to have failed, but for a status that says so.
    """
    told = _json(body)
    for rule in gateway.answers:
        if _fits(rule, status, told):
            return _meant(rule, status, told)
    reason = f"http: status {status}"
    # 408: too slow for its taste, and it may have read enough.
    if 300 <= status < 500 and status != 408:
        return Failed(reason)
    return Unknown(f"{reason}, an answer that no rule describes")


def _meant(rule: Rule, status: int, told: Any) -> Result:
    reason = f"http: status {status}, {rule.means}"
    if rule.means == "sent":
        reference = at(told, rule.reference) if rule.reference else None
        known = isinstance(reference, str | int) and 0 < len(str(reference)) <= 200
        return Sent((str(reference),) if known else ())
    if rule.means == "busy":
        return Busy(reason, rule.wait_seconds)
    return Failed(reason, permanent=rule.means == "final")


def _fits(rule: Rule, status: int, told: Any) -> bool:
    if rule.status and not any(_covers(str(each), status) for each in rule.status):
        return False
    return all(_is_one(at(told, place), words) for place, words in rule.where.items())


def _covers(span: str, status: int) -> bool:
    low, _, high = span.partition("-")
    return int(low) <= status <= int(high or low)


def at(value: Any, place: str) -> Any:
    """What stands at a dotted place, such as `data.0.id`; `_MISSING` where there is nothing."""
    for name in place.split("."):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def _is_one(value: Any, words: list[str | int | bool]) -> bool:
    return _plain(value) in {_plain(word) for word in words}


def _plain(value: Any) -> str | None:
    """As it stands in JSON: 0 and "0" are the same word, and so are true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None


def _json(body: bytes | None) -> Any:
    try:
        return None if body is None else json.loads(body)
    except (ValueError, RecursionError):
        return None


# --- call-backs ----------------------------------------------------------------------------------


def is_proved(
    proof: Proof, secrets: Mapping[str, str], path: str, header: str, body: bytes
) -> bool:
    """Whether the gateway itself calls; compared in constant time."""
    secret = secrets[proof.secret].encode()
    if proof.by == "path":
        return hmac.compare_digest(secret, path.encode("utf-8", "replace"))
    made = hmac.new(secret, body, getattr(hashlib, proof.digest)).digest()
    said = made.hex() if proof.encoding == "hex" else base64.b64encode(made).decode()
    given = header.removeprefix(proof.prefix).strip().encode("utf-8", "replace")
    if proof.encoding == "hex":
        given = given.lower()
    return hmac.compare_digest(said.encode(), given)


def receipts_of(receipts: Receipts, provider: str, body: bytes) -> list[Receipt] | None:
    """The receipts in a call-back; None where it cannot be read at all."""
    items = _items(receipts, body)
    if items is None:
        return None
    made = (_receipt(receipts, provider, each) for each in items)
    return [each for each in made if each is not None]


def texts_of(texts: Texts, provider: str, body: bytes) -> list[Incoming] | None:
    """What citizens wrote, in a call-back; None where it cannot be read at all."""
    items = _items(texts, body)
    if items is None:
        return None
    made = (_text(texts, provider, each) for each in items)
    return [each for each in made if each is not None]


def _text(texts: Texts, provider: str, told: Any) -> Incoming | None:
    sender, text = _plain(at(told, texts.sender)), at(told, texts.text)
    name = _plain(at(told, texts.id)) if texts.id else None
    if not sender or not isinstance(text, str):
        return None
    # No database keeps a NUL, or half a character.
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST]
    return Incoming(provider, sender[:40], clean, (name or "")[:200])


def _items(called: Receipts | Texts, body: bytes) -> list[Any] | None:
    if called.body == "form":
        try:
            told: Any = dict(parse_qsl(body.decode(), max_num_fields=1000))
        except ValueError:
            return None
    else:
        told = _json(body)
    found = at(told, called.items) if called.items else told
    items = found if isinstance(found, list) else [found]
    if not all(isinstance(each, Mapping) for each in items) or len(items) > _MOST_RECEIPTS:
        return None
    return items


def _receipt(receipts: Receipts, provider: str, told: Any) -> Receipt | None:
    """One; None where it says nothing that is described."""
    reference, state = _plain(at(told, receipts.reference)), at(told, receipts.state)
    fates = (
        (Fate.DELIVERED, receipts.delivered),
        (Fate.LOST, receipts.lost),
        (Fate.UNDERWAY, receipts.underway),
    )
    fate = next((fate for fate, words in fates if words and _is_one(state, words)), None)
    if fate is None or not reference or len(reference) > 200:
        return None
    to = _plain(at(told, receipts.to)) if receipts.to else None
    code = _plain(at(told, receipts.code)) if receipts.code else None
    words = " ".join(filter(None, (_plain(state), code)))
    return Receipt(provider, (even(reference),), fate, words[:60], (to or "")[:30])
