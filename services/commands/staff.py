"""`lienthong staff`: the accounts of people who work here, and what happens when one leaves."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from services.commands.stores import opened, operator, reasoned
from services.intake.storage import custody
from services.intake.storage import staff as table
from services.intake.usecases import staff as accounts
from shared.catalogue import Catalogue, load
from shared.database import UnitOfWork
from shared.identity import audit
from shared.identity.passes import ROLES, Place
from shared.kernel.errors import Fault, InvalidInput
from shared.messaging.acts import Reason, record
from shared.settings import Settings

_COLUMNS = ("login", "name", "role")
_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    metavar="ROLE[:CODE]",
    help=f"One of {', '.join(ROLES)}, and of which office or agency; may be repeated.",
)


@click.group()
def staff() -> None:
    """Accounts of people: who may sign in, and what they may see."""


@contextmanager
def _unit() -> Iterator[UnitOfWork]:
    with opened("intake") as store, store.begin(operator()) as uow:
        yield uow


def _catalogue() -> Catalogue:
    return load(Settings.load("intake", os.environ).catalogue_dir)


def _places(roles: tuple[str, ...]) -> list[Place]:
    return [accounts.read_place(role) for role in roles]


@staff.command("add")
@click.argument("login")
@click.option("--name", required=True, help="What people call them; stands on receipts.")
@_roles
def add(login: str, name: str, roles: tuple[str, ...]) -> None:
    """Make an account; its first password is printed once and must be changed at the first sign-in."""
    places, catalogue = _places(roles), _catalogue()
    with _unit() as uow:
        person, first = accounts.add(uow, catalogue, login=login, name=name, places=places)
        audit.note(uow, "add staff", (person.id, *(place.code for place in places)))
    click.echo(f"{person.login} ({person.id}), mật khẩu đầu tiên / first password:", err=True)
    click.echo(first)


@staff.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
def import_(file: Path) -> None:
    """Make accounts from a CSV FILE with the columns login, name, role (as officer:<office>).

    Several roles of one person: several rows of the same login. All or nothing: every fault is told
    and no account is made. Prints login and first password of each.
    """
    wanted = _read(file)
    catalogue, out = _catalogue(), csv.writer(sys.stdout)
    faults: list[Fault] = []
    made = []
    with _unit() as uow:
        for line, (login, name, roles) in wanted.items():
            try:
                places = _places(tuple(roles))
                made.append(accounts.add(uow, catalogue, login=login, name=name, places=places))
            except InvalidInput as wrong:
                faults += [Fault(f"row {line}: {f.place}", f.vi, f.en) for f in wrong.faults]
        if faults:
            raise InvalidInput(faults)
        audit.note(uow, "import staff", [person.id for person, _ in made])
    for person, first in made:
        out.writerow([person.login, first])


def _read(file: Path) -> dict[int, tuple[str, str, list[str]]]:
    """What a file wants, by the row where each person stands first."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException("the file is no text: save it as CSV in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise click.ClickException(f"the first row must name the columns {', '.join(_COLUMNS)}")
    people: dict[str, tuple[int, str, list[str]]] = {}
    for row in rows:
        login, name, role = ((row[column] or "").strip() for column in _COLUMNS)
        if not (login or name or role):
            continue
        _, _, roles = people.setdefault(login, (rows.line_num, name, []))
        roles.append(role)
    if not people:
        raise click.ClickException("there is nobody in the file")
    return {line: (login, name, roles) for login, (line, name, roles) in people.items()}


@staff.command("assign")
@click.argument("login")
@_roles
def assign(login: str, roles: tuple[str, ...]) -> None:
    """Give an account these roles in place of those that it has; in force within five minutes."""
    places, catalogue = _places(roles), _catalogue()
    with _unit() as uow:
        person = accounts.assign(uow, catalogue, login, places)
        audit.note(uow, "assign staff", (person.id, *(place.code for place in places)))
    click.echo(f"{person.login}: {_told(places)}")


@staff.command("disable")
@click.argument("login")
def disable(login: str) -> None:
    """Close an account: at once at the desk's pages, within five minutes everywhere."""
    with _unit() as uow:
        person, held = accounts.disable(uow, login)
        audit.note(uow, "disable staff", [person.id])
    click.echo(f"đã đóng / disabled: {person.login}")
    if held:
        click.echo(
            f"còn {held} hồ sơ đang mở / {held} open dossiers are still in this person's care: "
            f"lienthong staff hand-over {person.login} COLLEAGUE",
            err=True,
        )


@staff.command("reset")
@click.argument("login")
def reset(login: str) -> None:
    """Draw a new first password; ends all sign-ins, takes the second factor off, opens a closed account."""
    with _unit() as uow:
        person, first = accounts.reset(uow, login)
        audit.note(uow, "reset staff", [person.id])
    click.echo(f"{person.login}, mật khẩu mới / new first password:", err=True)
    click.echo(first)


@staff.command("join")
@click.argument("login")
@click.argument("subject")
def join(login: str, subject: str) -> None:
    """Let an identity of the city's own sign-in open the account: SUBJECT is its `sub` there."""
    issuer = Settings.load("intake", os.environ).oidc_issuer
    if not issuer:
        raise click.ClickException("LIENTHONG_OIDC_ISSUER is not set: there is no such sign-in")
    with _unit() as uow:
        person = accounts.of_login(uow, login)
        accounts.join(uow, person, f"{issuer} {subject}")
        audit.note(uow, "join staff", [person.id])
    click.echo(f"đã nối / joined: {person.login}")


@staff.command("part")
@click.argument("login")
def part(login: str) -> None:
    """Let no identity of the city's own sign-in open the account any more; ends its sign-ins."""
    with _unit() as uow:
        person = accounts.of_login(uow, login)
        accounts.join(uow, person, None)
        audit.note(uow, "part staff", [person.id])
    click.echo(f"đã bỏ nối / parted: {person.login}")


@staff.command("hand-over")
@click.argument("login")
@click.argument("colleague")
@reasoned
def hand_over(login: str, colleague: str, why: str, who: str) -> None:
    """Put the open dossiers in the care of LOGIN into that of COLLEAGUE, for leave or departure."""
    catalogue = _catalogue()
    with _unit() as uow:
        given, taker = accounts.of_login(uow, login), accounts.of_login(uow, colleague)
        codes = accounts.hand_over(uow, catalogue, given, taker)
        reason = Reason(who, why)
        record(uow, "hand over", f"{given.id} {taker.id}", len(codes), reason)
        things = [given.id, taker.id, *codes]
        audit.note(uow, "hand over", things, reason=f"{reason.who}: {reason.why}")
    click.echo(f"đã bàn giao / handed over: {len(codes)} hồ sơ / dossiers → {taker.login}")


@staff.command("list")
def list_() -> None:
    """List the accounts: sign-in name, id as it stands in logs, name, roles, open dossiers."""
    with opened("intake") as store, store.read() as connection:
        people = table.everybody(connection)
        held = {each.id: len(custody.open_of(connection, each.id)) for each in people}
    for person in people:
        state = "đóng/disabled" if person.disabled_at else "mở/open"
        second = " +mã/code" if person.totp else ""
        second += " +thành phố/city" if person.subject else ""
        click.echo(
            f"{person.login:<20} {person.id}  {state}{second}  {person.name}  "
            f"{_told(person.places)}  {held[person.id]} hồ sơ/dossiers"
        )
    click.echo(f"{len(people)} tài khoản / accounts")


def _told(places: list[Place] | tuple[Place, ...]) -> str:
    return " ".join(f"{place.role}:{place.code}" for place in places)
