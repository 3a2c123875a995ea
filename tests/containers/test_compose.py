"""The installation in containers on a real engine: it comes up, carries, heals, keeps its secrets.

Needs a Docker engine: ./test --containers. Tests share one installation and leave it healthy.
"""

from __future__ import annotations

import base64
import json
import random
import re
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from simulation.kit.doors import Browser, Door
from tests.containers.conftest import LASTING, SERVICES, Installation
from tests.containers.page import block

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

OURS = (*SERVICES, "mailsink", "secrets", "migrate")


@pytest.fixture(autouse=True)
def healthy(town: Installation) -> None:
    """Every test begins with a whole installation, whatever the one before left."""
    if town.unwell():
        town.compose("up", "-d", "--wait", timeout=300)


def broker(town: Installation, path: str, user: str, password: str) -> Any:
    """What the broker's management door says."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{town.ports['BROKER_MANAGEMENT']}/api{path}",
        headers={"Authorization": f"Basic {basic}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


# --- it comes up ----------------------------------------------------------------------------------


def test_a_fresh_clone_comes_up_healthy_and_carries_fifty_dossiers(town):
    print(f"from nothing to healthy: {town.seconds_to_come_up:.0f} s")
    assert town.unwell() == []
    for name in ("secrets", "migrate"):
        assert town.inspect(name)["State"]["ExitCode"] == 0
    said = town.shell(block("Install")).stdout
    print(said)
    assert "answered by kiem-tra-mot, by the broker             50 of 50" in said
    assert "answered by kiem-tra-cua-web, by the web door       50 of 50" in said
    assert "citizen told: resolved                              50 of 50" in said
    mails = town.compose("exec", "-T", "mailsink", "ls", "/data/mail/new").stdout.split()
    assert len(mails) >= 150


@pytest.mark.parametrize("name", OURS)
def test_no_container_of_ours_is_root_or_can_write_its_disk(town, name):
    found = town.inspect(name)
    assert found["Config"]["User"] == "10001:10001"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    if found["State"]["Running"]:
        assert town.compose("exec", "-T", name, "id", "-u").stdout.strip() == "10001"
        assert town.compose("exec", "-T", name, "touch", "/app/x", check=False).returncode != 0
        capabilities = town.compose("exec", "-T", name, "grep", "CapEff", "/proc/1/status").stdout
        assert int(capabilities.split()[1], 16) == 0


@pytest.mark.parametrize("name", ["postgres", "rabbitmq", "proxy"])
def test_the_servers_run_as_their_own_users(town, name):
    rows = town.docker("top", town.container(name), "-eo", "pid,uid,comm").stdout.splitlines()[1:]
    users = {
        row.split()[1] for row in rows if not row.split()[2].startswith(("docker-init", "tini"))
    }
    assert "0" not in users, rows


def test_no_secret_stands_in_an_environment_a_command_line_or_a_log(town):
    names = town.compose("run", "--rm", "-T", "secrets", "list", "/secrets").stdout.split()
    assert len(names) > 40
    told = "".join(
        town.docker("inspect", town.container(name)).stdout for name in (*LASTING, *OURS)
    )
    told += town.compose("logs").stdout
    for name in names:
        if name.endswith(("password", "_key")) or name.startswith("agencies/"):
            assert town.secret(name) not in told, name
    for keys in json.loads(town.secret("smoke/smoke.json"))["keys"].values():
        assert not any(text in told for text in keys.values())


def test_the_image_holds_no_installer_and_no_tests(town):
    for path in ("/app/.venv/bin/pip", "/app/tests", "/app/.git", "/app/docs"):
        done = town.compose("exec", "-T", "intake-web", "test", "-e", path, check=False)
        assert done.returncode == 1, path


def test_the_broker_has_our_users_quorum_queues_and_policies_and_no_guest(town):
    password = town.secret("operator/operator_password")
    users = {user["name"] for user in broker(town, "/users", "operator", password)}
    assert {"intake", "routing", "notify", "bhxh-cao-lanh", "kiem-tra-mot"} <= users
    assert "guest" not in users
    queues = broker(town, "/queues", "operator", password)
    assert {queue["type"] for queue in queues} == {"quorum"}
    assert "agency.ubnd-phuong-1.tasks" in {queue["name"] for queue in queues}
    assert all(queue["policy"].startswith("lienthong-") for queue in queues)
    for user, wrong in (
        ("guest", "guest"),
        ("bhxh-cao-lanh", town.secret("agencies/bhxh-cao-lanh")),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            broker(town, "/users", user, wrong)
        assert refused.value.code == 401


def test_a_service_cannot_enter_another_ones_database(town):
    password = town.secret("intake/database_password")
    for database, entered in (("intake", True), ("routing", False), ("postgres", False)):
        url = f"postgresql://intake:{password}@127.0.0.1/{database}"
        psql = ["exec", "-T", "postgres", "psql", url, "-c", "SELECT 1"]
        assert (town.compose(*psql, check=False).returncode == 0) is entered


# --- it heals -------------------------------------------------------------------------------------


def under_way(town: Installation, dossiers: int) -> Any:
    """A smoke run that has begun to carry."""
    before = _filed(town)
    run = town.smoking(dossiers)
    deadline = time.monotonic() + 120
    while _filed(town) < before + 15:
        assert run.going, run.ended()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return run


def _filed(town: Installation) -> int:
    query = "SELECT count(*) FROM dossiers"
    psql = ["psql", "-U", "postgres", "-At", "-d", "intake", "-c", query]
    return int(town.compose("exec", "-T", "postgres", *psql).stdout)


@pytest.mark.parametrize(
    "killed",
    [
        ["rabbitmq"],
        ["postgres"],
        ["intake-work", "routing-work", "notify-work"],
        ["intake-web", "routing-web", "notify-web"],
        ["proxy"],
        ["mailsink"],
        list(LASTING),
    ],
    ids=["broker", "database", "loops", "doors", "proxy", "mail server", "everything"],
)
def test_kill_9_in_the_middle_of_the_work_loses_nothing(town, killed):
    before = {name: town.inspect(name)["RestartCount"] for name in killed}
    run = under_way(town, 100)
    for name in killed:
        town.kill_9(name)
    said = run.ended()
    print(said)
    assert "100 of 100" in said
    print(f"all healthy again after {town.heals():.0f} s more")
    for name in killed:
        assert town.inspect(name)["RestartCount"] > before[name]


@pytest.mark.parametrize("seed", [1, 2])
def test_stopped_and_started_in_any_order_it_works_as_before(town, seed):
    order = random.Random(seed)
    containers = {name: town.container(name) for name in LASTING}
    for name in order.sample(LASTING, len(LASTING)):
        town.docker("stop", containers[name])
        state = town.inspect(name)["State"]
        if name in SERVICES or name == "mailsink":
            assert state["ExitCode"] == 0, f"{name} left with {state['ExitCode']}"
    for name in order.sample(LASTING, len(LASTING)):
        town.docker("start", containers[name])
    print(f"healthy after {town.heals():.0f} s")
    town.smoke()


def test_stopping_takes_less_than_ten_seconds_each_and_drops_nothing(town):
    run = under_way(town, 100)
    for name in SERVICES:
        begun = time.monotonic()
        town.compose("stop", name)
        took = time.monotonic() - begun
        assert took < 10, f"{name} took {took:.1f} s"
        assert town.inspect(name)["State"]["ExitCode"] == 0
    town.compose("start", *SERVICES)
    assert "100 of 100" in run.ended()
    town.heals()


def test_all_that_a_broker_had_comes_again_after_it_lost_its_disk(town):
    run = under_way(town, 100)
    town.compose("rm", "-s", "-f", "rabbitmq")
    town.docker("volume", "rm", f"{town.project}_rabbitmq-data")
    town.compose("up", "-d", "--wait", timeout=300)
    print(town.shell(block("The broker has lost its disk")).stdout)
    said = run.ended()
    print(said)
    assert "100 of 100" in said
    town.heals()


# --- what an operator types -----------------------------------------------------------------------


def ask(town: Installation, key: str) -> int:
    """What intake says to this key."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{town.ports['INTAKE']}/api/v1/procedures",
        headers={"Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_people_get_accounts_and_must_choose_a_password(town):
    commands = block("Give people their accounts").strip().splitlines()
    said = [town.shell(command).stdout for command in commands]
    first = said[0].strip().splitlines()[-1]
    for login in ("hoa.nguyen", "binh.tran", "duc.vo", "an.dang"):
        assert login in said[-1]
    assert first not in said[-1]
    for door in ("INTAKE", "ROUTING"):
        front = Door.at(f"http://127.0.0.1:{town.ports[door]}")
        told = Browser(front).sign_in("hoa.nguyen", first).text
        assert "Đặt mật khẩu của bạn" in told


def test_a_programmes_key_is_made_works_and_ends(town):
    create, listing = block("Give a programme its key").strip().splitlines()
    key = town.shell(create).stdout.strip().splitlines()[-1]
    assert key.startswith("lt_")
    assert ask(town, key) == 200
    assert "Quầy 1" in town.shell(listing).stdout
    town.shell(block("Change a key or a password", 0).replace("KEY_ID", key.split("_")[1]))
    assert ask(town, key) == 401


AGENCY = "bhxh-cao-lanh"


def amqp(town: Installation, user: str, password: str, *, agency: str = AGENCY) -> str:
    """How the broker takes an agency under one of its users: by the partner kit, as it would itself."""
    from partner import Client, PartnerError

    url = f"amqp://{user}:{password}@127.0.0.1:{town.ports['BROKER']}/%2F"
    try:
        with Client(agency, store=":memory:", url=url, on_gap=lambda _: None) as client:
            client.poll(lambda _: None)
    except PartnerError as refused:
        return str(refused)
    return "welcome"


def test_an_agency_gets_its_password_and_another_when_it_is_changed(town):
    show = block("Hand a broker password to an agency")
    before = town.shell(show).stdout.strip().splitlines()[-1]
    assert amqp(town, AGENCY, before) == "welcome"
    told = town.shell(block("Change a key or a password", 1)).stdout
    (user, after) = re.findall(r"^PARTNER_URL=amqps?://([^:]+):([^@]+)@", told, re.MULTILINE)[0]
    assert after != before
    assert amqp(town, user, after) == "welcome"
    assert amqp(town, AGENCY, before) == "welcome", "for its day of grace"
    town.compose("run", "--rm", "-T", "lienthong", "agency", "rotate", AGENCY, "--now")
    assert "password" in amqp(town, user, after)
    assert "password" in amqp(town, AGENCY, before)


def test_a_services_own_secrets_can_be_changed(town):
    before = town.secret("intake/secret_key")
    town.shell(block("Change a key or a password", 2))
    assert town.secret("intake/secret_key") != before
    town.heals()
    town.smoke(dossiers=10)


def test_the_citys_own_mail_server_is_put_in_place_of_the_sink(town):
    sink = town.secret("notify/smtp_url")
    example = "smtp://user:password@mail.example:587"
    recipe = block("Set your own mail server")
    nowhere = town.shell(recipe, check=False)
    assert nowhere.returncode != 0
    assert "smtp connect: the host has no address" in nowhere.stderr, "said before any restart"
    assert town.secret("notify/smtp_url") == example
    town.shell(recipe.replace(example, sink))
    assert town.secret("notify/smtp_url") == sink
    done = town.compose("run", "--rm", "-T", "secrets", "put", "/secrets", "notify/x", input="y\n",
                        check=False)  # fmt: skip
    assert done.returncode != 0
    town.heals()
    town.smoke(dossiers=5)


def test_an_upgrade_keeps_the_secrets_and_tells_the_broker_of_a_new_agency(town):
    kept = [town.secret(name) for name in ("intake/database_url", "postgres/password")]
    file = town.folder / "catalogue" / "agencies" / "city.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(
        before
        + """
  - code: phong-thu-nghiem
    official_id: "000.89.87.H20"
    name: Phòng thử nghiệm
    short_name: Phòng thử
    roles: [trial]
    address: Không có
    hotline: "0277 000 0089"
""",
        encoding="utf-8",
    )
    roles = town.folder / "catalogue" / "agencies" / "roles.yaml"
    names = roles.read_text(encoding="utf-8")
    roles.write_text(names + "  - {code: trial, name: Thử, name_en: Trial}\n", encoding="utf-8")
    lines = block("Upgrade").strip().splitlines()
    assert lines[0] == "git pull"
    town.shell("\n".join(lines[1:]))
    assert [town.secret(name) for name in ("intake/database_url", "postgres/password")] == kept
    password = town.secret("agencies/phong-thu-nghiem")
    assert amqp(town, "phong-thu-nghiem", password, agency="phong-thu-nghiem") == "welcome"
    file.write_text(before, encoding="utf-8")
    roles.write_text(names, encoding="utf-8")
    town.up()


