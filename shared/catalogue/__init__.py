"""The city as data: procedures, steps, agencies, calendars and templates, effective-dated.

`load(folder)` gives a Catalogue or refuses; `check(folder)` lists every fault. Nothing about one
city is written in code: it all stands in the files under catalogue/.
"""

from __future__ import annotations

from shared.catalogue.book import Catalogue, OfficeHours
from shared.catalogue.loading import check, load
from shared.catalogue.model import (
    WHOLE_CITY,
    Agency,
    Branch,
    Fee,
    FormField,
    FormKind,
    OfficialForm,
    Paper,
    PapersRule,
    Procedure,
    Role,
    SpecialDay,
    Template,
    Ward,
    Words,
)
from shared.catalogue.moments import MOMENTS
from shared.catalogue.step import OtherTime, Step

__all__ = [
    "MOMENTS", "WHOLE_CITY", "Agency", "Branch", "Catalogue", "Fee", "FormField", "FormKind",
    "OfficeHours", "OfficialForm", "OtherTime", "Paper", "PapersRule", "Procedure", "Role", "SpecialDay",
    "Step", "Template", "Ward", "Words", "check", "load",
]  # fmt: skip
