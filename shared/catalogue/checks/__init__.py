"""What is wrong between the files: one module per question, each noting faults with the mend.

Faults of form (missing, mistyped, unknown keys) are noted by `read` before these run.
"""

from __future__ import annotations

from datetime import date

from shared.catalogue.checks.answers import check_answers
from shared.catalogue.checks.calendars import check_calendars
from shared.catalogue.checks.forms import check_forms
from shared.catalogue.checks.graphs import check_graphs
from shared.catalogue.checks.identities import check_identities
from shared.catalogue.checks.messages import check_messages
from shared.catalogue.checks.names import check_names
from shared.catalogue.checks.periods import check_periods
from shared.catalogue.checks.roles import check_roles
from shared.catalogue.checks.rules import check_rules
from shared.catalogue.checks.sizes import check_sizes
from shared.catalogue.checks.steps import check_steps
from shared.catalogue.checks.times import check_times
from shared.catalogue.faults import Faults
from shared.catalogue.read import Folder


def check_folder(folder: Folder, faults: Faults, *, today: date | None = None) -> None:
    """Ask every question of the whole folder; the answers are faults."""
    check_names(folder, faults)
    check_periods(folder)
    check_graphs(folder)
    check_steps(folder)
    check_times(folder)
    check_roles(folder)
    check_calendars(folder, today=today)
    check_messages(folder, faults)
    check_rules(folder, faults)
    check_answers(folder)
    check_forms(folder, faults)
    check_sizes(folder)
    check_identities(folder)


__all__ = ["check_folder"]
