"""Evidence of what was handed over and answered: sealed after the fact, given away, checked by anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from partner.evidence import matching, read_keys, verify
from partner.signing import Signer as AgencySigner
from services.routing.domain.evidence import CITY, Happened, Head, Key, canonical, sealed
from services.routing.domain.signing import Signer, as_text, draw, holds, key_id
from services.routing.storage import evidence as storage
from services.routing.storage.tables import evidence
from services.routing.usecases import evidence as usecases
from services.routing.usecases.personal import erase
from services.routing.usecases.prune import prune
from shared.messaging.tables import LEDGERS
from tests.routing.test_book import BOOK, book, fetch
from tests.routing.town import Town
from tests.routing.worlds import NOW
from tests.staff import carry_here

CODE = "000.00.01.H20-220301-0001"
OFFICE = "phuong-1"
PROJECT = Path(__file__).resolve().parent.parent.parent
FIRST, SECOND, AGENCY = Signer(draw()), Signer(draw()), draw()
Lines = list[bytes]


# --- a file by itself -----------------------------------------------------------------------------


def key_of(signer: Signer, since: datetime, until: datetime | None = None) -> dict[str, Any]:
    return usecases.told(Key(CITY, signer.key, signer.public, since, until))


def made(count: int = 6, *, change_at: int = 99, keys: Sequence[Any] | None = None) -> Lines:
    """A file of so many records as the city writes it; from `change_at` on by the second key."""
    head, lines = Head(OFFICE), []
    for number in range(1, count + 1):
        now = NOW + timedelta(minutes=number)
        what = Happened("published", now, {"message": number, "task": f"t-{number}"}, b"words")
        by = SECOND if number >= change_at else FIRST
        record = sealed(head, what, by, bytes(16), now)
        head = Head(OFFICE, record.number, record.digest)
        signature = as_text(record.signature)
        lines.append({"record": json.loads(record.core), "signature": signature, "timestamp": None})
    turn = NOW + timedelta(minutes=change_at)
    given = [key_of(FIRST, NOW, turn), key_of(SECOND, turn)] if keys is None else keys
    begin = {"evidence": 1, "agency": OFFICE, "made_at": "2022-03-02T00:00:00Z", "keys": given}
    last = SECOND if change_at <= count else FIRST
    end = {"agency": OFFICE, "first": 1, "last": count, "digest": head.digest, "key": last.key}
    closing = {"end": end, "signature": as_text(last.sign(canonical(end)))}
    return [json.dumps(each, ensure_ascii=False).encode() for each in (begin, *lines, closing)]


def told(lines: Lines, **more: Any) -> list[str]:
    return [fault.en for fault in verify(lines, **more).faults]


def changed(lines: Lines, place: int, change: Callable[[dict[str, Any]], Any]) -> Lines:
    line = json.loads(lines[place])
    change(line)
    return [*lines[:place], json.dumps(line).encode(), *lines[place + 1 :]]


def test_a_file_as_it_was_written_is_whole_whatever_order_its_names_have() -> None:
    found = verify(made())
    assert (found.faults, found.records, found.first, found.last) == ([], 6, 1, 6)
    assert (
        told(changed(made(), 3, lambda line: line["record"].update(sorted(line["record"].items()))))
        == []
    )


def test_a_changed_record_is_named() -> None:
    lines = changed(made(), 3, lambda line: line["record"].update(task="t-99"))
    assert told(lines) == ["record 3: was changed after it was signed, or signed by another key"]


def test_a_missing_record_is_named_wherever_it_stood() -> None:
    lines = made()
    assert told([*lines[:3], *lines[5:]]) == ["record 3-4 is missing"]
    assert told([lines[0], *lines[2:]]) == ["record 1 is missing"]
    assert told([*lines[:6], lines[7]]) == ["record 6 is missing"], "the end is signed as well"
    assert told(lines[:5]) == ["the file has no end: what stood there was cut off"]


def test_records_that_were_exchanged_are_named() -> None:
    lines = made()
    lines[2], lines[3] = lines[3], lines[2]
    assert told(lines) == ["record 2: stands after record 3: they were exchanged"]
    twice = made()
    assert "record 4: is there twice" in told([*twice[:5], twice[4], *twice[5:]])
    # As after a restore from a backup: another record of this number, signed by the city as well.
    other = sealed(Head(OFFICE, 3, "0" * 64), Happened("expired", NOW, {}), FIRST, b"", NOW)
    line = {"record": json.loads(other.core), "signature": as_text(other.signature)}
    mixed = [*made()[:4], json.dumps(line).encode(), *made()[5:]]
    assert told(mixed)[0] == "record 4: does not follow record 3: one of the two was exchanged"


def test_another_key_than_the_citys_is_found_out() -> None:
    forged = made(change_at=1)  # whole by itself: whoever forges it brings his own keys
    assert told(forged) == []
    ours = read_keys([key_of(FIRST, NOW)])
    assert told(forged, trusted=ours)[0] == (
        f"record 1: is signed by the key {SECOND.key}, which is none of the city's public keys"
    )
    false = changed(made(), 2, lambda line: line.update(signature=as_text(SECOND.sign(b"x"))))
    assert told(false) == ["record 2: was changed after it was signed, or signed by another key"]


def test_keys_change_in_the_middle_and_the_old_one_signs_no_more() -> None:
    assert told(made(change_at=4)) == []
    early = NOW - timedelta(days=1)
    ended = [key_of(FIRST, early - timedelta(days=9), early), key_of(SECOND, early)]
    assert told(made(keys=ended))[0] == (
        f"record 1: is signed by the key {FIRST.key} outside the time in which it was in use"
    )


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'{"record": 7}', b'{"record": {}}', b"[" * 9000]
)
def test_what_is_no_record_is_told_by_its_line(line: bytes) -> None:
    lines = made()
    assert any(each.startswith("line 3: ") for each in told([*lines[:2], line, *lines[2:]]))


# --- the city -------------------------------------------------------------------------------------


def signer(town: Town) -> Signer:
    return usecases.signer_of(town.service.settings)


def seal(town: Town, by: Signer | None = None) -> int:
    return usecases.seal(town.service.store, by or signer(town), town.rules.agency_codes())


def file_of(town: Town, agency: str = OFFICE, **more: Any) -> Lines:
    with town.service.store.read() as connection:
        given = usecases.lines(connection, signer(town), agency, town.clock.now(), **more)
        return [line.encode() for line in given]


def kinds(lines: Lines) -> list[str]:
    return [line["record"]["kind"] for line in map(json.loads, lines) if "record" in line]


def test_what_is_handed_over_and_answered_is_sealed_once_and_tells_of_nobody(town: Town) -> None:
    town.receive(CODE)
    task = town.task(OFFICE)
    town.clock.advance(timedelta(hours=1))
    fetch(town, town.key(OFFICE))
    town.clock.advance(timedelta(hours=1))
    town.answer(OFFICE, "taken", task, officer="Lê Thị Hoa")
    town.clock.advance(timedelta(hours=1))
    town.answer(OFFICE, "taken", "khong-co", answer_id="Chị Hoa 0912345678")
    assert [each.record for each in book(town)] == [None, None]
    assert seal(town) == 5
    assert seal(town) == 0, "each once"
    lines = file_of(town)
    assert kinds(lines) == ["published", "fetched", "answered", "published", "refused"]
    found = verify(lines)
    assert (found.faults, found.records, found.answers, found.signed) == ([], 5, 1, 0)
    whole = b"".join(lines).decode()
    for words in ("Nguyễn", "Hoa", "0912345678"):
        assert words not in whole
    first = json.loads(lines[1])["record"]
    assert (first["task"], first["way"], first["message"]) == (task, "queue", 1)
    assert first["confirmed_at"] is not None, "the broker vouches for it"
    assert [each.record for each in book(town)] == [1, 4]


def too_old(town: Town) -> None:
    settings = town.service.settings
    town.clock.advance(timedelta(days=settings.keep_forms_days + 1))
    cleared = {(each.what, each.count) for each in prune(town.service.store, settings)}
    assert ("salts of evidence", 1) in cleared


def erased(town: Town) -> None:
    with town.service.store.begin() as uow:
        erase(uow, [CODE], "Lê Hoa")


@pytest.mark.parametrize("forget", [too_old, erased])
def test_a_message_can_be_matched_with_its_record_until_the_forms_go(
    small_town: Town, forget: Callable[[Town], None]
) -> None:
    town = small_town
    town.receive(CODE)
    seal(town)
    outbox = LEDGERS.outbox.c
    with town.service.store.read() as connection:
        body = bytes(connection.scalars(sa.select(outbox.body).where(outbox.sequence == 1,
            outbox.stream.endswith(OFFICE))).one())  # fmt: skip
    assert matching(file_of(town), body) == [], "without salts nothing can be tried"
    assert matching(file_of(town, salts=True), body) == [1]
    assert matching(file_of(town, salts=True), body + b" ") == []
    forget(town)
    lines = file_of(town, salts=True)
    assert (matching(lines, body), verify(lines).faults) == ([], [])


def test_a_message_that_is_not_confirmed_holds_back_no_other(small_town: Town) -> None:
    town = small_town
    for number in range(3):
        town.receive(f"000.00.01.H20-220301-000{number}")
    outbox = LEDGERS.outbox
    second = outbox.c.stream.endswith(OFFICE), outbox.c.sequence == 2
    with town.service.store.transaction() as connection:
        connection.execute(sa.update(outbox).where(*second).values(sent_at=None))
    assert seal(town) == 2
    with town.service.store.read() as connection:
        assert storage.head_of(connection, OFFICE).message == 1
    with town.service.store.transaction() as connection:
        connection.execute(sa.update(outbox).where(*second).values(sent_at=NOW))
    assert seal(town) == 1
    with town.service.store.read() as connection:
        assert storage.head_of(connection, OFFICE).message == 3
    numbers = [json.loads(line).get("record", {}).get("message") for line in file_of(town)]
    assert numbers == [None, 1, 3, 2, None]
    assert verify(file_of(town)).faults == []


def test_a_new_key_takes_over_and_whoever_has_the_old_one_seals_nothing(town: Town) -> None:
    old, new = signer(town), Signer(draw())
    town.receive(CODE)
    assert seal(town) == 1
    town.clock.advance(timedelta(days=1))
    town.receive("000.00.01.H20-220301-0002")
    assert seal(town, new) == 1
    town.receive("000.00.01.H20-220301-0003")
    assert seal(town, old) == 0
    assert seal(town, new) == 1
    with town.service.store.read() as connection:
        lines = [
            line.encode() for line in usecases.lines(connection, new, OFFICE, town.clock.now())
        ]
        keys = storage.keys(connection, CITY)
    assert verify(lines).faults == []
    assert [(each.key, each.until is None) for each in keys] == [(old.key, False), (new.key, True)]


def test_several_processes_make_one_chain(town: Town) -> None:
    for number in range(6):
        town.receive(f"000.00.01.H20-220301-000{number}")
    gate, sealed_ = threading.Barrier(4), []

    def work() -> None:
        gate.wait(10)
        sealed_.append(seal(town))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sealed_) == 6
    assert len(sealed_) == 4
    found = verify(file_of(town))
    assert (found.faults, found.records) == ([], 6)


def test_whoever_owns_the_database_is_found_out(small_town: Town) -> None:
    town = small_town
    for number in range(3):
        town.receive(f"000.00.01.H20-220301-000{number}")
    seal(town)
    with town.service.store.transaction() as connection:
        mine = sa.update(evidence).where(evidence.c.number == 2)
        other = sa.func.replace(sa.cast(evidence.c.core, sa.Text), '"message":2', '"message":9')
        connection.execute(mine.values(core=sa.cast(other, sa.LargeBinary)))
    (fault,) = verify(file_of(town)).faults
    assert fault.vi == "bản ghi 2: đã bị sửa sau khi ký, hoặc ký bằng khóa khác"
    with town.service.store.transaction() as connection:
        connection.execute(sa.delete(evidence).where(evidence.c.number == 2))
    assert [each.en for each in verify(file_of(town)).faults] == ["record 2 is missing"]


# --- an agency's signature ------------------------------------------------------------------------


@pytest.fixture
def known(town: Town) -> AgencySigner:
    """A town that knows the agency's public key."""
    with town.service.store.begin() as uow:
        mine = Signer(AGENCY)
        storage.put_key(uow, Key(OFFICE, mine.key, mine.public, NOW))
    town.receive(CODE)
    return AgencySigner(AGENCY)


