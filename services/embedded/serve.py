"""Serving the whole city from one process: three doors, all loops, a clean stop.

Lives here: what `lienthong serve` and `demo --serve` do once there is a city. Building it is in
embedded.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.embedded.city import City
from services.embedded.keys import first_keys
from services.embedded.welcome import keep_keys, tell_doors, tell_rest
from shared import log
from shared.catalogue import load
from shared.kernel.clock import RealClock, to_vn
from shared.kernel.errors import LienThongError
from shared.kernel.ids import RandomIds
from shared.messaging.loops.supervisor import Supervisor
from shared.settings import DEFAULT_PORTS, SERVICES, Settings
from shared.web.ops import HealthDoors, OpsApp
from shared.web.server import WebServer, run
from simulation.autopilot import autopilots

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class PortTaken(LienThongError):
    """Another program listens where a door should be."""

    default_vi = "Cổng đã có chương trình khác dùng."


def serve_city(
    data_dir: Path | None = None,
    *,
    port: int | None = None,
    autopilot: bool = False,
    delay: timedelta = timedelta(seconds=3),
    env: Mapping[str, str] | None = None,
) -> int:
    """Serve until SIGTERM or Ctrl-C; 0 when everything that had begun was finished.

    `port` is intake's, the two others follow it. Settings come from the environment; `data_dir`
    goes before it.
    """
    # Databases and messages hold personal data: what this process writes is for its user only.
    os.umask(0o077)
    settings = city_settings(data_dir, port, os.environ if env is None else env)
    log.configure(settings["intake"])
    catalogue = load(settings["intake"].catalogue_dir)
    city = City(settings, catalogue=catalogue, clock=RealClock(), ids=RandomIds())
    try:
        city.migrate()
        doors = _doors(city)  # before the keys: none are made for a city that cannot be entered
        keys = first_keys(city)
        kept = keep_keys(city.data_dir, keys)
        if autopilot:
            _staff(city, delay)
        beside = _ops(city, city.start())
    except BaseException:
        city.close()
        raise
    addresses = {name: door.url for name, door in zip(city.services, doors, strict=True)}
    tell_doors(addresses, keys, catalogue, to_vn(city.clock.now()).date())
    tell_rest(city.data_dir, kept, first=bool(keys), autopilot=autopilot)
    finished = [True]

    def stop() -> None:
        finished.append(city.close())

    done = run([*doors, *beside], on_stop=stop)
    click.echo("Đã dừng; mọi việc đã nhận vẫn còn trên đĩa.")
    return 0 if done and all(finished) else 1


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


def _staff(city: City, delay: timedelta) -> None:
    """Simulated agencies at every agency of today."""
    today = to_vn(city.clock.now()).date()
    codes = [agency.code for agency in city.catalogue.agencies(today)]
    city.add(autopilots(codes, city.bus, city.clock, delay=delay, catch_up=city.unanswered_by))


def _doors(city: City) -> list[WebServer]:
    return _opened(
        (HealthDoors(service.web, OpsApp(service)), service.settings.host, service.settings.port)
        for service in city.services.values()
    )


def _ops(city: City, loops: Supervisor) -> list[WebServer]:
    """The operators' doors: measures and the health of all loops, where a port is named for them.

    As the public doors they are three in a row, from LIENTHONG_OPS_PORT on.
    """
    return _opened(
        (OpsApp(service, loops), service.settings.host, service.settings.ops_port)
        for service in city.services.values()
        if service.settings.ops_port
    )


def _opened(doors: Iterable[tuple[WSGIApplication, str, int]]) -> list[WebServer]:
    servers: list[WebServer] = []
    for app, host, port in doors:
        try:
            servers.append(WebServer(app, host=host, port=port))
        except OSError as taken:
            for server in servers:
                server.stop()
            raise PortTaken(
                f"port {port} of {host} cannot be used ({taken.strerror}); "
                "choose others with --port",
                vi=f"Không mở được cổng {port}; hãy chọn cổng khác bằng --port.",
            ) from taken
    return servers
