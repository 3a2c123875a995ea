"""`lienthong contract`: the events' contract, and whether a change of it would break somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from shared.events.asyncapi import document, text
from shared.events.compatible import Break, documents

_WHOM: Final = {"readers": "bên đọc", "writers": "bên gửi"}


@click.group()
def contract() -> None:
    """Show the contract of events, and compare two versions of it."""


@contract.command("show")
def show_command() -> None:
    """Print this version's contract (AsyncAPI), to keep: OLD of a later check."""
    click.echo(text(), nl=False)


@contract.command("check")
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def check_command(ctx: click.Context, old: Path, new: Path | None) -> None:
    """Say what a program made for OLD would not understand of NEW; exit 1 where there is anything.

    Both are asyncapi.json files; without NEW, OLD is held against this version. *Readers* get what
    they do not know, *writers* send what is not taken. New optional names and new events harm nobody.
    """
    now = document() if new is None else _read(new)
    try:
        found = documents(_read(old), now)
    except (ValueError, AttributeError, TypeError) as wrong:
        raise _no_contract(old if new is None else f"{old}, {new}") from wrong
    for each in found:
        click.echo(_line(each))
    if found:
        click.echo(f"\n{len(found)} chỗ thay đổi làm hỏng chương trình cũ.")
        click.echo(f"{len(found)} change(s) that break an older program.")
        ctx.exit(1)
    click.echo("Chương trình viết cho bản cũ vẫn chạy được. / Programs made for OLD go on working.")


def _line(each: Break) -> str:
    vi = ", ".join(_WHOM[whom] for whom in each.whom.split(", "))
    change = f"{each.was or '·'} → {'(bỏ / gone)' if each.now == '-' else each.now}"
    return f"{each.place}\n    {vi} / {each.whom}: {change}"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        raise _no_contract(path) from wrong


def _no_contract(path: object) -> click.UsageError:
    return click.UsageError(
        f"{path}: không phải tệp asyncapi.json của Liên Thông (`lienthong contract show` in ra tệp ấy)"
        f"\n{path}: no asyncapi.json of Liên Thông (`lienthong contract show` prints one)"
    )
