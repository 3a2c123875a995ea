"""The night of docs/operate.md: a city in which something is parked, something waits, some is sent.

The same every time, so that the page can show what an operator really sees. No test lives here.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from services.embedded.city import City
from services.routing.usecases.rules import Rules
from shared.catalogue import Catalogue
from shared.events.intake import DossierReceived
from tests.backends import EmbeddedBackend, Templates
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.operator import Operator
from tests.promises.test_parked import publish, until_parked
from tests.promises.town import Town


class Night:
    """A town whose routing breaks on one dossier, and an operator who sits before it."""

    def __init__(self, town: Town, operator: Operator, broken: ExitStack) -> None:
        self.town = town
        self._operator = operator
        self._broken = broken

    def types(self, line: str) -> str:
        """What the terminal shows for `lienthong …`; afterwards the city goes on by itself."""
        told = self._operator.types(*shlex.split(line)[1:])
        if " replay " in line:
            self._broken.close()  # the mend that the page speaks of
        self.town.city.pump(tolerant=True)
        return told


@contextmanager
def night(
    folder: Path, catalogue: Catalogue, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Night]:
    """Two dossiers: one goes its way, one is stuck at routing and was withdrawn; and some rubbish."""
    backend = EmbeddedBackend(folder, templates)
    town = Town(backend, catalogue)
    with ExitStack() as broken:
        well = town.desk().submit(INTERLINKED).code
        town.finish(well)
        stuck = town.desk().submit(INTERLINKED, number=2).code
        broken.enter_context(defect(stuck))
        until_parked(town)
        town.desk().withdraw(stuck, "công dân rút hồ sơ")
        publish(town, b"\xff\xfe not a fact of ours")
        carry(town.city)
        yield Night(town, Operator(town, monkeypatch), broken)
    town.close()
    backend.close()


@contextmanager
def defect(code: str) -> Iterator[None]:
    """Routing breaks while it reads the facts of this dossier: a slip of ours, to be mended."""
    judge = Rules.for_received

    def breaking(rules: Rules, received: DossierReceived, *others: Any) -> Any:
        if received.dossier == code:
            raise KeyError("a word of the citizen's form")
        return judge(rules, received, *others)

    with mock.patch.object(Rules, "for_received", breaking):
        yield


def carry(city: City) -> None:
    while city.pump(tolerant=True):
        pass
