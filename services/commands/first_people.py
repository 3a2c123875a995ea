"""The people of a city that is tried out: made at the first start, their passwords shown once.

Their names are invented. In a city that works, `lienthong staff add` makes accounts, whose first
password must be changed; these keep theirs, so that whoever tries the city can come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from services.commands.first_keys import busiest
from services.embedded.city import City
from services.intake.storage import staff as table
from services.intake.usecases import staff
from shared.catalogue import Catalogue
from shared.identity.passes import Place
from shared.kernel.actor import SHELL
from shared.kernel.clock import to_vn

_Planned = tuple[str, str, str, tuple[Place, ...]]


@dataclass(frozen=True, slots=True)
class CityPerson:
    """One account as it is shown once; `told` says who it is and what they may see."""

    login: str
    told: str
    password: str = field(repr=False)


def first_people(city: City) -> list[CityPerson]:
    """Make a few named people, one of each role, unless there are accounts already."""
    store = city.intake.store
    with store.read() as connection:
        if any(not each.login.startswith("demo.") for each in table.everybody(connection)):
            return []
    today = to_vn(city.clock.now()).date()
    made = []
    for login, name, told, places in _planned(city.catalogue, today):
        with store.begin(SHELL) as uow:
            _, password = staff.add(
                uow, city.catalogue, login=login, name=name, places=places, must_change=False
            )
        made.append(CityPerson(login, f"{name}: {told}", password))
    return made


def _planned(catalogue: Catalogue, today: date) -> Iterator[_Planned]:
    offices = catalogue.offices(today)
    ward = next((each for each in offices if each.territory != "*"), None)
    whole = next((each for each in offices if each.territory == "*"), None)
    other = whole or next((each for each in offices if each is not ward), None)
    if ward is not None:
        agencies = [catalogue.agency(code) for code in busiest(catalogue, ward, today)]
        both = (Place("officer", ward.code), Place("agency", ward.code))
        yield "hoa", "Nguyễn Thị Hoa", f"tiếp nhận và xử lý hồ sơ, {ward.name}", both
        head = (Place("head", ward.code),)
        yield "binh", "Trần Văn Bình", f"trưởng bộ phận tiếp nhận, {ward.name}", head
        for agency in [each for each in agencies if each.code != ward.code][:1]:
            acts = (Place("agency", agency.code),)
            yield "minh", "Phạm Quang Minh", f"xử lý nhiệm vụ, {agency.name}", acts
    if other is not None:
        desk = (Place("officer", other.code),)
        yield "lan", "Lê Thị Lan", f"tiếp nhận hồ sơ, {other.name}", desk
    yield "duc", "Võ Minh Đức", "lãnh đạo, xem báo cáo toàn thành phố", (Place("leader", "*"),)
    operator = (Place("operator", "*"),)
    yield "an", "Đặng Hoài An", "vận hành, xem tin nhắn gửi công dân", operator
