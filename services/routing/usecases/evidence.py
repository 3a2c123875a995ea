"""Sealing what was handed over and answered, after the fact; giving it away as a file; the keys.

The file is lines of JSON: a head with the public keys, the records, and an end that is signed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.evidence import (
    CITY,
    FORMAT,
    SALT_BYTES,
    Given,
    Key,
    canonical,
    sealed,
)
from services.routing.domain.refusals import SIGNATURE_KEY, SIGNATURE_WRONG, Refusal
from services.routing.domain.signing import NoSuchKey, Signer, as_text, draw, key_id, read_public
from services.routing.domain.submission import Sent, digest_of
from services.routing.storage import evidence
from shared.database import Store, UnitOfWork
from shared.kernel.clock import format_instant
from shared.kernel.errors import Fault, InvalidInput, SettingsError
from shared.log import get
from shared.settings import Settings
from shared.web.security import kept

_SETTING: Final = "LIENTHONG_EVIDENCE_KEY"
TYPE: Final = "application/jsonl; charset=utf-8"
_log = get("evidence")


def signer_of(settings: Settings) -> Signer:
    """The city's private key: the setting, else one made once in the data folder.

    SettingsError where it is none, or where none can be kept.
    """
    pem = settings.evidence_key or kept(settings, _SETTING, "evidence.key", draw)
    try:
        return Signer(pem)
    except NoSuchKey as wrong:
        raise SettingsError(
            f"{_SETTING}: {wrong}; make one: openssl genpkey -algorithm ed25519",
            vi=f"{_SETTING}: không phải khóa Ed25519 dạng PEM không mật khẩu.",
        ) from None


# --- sealing --------------------------------------------------------------------------------------


def seal(store: Store, signer: Signer, agencies: Collection[str]) -> int:
    """Seal what is not sealed yet of these agencies; how many records.

    Nothing where the key of this process was followed by a newer one: its holder seals.
    """
    with store.read() as connection:
        late = evidence.behind(connection, agencies)
    return sum(_seal_all(store, signer, agency) for agency in late)


def _seal_all(store: Store, signer: Signer, agency: str) -> int:
    total = 0
    while done := _seal_some(store, signer, agency):
        total += done
    return total


def _seal_some(store: Store, signer: Signer, agency: str) -> int:
    with store.begin() as uow:
        key = evidence.holding(uow.connection, signer.key)
        if key is None:
            key = _begin(uow, signer)
        if key.until is not None:
            _log.error("evidence.key_ended", key=key.key)
            return 0
        begun = head = evidence.head_of(uow.connection, agency)
        made = []
        for what in evidence.news(uow.connection, begun):
            record = sealed(head, what, signer, secrets.token_bytes(SALT_BYTES), uow.now)
            head = replace(head, number=record.number, digest=record.digest)
            made.append(record)
        if made:
            evidence.keep(uow.connection, made, begun)
    if made:
        # Whoever keeps this line elsewhere can prove that the chain was not made anew.
        _log.info("evidence.sealed", agency=agency, number=head.number, digest=head.digest)
    return len(made)


def begin_key(store: Store, signer: Signer) -> None:
    """Let this key be known as the city's, so that its public half can be given away."""
    with store.begin() as uow:
        if evidence.holding(uow.connection, signer.key) is None:
            _begin(uow, signer)


def _begin(uow: UnitOfWork, signer: Signer) -> Key:
    """The key is new here: it signs from now on, the one before it no more."""
    for each in evidence.keys(uow.connection, CITY):
        if each.until is None:
            evidence.put_key(uow, replace(each, until=uow.now))
    key = Key(CITY, signer.key, signer.public, uow.now)
    evidence.put_key(uow, key)
    return key


# --- giving away ----------------------------------------------------------------------------------


def catch_up(store: Store, signer: Signer, agency: str) -> None:
    """What a file of this agency needs: the key that signs its end, and all that has just happened."""
    begin_key(store, signer)
    seal(store, signer, [agency])


