"""What the tests of the operators' commands share. No test lives here."""

from __future__ import annotations

from services.commands.stores import app_of
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds

SERVICES = ("intake", "routing", "notify")
BECAUSE = ("--who", "lan", "--why", "thử")


def opened(backend, service):
    settings = backend.settings(service)
    return app_of(service).open_store(settings, clock=RealClock(), ids=RandomIds())