def by_door(town: Town, task: str, answer_id: str, kind: str, data: dict[str, Any]) -> Any:
    body = {"answer_id": answer_id, "kind": kind, **data}
    return town.web.post(f"/api/v1/tasks/{task}/answers", json=body, headers=town.key(OFFICE))


def test_a_signed_answer_counts_by_either_door_and_its_record_proves_it(
    town: Town, known: AgencySigner
) -> None:
    task = town.task(OFFICE)
    data = {"task": task, "officer": "Lê Thị Hoa"}
    signature = known.sign(OFFICE, "a-1", task, "taken", data)
    town.answer(OFFICE, "taken", task, answer_id="a-1", officer="Lê Thị Hoa", signature=signature)
    more = {"reason": "Chờ xác minh", "until": "2022-03-09T17:00:00+07:00", "signature": None}
    more["signature"] = known.sign(OFFICE, "a-2", task, "more_time_needed", more)
    told = by_door(town, task, "a-2", "more_time_needed", more)
    assert told.status_code == 200, told.get_json()
    town.answer(OFFICE, "taken", task, answer_id="a-3")
    seal(town)
    found = verify(file_of(town))
    assert (found.faults, found.answers, found.signed) == ([], 3, 2)
    lines = file_of(town)
    ours = read_keys(json.loads(lines[0])["keys"])
    city = [each for each in ours if each.owner == "city"]
    alone = verify(lines, city)
    assert (alone.faults, alone.signed, alone.unjudged) == ([], 0, 2), "whose key is not given"
    place = next(n for n, line in enumerate(lines) if b'"a-1"' in line)
    swapped = changed(lines, place, lambda line: line["record"].update(says="refused"))
    assert len(verify(swapped).faults) == 2, "neither signature is under these words"


