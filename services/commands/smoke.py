"""`lienthong smoke`: does a running installation carry dossiers? From outside, by its doors alone.

Lives here: the options and what is printed. The run is in simulation/smoke.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click

from shared.kernel.errors import LienThongError
from simulation.smoke.access import Access
from simulation.smoke.run import EMAIL, Run
from simulation.smoke.table import faults, table


@click.command("smoke", context_settings={"show_default": True})
@click.option("--dossiers", default=50, type=click.IntRange(1, 2000), help="How many to carry.")
@click.option("--timeout", default=180.0, type=click.FloatRange(1), help="Seconds for all of it.")
@click.option(
    "--keys",
    envvar="LIENTHONG_SMOKE_KEYS",
    default="var/secrets/smoke/smoke.json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that `secrets make` wrote.",
)
@click.option("--intake", envvar="LIENTHONG_SMOKE_INTAKE", default="http://127.0.0.1:8080")
@click.option("--routing", envvar="LIENTHONG_SMOKE_ROUTING", default="http://127.0.0.1:8081")
@click.option("--notify", envvar="LIENTHONG_SMOKE_NOTIFY", default="http://127.0.0.1:8082")
@click.option(
    "--amqp",
    envvar="LIENTHONG_SMOKE_AMQP",
    default="",
    help="[amqps://]host:port[/vhost] of the broker; without it agencies use the web door.",
)
@click.option(
    "--email",
    envvar="LIENTHONG_SMOKE_EMAIL",
    default="",
    help="Where the check mails go; an address of nobody if not given.",
)
def smoke(
    dossiers: int,
    timeout: float,
    keys: Path,
    intake: str,
    routing: str,
    notify: str,
    amqp: str,
    email: str,
) -> int:
    """Carry check dossiers through a running installation; 0 when every one came through.

    Safe on an installation in use: an office, agencies and a procedure of its own, no SMS.
    """
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it says, we say in one line
    click.echo(f"Kiểm tra hệ thống · smoke: {dossiers} dossiers through {intake}")
    try:
        access = Access.load(keys, intake=intake, routing=routing, notify=notify, broker=amqp)
        run = Run(access, dossiers=dossiers, timeout=timeout, email=email or EMAIL)
        outcome = run.carry()
    except LienThongError as failed:
        click.echo(f"KHÔNG ĐẠT · FAILED: {failed.en}", err=True)
        return 1
    for line in table(outcome):
        click.echo(line)
    if outcome.good:
        click.echo("ĐẠT · everything came through")
        return 0
    click.echo("KHÔNG ĐẠT · FAILED", err=True)
    for line in faults(outcome):
        click.echo(line, err=True)
    return 1
