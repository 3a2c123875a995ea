"""Serving the whole city from one process: one address, all loops, a clean stop.

Lives here: settings, doors and order of a served city. Building it is in city.py. Must not: words on
the terminal, keys, or who sits at the agencies: whoever serves hands that in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from services.embedded.city import City
from shared import log
from shared.catalogue import load
from shared.kernel.clock import RealClock
from shared.kernel.errors import LienThongError
from shared.kernel.ids import RandomIds
from shared.messaging.loops.supervisor import Supervisor
from shared.settings import DEFAULT_PORTS, SERVICES, Settings
from shared.web.connections import Limits, limits_of
from shared.web.ops import HealthDoors, OpsApp
from shared.web.server import WebServer, run
from shared.web.status import operators_door

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# What is done once the doors are open and before anything moves: keys, who sits at the agencies.
Prepare = Callable[[City], None]
# What is told once everything runs; given the city's address.
Tell = Callable[[City, str], None]


class PortTaken(LienThongError):
    """Another program listens where a door should be."""

    default_vi = "Cổng đã có chương trình khác dùng."


def serve_city(settings: Mapping[str, Settings], *, prepare: Prepare, tell: Tell) -> bool:
    """Serve until SIGTERM or Ctrl-C; True when everything that had begun was finished."""
    first = settings["intake"]
    log.configure(first)
    city = City(settings, catalogue=load(first.catalogue_dir), clock=RealClock(), ids=RandomIds())
    try:
        city.migrate()
        doors = _doors(city)  # before anything is made: a city that cannot be entered gets no keys
        prepare(city)
        beside = _ops(city, city.start())
    except BaseException:
        city.close()
        raise
    tell(city, doors[0].url)
    finished = [True]

    def stop() -> None:
        finished.append(city.close())

    done = run([*doors, *beside], on_stop=stop)
    return done and all(finished)


def city_settings(
    data_dir: Path | None, port: int | None, env: Mapping[str, str]
) -> dict[str, Settings]:
    """The settings of the three services in one process."""
    known = dict(env)
    if data_dir is not None:
        known["LIENTHONG_DATA_DIR"] = str(data_dir.absolute())
        known.pop("LIENTHONG_DATA_DIR_FILE", None)
    settings = {name: Settings.load(name, known) for name in SERVICES}
    settings = {
        name: replace(one, ops_port=one.ops_port + place if one.ops_port else 0)
        for place, (name, one) in enumerate(settings.items())
    }
    first = settings["intake"].port if port is None else port
    if port is None and "LIENTHONG_PORT" not in known:
        return settings
    # Each door its own port, also where one port was named for all.
    return {
        name: replace(
            one, port=first + DEFAULT_PORTS[name] - DEFAULT_PORTS["intake"] if first else 0
        )
        for name, one in settings.items()
    }


def _doors(city: City) -> list[WebServer]:
    """The whole city at intake's port; the two others, where programmes ask, show the same.

    Each port tells the health of the service that it is named for.
    """
    return _opened(
        (
            (HealthDoors(city.web, OpsApp(service)), service.settings.host, service.settings.port)
            for service in city.services.values()
        ),
        limits_of(city.intake.settings),
    )


def _ops(city: City, loops: Supervisor) -> list[WebServer]:
    """The operators' doors: measures and the health of all loops, where a port is named for them.

    As the public doors they are three in a row, from LIENTHONG_OPS_PORT on.
    """
    return _opened(
        (
            operators_door(OpsApp(service, loops), city.services, loops),
            service.settings.host,
            service.settings.ops_port,
        )
        for service in city.services.values()
        if service.settings.ops_port
    )


def _opened(
    doors: Iterable[tuple[WSGIApplication, str, int]], limits: Limits | None = None
) -> list[WebServer]:
    servers: list[WebServer] = []
    for app, host, port in doors:
        try:
            servers.append(WebServer(app, host=host, port=port, limits=limits))
        except OSError as taken:
            for server in servers:
                server.stop()
            raise PortTaken(
                f"port {port} of {host} cannot be used ({taken.strerror}); "
                "choose others with --port",
                vi=f"Không mở được cổng {port}; hãy chọn cổng khác bằng --port.",
            ) from taken
    return servers
