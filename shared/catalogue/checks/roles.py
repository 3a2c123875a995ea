"""Every step finds its agency, whatever office receives the dossier and whatever the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from shared.catalogue.faults import did_you_mean
from shared.catalogue.model import WHOLE_CITY, Agency, Procedure
from shared.catalogue.read import Folder, Found
from shared.catalogue.source import Entry

DAY = timedelta(days=1)
DESK = "desk"


def check_roles(folder: Folder) -> None:
    """Roles of steps, agencies for them, and offices that receive."""
    roles = {found.value.code for found in folder.roles}
    agencies = [found.value for found in folder.agencies]
    _check_rivals(folder.agencies)
    _check_offices(folder.agencies)
    _check_apart(folder)
    for found in folder.procedures:
        days = _days(found.value, agencies)
        offices = {day: _offices(found.value, agencies, day) for day in days}
        for day, open_offices in offices.items():
            if not open_offices:
                found.entry.fault(
                    "level",
                    en=f"no office takes this {found.value.level} procedure on {day}: "
                    "add one with is_office: true, or change the level",
                    vi=f"không nơi nào tiếp nhận thủ tục này ngày {day}: "
                    "hãy thêm nơi có is_office: true hoặc đổi level",
                )
                break
        for step, entry in zip(found.value.steps, found.parts["steps"], strict=True):
            if step.role and step.role not in roles:
                en, vi = did_you_mean(step.role, roles)
                entry.fault(
                    "role",
                    en=f"there is no role '{step.role}' in agencies/roles.yaml: {en}",
                    vi=f"không có vai trò '{step.role}' trong agencies/roles.yaml: {vi}",
                )
            elif step.place is not None:
                wards = [found.value for found in folder.wards]
                lies = {day: {w.code for w in wards if w.is_valid(day)} for day in days}
                _check_found(step.role, entry, lies, agencies)
            elif step.role:
                asked = {day: {o.territory for o in offices[day]} for day in days}
                _check_found(step.role, entry, asked, agencies)


def _days(procedure: Procedure, agencies: Iterable[Agency]) -> list[date]:
    """The days within the procedure's period on which the set of agencies changes."""
    days = {procedure.valid_from}
    for agency in agencies:
        days.add(agency.valid_from)
        if agency.valid_to is not None and agency.valid_to < date.max:
            days.add(agency.valid_to + DAY)
    return sorted(day for day in days if procedure.is_valid(day))


def _offices(procedure: Procedure, agencies: Iterable[Agency], day: date) -> list[Agency]:
    return [
        agency
        for agency in agencies
        if agency.is_office
        and agency.is_valid(day)
        and agency.check == procedure.check
        and procedure.taken_at(agency.territory)
    ]


def _check_found(
    role: str, entry: Entry, asked: dict[date, set[str]], agencies: list[Agency]
) -> None:
    """Somebody holds the role for every territory that is asked for on each day."""
    for day, territories in asked.items():
        places = {
            agency.territory for agency in agencies if role in agency.roles and agency.is_valid(day)
        }
        if WHOLE_CITY in places:
            continue
        missing = sorted(territories - places)
        if missing:
            shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            entry.fault(
                "role",
                en=f"on {day} no agency has the role '{role}' for dossiers of {shown}: "
                'give the role to an agency of that ward or of "*"',
                vi=f"ngày {day} không cơ quan nào giữ vai trò '{role}' cho hồ sơ của {shown}: "
                'hãy giao vai trò cho một cơ quan của địa bàn đó hoặc của "*"',
            )
            return


def _check_rivals(agencies: Iterable[Found[Agency]]) -> None:
    """Two agencies with one role for one territory on one day: nobody knows who acts."""
    held: dict[tuple[str, str], list[Agency]] = {}
    for found in agencies:
        agency = found.value
        for role in set(agency.roles) - {DESK}:  # a ward may have several desks
            rivals = held.setdefault((role, agency.territory), [])
            for other in rivals:
                if agency.check != other.check:
                    continue  # another question, see _check_apart
                if other.code != agency.code and _meet(agency, other):
                    found.entry.fault(
                        "roles",
                        en=f"'{other.code}' has the role '{role}' for territory "
                        f"{agency.territory} too: take it from one of them",
                        vi=f"'{other.code}' cũng giữ vai trò '{role}' cho địa bàn "
                        f"{agency.territory}: hãy bỏ ở một trong hai",
                    )
            rivals.append(agency)


def _meet(one: Agency, other: Agency) -> bool:
    first_end, other_end = one.valid_to or date.max, other.valid_to or date.max
    return one.valid_from <= other_end and other.valid_from <= first_end


def _check_offices(agencies: Iterable[Found[Agency]]) -> None:
    for found in agencies:
        if found.value.is_office != (DESK in found.value.roles):
            found.entry.fault(
                "is_office",
                en="an office has a desk and a desk makes an office: write is_office: true and "
                "the role desk, or neither",
                vi="nơi tiếp nhận phải có vai trò desk và ngược lại: hãy ghi cả is_office: true "
                "và vai trò desk, hoặc bỏ cả hai",
            )


def _check_apart(folder: Folder) -> None:
    """What checks the installation takes no real work, and no real agency is checked upon."""
    held: dict[str, set[bool]] = {}
    for agency in folder.agencies:
        for role in agency.value.roles:
            held.setdefault(role, set()).add(agency.value.check)
    for agency in folder.agencies:
        for role in agency.value.roles:
            if agency.value.check and role != DESK and False in held[role]:
                agency.entry.fault(
                    "roles",
                    en=f"a real agency has the role '{role}' too, and its work would come here: "
                    "give what checks the installation roles of its own",
                    vi=f"có cơ quan thật giữ vai trò '{role}', việc thật sẽ lạc vào đây: "
                    "hãy dùng vai trò riêng cho phần kiểm tra hệ thống",
                )
    for found in folder.procedures:
        check = found.value.check
        for step, entry in zip(found.value.steps, found.parts["steps"], strict=True):
            if (not check) in held.get(step.role, set()) and step.role != DESK:
                entry.fault(
                    "role",
                    en=f"agencies of '{step.role}' and this procedure differ in 'check': real "
                    "work and the check of the installation never meet, name another role",
                    vi=f"cơ quan vai trò '{step.role}' và thủ tục này khác nhau ở 'check': "
                    "việc thật và phần kiểm tra hệ thống phải tách riêng, hãy ghi vai trò khác",
                )
