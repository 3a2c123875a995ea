"""Checking a file of evidence: the records that the city signed of what it handed over and was answered.

Needs the file and public keys, and nothing of the city: no database, no network. What is wrong is
told by record, in words. Needs `partner[sign]`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from partner.errors import PartnerError
from partner.signing import key_id, not_installed, statement

FORMAT = 1
CITY = "city"
SLACK = timedelta(hours=1)  # clocks of several machines differ by less than this
MOST_TOLD = 1000  # faults; a file that is no evidence at all has one in each line


class NoEvidence(PartnerError):
    """The text is no file of evidence, or no list of keys."""


class Fault(NamedTuple):
    """One thing that is wrong, in both languages."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and when it was in use."""

    owner: str
    key: str
    public: bytes
    since: datetime
    until: datetime | None

    def held(self, at: datetime) -> bool:
        """Whether it was in use then, as far as clocks agree."""
        return self.since - SLACK <= at and (self.until is None or at < self.until + SLACK)


@dataclass(slots=True)
class Verdict:
    """What a check found: which records of which agency, how many answers are signed, what is wrong.

    `unjudged`: signatures of an agency of which no key is known. `foreign` says whether the keys came from elsewhere than the file itself.
    """

    agency: str = ""
    first: int = 0
    last: int = 0
    records: int = 0
    answers: int = 0
    signed: int = 0
    unjudged: int = 0
    stamped: int = 0
    foreign: bool = False
    keys: list[Key] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    numbers: dict[int, tuple[str, bool]] = field(default_factory=dict)  # digest, whether it holds


def read_keys(told: Any) -> list[Key]:
    """Public keys as `lienthong evidence keys` writes them; NoEvidence where they are none."""
    try:
        found = [
            Key(
                owner=str(each["owner"]),
                key=str(each["key"]),
                public=base64.b64decode(each["public"], validate=True),
                since=_instant(each["since"]),
                until=None if each["until"] is None else _instant(each["until"]),
            )
            for each in told
        ]
    except (TypeError, KeyError, ValueError) as wrong:
        raise NoEvidence(
            "the public keys cannot be read", "không đọc được danh sách khóa công khai"
        ) from wrong
    for each in found:
        if key_id(each.public) != each.key:
            raise NoEvidence(
                f"the key {each.key} is not the one of that id", f"khóa {each.key} không đúng mã"
            )
    return found


def verify(lines: Iterable[bytes], trusted: Sequence[Key] | None = None) -> Verdict:
    """Check a file line by line; `trusted` are keys that are known otherwise than by the file.

    NoEvidence where it is none at all; every other fault is told in the verdict.
    """
    rows = iter(lines)
    head = _read(next(rows, b""))
    if head is None or head.get("evidence") != FORMAT:
        raise NoEvidence("this is no file of evidence", "đây không phải tệp bằng chứng")
    found = Verdict(agency=str(head.get("agency")), foreign=trusted is not None)
    found.keys = read_keys(head.get("keys")) if trusted is None else list(trusted)
    checking = _Checking(found)
    for number, raw in enumerate(rows, 2):
        for fault in checking.line(number, raw):
            if len(found.faults) < MOST_TOLD:
                found.faults.append(fault)
    found.faults += checking.whole()
    return found