def test_a_false_signature_is_refused_and_told_and_spoils_no_answer(
    town: Town, known: AgencySigner
) -> None:
    task = town.task(OFFICE)
    good = known.sign(OFFICE, "a-1", task, "taken", {"task": task})
    town.answer(OFFICE, "taken", task, answer_id="a-0", signature=good)
    (told,) = [each for each in town.queue(OFFICE) if "refused" in each.type]
    assert (told.data["rule"], told.data["place"]) == ("signature_wrong", "signature")
    assert "chữ ký số không khớp" in told.data["vi"]
    town.answer(OFFICE, "taken", task, answer_id="a-1", signature=good)
    assert not [each for each in town.queue(OFFICE) if "refused" in each.type]
    stranger = AgencySigner(draw()).sign(OFFICE, "a-2", task, "taken", {"task": task})
    told = by_door(town, task, "a-2", "taken", {"signature": stranger})
    assert (told.status_code, told.get_json()["code"]) == (422, "signature_key_unknown")
    with town.service.store.begin() as uow:
        usecases.end_key(uow, OFFICE, known.key)
    town.clock.advance(timedelta(minutes=1))
    assert by_door(town, task, "a-1", "taken", {"signature": good}).status_code == 200, "a repeat"
    late = known.sign(OFFICE, "a-3", task, "taken", {"task": task})
    assert by_door(town, task, "a-3", "taken", {"signature": late}).status_code == 422


