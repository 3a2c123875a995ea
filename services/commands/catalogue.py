"""`lienthong catalogue`: look through the city's data before a service does.

Reading and checking live in shared/catalogue; this only prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from shared.catalogue import Catalogue, OtherTime, Procedure, Step, check, load
from shared.kernel.calendar import Duration
from shared.kernel.clock import RealClock, to_vn
from shared.kernel.errors import Fault, NotFound
from shared.settings import Settings

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def catalogue() -> None:
    """Check and show the city's data: procedures, agencies, calendars, templates."""


@catalogue.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--lang",
    type=click.Choice(["both", "en", "vi"]),
    default="both",
    help="The language of the faults.",
)
@click.pass_context
def check_command(ctx: click.Context, folder: Path | None, lang: str) -> None:
    """Name file, place and mend of every fault in FOLDER; exit 1 when there is one.

    Without FOLDER the configured catalogue is checked. No service starts on a broken one.
    """
    root = folder or _configured()
    if not root.is_dir():
        raise click.UsageError(f"there is no folder {root}")
    faults = check(root, today=to_vn(RealClock().now()).date())
    for fault in faults:
        for line in _lines(fault, lang):
            click.echo(line)
    if faults:
        click.echo(f"\n{len(faults)} fault(s). No service starts until they are mended.")
        click.echo(f"{len(faults)} lỗi. Các dịch vụ không khởi động cho đến khi sửa xong.")
        ctx.exit(1)
    for line in _summary(load(root)):
        click.echo(line)


@catalogue.command("show")
@click.argument("code", required=False)
@click.option("--on", "day", type=DAY, help="The day to look at; today if not given.")
@click.option("--version", "version", type=int, help="Exactly this version, whatever the day.")
def show_command(code: str | None, day: object, version: int | None) -> None:
    """Show the procedure or agency CODE; without a CODE list all procedures in force."""
    book = load(_configured())
    on = day.date() if hasattr(day, "date") else to_vn(RealClock().now()).date()
    for line in _show(book, code, on, version):
        click.echo(line)


def _configured() -> Path:
    return Settings.load("intake", os.environ).catalogue_dir


def _lines(fault: Fault, lang: str) -> Iterator[str]:
    yield fault.place
    if lang in {"both", "en"}:
        yield f"    {fault.en}"
    if lang in {"both", "vi"}:
        yield f"    {fault.vi}"


def _summary(book: Catalogue) -> Iterator[str]:
    codes = book.procedure_codes()
    versions = sum(len(book.versions(code)) for code in codes)
    yield f"The catalogue is whole, version {book.version}. / Danh mục không có lỗi."
    yield f"  {len(codes)} procedures in {versions} versions"
    yield f"  {len(book.agency_codes())} agencies, {len(book.wards)} wards and communes"
    yield f"  {len(book.hours())} office calendars, {len(book.holidays)} special days"
    yield f"  {len(book.templates())} message templates"


def _show(book: Catalogue, code: str | None, on: date, version: int | None) -> Iterator[str]:
    if code is None:
        for procedure in book.procedures(on):
            yield f"{procedure.code}  {procedure.level:7}  {procedure.name}"
    elif code in book.agency_codes():
        yield from _agency(book, code)
    elif version is not None:
        found = book.procedure_version(code, version)
        day = min(max(on, found.valid_from), found.valid_to or on)  # one on which it is in force
        yield from _procedure(book, found, day)
    else:
        yield from _procedure(book, book.procedure(code, on), on)


def _agency(book: Catalogue, code: str) -> Iterator[str]:
    agency = book.agency(code)
    yield f"{agency.code}  {agency.name}"
    yield f"  official id  {agency.official_id}"
    yield f"  roles        {', '.join(agency.roles)}"
    yield f"  territory    {agency.territory}"
    yield f"  reached by   {agency.reach}"
    yield f"  calendar     {agency.calendar}: {book.hours()[agency.calendar].name}"
    yield f"  in force     {agency.valid_from} - {agency.valid_to or ''}"