class _Checking:
    """One file: each line against those before it, and all of it at the end."""

    def __init__(self, found: Verdict) -> None:
        self._found = found
        self._end: Mapping[str, Any] | None = None
        self._last = 0
        self._older: set[str] = set()  # keys that a newer one has followed
        self._key = ""

    def line(self, place: int, raw: bytes) -> Iterator[Fault]:
        line = _read(raw)
        if line is None or not isinstance(line.get("record") or line.get("end"), dict):
            yield Fault(f"dòng {place}: không đọc được", f"line {place}: cannot be read")
        elif self._end is not None:
            yield Fault(f"dòng {place}: đứng sau dòng kết", f"line {place}: stands after the end")
        elif "end" in line:
            self._end = line["end"]
            yield from self._closed(line)
        else:
            yield from self._record(place, line)

    # --- one record ---------------------------------------------------------------------------

    def _record(self, place: int, line: Mapping[str, Any]) -> Iterator[Fault]:
        record, found = line["record"], self._found
        number = record.get("number")
        if not isinstance(number, int):
            yield Fault(f"dòng {place}: không có số", f"line {place}: has no number")
            return
        faults = [*self._order(record, number), *self._signed(record, line, number)]
        core = _canonical(record)
        before, whole = found.numbers.get(number - 1, (None, False))
        if whole and not faults and record.get("before") != before:
            faults.append(_of(number, f"không nối tiếp bản ghi {number - 1}: một trong hai đã bị thay",
                f"does not follow record {number - 1}: one of the two was exchanged"))  # fmt: skip
        found.numbers.setdefault(number, (hashlib.sha256(core).hexdigest(), not faults))
        found.records += 1
        found.stamped += line.get("timestamp") is not None
        yield from faults
        yield from self._answer(record, number)

    def _order(self, record: Mapping[str, Any], number: int) -> Iterator[Fault]:
        if record.get("agency") != self._found.agency:
            yield _of(number, "thuộc cơ quan khác", "is of another agency")
        if number in self._found.numbers:
            yield _of(number, "có hai lần", "is there twice")
        elif number < self._last:
            yield _of(number, f"đứng sau bản ghi {self._last}: đã bị đổi chỗ",
                f"stands after record {self._last}: they were exchanged")  # fmt: skip
        self._last = max(self._last, number)

    def _signed(
        self, record: Mapping[str, Any], line: Mapping[str, Any], number: int
    ) -> Iterator[Fault]:
        name = str(record.get("key"))
        key = self._known(CITY, name)
        if key is None:
            yield _of(number, f"ký bằng khóa {name}, không có trong các khóa công khai của thành phố",
                f"is signed by the key {name}, which is none of the city's public keys")  # fmt: skip
            return
        if not _holds(key.public, line.get("signature"), _canonical(record)):
            yield _of(number, "đã bị sửa sau khi ký, hoặc ký bằng khóa khác",
                "was changed after it was signed, or signed by another key")  # fmt: skip
            return
        if not _within(key, record.get("sealed_at")) or name in self._older:
            yield _of(number, f"ký bằng khóa {name} ngoài thời gian khóa có hiệu lực",
                f"is signed by the key {name} outside the time in which it was in use")  # fmt: skip
        if self._key not in ("", name):
            self._older.add(self._key)
        self._key = name

    def _answer(self, record: Mapping[str, Any], number: int) -> Iterator[Fault]:
        """The agency's own signature under its answer, where there is one."""
        if record.get("kind") != "answered":
            return
        self._found.answers += 1
        signed = record.get("signed")
        if not isinstance(signed, dict):
            return
        key = self._known(self._found.agency, str(signed.get("key")))
        agency, answer, task, kind = (
            str(record.get(name)) for name in ("agency", "answer", "task", "says")
        )
        told = statement(agency, answer, task, kind, str(signed.get("digest")))
        if key is None and not self._knows(self._found.agency):
            self._found.unjudged += 1
        elif key is None:
            yield _of(number, f"câu trả lời ký bằng khóa {signed.get('key')} mà cơ quan không có",
                f"its answer is signed by the key {signed.get('key')}, which is none of the agency's")  # fmt: skip
        elif not _holds(key.public, signed.get("signature"), told):
            yield _of(number, "chữ ký của cơ quan dưới câu trả lời không đúng",
                "the agency's signature under its answer does not hold")  # fmt: skip
        elif not _within(key, record.get("at")):
            yield _of(number, "khóa của cơ quan không có hiệu lực khi trả lời",
                "the agency's key was not in use when it answered")  # fmt: skip
        else:
            self._found.signed += 1

    def _knows(self, owner: str) -> bool:
        return any(each.owner == owner for each in self._found.keys)

    def _known(self, owner: str, name: str) -> Key | None:
        mine = (each for each in self._found.keys if (each.owner, each.key) == (owner, name))
        return next(mine, None)

    # --- all of it ----------------------------------------------------------------------------

    def _closed(self, line: Mapping[str, Any]) -> Iterator[Fault]:
        end = line["end"]
        key = self._known(CITY, str(end.get("key")))
        if key is None or not _holds(key.public, line.get("signature"), _canonical(end)):
            yield Fault("dòng kết: chữ ký không đúng", "the end: its signature does not hold")
        if end.get("agency") != self._found.agency:
            yield Fault("dòng kết: của cơ quan khác", "the end: is of another agency")

    def whole(self) -> Iterator[Fault]:
        """What only shows at the end: records that are missing, before, between and behind."""
        found, end = self._found, self._end
        there = sorted(found.numbers)
        found.first, found.last = (there[0], there[-1]) if there else (0, 0)
        if end is None:
            yield Fault("tệp không có dòng kết: phần cuối đã bị cắt",
                "the file has no end: what stood there was cut off")  # fmt: skip
            yield from _gaps(there, found.first, found.last)
            return
        first, last = end.get("first"), end.get("last")
        if not isinstance(first, int) or not isinstance(last, int):
            yield Fault("dòng kết: không có số", "the end: has no numbers")
            return
        yield from _gaps(there, first, last)
        digest, whole = found.numbers.get(last, ("", False))
        if whole and end.get("digest") != digest:
            yield _of(last, "không phải bản ghi cuối mà thành phố đã ký",
                "is not the last record that the city signed for")  # fmt: skip