# --- pages, and without the city ------------------------------------------------------------------


def test_the_book_says_what_is_signed_and_gives_the_file_away(small_town: Town) -> None:
    town = small_town
    town.receive(CODE)
    carry_here(town.web, town.service.web, ("agency", OFFICE))
    page = town.web.get(f"{BOOK}?ngay=01/03/2022").get_data(as_text=True)
    assert "chờ ký" in page
    given = town.web.get(f"{BOOK}/bang-chung.jsonl?ngay=01/03/2022")
    assert "bang-chung-phuong-1-20220301.jsonl" in given.headers["Content-Disposition"]
    found = verify(given.data.splitlines())
    assert (found.faults, found.records) == ([], 1), "sealed before it is given away"
    page = town.web.get(f"{BOOK}?ngay=01/03/2022").get_data(as_text=True)
    assert "thành phố đã ký, bản ghi 1" in page
    empty = verify(town.web.get(f"{BOOK}/bang-chung.jsonl?ngay=02/03/2022").data.splitlines())
    assert (empty.faults, empty.records) == ([], 0)


def test_an_agencys_program_has_its_own_records_page_by_page_and_each_can_be_checked(
    small_town: Town,
) -> None:
    town, url = small_town, "/api/v1/tasks/evidence"
    for number in range(1, 4):
        town.receive(f"000.00.01.H20-220301-{number:04d}")
    key = town.key(OFFICE)
    first = town.web.get(f"{url}?limit=2", headers=key).get_json()
    assert (first["next"], first["more"]) == (2, True)
    rest = town.web.get(f"{url}?after=2&limit=1000", headers=key).get_json()
    assert rest["more"] is False
    for told, count in ((first, 2), (rest, rest["next"] - 2)):
        found = verify([json.dumps(each).encode() for each in told["items"]])
        assert (found.agency, found.faults, found.records) == (OFFICE, [], count)
    none = town.web.get(f"{url}?after={rest['next']}", headers=key).get_json()
    assert (
        verify([json.dumps(each).encode() for each in none["items"]]).records,
        none["more"],
    ) == (0, False)
    other = town.web.get(url, headers=town.key("cong-an")).get_json()
    assert [each for each in other["items"] if "record" in each] == [], "its own alone"
    assert town.web.get(f"{url}?limit=1001", headers=key).status_code == 422
    assert town.web.get(f"{url}?after=-1", headers=key).status_code == 422


