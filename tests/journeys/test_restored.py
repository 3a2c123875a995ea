"""The drill of docs/operate.md: one service's database comes back from a backup, the others go on.

A dossier is half way when the backup is made; then it is finished and another one is filed and
worked on; then the database of one service is put back and the operator types what the page says.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from services.__main__ import cli
from services.commands import stores
from services.routing.storage.tables import cases, tasks
from shared.settings import SERVICES
from simulation.kit import Agency, City, Rejected
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED, LAND, OFFICE, held, unsent
from tests.journeys.backups import backup_of

BECAUSE = ("--who", "Hạnh", "--why", "đĩa hỏng, khôi phục bản sao 08:30")
HOUR = timedelta(hours=1)
Types = Callable[..., str]


@pytest.fixture
def types(backend: Backend, opened: Callable[[], City], monkeypatch: pytest.MonkeyPatch) -> Types:
    """Types `lienthong …` on the databases of this test, under the clock of its city."""
    for service in SERVICES:
        url = backend.settings(service).database_url
        monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))

    def typed(city: City, *words: str) -> str:
        monkeypatch.setattr(stores, "RealClock", lambda: city.clock)
        done: Any = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        for each in city.built.loops:
            each.wake()
        return str(done.output)

    return typed


class Drill:
    """A city with a desk and agencies whose programs remember what they saw, as real ones do."""

    def __init__(self, city: City, procedure: str = INTERLINKED, office: str = OFFICE) -> None:
        self.city = city
        self.desk = city.desk(office)
        self.procedure = procedure
        self.agencies: dict[str, Agency] = {
            code: city.agency(code, way="queue") for code in city.agencies_of(procedure, office)
        }
        self.operator = city.operator()

    def file(self) -> str:
        return self.desk.submit(self.procedure).code

    def work(self, *codes: str) -> bool:
        """Each agency grants what it has open of these dossiers; whether there was anything."""
        done = False
        for agency in self.agencies.values():
            for code in codes:
                for task in agency.tasks(code):
                    agency.take(task.id)
                    agency.grant(task)
                    done = True
        return done

    def status(self, code: str) -> int:
        try:
            return self.desk.status(code)
        except Rejected:
            return 0

    def finish(self, *codes: str) -> None:
        """Work on until these are resolved, and nothing is on its way."""

        def done() -> bool:
            self.work(*codes)
            return all(self.status(code) == 9 for code in codes)

        self.city.until(done)
        self.city.until(lambda: unsent(self.city.built) == 0)

    def has_tasks(self, code: str, count: int) -> None:
        """Carry on until so many tasks of a dossier are open at agencies."""
        self.city.until(
            lambda: sum(len(each.tasks(code)) for each in self.agencies.values()) == count
        )
        self.city.until(lambda: unsent(self.city.built) == 0)

    def told(self) -> Counter[tuple[str, str, str]]:
        """What citizens read, by dossier, moment and channel: each file is one letter."""
        folder = self.city.built.data_dir / "messages"
        names = {path.stem for path in folder.rglob("*") if path.suffix in (".eml", ".txt")}
        known = {each["id"]: each for each in self.operator.messages()}
        assert names <= known.keys(), "a letter that nobody knows of"
        return Counter(
            (known[name]["dossier"], known[name]["moment"], known[name]["channel"])
            for name in names
        )


def next_command(told: str) -> list[str]:
    """The words of the `resend` that `restored` says to type."""
    line = next(line for line in told.splitlines() if "lienthong resend" in line)
    return shlex.split(line)[1:]


def give_up_what_was_never_filed(drill: Drill, types: Types, lost: str) -> None:
    """What the page says of dossiers that intake has lost: their desks file them again."""
    city = drill.city
    drill.work(lost)
    city.until(lambda: unsent(city.built) == 0)
    listed = types(city, "parked", "list", "--service", "intake")
    assert lost in listed
    assert "never filed here" in listed
    never = ("--service", "intake", "--reason", "never filed here", *BECAUSE, "--yes")

    def given_up() -> bool:
        types(city, "parked", "discard", *never)
        return all(row[2] == "discarded" for row in held(city.built))

    city.until(given_up)


@pytest.mark.parametrize("service", SERVICES)
def test_after_a_restore_everything_goes_on_and_nothing_is_held(
    service: str, backend: Backend, opened: Callable[[], City], types: Types
):
    drill = Drill(opened())
    city, store = drill.city, drill.city.built.services[service].store
    old = drill.file()
    drill.has_tasks(old, 1)
    drill.work(old)
    drill.has_tasks(old, 2)
    with backup_of(backend, service, store) as backup:
        city.advance(HOUR)
        drill.finish(old)
        lost = drill.file()
        drill.has_tasks(lost, 1)
        drill.work(lost)
        drill.has_tasks(lost, 2)
        city.advance(HOUR)

        backup.put_back()
        told = types(city, "restored", "--service", service, *BECAUSE)
        types(city, "restored", "--service", service, *BECAUSE)  # once too often
        again = types(city, *next_command(told))
        assert again.count("will be sent again") == 2

        new = drill.file()
        assert new not in (old, lost), "a code never comes twice"
        known = [old, new] if service == "intake" else [old, lost, new]
        drill.finish(*known)
        if service == "intake":
            give_up_what_was_never_filed(drill, types, lost)
        city.until(lambda: unsent(city.built) == 0)
        assert [row for row in held(city.built) if row[2] != "discarded"] == []
        for agency in drill.agencies.values():
            assert agency.client.missing() == []
            assert agency.client.unreadable() == []
            assert agency.client.aside() == []
            assert agency.tasks() == []
        city.until(lambda: all(drill.told()[(code, "resolved", "sms")] for code in known))
        assert max(drill.told().values()) == 1, "nobody is told twice"


def test_an_agency_to_which_nothing_new_is_said_gives_its_answers_again(
    backend: Backend, opened: Callable[[], City], types: Types
):
    drill = Drill(opened())
    city, store = drill.city, drill.city.built.routing.store
    code = drill.file()
    drill.has_tasks(code, 1)
    drill.work(code)
    drill.has_tasks(code, 2)
    with backup_of(backend, "routing", store) as backup:
        drill.finish(code)
        given = {agency.code: agency.given for agency in drill.agencies.values()}
        backup.put_back()
        told = types(city, "restored", "--service", "routing", *BECAUSE)
        assert "about open tasks will be sent to agencies again" in told
        types(city, *next_command(told))

        def resolved_again() -> bool:
            for agency in drill.agencies.values():
                agency.collect()
            with store.read() as connection:
                return connection.scalar(sa.select(cases.c.state)) != "live"

        city.until(resolved_again)
        city.until(lambda: unsent(city.built) == 0 and held(city.built) == [])
        assert given == {agency.code: agency.given for agency in drill.agencies.values()}
        assert max(drill.told().values()) == 1


def test_what_routing_says_once_more_is_told_to_the_citizen_once(
    backend: Backend, opened: Callable[[], City], types: Types
):
    drill = Drill(opened(), LAND, "mot-cua-thanh-pho")
    city, store = drill.city, drill.city.built.routing.store
    code = drill.file()
    drill.has_tasks(code, 1)
    with backup_of(backend, "routing", store) as backup:

        def must_pay() -> bool:
            drill.work(code)
            return drill.status(code) == 6

        city.until(must_pay)
        city.until(lambda: unsent(city.built) == 0)
        asked = (code, "payment_requested", "sms")
        city.until(lambda: drill.told()[asked] == 1)
        backup.put_back()
        told = types(city, "restored", "--service", "routing", *BECAUSE)
        types(city, *next_command(told))
        drill.has_tasks(code, 0)

        def asked_again() -> bool:
            for agency in drill.agencies.values():
                agency.collect()
            with store.read() as connection:
                waits = sa.select(tasks.c.state).where(tasks.c.kind == "payment")
                return connection.scalar(waits) is not None

        city.until(asked_again)
        city.until(lambda: unsent(city.built) == 0)
        drill.desk.pay(code, amount_vnd=1_500_000, proof="BL-0001")
        drill.finish(code)
        assert held(city.built) == []
        assert drill.told()[asked] == 1
        assert max(drill.told().values()) == 1


def test_a_desk_that_repeats_a_request_whose_answer_was_lost_files_anew(
    backend: Backend, opened: Callable[[], City], types: Types
):
    drill = Drill(opened())
    city, store = drill.city, drill.city.built.intake.store
    with backup_of(backend, "intake", store) as backup:
        lost = drill.desk.submit(INTERLINKED, key="once-1")
        backup.put_back()
        types(city, "restored", "--service", "intake", *BECAUSE)
        again = drill.desk.submit(INTERLINKED, key="once-1")
        assert again.code != lost.code
        assert again.code.rpartition("-")[0] == lost.code.rpartition("-")[0], "the same office, day"
        assert drill.desk.submit(INTERLINKED, key="once-1").code == again.code
        with pytest.raises(Rejected):
            city.citizen(lost.code, lost.word).page()
        assert again.code in city.citizen(again.code, again.word).page()
        city.until(lambda: unsent(city.built) == 0)
