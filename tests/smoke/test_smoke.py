"""`lienthong smoke` on a running city: what it proves, what it refuses, whom it leaves alone."""

from __future__ import annotations

import dataclasses
import json

import pytest
from click.testing import CliRunner

from services.commands.smoke import smoke
from shared.identity.keys import draw, register
from simulation.smoke.access import Access, SmokeFailed
from simulation.smoke.run import MOMENTS, Carried, Run
from simulation.smoke.table import faults, table
from tests.smoke.conftest import Town

# The containers' tests run the same command on real servers, over the proxy.
pytestmark = pytest.mark.long("servers")

CHECKS = {"kiem-tra-mot", "kiem-tra-hai", "kiem-tra-ba", "kiem-tra-cua-web"}


def test_every_dossier_is_carried_from_the_desk_to_the_citizen(town: Town):
    outcome = Run(town.access(), dossiers=12, timeout=60).carry()
    said = "\n".join(table(outcome))
    assert outcome.good, "\n".join([said, *faults(outcome)])
    assert set(outcome.agencies) == CHECKS
    assert len({dossier.code for dossier in outcome.dossiers}) == 12
    for dossier in outcome.dossiers:
        assert dossier.status == 10
        assert dossier.answered == CHECKS
        assert dossier.answers == 4
        assert dossier.told == dict.fromkeys(MOMENTS, "sent")
    assert "--" not in said
    by_broker = {code for code, way in outcome.ways.items() if way == "broker"}
    assert by_broker == (set() if town.backend.embedded else CHECKS - {"kiem-tra-cua-web"})


def test_it_takes_no_real_agencys_task_and_writes_no_sms(town: Town):
    assert Run(town.access(), dossiers=3, timeout=60).carry().good
    assert set(town.tasks()) == CHECKS
    folder = town.city.data_dir / "messages"
    assert len(list((folder / "email").glob("*.eml"))) == 3 * len(MOMENTS)
    assert not (folder / "sms").exists()


def test_a_receipt_may_be_overtaken_by_the_result_and_nothing_else_may():
    told = {"received": "cancelled", "resolved": "sent", "returned": "sent"}
    assert all(map(Carried("c", "t", told=told).was_told, MOMENTS))
    for moment in ("resolved", "returned"):
        less = Carried("c", "t", told=told | {moment: "cancelled"})
        assert not less.was_told(moment)
    assert not Carried("c", "t", told=told | {"resolved": "queued"}).was_told("received")


def test_it_can_be_run_again_and_again(town: Town):
    for _ in range(2):
        assert Run(town.access(), dossiers=2, timeout=60).carry().good
    assert town.filed() == 4


def test_the_command_prints_a_table_and_ends_with_nought(town: Town):
    done = CliRunner().invoke(
        smoke, ["--dossiers", "3", "--timeout", "60", *town.options()], standalone_mode=False
    )
    assert done.return_value == 0, done.output
    assert "ok  filed, receipt given                                 3 of 3" in done.output
    assert "ok  citizen told: resolved                               3 of 3" in done.output
    assert done.output.rstrip().endswith("everything came through")


def test_a_silent_agency_is_named_and_the_run_fails(town: Town):
    access = town.access()
    keys = {code: key for code, key in access.agency_keys.items() if code != "kiem-tra-hai"}
    run = Run(dataclasses.replace(access, agency_keys=keys), dossiers=2, timeout=12)
    run.outcome.agencies = access.agency_keys.keys()  # type: ignore[assignment]
    outcome = run.carry()
    assert not outcome.good
    told = "\n".join(faults(outcome))
    assert "the time is over" in told
    assert "status 4 Đang xử lý; no task answered by kiem-tra-hai" in told


def test_what_an_aborted_run_left_behind_is_answered_by_the_next(town: Town):
    access = town.access()
    keys = {code: key for code, key in access.agency_keys.items() if code != "kiem-tra-ba"}
    Run(dataclasses.replace(access, agency_keys=keys), dossiers=2, timeout=8).carry()
    assert Run(access, dossiers=2, timeout=60).carry().good
    assert town.tasks()["kiem-tra-cua-web"] == 4


# --- what is refused --------------------------------------------------------------------------------


def invoked(town: Town, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(smoke, [*town.options(), *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value, done.output


def spoil(town: Town, kind: str, code: str, text: str) -> None:
    held = json.loads(town.keys_file.read_text())
    held["keys"][kind] = {code: text}
    town.keys_file.chmod(0o600)
    town.keys_file.write_text(json.dumps(held))


def test_a_real_desks_key_is_refused_before_anything_is_filed(town: Town):
    key = draw()
    with town.city.intake.store.begin() as uow:
        register(uow, kind="desk", bound_to="mot-cua-thanh-pho", label="t", text=key)
    spoil(town, "desk", "mot-cua-thanh-pho", key)
    status, said = invoked(town)
    assert status == 1
    assert "not that of the office that checks the installation; nothing was filed" in said
    assert town.filed() == 0


@pytest.mark.parametrize(("kind", "service"), [("desk", "intake"), ("operator", "notify")])
def test_a_wrong_key_is_told_by_the_name_of_its_door(town: Town, kind, service):
    wrong = draw()
    spoil(town, kind, "smoke", wrong)
    status, said = invoked(town)
    assert status == 1
    assert f"{service} at {town.doors[service]} answered 401" in said
    assert wrong not in said
    assert town.filed() == 0


def test_a_wrong_key_of_an_agency_ends_the_run_at_once(town: Town):
    keys = dict(town.access().agency_keys) | {"kiem-tra-cua-web": draw()}
    outcome = Run(
        dataclasses.replace(town.access(), agency_keys=keys), dossiers=2, timeout=60
    ).carry()
    assert not outcome.good
    assert "answered 401" in outcome.failure
    assert outcome.seconds < 30


def test_an_agency_with_a_wrong_broker_password_is_named(town: Town):
    if town.backend.embedded:
        pytest.skip("there is no broker in one process")
    wrong = dict(town.access().broker_passwords) | {"kiem-tra-ba": "wrong"}
    access = dataclasses.replace(town.access(), broker_passwords=wrong)
    outcome = Run(access, dossiers=1, timeout=60).carry()
    assert "refuses kiem-tra-ba" in outcome.failure
    assert "wrong" not in outcome.failure


def test_a_door_that_nobody_opens_is_told_when_the_time_is_over(town: Town):
    status, said = invoked(town, "--intake", "http://127.0.0.1:9", "--timeout", "1.5")
    assert status == 1
    assert "intake at http://127.0.0.1:9 is away: ConnectError" in said


@pytest.mark.parametrize("text", [None, "{}", "[1]", '{"keys": {"desk": {}}}'])
def test_a_file_without_keys_is_told_in_plain_words(tmp_path, text):
    file = tmp_path / "smoke.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SmokeFailed, match="secrets make"):
        Access.load(file, intake="", routing="", notify="", broker="")


@pytest.mark.parametrize(
    ("broker", "url"),
    [
        ("", None),
        ("mq:5672", "amqp://a:p%2F@mq:5672/%2F"),
        ("amqps://mq:5671/city", "amqps://a:p%2F@mq:5671/city"),
    ],
)
def test_the_brokers_address_is_made_for_each_agency(broker, url):
    access = Access("", "", "", broker, "", "", {}, {"a": "p/"})
    assert access.by_broker("a") == url
    assert access.by_broker("b") is None
    assert "p/" not in repr(access)
