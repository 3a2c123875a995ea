"""The ten statuses: every pair is decided, and a refused move says what is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.statuses import FINAL, UNDERLYING, Status, move, moves
from shared.kernel.errors import NotAllowed

ALLOWED = {
    1: {2, 3, 5, 7},
    2: {4, 5, 7, 8, 9},
    4: {5, 6, 7, 8, 9},
    6: {4, 7, 8},
    9: {10, 4},
    3: set(),
    7: set(),
    8: set(),
    10: set(),
}


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.SUPPLEMENT])
def test_the_moves_are_those_of_the_table(status):
    assert {int(s) for s in moves(status, Status.PROCESSING)} == ALLOWED[status]


@pytest.mark.parametrize(
    ("underlying", "expected"), [(1, {1, 3, 7}), (2, {2, 7, 8}), (4, {4, 7, 8})]
)
def test_a_supplement_goes_back_whence_it_came(underlying, expected):
    found = moves(Status.SUPPLEMENT, Status(underlying))
    assert {int(s) for s in found} == expected


@given(st.sampled_from(Status), st.sampled_from(Status), st.sampled_from(sorted(UNDERLYING)))
def test_every_pair_is_either_allowed_or_refused_with_what_is(status, to, underlying):
    allowed = moves(status, underlying)
    if to in allowed:
        assert move(status, to, underlying=underlying) is to
        return
    with pytest.raises(NotAllowed) as refused:
        move(status, to, underlying=underlying)
    assert set(refused.value.allowed) == {s.en for s in allowed}
    assert refused.value.status == 409
    assert status.vi in refused.value.vi


@given(st.sampled_from(sorted(FINAL)), st.sampled_from(sorted(UNDERLYING)))
def test_nothing_leads_out_of_an_end(status, underlying):
    assert status.final
    assert not moves(status, underlying)


def test_the_names_are_those_of_the_pages():
    from shared.web.filters import STATUS_NAMES

    assert {int(s): s.vi for s in Status} == STATUS_NAMES
