"""`lienthong import FILE`: file many dossiers from a spreadsheet, as an office's own page does.

Each row by the use case of the desk's form, in a transaction of its own; a second run adds nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from services.commands.held import safe
from services.commands.stores import opened, operator
from services.intake.app import indexed
from services.intake.domain.bulk.columns import columns_of
from services.intake.domain.bulk.rows import Reason
from services.intake.domain.circumstances import Circumstances
from services.intake.storage.imports import Answer
from services.intake.usecases.importing import writing
from services.intake.usecases.importing.jobs import SLICE
from services.intake.usecases.importing.run import Task, file_rows, header_of
from services.intake.usecases.importing.workbook import check_size, count_rows, open_rows
from shared.catalogue import Catalogue, load
from shared.database import Store
from shared.identity import audit
from shared.settings import Settings

_PROGRESS_SECONDS = 1.0


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--office", required=True, help="Code of the office whose dossiers they are.")
@click.option("--procedure", required=True, help="Code of the procedure.")
@click.option("--template", is_flag=True, help="Write an empty FILE.xlsx to be filled in, and end.")
@click.option(
    "--repair",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the refused rows there, with reasons. Default: FILE.can-sua.xlsx.",
)
@click.option(
    "--ignore-column", "ignore", multiple=True, metavar="NAME", help="Do not read this column."
)
def importing(
    file: Path,
    office: str,
    procedure: str,
    repair: Path | None,
    ignore: tuple[str, ...],
    *,
    template: bool,
) -> None:
    """Nhập nhiều hồ sơ · File the rows of a .xlsx or .csv as dossiers of one office.

    A row is known by the office and its own number: run again, it adds nothing. Beside a running
    city. Ends with 1 where rows were refused: mend the file of --repair and import that.
    """
    settings = Settings.load("intake", os.environ)
    catalogue = load(settings.catalogue_dir)
    with opened("intake") as store:
        indexed(store, catalogue, settings)
        if template:
            _template(store, catalogue, office, procedure, file)
            return
        content = _read(file)
        task = Task(store.ids.new(), office, procedure, operator(), ignore)
        refused = _import(store, catalogue, task, content)
        if refused:
            target = repair or file.with_name(f"{file.stem}.can-sua.xlsx")
            titles, rows = open_rows(content)
            _, header = header_of(catalogue, task, titles, store.clock.now())
            target.write_bytes(writing.to_repair(header, rows, refused))
            click.echo(f"các dòng cần sửa / rows to repair: {target}", err=True)
    if refused:
        click.get_current_context().exit(1)


def _template(store: Store, catalogue: Catalogue, office: str, procedure: str, file: Path) -> None:
    around = Circumstances(catalogue, store.clock.now())
    found = around.offered(catalogue.agency(office), procedure)
    columns = columns_of(found, around.today)
    file.write_bytes(writing.template(columns, f"{found.code} – {found.name}"))
    click.echo(f"tệp mẫu / template: {file}", err=True)


def _read(file: Path) -> bytes:
    try:
        check_size(file.stat().st_size)
        return file.read_bytes()
    except OSError as broken:
        raise click.BadParameter(f"{file}: {broken.strerror}", param_hint="FILE") from None


def _import(
    store: Store, catalogue: Catalogue, task: Task, content: bytes
) -> dict[int, tuple[Reason, ...]]:
    """File all rows and tell of each that is refused; the reasons by line."""
    header_of(catalogue, task, open_rows(content)[0], store.clock.now())
    total = count_rows(open_rows(content)[1])
    with store.begin(task.actor) as uow:
        audit.note(uow, "import", [task.id, task.office, task.procedure])
    found: Counter[str] = Counter()
    refused: dict[int, tuple[Reason, ...]] = {}
    began = told = time.monotonic()
    for answer in _answers(store, catalogue, task, content):
        found[answer.outcome] += 1
        if answer.outcome == "refused":
            refused[answer.line] = answer.reasons
            _tell(answer)
        if time.monotonic() - told >= _PROGRESS_SECONDS:
            told = time.monotonic()
            click.echo(f"{found.total()} / {total} …", err=True, nl=not sys.stderr.isatty())
            click.echo("\r", err=True, nl=False)
    seconds = max(time.monotonic() - began, 0.001)
    click.echo(
        f"{found.total()} dòng / rows, {found.total() / seconds:.0f}/s: mới / added "
        f"{found['added']}, đã có / known {found['known']}, chưa nhận / refused {found['refused']}"
    )
    return refused


def _answers(store: Store, catalogue: Catalogue, task: Task, content: bytes) -> Iterator[Answer]:
    titles, rows = open_rows(content)
    while part := list(islice(rows, SLICE)):
        yield from _noted(store, task, file_rows(store, catalogue, task, titles, part))


def _noted(store: Store, task: Task, answers: list[Answer]) -> list[Answer]:
    if codes := [str(each.dossier) for each in answers if each.outcome == "added"]:
        with store.begin(task.actor) as uow:
            audit.note(uow, "import dossiers", [task.id, *codes])
    return answers


def _tell(answer: Answer) -> None:
    for reason in answer.reasons:
        where = f" {reason.column}" if reason.column else ""
        click.echo(safe(f"dòng / line {answer.line}{where}: {reason.vi} / {reason.en}"))
