"""`./run bench intake`: fills, asks, and says which goals are met."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from bench.intake import doors
from bench.intake.clients import Act, Asked, Line, ask, request
from bench.intake.desks import Filled, desk, filled, key_of
from bench.intake.report import Result, as_text, judged_by
from bench.product.dossiers import body_of, offices
from bench.servers import Servers, found_or_started, fresh
from shared.catalogue import load
from shared.settings import PROJECT

#: At which share of the product's own rate both are asked the same.
_SHARE = 0.5
_QUICK = {"submissions": 160, "rounds": 1, "reads": 64, "few": 400, "many": 1_600, "times": 3}


@click.command()
@click.option("--submissions", default=3_000, show_default=True, help="In each run of each door.")
@click.option("--reads", default=600, show_default=True, help="Of each kind in each run.")
@click.option("--rounds", default=3, show_default=True, help="In turn; medians are told.")
@click.option("--few", default=50_000, show_default=True, help="Dossiers of the smaller database.")
@click.option("--many", default=500_000, show_default=True, help="Dossiers of the larger ones.")
@click.option("--times", default=60, show_default=True, help="How often each search is timed.")
@click.option("--only", type=click.Choice(["door", "reads", "search"]), help="One part alone.")
@click.option("--quick", is_flag=True, help="All of it, small: does it run?")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path))
def intake(*, quick: bool, only: str | None, target: Path | None, **sizes: int) -> None:
    """Measure intake's doors on PostgreSQL with 16 clients, and its search on both databases."""
    if quick:
        sizes |= {name: min(sizes[name], small) for name, small in _QUICK.items()}
    result = Result(sizes)
    wanted = {only} if only else {"door", "reads", "search"}
    with (
        found_or_started() as servers,
        tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder,
    ):
        if "door" in wanted:
            _submissions(servers, Path(folder), result)
        if wanted & {"reads", "search"}:
            _readings(servers, Path(folder), result, wanted)
    told = judged_by(result)
    click.echo(as_text(told))
    if target is not None:
        target.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _submissions(servers: Servers, folder: Path, result: Result) -> None:
    """Both doors in turn: at full speed, then both at the same rate."""
    count = result.sizes["submissions"]
    codes = offices(load(PROJECT / "catalogue"))
    with ExitStack() as open_:
        place = open_.enter_context(fresh(servers))
        keys = key_of(place, folder, *codes)
        product = open_.enter_context(doors.product(place, folder))
        minimal = open_.enter_context(doors.minimal(place, folder))
        acts = {product: _filing(keys), minimal: _filing([""])}
        for door, act in acts.items():
            ask(door.port, act, 0, max(64, count // 10))
        first = count
        for number in range(result.sizes["rounds"]):
            for door, act in acts.items():
                run = _counted(servers, door, act, first, count)
                result.full[door.name].append(run)
                _say(f"round {number + 1}: {door.name} {run.asked.rate:.0f} accepted/s")
            first += count
            rate = result.full["product"][-1].asked.rate * _SHARE
            for door, act in acts.items():
                paced = max(64, int(count * _SHARE))
                result.paced[door.name].append(ask(door.port, act, first, paced, rate=rate))
            first += count


def _counted(servers: Servers, door: doors.Door, act: Act, first: int, count: int) -> Any:
    from bench.gauge import used
    from bench.intake.report import Run

    own, server = door.cpu(), used(servers, {})
    asked = ask(door.port, act, first, count)
    postgres = used(servers, {}).since(server)["postgresql"]
    return Run(asked, (door.cpu() - own) * 1000 / count, postgres * 1000 / count)


def _filing(keys: list[str]) -> Act:
    def file(line: Line, number: int) -> None:
        headers = {
            "Authorization": f"Bearer {keys[number % len(keys)]}",
            "Idempotency-Key": f"bench-{number}",
            "Content-Type": "application/json",
        }
        body = body_of(number, by_mail=False)
        line.ask(request("POST", "/api/v1/dossiers", headers, body), 201)

    return file


def _readings(servers: Servers, folder: Path, result: Result, wanted: set[str]) -> None:
    few, many = result.sizes["few"], result.sizes["many"]
    with ExitStack() as open_:
        _say(f"filling a PostgreSQL with {many} dossiers ...")
        large = open_.enter_context(filled(servers, folder, many))
        if "reads" in wanted:
            _say(f"filling a PostgreSQL with {few} dossiers ...")
            small = open_.enter_context(filled(servers, folder, few))
            _in_turn({"few": small, "many": large}, result)
        if "search" in wanted:
            result.waits["postgresql"] = dict(large.desk.waits(result.sizes["times"]))
    if "search" in wanted:
        _say(f"filling an SQLite with {many} dossiers ...")
        made = desk(f"sqlite:///{folder / 'found.db'}", many)
        result.waits["sqlite"] = dict(made.waits(result.sizes["times"]))
        made.engine.dispose()


def _in_turn(sizes: Mapping[str, Filled], result: Result) -> None:
    """Both sizes in turn, kind by kind: what disturbs one disturbs the other."""
    count = result.sizes["reads"]
    acts = {name: each.acts() for name, each in sizes.items()}
    for name, each in sizes.items():
        for act in acts[name].values():
            ask(each.door.port, act, 0, max(32, count // 10))
    for number in range(result.sizes["rounds"]):
        for kind in acts["few"]:
            told: dict[str, Asked] = {}
            for name in list(sizes)[:: -1 if number % 2 else 1]:
                told[name] = ask(sizes[name].door.port, acts[name][kind], number * count, count)
                result.reads[kind][name].append(told[name])
            rates = ", ".join(f"{name} {told[name].rate:.0f}/s" for name in sizes)
            _say(f"round {number + 1}: {kind}: {rates}")


def _say(text: str) -> None:
    click.echo(text, err=True)
