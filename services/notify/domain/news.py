"""News: a fact of another service as notify reads it, and which news a citizen hears of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# The whole map of what citizens are told: fact -> moment (a moment has its templates in the
# catalogue). A fact that is not here is read for what it teaches, or passed over.
MOMENTS: Mapping[str, str] = {
    "dossier.registered": "registered",
    "dossier.refused": "refused",
    "dossier.received": "received",
    "dossier.supplement_requested": "supplement_requested",
    "dossier.supplement_reminded": "supplement_reminder",
    "dossier.supplement_extended": "supplement_extended",
    "dossier.supplemented": "supplemented",
    "dossier.supplement_dropped": "supplement_dropped",
    "dossier.payment_requested": "payment_requested",
    "dossier.paid": "paid",
    "dossier.resolved": "resolved",
    "dossier.extended": "extended",
    "dossier.stopped": "stopped",
    "dossier.withdrawn": "withdrawn",
    "dossier.returned": "returned",
}


@dataclass(frozen=True, slots=True)
class News:
    """One fact: its id, its name without prefix and version, its dossier and when it was made."""

    fact_id: str
    name: str
    dossier: str
    made_at: datetime
    # May hold a citizen's form: personal, never printed.
    data: Mapping[str, Any] = field(repr=False)

    @property
    def moment(self) -> str:
        return MOMENTS[self.name]