def _gaps(there: Sequence[int], first: int, last: int) -> Iterator[Fault]:
    expected = first
    for number in [*(each for each in there if first <= each <= last), last + 1]:
        if number > expected:
            which = f"{expected}" if number - 1 == expected else f"{expected}-{number - 1}"
            yield Fault(f"thiếu bản ghi {which}", f"record {which} is missing")
        expected = number + 1
    for number in there:
        if not first <= number <= last:
            yield _of(number, "không thuộc tệp này", "does not belong into this file")


def _of(number: int, vi: str, en: str) -> Fault:
    return Fault(f"bản ghi {number}: {vi}", f"record {number}: {en}")


def _within(key: Key, at: Any) -> bool:
    try:
        return key.held(_instant(at))
    except ValueError:
        return False


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(str(text))
    if at.tzinfo is None:
        raise ValueError("an instant without its offset")
    return at


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _canonical(told: Mapping[str, Any]) -> bytes:
    """As the city wrote it: names sorted, no blanks, UTF-8, null ones kept."""
    try:
        text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:  # nobody has signed that
        return b""
    return text.encode(errors="surrogatepass")


def _holds(public: bytes, signature: Any, told: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise not_installed() from None
    try:
        given = base64.b64decode(str(signature), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(given, told)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def matching(lines: Iterable[bytes], body: bytes) -> list[int]:
    """Which records tell of exactly this message; the file must have been written with salts."""
    found = []
    for line in filter(None, map(_read, lines)):
        record, salt = line.get("record"), line.get("salt")
        if isinstance(record, dict) and isinstance(salt, str):
            made = hashlib.sha256(base64.b64decode(salt) + body).hexdigest()
            if made == record.get("digest"):
                found.append(int(record["number"]))
    return found


def in_words(found: Verdict) -> Iterator[str]:
    """What was found, a line for each thing, the verdict last."""
    yield (
        f"{found.agency}: {found.records} bản ghi / records, {found.first}-{found.last}; "
        f"{found.answers} câu trả lời / answers, {found.signed} có chữ ký cơ quan / signed by the agency"
    )
    if found.unjudged:
        yield (
            f"{found.unjudged} chữ ký của cơ quan chưa kiểm: thiếu khóa công khai của cơ quan / "
            "signatures of the agency not checked: none of its public keys is given"
        )
    if found.stamped:
        yield f"{found.stamped} dấu thời gian, chưa kiểm / authority's time-stamps, not checked here"
    if not found.foreign:
        names = ", ".join(each.key for each in found.keys if each.owner == CITY)
        yield (
            f"khóa của thành phố lấy từ chính tệp này, hãy so với khóa đã biết / the city's keys are "
            f"the file's own, hold them against those you know: {names}"
        )
    yield from (f"{fault.vi} / {fault.en}" for fault in found.faults)
    yield "SAI / BROKEN" if found.faults else "nguyên vẹn / whole"
