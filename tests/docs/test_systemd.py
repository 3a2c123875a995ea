"""The units of deploy/systemd: systemd takes them, and what they start and read is there."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from services.__main__ import cli
from shared.settings import PROJECT, SERVICES, Settings

FOLDER = PROJECT / "deploy" / "systemd"
UNITS = sorted((*FOLDER.glob("*.service"), *FOLDER.glob("*.target")))
ROLES = ("web", "work")
PYTHON = "/opt/lienthong/.venv/bin/python"
MOST_STOPPING_SECONDS = 10  # promise 8
PAGE = (PROJECT / "docs" / "install.md").read_text(encoding="utf-8")


class Unit(dict[str, list[str]]):
    """The settings of a unit by name, each in the order in which it was set."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        for line in file.read_text(encoding="utf-8").splitlines():
            name, found, value = line.partition("=")
            if found and not line.startswith(("#", "[")):
                self.setdefault(name, []).append(value)


def services() -> list[Path]:
    return [unit for unit in UNITS if unit.suffix == ".service"]


@pytest.mark.parametrize("file", services(), ids=lambda file: file.name)
def test_what_a_unit_starts_is_a_command_of_ours(file: Path):
    (line,) = Unit(file)["ExecStart"]
    for service in SERVICES if "@" in file.name else ("",):
        words = shlex.split(line.replace("%i", service))
        assert words[:4] == [PYTHON, "-P", "-m", "services"]
        known: click.Command | None = cli
        for word in words[4:]:
            assert isinstance(known, click.Group)
            known = known.get_command(click.Context(known), word)
            assert known is not None, line
        assert not isinstance(known, click.Group)


@pytest.mark.parametrize("file", services(), ids=lambda file: file.name)
def test_a_unit_has_no_right_beyond_its_own_data_and_its_servers(file: Path):
    unit = Unit(file)
    assert unit["NoNewPrivileges"] == unit["ProtectHome"] == unit["PrivateTmp"] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["User"] == unit["Group"]
    assert unit["User"] != ["root"]
    assert unit["StateDirectoryMode"] == ["0700"]
    assert unit["UMask"] == ["0077"]


@pytest.mark.parametrize("role", ROLES)
def test_a_process_comes_back_by_itself_and_has_time_to_stop(role: str):
    unit = Unit(FOLDER / f"lienthong-{role}@.service")
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert int(unit["TimeoutStopSec"][0]) >= 2 * MOST_STOPPING_SECONDS


def read_env(name: str) -> dict[str, str]:
    """A file of settings, as systemd reads it."""
    reader = configparser.ConfigParser(interpolation=None, delimiters="=", strict=True)
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    text = (FOLDER / "etc" / name).read_text(encoding="utf-8")
    reader.read_string(f"[env]\n{text}")
    return {key: value.strip('"') for key, value in reader["env"].items()}


def handed_over(service: str, role: str, secrets: Path) -> dict[str, str]:
    """The environment of one process, its secrets in a folder of this test."""
    unit = Unit(FOLDER / f"lienthong-{role}@.service")
    env = {"LIENTHONG_DATA_DIR": f"/var/lib/lienthong/{service}"}
    for file in unit["EnvironmentFile"]:
        env |= read_env(file.replace("%i", service).removeprefix("/etc/lienthong/"))
    return {
        name: value.replace("/etc/lienthong/secrets", str(secrets)) for name, value in env.items()
    }


def test_every_process_gets_settings_that_it_can_read_and_ports_of_its_own(tmp_path: Path):
    taken = set()
    for service in SERVICES:
        (tmp_path / service).mkdir()
        for name in ("database_url", "amqp_url", "secret_key", "evidence_key", "smtp_url"):
            (tmp_path / service / name).write_text(f"{service}:{name}", encoding="utf-8")
        for role in ROLES:
            settings = Settings.load(service, handed_over(service, role, tmp_path))
            assert settings.database_url == f"{service}:database_url"
            assert settings.secret_key == f"{service}:secret_key"
            assert settings.data_dir == Path(f"/var/lib/lienthong/{service}")
            taken |= {settings.port, settings.ops_port}
    assert len(taken) == 3 + 6, "doors and operators' ports, each its own"


def test_the_operator_sees_every_process_and_every_database(tmp_path: Path):
    env = read_env("operator.env")
    doors = env["LIENTHONG_STATUS_DOORS"].split()
    ports = {
        read_env(f"{service}-{role}.env")["LIENTHONG_OPS_PORT"]
        for service in SERVICES
        for role in ROLES
    }
    for name in ("routing-webhooks.env", "routing-queues.env"):
        ports.add(read_env(name)["LIENTHONG_OPS_PORT"])
    assert {door.rpartition(":")[2] for door in doors} == ports
    for service in SERVICES:
        assert f"LIENTHONG_{service.upper()}_DATABASE_URL_FILE" in env
        assert f"u lienthong-{service} " in (FOLDER / "sysusers.conf").read_text(encoding="utf-8")


def test_the_target_gathers_all_and_the_page_names_every_file():
    wanted = {word for line in Unit(FOLDER / "lienthong.target")["Wants"] for word in line.split()}
    pairs = {f"lienthong-{r}@{s}.service" for r in ROLES for s in SERVICES}
    assert wanted == pairs | {"lienthong-webhooks.service", "lienthong-queues.service"}
    for path in re.findall(r"/opt/lienthong/(deploy/systemd[\w./-]*\w)", PAGE):
        assert (PROJECT / path).exists(), path
    assert shutil.which("sh") is None or os.access(FOLDER / "lienthong", os.X_OK)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path):
    for file in UNITS:
        text = file.read_text(encoding="utf-8").replace(PYTHON, sys.executable)
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    names = [each.name.replace("@.", "@intake.") for each in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", *names],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "lienthong" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="there is no systemd here")
def test_systemd_itself_makes_every_user(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(FOLDER / "sysusers.conf")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "not a valid" not in done.stderr
    made = (tmp_path / "etc" / "passwd").read_text(encoding="utf-8")
    for user in (*SERVICES, "operator"):
        assert f"lienthong-{user}:" in made
        assert f":/var/lib/lienthong/{user}:" in made
