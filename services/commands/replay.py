"""`lienthong replay FILE.csv`: an event log of another office, played through this city.

Lives here: options, order, and where results go. The play is simulation.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from shared.kernel.clock import RealClock, to_vn
from simulation.kit import City
from simulation.log import Log, Terms, into_years, load_terms, read_log
from simulation.replaying import Replay, find_procedure
from simulation.results import Results, collect
from simulation.stage import staged
from simulation.telling import live, open_console, tell_files, tell_results

MOST_ROWS = 20
AFTERWARDS = timedelta(days=30)  # room for what is still due when the log has ended


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--procedure", help="Procedure that the cases go to (default: building permit).")
@click.option("--seed", default=2022, show_default=True, type=int)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep files here.")
def replay(
    file: Path, procedure: str | None, seed: int, json_file: Path | None, data: Path | None
) -> None:
    """Phát lại nhật ký sự kiện · Play an event log (case, channel, activity, timestamp).

    FILE is a CSV, as Excel saves one: UTF-8, UTF-16 or Windows-1258, with commas, semicolons or tabs.
    """
    console, terms = open_console(), load_terms()
    log = read_log(file, terms)
    folder = data or Path(tempfile.mkdtemp(prefix="lienthong-replay-"))
    began = time.monotonic()
    results, log = play(console, folder, log, terms, procedure or terms.procedure, seed)
    seconds = time.monotonic() - began
    _tell(console, folder, log, results, seconds)
    if json_file is not None:
        _write(json_file, results, log, seconds)


def play(
    console: Console, folder: Path, log: Log, terms: Terms, procedure: str, seed: int
) -> tuple[Results, Log]:
    """Play the log into `folder`; the results, and the log with its dates as they were played."""
    with staged(folder, RealClock().now(), seed) as city:
        log = into_years(log, _years(city))
        if log.cases:
            city.set(log.cases[0].submitted_at - timedelta(hours=1))
        return _cases(console, city, log, terms, procedure, seed), log


def _years(city: City) -> frozenset[int]:
    """The years for which every agency has a calendar."""
    codes = city.catalogue.agency_codes()
    return frozenset.intersection(*(city.catalogue.calendar(code).years for code in codes))


def _cases(
    console: Console, city: City, log: Log, terms: Terms, procedure: str, seed: int
) -> Results:
    start = city.now()
    find_procedure(city, procedure, to_vn(start).date())
    last = max((case.activities[-1].at for case in log.cases), default=start)
    with live(console, len(log.cases)) as line:
        run = Replay(city, log, terms, procedure, seed, line.show)
        run.run(last + AFTERWARDS)
    return collect(city, run.desks, start, city.now())


def _tell(console: Console, folder: Path, log: Log, results: Results, seconds: float) -> None:
    tell_results(console, results)
    if log.shifted_weeks:
        console.print(
            f"Ngày trong nhật ký được dời {log.shifted_weeks} tuần (giữ thứ và giờ), vì lịch làm "
            "việc không có các năm đó.",
            highlight=False,
        )
    if log.unusable:
        console.rule(f"[bold]{len(log.unusable)} dòng không dùng được")
        for row in log.unusable[:MOST_ROWS]:
            console.print(f"dòng {row.line}: {row.vi}", highlight=False, markup=False)
        if len(log.unusable) > MOST_ROWS:
            console.print(f"… và {len(log.unusable) - MOST_ROWS} dòng nữa (xem --json)")
    tell_files(console, folder, seconds)


def _write(file: Path, results: Results, log: Log, seconds: float) -> None:
    unusable: list[dict[str, Any]] = [
        {"line": row.line, "vi": row.vi, "en": row.en} for row in log.unusable
    ]
    whole = results.as_json(
        seconds, unusable_rows=unusable, cases=len(log.cases), shifted_weeks=log.shifted_weeks
    )
    file.write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
