"""A plan of reorganisation: which unit and which agency follows which, from one day on.

Here is what may be wrong with a plan beside the catalogue, which knows the units and agencies of
every day. Not here: reading its file and carrying it out (usecases/reorganise.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.catalogue import Agency, Catalogue
from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import WHOLE_CITY
from shared.kernel.errors import NotFound

#: Stands for a successor: whoever the rules of competence name for each task.
BY_COMPETENCE: Final = "by_competence"
_DESK: Final = "desk"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan: these become that; `at` is where it stands in the file.

    `staff`: where the people of these agencies work from then on; None: at `to`, if that is one.
    """

    at: str
    before: tuple[str, ...]
    to: str
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """From `day` on; `units` by ward code, `agencies` by agency code."""

    code: str
    day: date
    reason: str
    units: tuple[Line, ...]
    agencies: tuple[Line, ...]

    @property
    def eve(self) -> date:
        """The last day of what was before."""
        return self.day - timedelta(days=1)

    @property
    def successors(self) -> Mapping[str, str]:
        """Which agency follows which, or `BY_COMPETENCE`."""
        return {code: line.to for line in self.agencies for code in line.before}

    @property
    def workplaces(self) -> Mapping[str, str]:
        """Where the people of an agency work from then on, as far as the plan says it."""
        told = {code: line.staff or line.to for line in self.agencies for code in line.before}
        return {code: to for code, to in told.items() if to != BY_COMPETENCE}


def check(plan: Plan, catalogue: Catalogue, faults: Faults) -> None:
    """Every fault of the plan, each with its mend; a plan with one is refused as a whole."""
    _check_units(plan, catalogue, faults)
    ended = {
        each.code: each for each in catalogue.agencies(plan.eve) if not each.is_valid(plan.day)
    }
    for line, code in _each_once(plan.agencies, faults):
        if code in ended:
            _check_successor(plan, line, ended[code], catalogue, faults)
            continue
        en, vi = did_you_mean(code, ended)
        faults.add(
            line.at,
            en=f"no agency '{code}' ends on {plan.eve}: {en}",
            vi=f"không có cơ quan '{code}' nào kết thúc ngày {plan.eve}: {vi}",
        )
    for code in sorted(ended.keys() - plan.successors.keys()):
        faults.add(
            "agencies",
            en=f"'{code}' ends on {plan.eve} and has no successor: add it to a line",
            vi=f"'{code}' kết thúc ngày {plan.eve} mà chưa có cơ quan kế tiếp: hãy thêm vào một dòng",
        )


def _each_once(lines: Sequence[Line], faults: Faults) -> Iterator[tuple[Line, str]]:
    seen: dict[str, str] = {}
    for line in lines:
        for code in line.before:
            if code in seen:
                faults.add(
                    line.at,
                    en=f"'{code}' stands twice, also at {seen[code]}: it can become one thing only",
                    vi=f"'{code}' ghi hai lần, còn ở {seen[code]}: chỉ có thể thành một nơi",
                )
                continue
            seen[code] = line.at
            yield line, code


def _check_units(plan: Plan, catalogue: Catalogue, faults: Faults) -> None:
    before = {ward.code: ward for ward in catalogue.wards if ward.is_valid(plan.eve)}
    ended = {code: ward for code, ward in before.items() if not ward.is_valid(plan.day)}
    after = {ward.code: ward for ward in catalogue.wards if ward.is_valid(plan.day)}
    told = set[str]()
    for line, code in _each_once(plan.units, faults):
        told.add(code)
        if code not in ended:
            en, vi = did_you_mean(code, ended)
            faults.add(
                line.at,
                en=f"no unit {code} ends on {plan.eve}: {en}",
                vi=f"không có đơn vị {code} nào kết thúc ngày {plan.eve}: {vi}",
            )
        elif line.to not in after:
            en, vi = did_you_mean(line.to, after)
            faults.add(
                line.at,
                en=f"there is no unit {line.to} on {plan.day}: {en}",
                vi=f"ngày {plan.day} không có đơn vị {line.to}: {vi}",
            )
        elif ended[code].into != line.to:
            name, into = ended[code].name, ended[code].into
            faults.add(
                line.at,
                en=f"{name} ({code}) goes into {line.to} here and into {into} in the catalogue",
                vi=f"{name} ({code}) ở đây nhập vào {line.to}, trong danh mục nhập vào {into}",
            )
    for code in sorted(ended.keys() - told):
        faults.add(
            "units",
            en=f"{ended[code].name} ({code}) ends on {plan.eve} and is missing: add it to a line",
            vi=f"thiếu {ended[code].name} ({code}), kết thúc ngày {plan.eve}: hãy thêm vào một dòng",
        )


def _check_successor(
    plan: Plan, line: Line, ended: Agency, catalogue: Catalogue, faults: Faults
) -> None:
    there = {each.code: each for each in catalogue.agencies(plan.day) if each.check == ended.check}
    for code in (line.to, line.staff or BY_COMPETENCE):
        if code != BY_COMPETENCE and code not in there:
            en, vi = did_you_mean(code, there)
            faults.add(
                line.at,
                en=f"there is no agency '{code}' on {plan.day}: {en}",
                vi=f"ngày {plan.day} không có cơ quan '{code}': {vi}",
            )
            return
    to = there.get(line.to)
    if ended.is_office and (to is None or not to.is_office):
        faults.add(
            line.at,
            en=f"'{ended.code}' has a desk: its dossiers need an office, name one with a desk",
            vi=f"'{ended.code}' có bộ phận tiếp nhận: hãy nêu cơ quan kế tiếp cũng có bộ phận này",
        )
    elif to is not None:
        _check_fits(plan, line, ended, to, faults)


def _check_fits(plan: Plan, line: Line, ended: Agency, to: Agency, faults: Faults) -> None:
    area = next((each.to for each in plan.units if ended.territory in each.before), None)
    if area is not None and to.territory not in (area, WHOLE_CITY):
        faults.add(
            line.at,
            en=f"the area of '{ended.code}' goes to {area}, and '{to.code}' is of {to.territory}",
            vi=f"địa bàn của '{ended.code}' thuộc {area}, còn '{to.code}' thuộc {to.territory}",
        )
    if lost := sorted(set(ended.roles) - set(to.roles) - {_DESK}):
        faults.add(
            line.at,
            en=f"'{to.code}' does not do all that '{ended.code}' did ({', '.join(lost)}): give it "
            f"the role in the catalogue, or write {BY_COMPETENCE}",
            vi=f"'{to.code}' không làm hết việc của '{ended.code}' ({', '.join(lost)}): hãy thêm vai "
            f"trò trong danh mục, hoặc ghi {BY_COMPETENCE}",
        )


def named(catalogue: Catalogue, code: str) -> str:
    """What people call an agency, of whatever day."""
    try:
        return catalogue.agency(code).name
    except NotFound:
        return code
