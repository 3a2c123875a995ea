"""`lienthong privacy`: what the city knows of one person, shown and erased; and the keys of it all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import click

from services.commands import privacy_keys
from services.commands.stores import noted, opened, operator, reasoned
from services.intake.app import indexed
from services.intake.usecases import personal as of_intake
from services.notify.domain.contacts import MAIL
from services.notify.domain.incoming import phone_of
from services.notify.usecases import personal as of_notify
from services.routing.usecases import personal as of_routing
from shared.catalogue import load
from shared.database import Store
from shared.identity import audit
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput
from shared.messaging.acts import Reason
from shared.settings import SERVICES, Settings

PARTS: Final[Mapping[str, Any]] = {
    "intake": of_intake,
    "routing": of_routing,
    "notify": of_notify,
}
_NOBODY: Final = ("Không có hồ sơ nào của người này.", "no dossier of this person is known")

Stores = Mapping[str, Store]


@click.group("privacy")
def privacy() -> None:
    """Show or erase what is known of one person; the keys that personal data is sealed with."""


for _each in ("status", "seal", "rotate", "retire", "spare", "restore"):
    privacy.add_command(getattr(privacy_keys, _each))

_by = click.option(
    "--by",
    type=click.Choice(("id-number", "contact")),
    required=True,
    help="An ID number, or a number or mailbox that its owner has proven. Typed when asked, or piped.",
)


@privacy.command("export")
@_by
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="A folder; two files of one name come into it, .json and .txt.",
)
@reasoned
def export(by: str, out: Path, who: str, why: str) -> None:
    """Write all that the three services know of one person into two files, for their owner."""
    reason = Reason(who, why)
    with _stores() as stores:
        codes = _codes(stores, by)
        for store in stores.values():
            audit.reveal(
                store,
                "privacy export",
                codes,
                reason=f"{reason.who}: {reason.why}",
                actor=operator(),
            )
        found = {code: _known(stores, code) for code in codes}
        now = to_vn(stores["intake"].clock.now())
    name = out / f"ca-nhan-{now:%Y%m%d-%H%M%S}"
    told = {"made_at": now.isoformat(timespec="seconds"), "by": by, "dossiers": found}
    _write(name.with_suffix(".json"), json.dumps(told, ensure_ascii=False, indent=1, default=str))
    _write(name.with_suffix(".txt"), "\n".join(_lines(told)) + "\n")
    click.echo(f"{len(codes)} hồ sơ / dossiers: {name}.json, {name}.txt")
    click.echo(
        "Có thể có dữ liệu của người khác trong cùng hồ sơ: hãy xem trước khi giao. / "
        "Others may stand in the same dossiers: look before you hand it out.",
        err=True,
    )


@privacy.command("erase")
@_by
@click.option("--only", "only", multiple=True, metavar="CODE", help="These dossiers alone.")
@click.option("--yes", is_flag=True, help="Do it; without it only said what would go and stay.")
@reasoned
def erase(by: str, only: tuple[str, ...], who: str, why: str, *, yes: bool) -> None:
    """Erase how one person is reached and what was written to them, and say what stays and why.

    Only of dossiers that have ended; forms, papers and decisions are kept by the law on archives.
    """
    reason = Reason(who, why)
    with _stores() as stores:
        codes = [code for code in _codes(stores, by) if not only or code in only]
        going = _may_go(stores, codes)
        for code in codes:
            click.echo(_verdict(code, goes=code in going))
        for service, part in PARTS.items() if yes and going else ():
            with stores[service].begin(operator()) as uow:
                count = part.erase(uow, sorted(going), reason.who)
                noted(uow, "privacy erase", ", ".join(sorted(going)), count, reason)
            click.echo(f"{service}: {count}")
    if not yes:
        click.echo("chưa xóa gì; thêm --yes để xóa / nothing was erased; --yes does it")


def _verdict(code: str, *, goes: bool) -> str:
    if goes:
        return (
            f"{code}: xóa số điện thoại, thư, địa chỉ và lời nhắn; giữ tờ khai, giấy tờ, kết quả "
            "(Luật Lưu trữ 33/2024/QH15) và việc đã nhắn / contacts and texts go; form, papers and "
            "results stay by the law on archives, and that messages went"
        )
    return (
        f"{code}: giữ tất cả, hồ sơ đang được giải quyết hoặc còn tin chưa gửi / all stays, the "
        "dossier is being worked on or has messages to be sent"
    )


def _may_go(stores: Stores, codes: Sequence[str]) -> set[str]:
    going = set(codes)
    for service, part in PARTS.items():
        with stores[service].read() as connection:
            going &= part.may_go(connection, sorted(going))
    return going


def _known(stores: Stores, code: str) -> dict[str, Any]:
    found = {}
    for service, part in PARTS.items():
        with stores[service].read() as connection:
            found[service] = part.known(connection, code)
    return found


@contextmanager
def _stores() -> Iterator[Stores]:
    """The stores of all three services, closed afterwards."""
    with ExitStack() as opening:
        yield {service: opening.enter_context(opened(service)) for service in SERVICES}


def _codes(stores: Stores, by: str) -> list[str]:
    """The dossiers of whoever is named; InvalidInput where it is no such number, or nobody's."""
    typed = (
        click.prompt("ID number" if by == "id-number" else "Number or mailbox", err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline()
    ).strip()
    if by == "id-number":
        settings = Settings.load("intake", os.environ)
        index = indexed(stores["intake"], load(settings.catalogue_dir), settings)
        number = "".join(each for each in typed if each.isdigit())
        with stores["intake"].read() as connection:
            codes = of_intake.of_id_number(connection, index, number)
    else:
        address = typed if MAIL.fullmatch(typed) else phone_of(typed)
        with stores["notify"].read() as connection:
            codes = of_notify.of_address(connection, address) if address else []
    if not codes:
        raise InvalidInput([Fault("person", *_NOBODY)])
    return codes


def _write(path: Path, text: str) -> None:
    """For its owner alone, and never in the place of another file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)


def _lines(value: Any, depth: int = 0) -> Iterator[str]:
    """JSON as people read it: a name and its value a line, what is inside it further in."""
    indent = "  " * depth
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping | list) and inner:
                yield f"{indent}{name}:"
                yield from _lines(inner, depth + 1)
            else:
                yield f"{indent}{name}: {'-' if inner in (None, '', [], {}) else inner}"
    else:
        for inner in value:
            first, *more = list(_lines(inner, depth + 1)) if not isinstance(inner, str) else [inner]
            yield f"{indent}- {first.strip()}"
            yield from more
