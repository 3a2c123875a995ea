"""`lienthong serve`: the whole city in this one process, with pages in the browser.

Lives here: the options, the people and keys of a first start, and who sits at the agencies. Serving is in
services/embedded, the simulated agencies in simulation/.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.embedded.city import City


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(1, 65533),
    help="The city's port; it takes the next two as well. Default: 8080.",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep files here.")
@click.option("--autopilot", is_flag=True, help="Simulate the agencies: they answer by themselves.")
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=3.0,
    show_default=True,
    help="Seconds a simulated agency takes for a task.",
)
def serve(port: int | None, data: Path | None, autopilot: bool, delay: float) -> int:  # noqa: FBT001
    """Chạy cả thành phố trong một tiến trình · Run the whole city in this one process."""
    from shared.messaging.loops.signals import leave_when_told

    leave_when_told()
    return serve_here(data, port=port, autopilot=autopilot, delay=timedelta(seconds=delay))


def serve_here(
    data_dir: Path | None = None,
    *,
    port: int | None = None,
    autopilot: bool = False,
    delay: timedelta = timedelta(seconds=3),
    env: Mapping[str, str] | None = None,
) -> int:
    """Serve until SIGTERM or Ctrl-C; 0 when everything that had begun was finished.

    `port` is the city's; programmes may also ask at the two that follow it. Settings come from the environment; `data_dir`
    goes before it.
    """
    from services.commands.first_keys import CityKey, first_keys
    from services.commands.first_people import CityPerson, first_people
    from services.commands.welcome import keep_keys, tell_address, tell_keys, tell_rest
    from services.embedded.serve import city_settings, serve_city
    from shared.kernel.clock import to_vn

    keys: list[CityKey] = []
    people: list[CityPerson] = []
    kept: list[Path | None] = []

    def prepare(city: City) -> None:
        keys.extend(first_keys(city))
        people.extend(first_people(city))
        kept.append(keep_keys(city.data_dir, keys, people))
        if autopilot:
            staff(city, delay)

    def tell(city: City, url: str) -> None:
        tell_address(url, people)
        tell_keys(url, keys, city.catalogue, to_vn(city.clock.now()).date())
        tell_rest(city.data_dir, kept[0], first=bool(keys or people), autopilot=autopilot)

    settings = city_settings(data_dir, port, os.environ if env is None else env)
    finished = serve_city(settings, prepare=prepare, tell=tell)
    click.echo("Đã dừng; mọi việc đã nhận vẫn còn trên đĩa.")
    return 0 if finished else 1


def staff(city: City, delay: timedelta) -> None:
    """Simulated agencies at every agency of today."""
    from shared.kernel.clock import to_vn
    from simulation.autopilot import autopilots

    today = to_vn(city.clock.now()).date()
    codes = [agency.code for agency in city.catalogue.agencies(today)]
    city.add(autopilots(codes, city.bus, city.clock, delay=delay, catch_up=city.unanswered_by))
