"""The city's rules, read once, and what a calm run gives: what every other run is held against."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import pytest
import structlog

from shared import log
from shared.catalogue import Catalogue, load
from shared.settings import PROJECT, Settings
from tests.backends import Backend, EmbeddedBackend, ServersBackend, Templates
from tests.promises.town import OFFICES, Portrait, Town, check_once, portrait


class Apart(EmbeddedBackend):
    """Embedded, on a memory bus of its own name: the cities of other fixtures go on beside it."""

    def amqp_url(self) -> str:
        return "memory://calm"


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """No line per fact: a crash matrix handles thousands."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure(Settings.load("intake", {"LIENTHONG_LOG_LEVEL": "error"}))
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@pytest.fixture(scope="session")
def calm(
    catalogue: Catalogue, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Portrait]:
    """Procedure -> the portrait of a dossier to which nothing out of the ordinary happened."""
    town = Town(Apart(tmp_path_factory.mktemp("calm"), templates), catalogue)
    drawn = {}
    for procedure in OFFICES:
        code = town.desk(procedure).submit(procedure).code
        town.finish(code, procedure=procedure)
        check_once(town.city, code)
        drawn[procedure] = portrait(town.city, code, procedure=procedure)
    town.close()
    return drawn


@pytest.fixture
def town(backend: Backend, catalogue: Catalogue) -> Iterator[Town]:
    made = Town(backend, catalogue)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["embedded", "servers"])
def lasting_place(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    """One back end for all tests of a module, each with dossiers of its own: fresh ones cost seconds."""
    folder = tmp_path_factory.mktemp("lasting")
    made: Backend
    if request.param == "embedded":
        made = EmbeddedBackend(folder, templates)
    else:
        made = ServersBackend(folder, templates, request.getfixturevalue("servers"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(lasting_place: Backend, catalogue: Catalogue, calm: object) -> Iterator[Town]:
    """One town for all tests of a module; `calm` first, it has a memory bus of this process too."""
    made = Town(lasting_place, catalogue)
    yield made
    made.close()
