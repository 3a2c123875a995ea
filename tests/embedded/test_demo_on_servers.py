"""The demonstration gives the same month wherever it is played: the same words, other machinery."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.commands.demo import demo
from shared.settings import SERVICES
from tests.backends import ServersBackend, create_database, database_url, drop_database

DOSSIERS, SEED = "20", "7"


@pytest.fixture
def databases(on_servers: ServersBackend) -> Iterator[str]:
    """An empty database per service, as the one URL that the demonstration takes."""
    pattern = f"lt_demo_{secrets.token_hex(4)}_{{service}}"
    names = [pattern.format(service=service) for service in SERVICES]
    for name in names:
        create_database(on_servers.servers, name)
    yield database_url(on_servers.servers, pattern)
    for name in names:
        drop_database(on_servers.servers, name)


def played(folder: Path, *where: str) -> dict[str, Any]:
    """What the month came to; `seconds` alone may differ from one run to the next."""
    file = folder.with_suffix(".json")
    options = ["--dossiers", DOSSIERS, "--seed", SEED, "--json", str(file), "--data", str(folder)]
    done = CliRunner().invoke(demo, [*options, *where], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert told.pop("seconds") > 0
    return told


def letters(folder: Path) -> dict[str, str]:
    """Every message as it was sent, by the name of its file."""
    files = [file for file in (folder / "messages").rglob("*") if file.is_file()]
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_seed_gives_the_same_month_on_servers_as_in_one_process(
    on_servers: ServersBackend, databases: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIENTHONG_AMQP_URL", raising=False)
    here, there = tmp_path / "here", tmp_path / "there"
    embedded = played(here)
    on_real = played(there, "--amqp", on_servers.amqp_url(), "--database", databases)
    assert on_real == embedded
    assert embedded["dossiers"]["submitted"] == int(DOSSIERS)
    assert embedded["parked"] == []
    assert letters(there) == letters(here), "and every citizen reads the same"
