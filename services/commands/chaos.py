"""`lienthong chaos`: the real three services on PostgreSQL and RabbitMQ, with a driver that spares nothing.

Lives here: the options, the bound in time, and what is printed. The run is in simulation/chaos.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from shared.kernel.errors import LienThongError
from shared.settings import PROJECT

if TYPE_CHECKING:
    from simulation.chaos.run import Outcome

#: Beyond the minutes asked for: servers and city come up, everything comes to rest, all goes away.
BEYOND_SECONDS: Final = 900.0


class TookTooLong(LienThongError):
    """The bound on time was met; what was started is stopped."""

    default_vi = "Chạy quá thời hạn nên đã bị dừng."


@click.command("chaos", context_settings={"show_default": True})
@click.option(
    "--minutes", default=30.0, type=click.FloatRange(0.1, 24 * 60), help="How long acts are done."
)
@click.option("--seed", type=click.IntRange(0), help="Repeats the acts of that seed; else drawn.")
@click.option(
    "--json", "target", type=click.Path(path_type=Path, dir_okay=False), help="Also to this file."
)
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False),
    help="Keep journal and logs in this new folder, also of a good run.",
)  # fmt: skip
def chaos(minutes: float, seed: int | None, target: Path | None, keep: Path | None) -> int:
    """Thử phá · Kill, cut off, shout at and confuse a city of its own; 0 when all promises held.

    On servers of its own (or those that LIENTHONG_TEST_AMQP_URL and LIENTHONG_TEST_DATABASE_URL
    name, in databases and a virtual host of its own). Whatever it finds is told with its seed, and
    a failing run leaves its folder behind.
    """
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    folder = _folder(keep)
    if target is not None:  # found out now, not in half an hour
        target.parent.mkdir(parents=True, exist_ok=True)
    click.echo(f"Thử phá · chaos: seed {chosen}, {minutes:g} minutes")
    began = time.monotonic()
    outcome = None
    try:
        with _bounded(minutes * 60 + BEYOND_SECONDS):
            outcome = _run(folder, chosen, minutes * 60)
    finally:
        good = outcome is not None and outcome.good
        if good and keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            click.echo(f"  journal, logs and the peers' files: {folder}", err=not good)
    _tell(outcome, time.monotonic() - began, target)
    return 0 if outcome.good else 1


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="lienthong-chaos-"))
    if keep.exists() and any(keep.iterdir()):
        raise LienThongError(
            f"{keep} is not empty: name a new folder",
            vi=f"{keep} không trống; hãy chọn thư mục mới.",
        )
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    return keep.absolute()


def _run(folder: Path, seed: int, seconds: float) -> Outcome:
    from shared.catalogue import load
    from simulation.chaos.place import found_or_started, fresh
    from simulation.chaos.run import Run

    catalogue = load(PROJECT / "catalogue")
    with found_or_started() as servers, fresh(servers, catalogue) as place:
        return Run(folder, place, catalogue, seed, seconds, click.echo).go()


def _tell(outcome: Outcome, took: float, target: Path | None) -> None:
    from simulation.chaos.table import plain, table

    for line in table(outcome):
        click.echo(line)
    word = "mọi lời hứa được giữ · every promise held" if outcome.good else "KHÔNG ĐẠT · not held"
    click.echo(
        f"  seed {outcome.seed}: {word} ({took:.0f} s in all, {outcome.rested:.0f} s of rest)"
    )
    if target is not None:
        text = json.dumps(plain(outcome), ensure_ascii=False, indent=2) + "\n"
        target.write_text(text, encoding="utf-8")


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End by itself after so long, and by SIGTERM and a closed terminal as by Ctrl-C, clean."""

    def too_long(_signum: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"it did not end within {seconds:.0f} s")

    def leave(_signum: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, leave) for each in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
