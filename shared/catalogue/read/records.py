"""Reads a whole catalogue folder and keeps, beside each record, the entry that it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.model import (
    Agency,
    AnsweringRule,
    CostRule,
    DatesRule,
    OfficialForm,
    PapersRule,
    Procedure,
    Role,
    TellingRule,
    Template,
    UntakenRule,
    Ward,
)
from shared.catalogue.read.agencies import read_agencies, read_roles, read_wards
from shared.catalogue.read.calendars import (
    HolidayTable,
    OfficeCalendar,
    read_calendars,
    read_holidays,
)
from shared.catalogue.read.forms import read_forms
from shared.catalogue.read.found import Found
from shared.catalogue.read.procedures import read_procedure
from shared.catalogue.read.rules import (
    RULES_FILE,
    read_answering_rules,
    read_cost_rules,
    read_dates_rules,
    read_papers_rules,
    read_telling_rules,
    read_untaken_rules,
)
from shared.catalogue.read.templates import read_moment
from shared.catalogue.source import Entry, open_file

__all__ = ["Folder", "Found", "read_folder"]


_PLACES = ("agencies", "calendar", "forms", "procedures", RULES_FILE, "templates")


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything that the files say, in the order of the files; `digest` names exactly these."""

    procedures: tuple[Found[Procedure], ...]
    agencies: tuple[Found[Agency], ...]
    roles: tuple[Found[Role], ...]
    wards: tuple[Found[Ward], ...]
    calendars: tuple[Found[OfficeCalendar], ...]
    holidays: HolidayTable
    templates: tuple[Found[Template], ...]
    papers_rules: tuple[Found[PapersRule], ...]
    untaken_rules: tuple[Found[UntakenRule], ...]
    dates_rules: tuple[Found[DatesRule], ...]
    forms: tuple[Found[OfficialForm], ...]
    telling_rules: tuple[Found[TellingRule], ...]
    answering_rules: tuple[Found[AnsweringRule], ...]
    cost_rules: tuple[Found[CostRule], ...]
    digest: str


class _Collector:
    """Gathers the records of all files; a file's place in the folder says what it holds."""

    def __init__(self) -> None:
        self.procedures: list[Found[Procedure]] = []
        self.agencies: list[Found[Agency]] = []
        self.roles: list[Found[Role]] = []
        self.wards: list[Found[Ward]] = []
        self.calendars: list[Found[OfficeCalendar]] = []
        self.holidays = HolidayTable(source="", years=(), days=(), entry=None)
        self.templates: list[Found[Template]] = []
        self.papers_rules: list[Found[PapersRule]] = []
        self.untaken_rules: list[Found[UntakenRule]] = []
        self.dates_rules: list[Found[DatesRule]] = []
        self.forms: list[Found[OfficialForm]] = []
        self.telling_rules: list[Found[TellingRule]] = []
        self.answering_rules: list[Found[AnsweringRule]] = []
        self.cost_rules: list[Found[CostRule]] = []

    def readers(self, file: str) -> Callable[[Entry], None] | None:
        """What reads this file, None when no file of this name belongs here."""
        exact: dict[str, Callable[[Entry], None]] = {
            "agencies/roles.yaml": lambda top: self.roles.extend(read_roles(top)),
            "agencies/wards.yaml": lambda top: self.wards.extend(read_wards(top)),
            "calendar/offices.yaml": lambda top: self.calendars.extend(read_calendars(top)),
            "calendar/holidays.yaml": self._take_holidays,
            RULES_FILE: self._take_rules,
        }
        folders: dict[str, Callable[[Entry], None]] = {
            "agencies": lambda top: self.agencies.extend(read_agencies(top)),
            "forms": lambda top: self.forms.extend(read_forms(top)),
            "procedures": lambda top: self.procedures.extend(read_procedure(top)),
            "templates": lambda top: self.templates.extend(read_moment(top)),
        }
        return exact.get(file) or folders.get(file.split("/", maxsplit=1)[0])

    def _take_rules(self, top: Entry) -> None:
        self.papers_rules.extend(read_papers_rules(top))
        self.untaken_rules.extend(read_untaken_rules(top))
        self.dates_rules.extend(read_dates_rules(top))
        self.telling_rules.extend(read_telling_rules(top))
        self.answering_rules.extend(read_answering_rules(top))
        self.cost_rules.extend(read_cost_rules(top))

    def _take_holidays(self, top: Entry) -> None:
        self.holidays = read_holidays(top)


def _files(root: Path) -> Iterator[Path]:
    return iter(sorted(path for path in root.rglob("*.yaml") if path.is_file()))


def _digest(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def read_folder(root: Path, faults: Faults) -> Folder:
    """All records of the folder; what cannot be read becomes a fault and is left out."""
    collector = _Collector()
    files = list(_files(root))
    if not files:
        faults.add(
            root.name,
            en="there is no catalogue here: name the folder that holds it",
            vi="không có danh mục ở đây: hãy chỉ đúng thư mục",
        )
    for path in files:
        name = path.relative_to(root).as_posix()
        reader = collector.readers(name)
        if reader is None:
            en, vi = did_you_mean(name.split("/")[0], _PLACES)
            faults.add(name, en=f"nothing reads this file: {en}", vi=f"tệp này không dùng: {vi}")
            continue
        top = open_file(path, root, faults)
        if top is not None:
            reader(top)
            top.done()
    return Folder(
        procedures=tuple(collector.procedures),
        agencies=tuple(collector.agencies),
        roles=tuple(collector.roles),
        wards=tuple(collector.wards),
        calendars=tuple(collector.calendars),
        holidays=collector.holidays,
        templates=tuple(collector.templates),
        papers_rules=tuple(collector.papers_rules),
        untaken_rules=tuple(collector.untaken_rules),
        dates_rules=tuple(collector.dates_rules),
        forms=tuple(collector.forms),
        telling_rules=tuple(collector.telling_rules),
        answering_rules=tuple(collector.answering_rules),
        cost_rules=tuple(collector.cost_rules),
        digest=_digest(root, files),
    )
