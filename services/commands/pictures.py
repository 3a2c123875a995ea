"""`lienthong pictures`: the main pages as pictures, out of a city that is played for them.

Lives here: the option, the play before the camera, and who stands there. The camera is simulation's.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import click

from services.commands.first_people import first_people
from shared.kernel.clock import VN, to_vn
from shared.settings import PROJECT
from shared.web.server import WebServer, serving
from simulation.desks import filing_body
from simulation.figures import Habits, load_figures
from simulation.kit import City
from simulation.manners import ByChance
from simulation.people import People
from simulation.pictures import Cast, chromium, take
from simulation.stage import staged

FOLDER: Final = PROJECT / "docs" / "pictures"
BEGIN: Final = datetime(2022, 3, 7, 7, 0, tzinfo=VN)  # a Monday
NOW: Final = datetime(2022, 3, 14, 9, 30, tzinfo=VN)
SEED: Final = 2022
ONLINE: Final = 0.2
BIRTH: Final = "2.000986"


@click.command("pictures")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER,
    show_default="docs/pictures", help="Write them into this folder.",
)  # fmt: skip
@click.option("--dossiers", default=60, show_default=True, type=click.IntRange(1, 5_000))
def pictures(folder: Path, dossiers: int) -> None:
    """Chụp các trang chính · Take pictures of the main pages, in a city played with a fixed seed.

    It needs Chromium and the packages for development, which ./test installs.
    """
    chromium()  # told before a week is played
    with (
        tempfile.TemporaryDirectory(prefix="lienthong-pictures-") as place,
        staged(Path(place), BEGIN, SEED) as city,
    ):
        cast = _played(city, dossiers)
        server = WebServer(city.built.web)
        with serving(server):
            for file in take(server.url, city.now(), cast, folder):
                click.echo(f"{file}  {file.stat().st_size / 1024:.0f} kB")


def _played(city: City, dossiers: int) -> Cast:
    """A week of the city, in which one dossier is followed; the people of a first start."""
    people = {each.login: (each.login, each.password) for each in first_people(city.built)}
    figures, rng = load_figures(), Random(SEED)
    city.play(ByChance(city.catalogue, figures, Habits(), rng, city.clock))
    offices = city.catalogue.offices(BEGIN.date())
    ward = next(each.code for each in offices if each.territory != "*")  # as first_people
    others = [each.code for each in offices if each.code != ward]
    drawn = People(rng, unreachable=0.05)
    for number in range(dossiers):
        office = rng.choice(others) if number % 4 == 0 else ward
        _file(city, office, drawn, rng, BEGIN + (NOW - BEGIN) * number / dossiers)
        if number == dossiers // 2:
            followed = city.desk(ward).submit(BIRTH, **_EARLIER)
    city.advance(NOW - city.now())
    return Cast(
        officer=people["hoa"],
        office=ward,
        leader=people["duc"],
        procedure=city.procedure(BIRTH),
        filed=_LATER,
        code=followed.code,
        word=followed.word,
    )


def _file(city: City, office: str, drawn: People, rng: Random, at: datetime) -> None:
    """A dossier of somebody at this office, when it is open next."""
    opening = city.catalogue.reception(office).next_opening(max(at, city.now()))
    city.advance(opening - city.now())
    today = to_vn(opening).date()
    offered = [
        each
        for each in city.catalogue.procedures(today)
        if city.catalogue.office_handles(office, each, today) and not each.branches
    ]
    procedure, citizen = rng.choice(offered), drawn.citizen()
    form = drawn.fill(procedure, citizen, today)
    channel = "online" if rng.random() < ONLINE else "direct"
    city.desk(office).file(filing_body(procedure, citizen, channel, form))


def _birth(child: str, day: str, mother: str, father: str) -> dict[str, Any]:
    """The form of a birth and who hands it in; everybody is invented."""
    return {
        "form": {
            "child_name": child,
            "child_birth_date": day,
            "child_sex": "Nữ",
            "birth_place": "Bệnh viện Đa khoa Đồng Tháp",
            "mother_name": mother,
            "mother_id": "087190001234",
            "father_name": father,
            "household_owner": father,
            "residence_address": "12 Nguyễn Huệ, Phường 1",
            "clinic": "Trạm y tế Phường 1",
        },
        "contact": {
            "name": mother,
            "address": "12 Nguyễn Huệ, Phường 1",
            "phone": "0907123456",
            "consent": {"sms": True},
        },
    }


_EARLIER: Final = _birth("Trần Minh Khang", "2022-02-21", "Nguyễn Thị Mai", "Trần Văn Hùng")
_LATER: Final = _birth("Lê Ngọc Ánh", "2022-03-05", "Huỳnh Thị Kim Thoa", "Lê Quốc Tuấn")
