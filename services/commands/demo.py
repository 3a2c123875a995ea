"""`lienthong demo`: a simulated month of the city, through the three services and their doors.

Lives here: options, the order of things, and where results go. The play is simulation.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import click
from rich.console import Console

from services.commands.serve import serve_here
from shared.kernel.clock import VN
from simulation.figures import Habits, load_figures
from simulation.kit import City
from simulation.month import Month, Plan
from simulation.results import Results, collect
from simulation.stage import staged
from simulation.telling import live, open_console, tell_files, tell_results

MONTH = datetime(2022, 3, 1)  # noqa: DTZ001 - a month of the calendar, not an instant


@click.command("demo")
@click.option("--dossiers", default=300, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--seed", default=2022, show_default=True, type=int)
@click.option(
    "--month", default=MONTH, show_default="2022-03", type=click.DateTime(["%Y-%m"]),
    help="The month that is played; its year needs a calendar.",
)  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep files here.")
@click.option(
    "--amqp", envvar="LIENTHONG_AMQP_URL", default="memory://",
    help="Carry it on this broker, its agencies by the partner kit (default: in this process).",
)  # fmt: skip
@click.option(
    "--database", default="sqlite", help="A URL with {service} in it (default: SQLite files)."
)
@click.option("--serve", is_flag=True, help="Keep the web pages up afterwards.")
def demo(
    dossiers: int,
    seed: int,
    month: datetime,
    json_file: Path | None,
    data: Path | None,
    amqp: str,
    database: str,
    serve: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Mô phỏng một tháng của thành phố · Simulate a month of the city."""
    folder = data or Path(tempfile.mkdtemp(prefix="lienthong-demo-"))
    results, seconds = play(folder, month.date(), dossiers, seed, amqp=amqp, database=database)
    if json_file is not None:
        text = json.dumps(results.as_json(seconds, seed=seed), ensure_ascii=False, indent=2)
        json_file.write_text(text + "\n", encoding="utf-8")
    if serve:
        serve_here(folder)


def play(
    folder: Path, first: date, dossiers: int, seed: int, *, amqp: str, database: str
) -> tuple[Results, float]:
    """Play a month into `folder` and show it; the results and the seconds it took.

    `amqp` and `database` say where, as `open_city` takes them.
    """
    console, began = open_console(), time.monotonic()
    console.print(f"Thành phố mô phỏng, tháng {first:%m/%Y}, {dossiers} hồ sơ, hạt giống {seed}")
    start = datetime.combine(first, clock_time(), VN)
    with staged(folder, start, seed, bus_url=amqp, database=database) as city:
        results = _month(console, city, first, dossiers, seed)
    seconds = time.monotonic() - began
    tell_results(console, results)
    tell_files(console, folder, seconds)
    return results, seconds


def _month(console: Console, city: City, first: date, dossiers: int, seed: int) -> Results:
    start = city.now()
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    end = start + ((last - first) + timedelta(days=1))
    with live(console, dossiers) as line:
        month = Month(city, Plan(first, last, dossiers, seed), load_figures(), Habits(), line.show)
        month.run(end - timedelta(seconds=1))
    return collect(city, month.desks, start, end)
