"""`lienthong status`: what stands, since when, and who must do what; for people and for monitoring.

The ledgers and the broker are asked themselves, the processes at their operators' ports. What is
looked at, and the words, are those of the operators' page (shared/messaging/overview).
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

import click

from services.commands.held import safe
from services.commands.stores import any_services, app_of, named, now, opened
from services.embedded.serve import city_settings
from services.routing.usecases.pace import paces
from shared.catalogue import load
from shared.kernel.clock import format_instant, to_vn
from shared.kernel.errors import LienThongError
from shared.messaging import Bus
from shared.messaging.advice import Both
from shared.messaging.overview import Part, arranged, look, of_loops
from shared.messaging.standing import ACT, EXIT_CODES, NOTE, PARTS, UNKNOWN, Line, worst
from shared.settings import Settings
from shared.web.status import WORDS, plain

_SECONDS: Final = 5.0
_LONGEST: Final = 1_000_000  # bytes of an answer that are read


@click.command("status")
@any_services
@click.option(
    "--door",
    "doors",
    multiple=True,
    envvar="LIENTHONG_STATUS_DOORS",
    metavar="URL",
    help="The operators' port of a process, to be asked for its loops; may be repeated.",
)
@click.option("--agencies", is_flag=True, help="Instead: how each agency keeps pace, 30 days back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as /status.json gives it.")
@click.pass_context
def status(
    ctx: click.Context,
    services: tuple[str, ...],
    doors: tuple[str, ...],
    *,
    agencies: bool,
    as_json: bool,
) -> None:
    """Show how the city stands: 0 all is well, 1 somebody must act, 2 it cannot be told."""
    if agencies:
        _tell_paces()
        return
    chosen = named(services)
    lines = arranged([*_looked_at(chosen), *_processes(doors or _own_doors(chosen))])
    at = now()
    if as_json:
        click.echo(json.dumps(plain(lines, at), ensure_ascii=False))
    else:
        _tell(lines, f"{to_vn(at):%H:%M:%S %d/%m/%Y}")
    ctx.exit(EXIT_CODES[worst(lines)])


def _tell_paces() -> None:
    """A line for each agency; times are minutes of its working time, of half and of nine tenths."""
    catalogue = load(Settings.load("routing", os.environ).catalogue_dir)
    with opened("routing") as store, store.read() as connection:
        found = paces(connection, catalogue, now())
    click.echo("agency\topen\toverdue\toldest\tlast sign\ttake p50 p90\tanswer p50 p90\twebhook")
    for each in found:
        instants = (format_instant(at) if at else "-" for at in (each.of.oldest, each.of.sign_at))
        marks = (" ".join(map(str, m)) if m else "-" for m in (each.take, each.answer))
        counts = (each.of.agency, str(each.of.open), str(each.of.overdue))
        hook = each.of.webhook
        way = "-" if hook is None else f"{hook.delivered}/{hook.delivered + hook.failed}"
        paused = " paused" if hook is not None and hook.paused is not None else ""
        click.echo("\t".join((*counts, *instants, *marks, way + paused)))


def _looked_at(services: Sequence[str]) -> list[Line]:
    """The databases of these services and their brokers."""
    parts: dict[str, Part] = {}
    broken: list[Line] = []
    buses: dict[tuple[str, str], Bus] = {}
    with ExitStack() as open_things:
        for name in services:
            try:
                settings = Settings.load(name, os.environ)
                store = open_things.enter_context(opened(name))
                matters = app_of(name).MATTERS.by(partial(load, settings.catalogue_dir))
                bus = _bus(settings, buses)
            except LienThongError as wrong:
                broken.append(
                    Line(
                        part="servers",
                        name=f"{name} database",
                        level=UNKNOWN,
                        said=Both(wrong.vi, wrong.en),
                    )
                )
            else:
                parts[name] = Part(store, matters, bus)
        for bus in buses.values():
            open_things.callback(bus.close)
        return [*broken, *look(parts)]


def _bus(settings: Settings, known: dict[tuple[str, str], Bus]) -> Bus | None:
    """The broker of a service; None for the memory of the city's process, which is not ours."""
    if settings.amqp_url.startswith("memory:"):
        return None
    key = (settings.amqp_url, settings.amqp_prefix)
    if key not in known:
        known[key] = Bus(settings.amqp_url, prefix=settings.amqp_prefix)
    return known[key]


