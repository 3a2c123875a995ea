"""Whoever has the databases and not the keys reaches nobody; what is over is erased, with proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from services.__main__ import cli
from services.intake.storage import tables as of_intake
from services.notify.domain.incoming import Incoming
from services.notify.storage import tables as of_notify
from services.notify.storage.stops import is_stopped, newest
from services.notify.usecases.hearing import keep
from services.notify.usecases.stopping import by_hand
from shared.catalogue import load
from shared.database import make_engine
from shared.kernel.errors import InvalidInput
from shared.messaging.loops.nightly import coming_night
from shared.settings import PROJECT, SERVICES
from simulation.kit import City, Receipt, filing, open_city
from tests.backends import Backend
from tests.migrating import migrate

BIRTH, WARD = "2.000986", "ubnd-phuong-1"
PHONE, MAILBOX = "+84907654321", "dau.rieng@nha.example.vn"
LATER, HOME = "+84912345987", "12 ngõ Thử, phường Kín"
MARKS = ("907654321", "dau.rieng", "912345987", "ngõ Thử", "HS lời riêng")
CONTACT = {
    "name": "Đặng Thị Mai",
    "phone": "0907654321",
    "email": MAILBOX,
    "address": HOME,
    "consent": {"sms": True, "email": True},
}
ASKED = ("--who", "Lê Hoa", "--why", "công dân yêu cầu")


@pytest.fixture
def city(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    for service in SERVICES:
        backend.migrated(service, partial(migrate, service))
        name = f"LIENTHONG_{service.upper()}_DATABASE_URL"
        monkeypatch.setenv(name, backend.settings(service).database_url)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))
    secret = backend.settings("intake").secret_key or ""
    monkeypatch.setenv("LIENTHONG_SECRET_KEY", secret)
    with open_city(
        backend.data_dir,
        catalogue=load(PROJECT / "catalogue"),
        database={name: backend.settings(name).database_url for name in SERVICES},
        broker=None if backend.embedded else backend.amqp_url(),
        secret_key=secret,
    ) as made:
        yield made


def filed(city: City) -> Receipt:
    return city.desk(WARD).file(filing(city.procedure(BIRTH)) | {"contact": CONTACT})


def finish(city: City, code: str) -> None:
    for agency in city.agencies_of(BIRTH, WARD):
        with city.agency(agency) as officers:
            officers.grant(officers.tasks(code)[0])
    city.rest()
    taker = {"taker": "representative", "taker_name": "Trần Ba", "id_checked": True}
    city.desk(WARD).act(code, "return-result", {"method": "desk", **taker})
    city.rest()


def journey(city: City) -> tuple[str, str]:
    """One dossier that has ended and one that goes on; a stop, a text, a mended contact."""
    old, open_ = filed(city), filed(city)
    city.rest()
    city.desk(WARD).correct(open_.code, "gõ nhầm", contact={"phone": LATER})
    city.rest()
    with city.built.notify.store.begin() as uow:
        keep(uow, [Incoming("sms", PHONE, "HS lời riêng"), Incoming("sms", PHONE, "TU CHOI")])
    with city.built.notify.store.begin() as uow:
        by_hand(uow, PHONE, remove=False)
    finish(city, old.code)
    return old.code, open_.code


def stored(backend: Backend) -> dict[str, str]:
    """Every value of every table of each service as whoever steals the database sees it."""
    found = {}
    for service in SERVICES:
        engine = make_engine(backend.settings(service).database_url)
        metadata = sa.MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                columns = ", ".join(f'"{each.name}"' for each in table.columns)
                rows = connection.exec_driver_sql(f'SELECT {columns} FROM "{table.name}"').all()
                found[f"{service}.{table.name}"] = "\n".join(map(_text, rows))
        engine.dispose()
    return found


def _text(row: Any) -> str:
    words = (bytes(v).decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row)
    return " ".join(words)


def in_clear(backend: Backend) -> dict[str, list[str]]:
    return {
        name: marks
        for name, text in stored(backend).items()
        if (marks := [mark for mark in MARKS if mark in text])
    }


def one(city: City, service: str, asked: sa.Select[Any]) -> Any:
    with city.built.services[service].store.read() as connection:
        return connection.execute(asked).all()


def test_no_stored_byte_reaches_anybody_and_after_the_term_no_key_does(
    city: City, backend: Backend
):
    old, open_ = journey(city)
    assert in_clear(backend) == {}
    contacts, messages = of_notify.contacts, of_notify.messages
    told = sa.select(messages.c.channel, messages.c.state, messages.c.parts).where(
        messages.c.dossier == old
    )
    before = sorted(one(city, "notify", told))
    assert {row.phone for row in one(city, "notify", sa.select(contacts.c.phone))} == {PHONE, LATER}

    city.set(coming_night(city.now() + timedelta(days=366)))
    city.rest()
    assert [row.dossier for row in one(city, "notify", sa.select(contacts.c.dossier))] == [open_]
    assert sorted(one(city, "notify", told)) == before, "how many went, and what became of them"
    words = sa.select(messages.c.recipient, messages.c.subject, messages.c.body)
    assert set(one(city, "notify", words.where(messages.c.dossier == old))) == {("", "", "")}
    dossiers = of_intake.dossiers
    held = dict(one(city, "intake", sa.select(dossiers.c.code, dossiers.c.contact)))
    assert held[old] == {"name": "Đặng Thị Mai", "language": "vi"}
    assert held[open_]["phone"] == LATER
    for service, tables in (("intake", of_intake), ("notify", of_notify)):
        (proof,) = one(city, service, sa.select(tables.erasures))
        assert (proof.dossier, proof.rule, proof.who) == (old, "term", "lienthong")
        assert sum(proof.counts.values()) > 0
    with city.built.notify.store.read() as connection:
        assert is_stopped(connection, PHONE), "nobody can read whose it is, and it holds"
        assert newest(connection, 5)[0].address is None
    timeline = [each["type"] for each in city.desk(WARD).timeline(old)]
    assert {"dossier.received", "contact.given", "dossier.returned"} <= set(timeline)


def typed(*arguments: str, said: str) -> Result:
    return CliRunner().invoke(cli, ["privacy", *arguments], input=said)


def test_one_person_is_shown_whole_and_erased_as_far_as_the_law_lets_go(
    city: City, backend: Backend, tmp_path: Path
):
    old, open_ = journey(city)
    number = id_number(city, old)
    out = ("export", "--out", str(tmp_path), *ASKED)
    shown = typed(*out, "--by", "id-number", said=f"{number}\n")
    assert shown.exit_code == 0, (shown.output, shown.exception)
    (file,) = tmp_path.glob("*.json")
    assert file.stat().st_mode & 0o077 == 0
    told = json.loads(file.read_text("utf-8"))["dossiers"]
    assert told[old]["notify"]["contact"]["phone"] == PHONE
    assert told[old]["intake"]["contact"]["address"] == HOME
    assert number in told[old]["intake"]["form"].values()
    assert told[open_]["intake"]["corrections"][0]["changes"][0]["old"] == CONTACT["phone"]
    assert any("Đặng Thị Mai" not in each["to"] for each in told[old]["notify"]["messages"])
    assert PHONE in file.with_suffix(".txt").read_text("utf-8")
    nobody = typed(*out, "--by", "contact", said="0999999999\n")
    assert isinstance(nobody.exception, InvalidInput)

    erase = ("erase", "--by", "contact", *ASKED)
    asked = typed(*erase, said="0907 654 321\n")
    assert f"{old}: xóa" in asked.output
    assert "chưa xóa gì" in asked.output
    assert one(city, "intake", sa.select(of_intake.erasures)) == []
    done = typed(*erase, "--yes", said="0907 654 321\n")
    assert done.exit_code == 0, (done.output, done.exception)
    by_number = typed("erase", "--by", "id-number", *ASKED, "--yes", said=f"{number}\n")
    assert f"{open_}: giữ tất cả" in by_number.output
    contacts = sa.select(of_notify.contacts.c.dossier)
    assert [row.dossier for row in one(city, "notify", contacts)] == [open_]
    rules = [(r.rule, r.who) for r in one(city, "notify", sa.select(of_notify.erasures))]
    assert rules[0] == ("asked", "Lê Hoa")
    acts = CliRunner().invoke(cli, ["audit", "show", "--service", "intake", "--thing", old]).output
    assert "privacy export" in acts
    assert "privacy erase" in acts
    with city.built.notify.store.read() as connection:
        assert is_stopped(connection, PHONE)


def id_number(city: City, code: str) -> str:
    dossiers = of_intake.dossiers
    ((form,),) = one(city, "intake", sa.select(dossiers.c.form).where(dossiers.c.code == code))
    numbers = {f.name for f in city.procedure(BIRTH).form if f.type == "id_number"}
    return next(str(value) for name, value in form.items() if name in numbers)