def lines(
    connection: sa.Connection,
    signer: Signer,
    agency: str,
    now: datetime,
    *,
    during: tuple[datetime | None, datetime | None] = (None, None),
    stretch: tuple[int, int] | None = None,
    salts: bool = False,
) -> Iterator[str]:
    """The file of an agency's chain, of what happened in that time (UTC) and what lies between.

    `stretch`: of the records of these numbers, whenever it happened. `salts`: with what lets its
    reader match a message or an answer that he has with its record.
    """
    first, last = stretch or evidence.span(connection, agency, *during) or (1, 0)
    keys = [told(each) for each in evidence.keys(connection, CITY, agency)]
    head = {"evidence": FORMAT, "agency": agency, "made_at": format_instant(now), "keys": keys}
    yield _line(head)
    digest = ""
    for row in evidence.records(connection, agency, first, last):
        digest = row.digest
        line = {
            "record": json.loads(bytes(row.core)),
            "signature": as_text(bytes(row.signature)),
            "timestamp": None if row.token is None else as_text(bytes(row.token)),
        }
        salted = salts and row.salt is not None
        yield _line(line | ({"salt": as_text(bytes(row.salt))} if salted else {}))
    end = {
        "agency": agency,
        "first": first,
        "last": last,
        "digest": digest,
        "made_at": format_instant(now),
        "key": signer.key,
    }
    yield _line({"end": end, "signature": as_text(signer.sign(canonical(end)))})


def page(
    connection: sa.Connection, signer: Signer, agency: str, now: datetime, after: int, limit: int
) -> tuple[list[Any], int, bool]:
    """The lines of a file of the records after a number, the last one's number, and whether more come."""
    there = evidence.head_of(connection, agency).number
    last = min(there, after + limit)
    stretch = (after + 1, last) if last > after else (1, 0)
    made = lines(connection, signer, agency, now, stretch=stretch)
    return [json.loads(line) for line in made], max(last, after), last < there


def _line(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def told(key: Key) -> dict[str, Any]:
    """A public key as the file and the list of keys have it."""
    return {
        "owner": key.owner or "city",
        "key": key.key,
        "public": as_text(key.public),
        "since": format_instant(key.since),
        "until": None if key.until is None else format_instant(key.until),
    }


# --- keys of agencies -----------------------------------------------------------------------------


def add_key(uow: UnitOfWork, agency: str, pem: str) -> Key:
    """Let this agency sign by this key from now on, beside those it has; InvalidInput for no key."""
    try:
        public = read_public(pem)
    except NoSuchKey as wrong:
        vi = "Tệp này không phải khóa công khai Ed25519 dạng PEM."
        raise InvalidInput([Fault("file", vi, f"{wrong}")]) from None
    known = {each.key: each for each in evidence.keys(uow.connection, agency)}
    made = known.get(key_id(public)) or Key(agency, key_id(public), public, uow.now)
    evidence.put_key(uow, replace(made, until=None))
    return made


def end_key(uow: UnitOfWork, agency: str, key: str) -> Key:
    """Take no answer any more that is signed by this key; InvalidInput where there is none."""
    for each in evidence.keys(uow.connection, agency):
        if each.key == key and each.until is None:
            evidence.put_key(uow, replace(each, until=uow.now))
            return each
    vi = "Cơ quan không có khóa đang dùng mang mã này."
    raise InvalidInput([Fault("key", vi, "the agency has no key of this id in use")])


def checked(uow: UnitOfWork, sent: Sent, fields: Mapping[str, Any], at: datetime) -> Sent:
    """The answer with its signature, or its refusal in its place where that does not hold.

    `fields` as they were sent; `at` is when the city took it (UTC). Without a signature it stays.
    """
    if isinstance(sent.answer, Refusal):
        return sent
    text = getattr(sent.answer, "signature", None)
    if text is None:
        return sent
    agency, answer_id, task = sent.key
    given = Given.read(text)
    if given is None or not (evidence.is_plain(answer_id) and evidence.is_plain(task)):
        return _unsigned(sent, SIGNATURE_WRONG, text)
    public = next(
        (
            each.public
            for each in evidence.keys(uow.connection, agency)
            if each.key == given.key and each.held(at)
        ),
        None,
    )
    if public is None:
        return _unsigned(sent, SIGNATURE_KEY, text)
    found = given.digest(task, fields)
    if not given.by(public, (agency, answer_id, task, sent.kind), found):
        return _unsigned(sent, SIGNATURE_WRONG, text)
    return replace(sent, signature=given.kept(found))


def _unsigned(sent: Sent, refusal: Refusal, text: str) -> Sent:
    """Refused under a digest of its own: the same answer, well signed, is not this one."""
    return replace(sent, answer=refusal, digest=digest_of(sent.digest, text))