# --- the processes ------------------------------------------------------------------------------


def _own_doors(services: Sequence[str]) -> list[str]:
    """Where a city in one process answers by its settings; processes apart must be named."""
    try:
        settings = city_settings(None, None, os.environ)
    except LienThongError:
        return []
    if not settings["intake"].amqp_url.startswith("memory:"):
        return []
    chosen = [settings[name] for name in services]
    return [f"http://{_host(one.host)}:{one.ops_port or one.port}" for one in chosen]


def _host(host: str) -> str:
    at_home = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{at_home}]" if ":" in at_home else at_home


def _processes(doors: Sequence[str]) -> list[Line]:
    if not doors:
        act = Both(
            "Đặt LIENTHONG_STATUS_DOORS: địa chỉ cổng vận hành của từng tiến trình.",
            "Set LIENTHONG_STATUS_DOORS to the operators' ports of the processes.",
        )
        words = Both("chưa hỏi tiến trình nào", "no process was asked")
        return [Line(part="loops", name="processes", level=NOTE, act=act, said=words)]
    return [line for door in doors for line in _process(door.rstrip("/"))]


def _process(door: str) -> list[Line]:
    try:
        told = _asked(f"{door}/readyz")
    except (OSError, ValueError):
        act = Both(
            "Vận hành: khởi động tiến trình này; mọi thứ đã nhận vẫn còn trong cơ sở dữ liệu.",
            "Operator: start this process; all that it took is in its database.",
        )
        words = Both("không trả lời", "does not answer")
        return [Line(part="loops", name=door, level=ACT, act=act, said=words)]
    name = f"{told.get('service')} {door}"
    line = Line(part="loops", name=name, said=Both("sẵn sàng", "ready"))
    if told.get("ready") is not True:
        away = [part for part in ("database", "broker") if told.get(part) != "ok"]
        names = ", ".join(away) or "loops"
        act = Both(
            f"Vận hành: tiến trình này không tới được: {names}; bật lại hoặc nối lại mạng.",
            f"Operator: this process does not reach: {names}; bring it back, or the network.",
        )
        said = Both("chưa sẵn sàng", "not ready")
        line = Line(part="loops", name=name, level=ACT, said=said, act=act)
    loops, failing = told.get("loops") or {}, told.get("failing") or ()
    report = {str(each): str(state) for each, state in loops.items()}
    seconds = {str(each["loop"]): float(each["seconds"]) for each in failing}
    return [line, *of_loops(report, seconds=seconds)]


def _asked(url: str) -> Mapping[str, Any]:
    """The JSON object that a door answers with, also where it is not ready; ValueError, OSError."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("not an address")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - http(s) alone
            body = answer.read(_LONGEST)
    except urllib.error.HTTPError as refused:
        with refused:
            body = refused.read(_LONGEST)
    told = json.loads(body)
    if not isinstance(told, dict):
        raise ValueError("no object")  # noqa: TRY004 - as where it is no JSON
    return told


# --- words --------------------------------------------------------------------------------------


def _tell(lines: Sequence[Line], at: str) -> None:
    level = worst(lines)
    click.secho(f"{' · '.join(WORDS[level])}   Liên Thông, {at}", bold=True)
    for part, titles in PARTS.items():
        of_part = [line for line in lines if line.part == part]
        if of_part:
            click.echo(f"\n{' · '.join(titles)}")
        for line in of_part:
            color = {"ok": "green", "note": "yellow"}.get(line.level, "red")
            click.secho(f"  {WORDS[line.level][0]:<8} ", fg=color, nl=False)
            click.echo(safe(f"{line.name}: {line.said.vi} · {line.said.en}"))
            if line.act:
                click.echo(f"           → {safe(line.act.vi)}\n             {safe(line.act.en)}")
