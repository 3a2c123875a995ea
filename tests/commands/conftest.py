"""The command line on the databases of one test."""

from __future__ import annotations

from functools import partial

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from tests.commands.ledgers import SERVICES
from tests.migrating import migrate


@pytest.fixture
def run(backend, monkeypatch):
    """Types a command; the services' databases are this test's own."""
    for service in SERVICES:
        url = backend.settings(service).database_url
        monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))

    def typed(*arguments, ok=True):
        result = CliRunner().invoke(cli, arguments)
        if ok:
            assert result.exit_code == 0, (result.output, result.exception)
        return result

    return typed


@pytest.fixture
def migrated(run, backend):
    for service in SERVICES:
        backend.migrated(service, partial(migrate, service))
