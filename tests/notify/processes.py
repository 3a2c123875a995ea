"""Real processes of notify, as its tests of a kill and a stop start them."""

from __future__ import annotations

from collections.abc import Mapping

from simulation.kit import Process, service_process
from simulation.kit.processes import environment
from tests.backends import Backend


def sending(backend: Backend, env: Mapping[str, str]) -> Process:
    """What sends the messages of this installation: the embedded city, or notify's own loops."""
    settings = backend.settings("notify")
    if not backend.embedded:
        return service_process(settings, "work", env=dict(env))
    known = environment(settings) | {"LIENTHONG_DATABASE_URL": ""} | dict(env)
    return Process(["serve"], known, settings.data_dir / "serve.log", doors=3)