def test_an_operator_starts_stops_and_looks(town):
    town.shell(block("Start, stop, look"))
    town.heals()


def _codes(town: Installation) -> set[str]:
    """The codes of all dossiers that intake knows."""
    psql = ["psql", "-U", "postgres", "-At", "-d", "intake", "-c", "SELECT code FROM dossiers"]
    return set(town.compose("exec", "-T", "postgres", *psql).stdout.split())


def _held(town: Installation, reason: str = "") -> int:
    """How many facts are held by any service."""
    where = f"state IN ('parked', 'waiting', 'retry') AND coalesce(reason, '') LIKE '%{reason}%'"
    query = f"SELECT count(*) FROM inbox WHERE {where}"
    found = (
        town.compose(
            "exec", "-T", "postgres", "psql", "-U", "postgres", "-At", "-d", name, "-c", query
        )
        for name in ("intake", "routing", "notify")
    )
    return sum(int(each.stdout) for each in found)


def _give_up_what_was_never_filed(town: Installation, before: int) -> None:
    """What the others still say of dossiers that intake has lost: given up until nothing is left."""
    assert _held(town, "never filed here") > 0
    because = ("--who", "Lê Thị Hạnh", "--why", "mất khi khôi phục, đã nộp lại")
    fits = ("--service", "intake", "--reason", "never filed here", *because, "--yes")
    deadline = time.monotonic() + 180
    while _held(town) > before:
        assert time.monotonic() < deadline
        town.compose("run", "--rm", "-T", "lienthong", "parked", "discard", *fits)
        time.sleep(2)


