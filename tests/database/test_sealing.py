"""What is personal lies sealed, on both databases and by whichever way it was written."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.database import batch, keyring, make_engine, sealing
from shared.database.keyring import KeyFile
from shared.database.resealing import is_outdated, seal_some
from shared.database.sealing import (
    KeyLost,
    Marked,
    SealBroken,
    SealedBytes,
    SealedJson,
    SealedText,
    Sealer,
)
from shared.kernel.errors import SettingsError

METADATA = sa.MetaData()
PEOPLE = sa.Table(
    "people",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("phone", SealedText),
    sa.Column("phone_mark", Marked("phone")),
    sa.Column("form", SealedJson, nullable=False),
    sa.Column("body", SealedBytes),
)
PHONE, WORD = "+84907654321", "Nguyễn \"Văn\" 'An'\\ lt1:"
FORM = {"name": WORD, "list": [1, None, True], "phone": PHONE}
SECRETS = ("907654321", "Nguy", "Văn")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys" / "privacy.keys")


@pytest.fixture
def engine(backend, keys):
    made = sealed(backend, keys)
    METADATA.create_all(made)
    yield made
    made.dispose()


def sealed(backend: Any, keys: KeyFile) -> sa.Engine:
    made = make_engine(backend.settings("routing").database_url)
    sealing.give(made, Sealer(keys))
    return made


def person(name: str, **other: object) -> dict[str, object]:
    row = {"id": name, "place": "a", "phone": PHONE, "phone_mark": PHONE, "form": FORM}
    return row | {"body": f"{WORD} {PHONE}".encode()} | other


def raw(engine: sa.Engine) -> str:
    """Every value of the table as it lies there."""
    with engine.connect() as connection:
        return repr(connection.exec_driver_sql("SELECT * FROM people ORDER BY id").all())


def read(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(PEOPLE).order_by(PEOPLE.c.id))
        return [dict(row._mapping) for row in rows]


# One and three rows go as plain values, twelve as one text.
@pytest.mark.parametrize("size", [1, 3, 12])
def test_what_is_written_is_read_and_nobody_else_can_read_it(engine, keys, size):
    rows = [person(f"p{n:02}") for n in range(size)]
    with engine.begin() as connection:
        batch.insert(connection, PEOPLE, rows)
        batch.upsert(connection, PEOPLE, rows)
        batch.update(connection, PEOPLE, rows)
    text = raw(engine)
    assert not [secret for secret in SECRETS if secret in text]
    assert text.count("lt1:") == 2 * size
    mark = Sealer(keys).mark(PHONE)
    expected = [row | {"phone_mark": mark} for row in rows]
    assert read(engine) == expected
    asked = sa.select(PEOPLE).where(batch.among(PEOPLE.c.id)).order_by(PEOPLE.c.id)
    names = {"keys": [row["id"] for row in rows]}
    with engine.connect() as connection:
        (found,) = batch.query(connection, (asked, names))
        assert [tuple(row) for row in found] == [tuple(row.values()) for row in expected]
        fetched = batch.fetch(connection, PEOPLE.c.id, names["keys"], lock=True)
        assert [dict(row._mapping) for row in fetched] == expected
        by_mark = sa.select(sa.func.count()).where(PEOPLE.c.phone_mark == PHONE)
        assert connection.scalar(by_mark) == size


def test_what_is_empty_stays_so_and_what_was_in_clear_is_read_and_then_sealed(engine, keys):
    bare = make_engine(engine.url.render_as_string(hide_password=False))
    plain = [person(f"p{n:03}", phone_mark=None, place=f"x{n}") for n in range(401)]
    with bare.begin() as connection:
        batch.insert(connection, PEOPLE, plain)
        batch.insert(
            connection, PEOPLE, [person("z", phone="", form={}, body=b"", phone_mark=None)]
        )
        batch.insert(
            connection, PEOPLE, [person("zz", phone=None, form={}, body=None, phone_mark=None)]
        )
    bare.dispose()
    before = read(engine)
    assert before[0]["phone"] == PHONE
    sealer = sealing.sealer_of(engine.dialect)
    assert sealer is not None
    place, steps = None, []
    while True:
        with engine.begin() as connection:
            count, place = seal_some(connection, sealer, PEOPLE, place)
        steps.append(count)
        if place is None:
            break
    assert steps == [200, 200, 2, 0], "whatever else is empty, '' has a mark"
    marked = [row | {"phone_mark": sealer.mark(PHONE)} for row in before if row["phone"]]
    assert [row for row in read(engine) if row["phone"]] == marked
    assert not [secret for secret in SECRETS if secret in raw(engine)]
    with engine.connect() as connection:
        assert not is_outdated(connection, sealer, PEOPLE)


def test_a_new_key_is_taken_up_without_a_start_and_what_the_old_one_sealed_stays_readable(
    engine, keys, backend
):
    with engine.begin() as connection:
        batch.insert(connection, PEOPLE, [person("old")])
    mark = read(engine)[0]["phone_mark"]
    keys.write(keys.read().with_new())
    newer = sealed(backend, keys)
    with newer.begin() as connection:
        batch.insert(connection, PEOPLE, [person("new")])
    assert [row["form"] for row in read(engine)] == [FORM, FORM], "met, so looked for in the file"
    sealer = sealing.sealer_of(engine.dialect)
    assert sealer is not None
    with engine.begin() as connection:
        assert seal_some(connection, sealer, PEOPLE, None)[0] == 1
    keys.write(keys.read().newest_alone())
    alone = sealed(backend, keys)
    assert [row["phone"] for row in read(alone)] == [PHONE, PHONE]
    assert {row["phone_mark"] for row in read(alone)} == {mark}, "a mark outlives every key"
    for each in (newer, alone):
        each.dispose()


def test_without_its_key_or_after_a_change_nothing_is_opened_and_nothing_made_up(keys, tmp_path):
    sealer = Sealer(keys)
    shut = sealer.seal(b"words")
    assert sealer.open(shut) == b"words"
    assert sealer.seal(b"words") != shut
    for changed in (shut[:-1] + bytes([shut[-1] ^ 1]), shut[:12], shut[:9]):
        with pytest.raises(SealBroken):
            sealer.open(changed)
    with pytest.raises(SealBroken):
        sealer.open_text("lt1:!")
    with pytest.raises(KeyLost) as lost:
        Sealer(KeyFile(tmp_path / "other")).open(shut)
    assert "thiếu khóa" in lost.value.vi


def test_a_file_that_is_lost_while_we_run_stops_nothing_and_is_not_replaced(keys):
    sealer = Sealer(keys)
    shut, kept = sealer.seal(b"words"), keys.read()
    keys.path.unlink()
    sealer._look_at = 0.0  # a minute is over
    assert sealer.open(sealer.seal(b"more")) == b"more"
    assert sealer.open(shut) == b"words"
    assert not keys.path.exists()
    keys.write(kept.with_new())
    sealer._look_at = 0.0
    assert sealer.seal(b"words")[:9] != shut[:9]


def test_the_file_is_drawn_once_for_its_owner_and_a_broken_one_is_told_without_its_words(tmp_path):
    file = KeyFile(tmp_path / "deep" / "privacy.keys")
    found: list[keyring.Keys] = []
    threads = [threading.Thread(target=lambda: found.append(file.read())) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({keys.text() for keys in found}) == 1
    assert [each.name for each in file.path.parent.iterdir()] == ["privacy.keys"]
    assert file.path.stat().st_mode & 0o077 == 0
    assert repr(found[0]) == "Keys()"
    file.path.chmod(0o444)
    file.write(found[0].with_new())
    assert file.path.stat().st_mode & 0o777 == 0o444
    file.path.chmod(0o600)
    key = found[0].text().split()[0]
    for text in (
        "",
        key,
        "search:" + key,
        f"{key}\nsearch:{key}\nsearch:{key}",
        f"{key[:-4]}\nsearch:{key}",
    ):
        file.path.write_text(text, encoding="ascii")
        with pytest.raises(SettingsError) as broken:
            file.read()
        assert key not in str(broken.value)
