"""One service, built: what its `app.build` hands to whoever runs it.

How it is built is written in each service's app.py; how it is run, in services/commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask

from shared.database import Store
from shared.messaging import Bus
from shared.messaging.loops.loop import Loop
from shared.messaging.metrics import Metrics
from shared.messaging.standing import Matters
from shared.settings import Settings


@dataclass
class Service:
    """A built service; nothing runs until its web is served and its loops are stepped.

    `loops` are its work, `beside` are loops of every process that serves its web, `outside` those
    of a process on a network that reaches out of the installation, `managing` those of one that
    may manage the broker.
    `migrate` brings the database to the newest version; `close` lets go of everything opened.
    """

    name: str
    settings: Settings
    store: Store
    bus: Bus
    web: Flask
    loops: list[Loop]
    migrate: Callable[[], None]
    close: Callable[[], None]
    metrics: Metrics = field(default_factory=Metrics)
    matters: Matters = field(default_factory=Matters)
    beside: list[Loop] = field(default_factory=list)
    outside: list[Loop] = field(default_factory=list)
    managing: list[Loop] = field(default_factory=list)
