"""Official papers: what stands on each, from the dossier, its timeline and the catalogue. Pure."""

from __future__ import annotations

from typing import Final

from services.intake.domain.dossier import Dossier
from services.intake.domain.papers.control import control
from services.intake.domain.papers.matter import Matter
from services.intake.domain.papers.model import OfficialPaper
from services.intake.domain.papers.negative import (
    apology,
    is_refused,
    refusal,
    rounds,
    stop,
    supplement,
)
from services.intake.domain.papers.receipt import receipt
from services.intake.domain.papers.register import register
from services.intake.domain.statuses import Status
from shared.catalogue import FormKind

__all__ = ["OF_A_DOSSIER", "Matter", "OfficialPaper", "draw_up", "papers_of", "register"]

#: The kinds that a dossier may have; the register is the office's.
OF_A_DOSSIER: Final[tuple[FormKind, ...]] = (
    "receipt", "supplement", "refusal", "stop", "apology", "control",
)  # fmt: skip


def papers_of(dossier: Dossier) -> tuple[tuple[FormKind, int | None], ...]:
    """Which papers the dossier has; several of one kind have their number."""
    found: list[tuple[FormKind, int | None]] = [("receipt", None)]
    found += [("supplement", wait.round) for wait in rounds(dossier)]
    if is_refused(dossier):
        found.append(("refusal", None))
    if dossier.status is Status.STOPPED:
        found.append(("stop", None))
    found += [("apology", extension.number) for extension in dossier.extensions]
    if dossier.received_at is not None:
        found.append(("control", None))
    return tuple(found)


def draw_up(matter: Matter, kind: FormKind, part: int | None = None) -> OfficialPaper:
    """The paper; NotAllowed says why the dossier has none of this kind."""
    match kind:
        case "supplement":
            return supplement(matter, part)
        case "apology":
            return apology(matter, part)
        case "refusal":
            return refusal(matter)
        case "stop":
            return stop(matter)
        case "control":
            return control(matter)
        case _:
            return receipt(matter)