def _procedure(book: Catalogue, procedure: Procedure, on: date) -> Iterator[str]:
    limit = procedure.max_supplement_rounds
    fee = "by rule" if procedure.fee.amount_vnd is None else f"{procedure.fee.amount_vnd} đ"
    yield f"{procedure.code} version {procedure.version}  {procedure.name}"
    yield f"  in force     {procedure.valid_from} - {procedure.valid_to or ''}"
    yield f"  field        {procedure.field}"
    yield f"  received by  {_offices(book, procedure, on)}"
    yield f"  channels     {', '.join(procedure.channels)}"
    times = (_words(procedure.duration), *map(_other, procedure.other_times))
    yield f"  legal time   {'; '.join(times)}"
    yield f"  supplement   {procedure.supplement_rule}, rounds {'any' if limit is None else limit}"
    yield f"  fee          {fee}, {procedure.fee.timing}  {procedure.fee.note or ''}".rstrip()
    yield "  papers"
    for paper in procedure.papers:
        when = f"  (if: {paper.condition})" if paper.condition else ""
        yield f"    {paper.original} + {paper.copy}  {paper.name}{when}"
    yield "  form"
    for field in procedure.form:
        marks = [field.type, *(["personal"] if field.personal else [])]
        marks += [] if field.required else ["optional"]
        if field.least is not None or field.greatest is not None:
            marks += [f"{field.least} to {field.greatest}"]
        if field.not_before is not None:
            marks += [f"from {field.not_before} years ago on" if field.not_before else "from today"]
        yield f"    {field.name}  {field.label}  [{', '.join(marks)}]"
    for branch in procedure.branches:
        yield f"  branch       {branch.code}  {branch.name}{' (default)' * branch.default}"
    for party in procedure.parties:
        yield f"  party        {party.code}  {party.name}; told {', '.join(party.told)}"
    yield "  steps"
    for step in procedure.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    marks = [
        *([f"after {', '.join(step.after)}"] if step.after else []),
        *([f"branch {step.branch}"] if step.branch else []),
        *(["silence is consent"] if step.silence == "consent" else []),
        *(["stops the clock"] if step.pauses_clock else []),
        *(["after the result"] if step.after_result else []),
        *([f"back to {step.back.to}, at most {step.back.most}"] if step.back else []),
        *([f"verification {_words(step.verification.time)}"] if step.verification else []),
        *(f"may choose {each.code} (+{_words(each.time)})" for each in step.chooses),
        *([f"where {step.place} lies"] if step.place else []),
        *map(_other, step.other_times),
    ]
    yield f"    {step.code}  {step.name}"
    yield f"      {step.kind} for {step.role}, {_words(step.budget)}; {'; '.join(marks)}".rstrip(
        "; "
    )
    if step.shares:
        yield f"      sees {', '.join(step.shares)}"


def _other(other: OtherTime) -> str:
    case = f"{other.field} {other.value}" if other.field else None
    whose = ", ".join(part for part in (other.channel, case, other.branch) if part)
    return f"{whose}: {_words(other.time)}"


def _offices(book: Catalogue, procedure: Procedure, on: date) -> str:
    known = book.offices(on, check=procedure.check)
    offices = [office for office in known if book.office_handles(office.code, procedure, on)]
    if not offices:
        raise NotFound(f"no office takes procedure {procedure.code} on {on}")
    if len(offices) == 1:
        return offices[0].name
    levels = procedure.level + (f" and {procedure.also_level}" if procedure.also_level else "")
    return f"{len(offices)} offices of level {levels}, such as {offices[0].name}"


def _words(duration: Duration | None) -> str:
    if duration is None:
        return "no budget of its own"
    if duration.unit == "same_day":
        return f"the same day, received until {duration.cutoff:%H:%M}"
    return f"{duration.value} {duration.unit.replace('_', ' ')}{'s' * (duration.value > 1)}"
