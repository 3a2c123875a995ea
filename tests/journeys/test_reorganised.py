"""2025-07-01 through the whole city: shown, applied, dying half-way; every dossier moved once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from services.commands import reorganise, stores
from services.intake.storage import moving, staff
from services.intake.usecases.report import ii06a
from shared.catalogue import Catalogue
from shared.identity.passes import Place
from shared.settings import PROJECT, SERVICES
from simulation.kit import City, Receipt, Rejected
from tests.backends import Backend

PLAN = str(PROJECT / "docs/examples/reorganise-2025-07-01.yaml")
INTERLINKED, BUSINESS = "2.000986", "1.001612"
OLD, NEW, CITY_DESK = "ubnd-phuong-1", "ubnd-phuong-cao-lanh", "mot-cua-thanh-pho"
# 08:30 in Cao Lãnh: Thursday 2025-06-26, Tuesday 2025-07-01, a month later.
BEFORE, DAY, AUGUST = (
    datetime(2025, month, day, 1, 30, tzinfo=UTC) for month, day in ((6, 26), (7, 1), (8, 1))
)
REASON = ("--who", "Trần Văn Bình", "--why", "nghị quyết sắp xếp")
Types = Callable[..., Any]


@pytest.fixture
def types(backend: Backend, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Types:
    """Types `lienthong reorganise …` on this test's databases, under the clock of its city."""
    for service in SERVICES:
        url = backend.settings(service).database_url
        monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))
    monkeypatch.setattr(reorganise, "load", lambda _: catalogue)  # read once is enough

    def typed(city: City, *words: str) -> Any:
        monkeypatch.setattr(stores, "RealClock", lambda: city.clock)
        done = CliRunner().invoke(cli, ["reorganise", PLAN, *words])
        for each in city.built.loops:
            each.wake()
        return done

    return typed


def ended(city: City) -> Receipt:
    """A dossier that was withdrawn before the day."""
    desk = city.desk(OLD)
    receipt = desk.submit(INTERLINKED, number=2)
    city.rest()
    desk.withdraw(receipt.code, "Nộp nhầm")
    city.rest()
    return receipt


def open_of(city: City, agency: str, code: str) -> list[Any]:
    return city.agency(agency).tasks(code)


def move_half(city: City, types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command dies after its first unit of one dossier."""
    real, calls = reorganise.move_some, []

    def dying(*given: Any) -> Any:
        calls.append(given)
        if len(calls) > 1:
            raise SystemExit(9)
        return real(*given)

    with monkeypatch.context() as half:
        half.setattr(moving, "BATCH", 1)
        half.setattr(reorganise, "move_some", dying)
        assert types(city, "--apply", *REASON).exit_code == 9
    city.rest()


def test_an_open_dossier_goes_to_the_new_office_and_its_citizen_is_told_once(
    opened: Callable[..., City], types: Types
):
    city = opened(at=BEFORE)
    code = city.desk(OLD).submit(INTERLINKED).code
    city.rest()
    promised = city.desk(OLD).get(code)["due_at"]
    city.set(DAY)
    for count in (1, 0):
        done = types(city, "--apply", *REASON)
        assert f"dossiers {count}\n" in done.output, done.output
        city.rest()
    now = city.desk(NEW).get(code)
    assert (now["office"]["code"], now["due_at"], now["status"]["number"]) == (NEW, promised, 4)
    assert [len(open_of(city, agency, code)) for agency in (OLD, NEW)] == [0, 1]
    assert [sent.moment for sent in city.sent(code)] == ["received", "reorganised"]


@pytest.mark.long
def test_each_open_dossier_is_moved_once_and_keeps_its_date_and_its_past(
    opened: Callable[..., City], types: Types, monkeypatch: pytest.MonkeyPatch
):
    city = opened(at=BEFORE)
    first, house = (
        city.desk(OLD).submit(INTERLINKED, number=1),
        city.desk(CITY_DESK).submit(BUSINESS, number=3),
    )
    over = ended(city)
    city.account(Place("officer", OLD))
    shown = types(city)
    assert shown.exit_code == 0, shown.output
    name = city.catalogue.agency(OLD).name
    line = f"{name} -> {city.catalogue.agency(NEW).name}\n      open dossiers: 1; open tasks: 1"
    assert line in shown.output
    assert "Together: open dossiers: 2," in shown.output
    assert open_of(city, OLD, first.code), "showing changes nothing"
    early = types(city, "--apply", *REASON)
    assert (early.exit_code, "not there yet" in early.output) == (2, True)
    between = city.desk(OLD).submit(INTERLINKED, number=4)
    city.rest()
    promised = city.desk(OLD).get(first.code)
    city.set(DAY)
    move_half(city, types, monkeypatch)
    rest = types(city, "--apply", *REASON)
    assert "moved: accounts 0, unfinished forms 0, dossiers 2" in rest.output, rest.output
    city.rest()
    again = types(city, "--apply", *REASON)
    assert "moved: accounts 0, unfinished forms 0, dossiers 0" in again.output
    city.rest()
    desk = city.desk(NEW)
    for receipt in (first, between):
        now = desk.get(receipt.code)
        assert (now["office"]["code"], now["status"]["number"]) == (NEW, 4)
        with pytest.raises(Rejected):
            city.desk(OLD).get(receipt.code)
        assert open_of(city, OLD, receipt.code) == []
        assert len(open_of(city, NEW, receipt.code)) == 1
        told = [sent for sent in city.sent(receipt.code) if sent.moment == "reorganised"]
        assert len(told) == 1
        assert "UBND P. Cao Lanh" in (told[0].text or "")
        titles = [each["title"] for each in desk.timeline(receipt.code)]
        assert sum("hồ sơ chuyển từ" in title for title in titles) == 1
        assert any(name in title and "việc chuyển sang" in title for title in titles)
    now = desk.get(first.code)
    assert [now[key] for key in ("due_at", "promised_at")] == [
        promised[key] for key in ("due_at", "promised_at")
    ]
    assert desk.get(house.code)["office"]["code"] == NEW
    assert city.desk(OLD).get(over.code)["status"]["number"] == 7, "what has ended stays"
    assert "reorganised" not in [sent.moment for sent in city.sent(over.code)]
    _goes_on_to_its_end(city, first.code)
    _people_and_reports_follow(city)


def _goes_on_to_its_end(city: City, code: str) -> None:
    """By the agencies of the new ward, and of the province, to its result."""
    for name in city.agencies_of(INTERLINKED, NEW):
        with city.agency(name) as agency:
            (task,) = agency.tasks(code)
            agency.grant(task)
        city.rest()
    assert city.desk(NEW).status(code) == 9


def _people_and_reports_follow(city: City) -> None:
    store = city.built.intake.store
    with store.read() as connection:
        (person,) = staff.everybody(connection)
        assert person.places == (Place("officer", NEW),)
        june = ii06a(connection, city.catalogue, BEFORE, DAY.replace(hour=0), now=city.now())
        july = ii06a(connection, city.catalogue, DAY.replace(hour=0), AUGUST, now=city.now())
    totals = [
        {part.office: part.total.received_total for part in each.offices} for each in (june, july)
    ]
    assert (totals[0][OLD], totals[0].get(NEW, 0)) == (3, 0)
    assert (totals[1].get(OLD, 0), totals[1][NEW]) == (0, 3)
