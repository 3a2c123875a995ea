"""`lienthong reorganise PLAN`: units and agencies were put together anew; show it, then move.

Shows by default and changes nothing. With `--apply` intake's dossiers, drafts and accounts are moved
in small units; routing and notify follow by the facts that intake states.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import click

from services.commands.held import safe
from services.commands.stores import noted, now, opened, operator
from services.intake.app import indexed
from services.intake.domain.reorganising import BY_COMPETENCE, Plan, named
from services.intake.domain.statuses import Status
from services.intake.storage import moving
from services.intake.usecases.reorganise import move_drafts, move_people, move_some, read_plan
from services.routing.storage.moving import open_tasks
from services.routing.usecases.reorganise import move_left
from services.routing.usecases.rules import Rules
from shared.catalogue import Catalogue, load
from shared.database import Store, UnitOfWork
from shared.identity.keys import list_keys
from shared.kernel.clock import to_vn
from shared.kernel.errors import InvalidInput
from shared.messaging.acts import Reason
from shared.settings import SERVICES, Settings

_WAITS = {Status.SUPPLEMENT, Status.PAYMENT}


@click.command("reorganise")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "apply", is_flag=True, help="Move; without it nothing is changed.")
@click.option("--who", default="", help="Who decides; needed with --apply, kept.")
@click.option("--why", default="", help="The reason; needed with --apply, kept.")
@click.pass_context
def reorganise(ctx: click.Context, file: Path, *, apply: bool, who: str, why: str) -> None:
    """Show what the plan in FILE would move; with --apply, move it. The same again moves the rest.

    No date moves, and nothing that was stated before is changed. Citizens are told where their
    office is now. A plan with a fault is refused as a whole.
    """
    reason = Reason(who, why) if apply else None
    settings = Settings.load("intake", os.environ)
    catalogue = load(settings.catalogue_dir)
    try:
        plan = read_plan(file, catalogue)
    except InvalidInput as faulty:
        for fault in faulty.faults:
            click.echo(safe(f"{fault.place}\n    {fault.en}\n    {fault.vi}"), err=True)
        click.echo(f"{len(faulty.faults)} fault(s); nothing is moved. / Không chuyển gì.", err=True)
        ctx.exit(2)
    if reason is None:
        for line in _shown(plan, catalogue):
            click.echo(safe(line))
        click.echo(f"Nothing was changed. From {plan.day} on: --apply --who WHO --why WHY")
        return
    _must_have_come(plan, to_vn(now()).date())
    with opened("intake") as store:
        indexed(store, catalogue, settings)
        move_dossiers(store, plan, catalogue, reason)
    with opened("routing") as store:
        move_what_is_left(store, plan, catalogue, reason)


def _must_have_come(plan: Plan, today: date) -> None:
    if today < plan.day:
        raise click.UsageError(
            f"the units of {plan.day} are not there yet; apply it on that day or later "
            f"/ chưa đến ngày {plan.day}: hãy chạy từ ngày đó"
        )


def move_dossiers(store: Store, plan: Plan, catalogue: Catalogue, reason: Reason) -> None:
    """People and drafts first, then the dossiers, a hundred at a time; dying between is harmless."""
    with store.begin(operator()) as uow:
        people, forms = move_people(uow, plan), move_drafts(uow, plan)
        noted(uow, "reorganise people", plan.code, people, reason)
    total = _by_hundreds(store, plan, reason, lambda uow, on: move_some(uow, plan, catalogue, on))
    click.echo(f"moved: accounts {people}, unfinished forms {forms}, dossiers {total}")


def move_what_is_left(store: Store, plan: Plan, catalogue: Catalogue, reason: Reason) -> None:
    """Tasks after the result of dossiers that have ended: routing's own."""
    rules, followers = Rules(catalogue), plan.successors
    total = _by_hundreds(
        store,
        plan,
        reason,
        lambda uow, on: move_left(uow, rules, plan.code, plan.reason, followers, on),
    )
    click.echo(f"handed on: tasks that ended dossiers had left, of dossiers {total}")
    click.echo("The open ones' tasks follow, and citizens are told, as the facts arrive.")


def _by_hundreds(
    store: Store,
    plan: Plan,
    reason: Reason,
    move: Callable[[UnitOfWork, str], tuple[int, str | None]],
) -> int:
    after: str | None = ""
    total = 0
    while after is not None:
        with store.begin(operator()) as uow:
            moved, after = move(uow, after)
            if moved:
                noted(uow, "reorganise", plan.code, moved, reason)
        total += moved
    return total


def _shown(plan: Plan, catalogue: Catalogue) -> Iterator[str]:
    codes = list(plan.successors)
    with opened("intake") as store, store.read() as connection:
        dossiers = moving.counts(connection, codes)
        people = [person for person, _ in moving.to_move(connection, plan.workplaces)]
    with opened("routing") as store, store.read() as connection:
        tasks = open_tasks(connection, codes)
    yield f"{plan.code}, from {plan.day} on: {plan.reason}"
    yield from _units(plan, catalogue)
    yield "Dossiers and tasks that would move (ended ones stay):"
    for code, to in plan.successors.items():
        yield from _agency(plan, catalogue, code, to, dossiers.get(code, {}), tasks.get(code, 0))
    yield (
        f"Together: open dossiers: {sum(sum(each.values()) for each in dossiers.values())}, of each "
        f"the citizen is told once; open tasks: {sum(tasks.values())}; accounts: {len(people)}"
    )
    yield from _by_hand(plan)


def _units(plan: Plan, catalogue: Catalogue) -> Iterator[str]:
    yield "Units:"
    for line in plan.units:
        old = ", ".join(catalogue.ward(code, plan.eve).name for code in line.before)
        yield f"  {catalogue.ward(line.to, plan.day).name} ({line.to}): {old}"


def _agency(
    plan: Plan, catalogue: Catalogue, code: str, to: str, open_: Mapping[Status, int], tasks: int
) -> Iterator[str]:
    follows = "whoever is competent" if to == BY_COMPETENCE else named(catalogue, to)
    yield f"  {named(catalogue, code)} -> {follows}"
    told = {
        "open dossiers": set(open_),
        "of them waiting for the citizen": _WAITS,
        "of them with a result to collect": {Status.RESOLVED},
    }
    found = {words: sum(open_.get(each, 0) for each in states) for words, states in told.items()}
    found["open tasks"] = tasks
    parts = [f"{words}: {count}" for words, count in found.items() if count]
    yield f"      {'; '.join(parts) or 'nothing open'}"
    if code not in plan.workplaces:
        yield "      its people keep their place: give the line 'staff', or see `lienthong staff`"


def _by_hand(plan: Plan) -> Iterator[str]:
    """What no plan can move: whoever holds a secret must be given another."""
    keys = []
    for service in SERVICES:
        with opened(service) as store, store.read() as connection:
            keys += [
                f"  {service}: key {key.key_id} of {key.bound_to}"
                for key in list_keys(connection)
                if key.bound_to in plan.successors and key.revoked_at is None
            ]
    if keys:
        yield "By hand: programs with these keys need others, of the new agency (`lienthong keys`)"
        yield from keys
