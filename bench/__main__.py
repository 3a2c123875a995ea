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
from bench.contest import Contestant, carry
from bench.product.contestant import embedded, on_servers
from bench.product.preload import fill
from bench.report import Figures, Preloaded, as_json, as_text
from bench.schedule import Order
from bench.servers import Servers, found_or_started

Open = Callable[[], AbstractContextManager[Contestant]]
_QUICK = 500
# Where each kind of run begins to number its dossiers, so that no two are the same.
_WARM, _FULL, _PACED, _LATER = 0, 1_000_000, 2_000_000, 3_000_000
# What is carried to its end before it is multiplied, and how often full and empty take turns.
_FEW, _PAIRS = 2_000, 2


@click.command()
@click.option("--dossiers", default=10_000, show_default=True, help="In each run at full speed.")
@click.option("--rounds", default=3, show_default=True, help="Alternating; medians are told.")
@click.option("--rate", default=20.0, show_default=True, help="Dossiers a second for latencies.")
@click.option("--paced", default=200, show_default=True, help="Dossiers at that rate.")
@click.option("--preload", default=0, help="Measure again with so many already in the databases.")
@click.option("--quick", is_flag=True, help=f"One round of {_QUICK}: does it all arrive?")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def main(
    dossiers: int,
    rounds: int,
    rate: float,
    paced: int,
    preload: int,
    quick: bool,  # noqa: FBT001 - click passes by name
    target: Path | None,
) -> None:
    """Measure the product beside the least that the same job can cost on this machine."""
    if quick:
        dossiers, rounds, paced = min(dossiers, _QUICK), 1, min(paced, 40)
    with found_or_started() as servers:
        figures = _rounds(servers, dossiers, rounds, rate, paced)
        later = _preloaded(servers, dossiers, rounds, preload) if preload else None
    result = as_json(figures, rate=rate, preloaded=later)
    click.echo(as_text(result))
    if target is not None:
        target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounds(
    servers: Servers, dossiers: int, rounds: int, rate: float, paced: int
) -> dict[str, Figures]:
    contestants: dict[str, tuple[Open, Servers | None]] = {
        "bare": (lambda: bare(servers, all_facts=True), servers),
        "product": (lambda: on_servers(servers), servers),
        "embedded": (embedded, None),
        "bare minimum": (lambda: bare(servers, all_facts=False), servers),
    }
    figures = {name: Figures(name) for name in contestants}
    for number in range(rounds):
        for name, (start, measured) in contestants.items():
            with start() as contestant:
                carry(contestant, measured, Order(_WARM, max(50, dossiers // 20)))
                full = carry(contestant, measured, Order(_FULL, dossiers))
                slow = carry(contestant, measured, Order(_PACED, paced, rate=rate))
            figures[name].full.append(full)
            figures[name].paced.append(slow)
            _say(f"round {number + 1} of {rounds}: {name} {full.rate:.0f} dossiers/s")
    return figures


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


if __name__ == "__main__":
    main()
