"""An operator at the keyboard: the real command line on the databases of a town, under its clock.

No test lives here.
"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from services.commands import stores
from shared.settings import SERVICES
from tests.promises.town import Town


class Operator:
    """Types `lienthong …`; a refusal raises."""

    def __init__(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        self._town = town
        for service in SERVICES:
            url = town.backend.settings(service).database_url
            monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", url)
        monkeypatch.setenv("LIENTHONG_DATA_DIR", str(town.backend.data_dir))
        # The dossiers of this town live in 2022: "now" must be its now.
        monkeypatch.setattr(stores, "RealClock", lambda: town.clock)

    def types(self, *arguments: str) -> str:
        """The output of one command; the town's loops look at their ledgers afterwards."""
        done: Any = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        for each in self._town.city.loops:
            each.wake()  # a running loop looks by itself within a second
        return str(done.output)
