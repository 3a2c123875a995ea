"""The desk takes no more of one dossier than its facts can carry, and says so at the place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.intake.domain import citizen, reception
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import MOST_PAPERS, PaperCount
from services.intake.domain.sizes import MOST_PAPERS_HELD
from services.intake.domain.submission import check_submission
from shared.events.intake import DossierSupplemented
from shared.kernel.errors import InvalidInput
from tests.intake.made import FORM, NOW, OFFICE, PROCEDURE, TODAY, around, command, dossier
from tests.intake.test_api import BODY

LONG = replace(
    PROCEDURE,
    form=(*PROCEDURE.form, *(replace(PROCEDURE.form[0], name=f"more_{n}", type="text",
                                     required=False, max_length=2000) for n in range(60))),
)  # fmt: skip


def papers(count: int) -> list[PaperCount]:
    """Papers that no procedure lists, each under a name of its own."""
    return [PaperCount(None, 1, 0, f"Giấy số {number}") for number in range(count)]


def asked(held: Dossier) -> Dossier:
    """After the desk has asked for more."""
    decision = reception.request_supplement(held, around(), items=["x"], reason="r")
    assert decision.state is not None
    return decision.state


def test_papers_come_to_an_end_however_often_more_are_brought():
    held = dossier("online")
    while len(held.papers) + MOST_PAPERS <= MOST_PAPERS_HELD:
        decision = citizen.supplement(asked(held), around(NOW), papers=papers(MOST_PAPERS))
        assert isinstance(decision.events[0], DossierSupplemented)
        held = decision.state
    with pytest.raises(InvalidInput, match=f"papers: at most {MOST_PAPERS_HELD} papers"):
        citizen.supplement(asked(held), around(NOW), papers=papers(MOST_PAPERS))


def test_a_form_that_is_long_in_all_its_fields_is_too_long():
    def filed(length: int) -> None:
        more = {f"more_{n}": "x" * length for n in range(60)}
        check_submission(command(form=FORM | more), LONG, OFFICE, TODAY)

    filed(1500)
    with pytest.raises(InvalidInput, match="form: the form and the papers are too long"):
        filed(2000)


def test_a_request_over_the_limit_is_told_in_words(desk):
    answer = desk.http("POST", "/dossiers", BODY | {"form": {"full_name": "x" * 300_000}})
    assert answer.status_code == 413
    assert "256 KiB" in answer.get_json()["detail"]
