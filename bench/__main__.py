"""`python -m bench`: the whole benchmark; `./run bench` calls it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from bench.bare.contestant import running as bare
from bench.contest import Contestant, Submitted, carry, submit
from bench.counting import Count, count
from bench.figures import Figures, Preloaded, submitted
from bench.intake.command import intake
from bench.notify import notify
from bench.product.contestant import embedded, on_servers
from bench.product.preload import fill
from bench.report import as_json, as_text, of_submissions
from bench.routing import routing
from bench.schedule import Order
from bench.servers import Servers, found_or_started

Open = Callable[[], AbstractContextManager[Contestant]]
_QUICK = 500
# Where each kind of run begins to number its dossiers, so that no two are the same.
_WARM, _FULL, _PACED, _LATER, _BUSY = 0, 1_000_000, 2_000_000, 3_000_000, 5_000_000
# At which share of its own rate a contestant is busy, and for how many seconds.
_BUSY_SHARE, _BUSY_SECONDS = 0.8, 5.0
_COUNTED = 1_000  # dossiers in the run that counts
# What is carried to its end before it is multiplied, and how often full and empty take turns.
_FEW, _PAIRS = 2_000, 2


@click.group(invoke_without_command=True)
@click.pass_context
@click.option("--dossiers", default=10_000, show_default=True, help="In each run at full speed.")
@click.option("--rounds", default=3, show_default=True, help="Alternating; medians are told.")
@click.option("--rate", default=20.0, show_default=True, help="Dossiers a second for latencies.")
@click.option("--paced", default=200, show_default=True, help="Dossiers at that rate.")
@click.option("--preload", default=0, help="Measure again with so many already in the databases.")
@click.option("--submit-only", is_flag=True, help="The door alone: nobody works behind it.")
@click.option("--quick", is_flag=True, help=f"One round of {_QUICK}: does it all arrive?")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def main(
    context: click.Context,
    *,
    dossiers: int,
    rounds: int,
    rate: float,
    paced: int,
    preload: int,
    submit_only: bool,
    quick: bool,
    target: Path | None,
) -> None:
    """Measure the product beside the least that the same job can cost on this machine."""
    if context.invoked_subcommand is not None:
        return
    if quick:
        dossiers, rounds, paced = min(dossiers, _QUICK), 1, min(paced, 40)
    with found_or_started() as servers:
        if submit_only:
            result = submitted(_submissions(servers, dossiers, rounds))
            text = of_submissions(result)
        else:
            figures = _rounds(servers, dossiers, rounds, rate, paced)
            counts = _counts(servers, min(dossiers, _COUNTED))
            later = _preloaded(servers, dossiers, rounds, preload) if preload else None
            result = as_json(figures, rate=rate, counts=counts, preloaded=later)
            text = as_text(result)
    click.echo(text)
    if target is not None:
        target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounds(
    servers: Servers, dossiers: int, rounds: int, rate: float, paced: int
) -> dict[str, Figures]:
    contestants: dict[str, tuple[Open, Servers | None]] = {
        "bare": (lambda: bare(servers, all_facts=True), servers),
        "product": (lambda: on_servers(servers), servers),
        "embedded": (embedded, None),
        "product, by mail": (lambda: on_servers(servers, by_mail=True), servers),
        "bare minimum": (lambda: bare(servers, all_facts=False), servers),
    }
    figures = {name: Figures(name) for name in contestants}
    for number in range(rounds):
        for name, (start, measured) in contestants.items():
            with start() as contestant:
                carry(contestant, measured, Order(_WARM, max(50, dossiers // 20)))
                full = carry(contestant, measured, Order(_FULL, dossiers))
                slow = carry(contestant, measured, Order(_PACED, paced, rate=rate))
                own = full.rate * _BUSY_SHARE
                busy = min(dossiers, max(paced, int(own * _BUSY_SECONDS)))
                busy_run = carry(contestant, measured, Order(_BUSY, busy, rate=own))
            figures[name].full.append(full)
            figures[name].paced.append(slow)
            figures[name].busy.append(busy_run)
            _say(f"round {number + 1} of {rounds}: {name} {full.rate:.0f} dossiers/s")
    return figures


def _counts(servers: Servers, dossiers: int) -> dict[str, Count]:
    """What is done for one dossier, the product's beside bare's."""
    _say(f"counting what is done for {dossiers} dossiers ...")
    return {
        "product": count(lambda there: on_servers(there, counting=True), servers, dossiers),
        "bare": count(lambda there: bare(there, all_facts=True, counting=True), servers, dossiers),
    }


def _submissions(servers: Servers, dossiers: int, rounds: int) -> dict[str, list[Submitted]]:
    """The doors in turn, with nobody at work behind them."""
    doors: dict[str, Open] = {
        "bare": lambda: bare(servers, all_facts=True, working=False),
        "product": lambda: on_servers(servers, working=False),
    }
    runs: dict[str, list[Submitted]] = {name: [] for name in doors}
    for number in range(rounds):
        for name, start in doors.items():
            with start() as contestant:
                submit(contestant, servers, Order(_WARM, max(50, dossiers // 20)))
                run = submit(contestant, servers, Order(_FULL, dossiers))
            runs[name].append(run)
            _say(f"round {number + 1} of {rounds}: {name} {run.dossiers / run.seconds:.0f}/s")
    return runs


def _preloaded(servers: Servers, dossiers: int, rounds: int, preload: int) -> Preloaded:
    """The product on full and on empty databases in turn: what disturbs one disturbs the other."""
    with on_servers(servers) as empty, on_servers(servers) as full:
        _say(f"filling the databases with {preload} dossiers ...")
        began = time.monotonic()
        few = min(_FEW, max(1, preload // 10))
        rows = fill(full, servers, Order(_LATER, few), preload)
        result = Preloaded(rows["intake"]["dossiers"], time.monotonic() - began, rows)
        pair = [(empty, result.empty), (full, result.full)]
        for contestant, _ in pair:
            carry(contestant, servers, Order(_WARM, max(50, dossiers // 20)))
        for number in range(max(_PAIRS, rounds)):
            for contestant, figures in pair[:: -1 if number % 2 else 1]:
                run = carry(contestant, servers, Order(_FULL + number * dossiers, dossiers))
                figures.full.append(run)
                _say(f"{figures.name} databases: {run.rate:.0f} dossiers/s, {run.cpu_ms:.2f} ms")
    return result


def _say(text: Any) -> None:
    click.echo(text, err=True)


main.add_command(intake)
main.add_command(notify)
main.add_command(routing)

if __name__ == "__main__":
    main()
