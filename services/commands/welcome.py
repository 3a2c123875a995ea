"""What `lienthong serve` tells whoever started it: the doors, a few keys to begin with, the files.

Lives here: words on the terminal and the file that keeps the keys of a first start. Making the
keys is in first_keys.py, opening the doors in services/embedded.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import click

from services.commands.first_keys import CityKey
from shared.catalogue import Agency, Catalogue
from shared.kernel.errors import NotFound

KEYS_FILE: Final = "khoa-truy-cap.txt"
AGENCIES_SHOWN: Final = 3

# service -> who works behind its door
DOORS: Final = {
    "intake": "Bàn tiếp nhận · desk",
    "routing": "Cơ quan giải quyết · agency",
    "notify": "Vận hành, tin nhắn · operator",
}
SIGN_IN: Final = "/dang-nhap"
LOOK_UP: Final = "/tra-cuu"
_ONCE: Final = (
    "# Khóa truy cập của thành phố thử, ghi một lần khi khởi động lần đầu; cơ sở dữ liệu chỉ giữ\n"
    "# mã băm. Ai đọc được tệp này vào được mọi cửa: chuyển khóa cho người dùng rồi xóa tệp.\n"
    "# Keys of the trial city, written once; the databases keep hashes only.\n"
)


def keep_keys(folder: Path, keys: Sequence[CityKey]) -> Path | None:
    """Write new keys to the file that only its owner can read; None where none was ever kept."""
    file = folder / KEYS_FILE
    if keys:
        new = not file.exists()
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(handle, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(_ONCE if new else "")
            for service in DOORS:
                out.write(_section(service, [key for key in keys if key.service == service]))
    return file if file.exists() else None


def _section(service: str, keys: Sequence[CityKey]) -> str:
    if not keys:
        return ""
    rows = (f"{key.text}  {key.bound_to:<28}  {key.holder}\n" for key in keys)
    return f"\n[{DOORS[service]}]\n" + "".join(rows)


def tell_doors(
    addresses: Mapping[str, str], keys: Sequence[CityKey], catalogue: Catalogue, on: date
) -> None:
    """Each door with its address; on a first start the keys that a first walk needs."""
    shown = examples(keys, catalogue, on)
    for service, url in addresses.items():
        click.echo(f"  {DOORS[service]:<32} {url}{SIGN_IN}")
        own = [key for key in keys if key.service == service]
        for key in own:
            if key in shown:
                click.echo(f"    {key.text}  {key.holder}")
        if more := sum(key not in shown for key in own):
            click.echo(
                f"    … và {more} khóa khác trong tệp dưới đây · {more} more in the file below"
            )
        if own:
            click.echo("")
    click.echo(f"  {'Công dân tra cứu · citizens':<32} {addresses['intake']}{LOOK_UP}")


def examples(keys: Sequence[CityKey], catalogue: Catalogue, on: date) -> list[CityKey]:
    """The keys to begin with: a desk of the whole city and one of a ward, whose agencies, operators."""
    offices = catalogue.offices(on)
    city = next((each for each in offices if each.territory == "*"), None)
    ward = next((each for each in offices if each.territory != "*"), None)
    desks = {each.code for each in (city, ward) if each is not None}
    agencies = busiest(catalogue, ward, on)[:AGENCIES_SHOWN] if ward is not None else []
    return [
        key
        for key in keys
        if (key.kind == "desk" and key.bound_to in desks)
        or (key.kind == "agency" and key.bound_to in agencies)
        or key.kind == "operator"
    ]


def busiest(catalogue: Catalogue, office: Agency, on: date) -> list[str]:
    """Codes of the agencies that act on what this office takes in, those with most steps first."""
    steps: Counter[str] = Counter()
    for procedure in catalogue.procedures(on):
        if not catalogue.office_handles(office.code, procedure, on):
            continue
        for step in procedure.steps:
            try:
                steps[catalogue.agency_for(step.role, office.territory, on).code] += 1
            except NotFound:
                continue  # a step of a branch that this ward has nobody for
    return [code for code, _ in steps.most_common()]


def tell_rest(folder: Path, kept: Path | None, *, first: bool, autopilot: bool) -> None:
    """Where keys, data and messages lie, and what to do next."""
    click.echo(f"  {'Mọi khóa · all keys':<32} {kept or 'lienthong keys --help'}")
    click.echo(f"  {'Dữ liệu · data':<32} {folder}")
    click.echo(f"  {'Tin nhắn đã gửi · messages':<32} {folder / 'messages'}")
    if first:
        click.echo("  Khóa chỉ hiện lần này; ai đọc được tệp khóa vào được mọi cửa.")
        click.echo("  Mở địa chỉ trong trình duyệt rồi dán một khóa của cửa đó để vào.")
        click.echo("  Open an address in a browser and paste one of the keys below it.")
    if autopilot:
        click.echo("  Các cơ quan đang được mô phỏng: mỗi việc được trả lời sau vài giây.")
    click.echo("  Dừng: Ctrl-C.")