def test_one_service_comes_back_from_its_dump_beside_the_others(town):
    assert "10 of 10" in town.smoke(dossiers=10)
    before = _held(town)
    town.shell(block("Back up and restore one service"))
    known = _codes(town)
    assert "10 of 10" in town.smoke(dossiers=10)
    lost = _codes(town) - known
    assert len(lost) == 10
    told = town.shell(block("Back up and restore one service", 1)).stdout
    assert "streams count on from" in told
    assert "codes of today from" in told
    town.heals()
    assert _codes(town) == known
    said = town.smoke(dossiers=10)
    print(said)
    assert "10 of 10" in said
    drawn = _codes(town) - known
    assert len(drawn) == 10
    assert not drawn & lost, "a code came twice"
    assert _held(town, "number already used") == 0
    _give_up_what_was_never_filed(town, before)
    town.heals()


def test_a_backup_brings_everything_back_after_all_was_erased(town):
    key = town.shell(block("Give a programme its key").strip().splitlines()[0]).stdout.split()[-1]
    run = town.smoke(dossiers=20)
    assert "20 of 20" in run
    filed = _filed(town)
    town.shell(block("Back up"))
    town.compose("down", "-v")
    town.shell(block("Restore"))
    assert _filed(town) == filed + 50
    assert ask(town, key) == 200
    town.heals()