def test_a_file_from_before_the_first_record_is_whole_as_well(small_town: Town) -> None:
    carry_here(small_town.web, small_town.service.web, ("agency", OFFICE))
    given = small_town.web.get(f"{BOOK}/bang-chung.jsonl?ngay=01/03/2022")
    found = verify(given.data.splitlines())
    assert (found.faults, found.records) == ([], 0)


def test_a_file_is_checked_in_a_process_that_has_no_database(tmp_path: Path) -> None:
    file, keys = tmp_path / "f.jsonl", tmp_path / "keys.json"
    file.write_bytes(b"\n".join(made()))
    keys.write_text(json.dumps([key_of(FIRST, NOW)]), encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8"}
    env |= {"LIENTHONG_DATA_DIR": str(tmp_path / "nowhere")}

    def run(program: str) -> tuple[int, str]:
        words = [sys.executable, "-m", program, "evidence", "verify", file, "--keys", keys]
        done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout

    status, said = run("services")
    assert (status, said.splitlines()[-1]) == (0, "nguyên vẹn / whole")
    file.write_bytes(b"\n".join(changed(made(), 3, lambda line: line["record"].clear())))
    status, said = run("partner")
    assert (status, said.splitlines()[-1]) == (5, "SAI / BROKEN")
    assert not (tmp_path / "nowhere").exists()


def test_keys_are_what_they_say() -> None:
    made_ = Signer(draw())
    assert made_.key == key_id(made_.public)
    assert holds(made_.public, made_.sign(b"x"), b"x")
    assert not holds(made_.public, made_.sign(b"x"), b"y")
    assert made_.key in repr(made_)
    assert AgencySigner(AGENCY).key == Signer(AGENCY).key, "kit and city name a key alike"
