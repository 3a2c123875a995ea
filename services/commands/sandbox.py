"""`lienthong sandbox AGENCY`: a city of its own for an agency's programmer, with citizens who keep filing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.kernel.errors import LienThongError

if TYPE_CHECKING:
    from services.embedded.city import City
    from shared.catalogue import Catalogue
    from simulation.chaos.place import VirtualHost


@click.command("sandbox", context_settings={"show_default": True})
@click.argument("agency")
@click.option(
    "--every", default=30.0, type=click.FloatRange(1, 3600), help="Seconds between dossiers."
)
@click.option("--port", type=click.IntRange(1, 65533), help="The city's port. Default: 8080.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep files here.")
@click.option("--no-queue", is_flag=True, help="Door and pages alone: no RabbitMQ is needed.")
def sandbox(
    agency: str,
    every: float,
    port: int | None,
    data: Path | None,
    no_queue: bool,  # noqa: FBT001
) -> int:
    """Thành phố thử của một cơ quan · A city of its own for AGENCY, until Ctrl-C.

    Invented citizens file, each time anew, what AGENCY has to act on; they bring papers and pay when
    asked. All other agencies are simulated. Its queue is on a RabbitMQ of its own (or the one that
    LIENTHONG_TEST_AMQP_URL names, in a virtual host of its own, gone afterwards).
    """
    from shared.catalogue import load
    from shared.messaging.loops.signals import leave_when_told
    from shared.settings import PROJECT

    leave_when_told()
    catalogue = load(PROJECT / "catalogue")
    if agency not in catalogue.agency_codes():
        known = ", ".join(sorted(catalogue.agency_codes()))
        raise click.BadParameter(f"không có cơ quan này / no such agency: {agency}\n{known}")
    with _broker(catalogue, wanted=not no_queue) as place:
        return _serve(
            agency, timedelta(seconds=every), port, data or Path(f"sandbox-{agency}"), place
        )


@contextmanager
def _broker(catalogue: Catalogue, *, wanted: bool) -> Iterator[VirtualHost | None]:
    from simulation.chaos.place import Admin, found_or_started

    if not wanted:
        yield None
        return
    with found_or_started() as servers, Admin(servers).virtual_host(catalogue) as place:
        yield place


def _serve(
    agency: str, every: timedelta, port: int | None, data: Path, place: VirtualHost | None
) -> int:
    from services.commands.first_keys import first_keys
    from services.commands.first_people import first_people
    from services.commands.welcome import keep_keys, tell_address
    from services.embedded.serve import city_settings, serve_city

    env = {
        "LIENTHONG_WEBHOOK_LOOPBACK": "true",  # the programmer's own machine
        **os.environ,
        "LIENTHONG_AMQP_URL": "memory://" if place is None else place.operator,
    }
    told: list[tuple[str, str]] = []

    def prepare(city: City) -> None:
        keys, people = first_keys(city), first_people(city)
        kept = keep_keys(city.data_dir, keys, people)
        told.append((_door_key(city, agency), str(kept)))
        _people_the_city(city, agency, every)

    def tell(_city: City, url: str) -> None:
        tell_address(url, [])
        key, kept = told[0]
        _tell(agency, url, key, kept, place)

    return 0 if serve_city(city_settings(data, port, env), prepare=prepare, tell=tell) else 1


def _door_key(city: City, agency: str) -> str:
    from simulation.keys import issue_keys

    return issue_keys(city.services["routing"].store, "agency", [agency])[agency]


def _people_the_city(city: City, agency: str, every: timedelta) -> None:
    """Everybody but the agency: its citizens, and the other agencies."""
    from shared.kernel.clock import to_vn
    from simulation.applicants import Applicants, cases
    from simulation.autopilot import autopilots
    from simulation.desks import Desks
    from simulation.keys import issue_keys
    from simulation.kit.clients import Desk
    from simulation.kit.doors import Door

    today = to_vn(city.clock.now()).date()
    ways = cases(city.catalogue, agency, today)
    if not ways:
        raise LienThongError(
            f"no procedure of today leads to {agency}",
            vi=f"Hiện không có thủ tục nào cần {agency} giải quyết.",
            code="nothing_to_do",
        )
    others = [each.code for each in city.catalogue.agencies(today) if each.code != agency]
    city.add(autopilots(others, city.bus, city.clock, catch_up=city.unanswered_by))
    secrets = issue_keys(city.intake.store, "desk", {case.office for case in ways})
    desks = Desks(
        lambda office: Desk(
            lambda: Door.inside(city.intake.web),
            secrets[office],
            office,
            lambda code: city.catalogue.procedure(code, today),
        )
    )
    stores = [service.store for service in city.services.values()]
    city.add([Applicants(stores, desks, city.catalogue, ways, city.clock, every)])


def _tell(agency: str, url: str, key: str, kept: str, place: VirtualHost | None) -> None:
    click.echo(f"  {'Mật khẩu của cán bộ · passwords':<32} {kept}")
    click.echo("  Cho chương trình của cơ quan · for the agency's program:\n")
    click.echo(f"export PARTNER_AGENCY={agency}")
    if place is not None:
        click.echo(f"export PARTNER_URL='{place.url(agency)}'")
    click.echo(f"export PARTNER_DOOR={url} PARTNER_DOOR_KEY={key}\n")
    click.echo(
        '  Thử · try:  python -m partner doctor    |    curl -H "Authorization: Bearer $PARTNER_DOOR_KEY" "$PARTNER_DOOR/api/v1/tasks?state=open"'
    )
    click.echo("  Dừng · stop: Ctrl-C")
