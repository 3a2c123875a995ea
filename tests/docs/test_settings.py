"""The table of settings in docs/install.md: each that the code reads, with its default, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from shared.settings import DEFAULT_PORTS, NOT_OURS, PROJECT, SERVICES, Settings, names

PAGE = (PROJECT / "docs" / "install.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("## Every setting") :]
ROWS = {
    row[1]: [cell.strip() for cell in row[0].strip("|").split("|")]
    for row in re.finditer(r"^\| `(LIENTHONG_[A-Z_0-9]+)` \|.*$", TABLE, re.MULTILINE)
    if row[0].count("|") == 6
}
NAME = re.compile(r"LIENTHONG_[A-Z][A-Z_0-9]*[A-Z0-9]")
ROOMS = ("services", "shared", "simulation", "partner", "deploy")
# What the page says in words, since it is no plain value.
TOLD = {"data_dir": "`var`", "catalogue_dir": "`catalogue`", "secret_key": "drawn"}
TOLD |= {"evidence_key": "drawn"}
TOLD |= {"privacy_keys": "drawn"}
TOLD |= {"database_url": "a file in the data folder", "smtp_url": "none"}
TOLD |= dict.fromkeys(
    ("smtp_url_2", "smpp_url", "smpp_url_2", "sms_http", "sms_http_secrets", "sms_http_2",
     "sms_http_2_secrets", "management_url", "bounce_mailbox", "bounce_secret"),
    "none",
)  # fmt: skip
TOLD |= {"port": ", ".join(f"`{port}` {name}" for name, port in DEFAULT_PORTS.items())}


def test_every_setting_stands_in_the_table_and_nothing_else_does():
    assert list(ROWS) == list(names())
    for row in ROWS.values():
        assert all(row), row


@pytest.mark.parametrize("name", names())
def test_the_default_is_the_one_of_the_code(name: str, monkeypatch: pytest.MonkeyPatch):
    field = name.removeprefix("LIENTHONG_").lower()
    value = getattr(Settings.load("intake", {}), field)
    told = str(value).lower() if isinstance(value, bool) else str(value)
    expected = TOLD.get(field) or (f"`{told}`" if told else "empty")
    assert ROWS[name][1] == expected


def test_what_only_commands_and_scripts_read_is_told_as_well():
    read = set().union(*(NAME.findall(text) for text in texts()))
    apart = tuple(f"LIENTHONG_{prefix}" for prefix in NOT_OURS if prefix != "TEST_")
    for name in read:
        if name.startswith(apart):
            assert name in PAGE, f"{name} is read, and docs/install.md does not tell it"


def test_no_name_is_told_that_nobody_reads():
    read = set().union(*(NAME.findall(text) for text in texts()))
    own = {f"LIENTHONG_{who}{name.removeprefix('LIENTHONG_')}" for name in names() for who in WHO}
    known = read | own | {f"{name}_FILE" for name in own}
    assert {name for name in NAME.findall(PAGE) if name not in known} <= SAID_IN_PART


WHO = ("", *(f"{service.upper()}_" for service in SERVICES))
# `LIENTHONG_INTAKE_…` and the like: the beginning of a name.
SAID_IN_PART = {f"LIENTHONG_{service.upper()}" for service in SERVICES}


def texts() -> list[str]:
    """All that reads settings: code, what compose hands on, and what systemd's units hand on."""
    files = [PROJECT / "compose.yaml"]
    for room in ROOMS:
        files += [
            file
            for file in (PROJECT / room).rglob("*")
            if file.suffix in (".py", ".yaml", ".env", ".service", ".conf")
        ]
    return [Path(file).read_text(encoding="utf-8") for file in files]


def test_the_page_says_of_every_field_who_reads_it():
    assert {each.name for each in fields(Settings)} - {"service"} == {
        name.removeprefix("LIENTHONG_").lower() for name in ROWS
    }
