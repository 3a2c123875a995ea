"""Errors carry Vietnamese and English, a code, and an HTTP answer where the caller is at fault."""

from __future__ import annotations

import inspect

import pytest

from shared.kernel import errors
from shared.kernel.errors import (
    BrokenCatalogue,
    Fault,
    InvalidInput,
    LienThongError,
    NotAllowed,
    ParkNow,
    Refused,
    Transient,
)


def test_every_fault_is_told_at_once():
    error = InvalidInput([Fault("a", "thiếu", "missing"), Fault("b", "sai", "wrong")])
    assert str(error) == "a: missing; b: wrong"
    assert error.vi == "thiếu; sai"
    assert error.code == "invalid_input"
    assert len(BrokenCatalogue(error.faults).faults) == 2


def test_a_move_that_is_not_allowed_says_what_is():
    error = NotAllowed("no", vi="không", allowed=["withdraw", "resolve"])
    assert error.allowed == ("withdraw", "resolve")
    assert (error.status, error.code) == (409, "not_allowed")
    assert Refused("no", code="own_code").code == "own_code"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Refused", 422), ("InvalidInput", 422), ("NotAllowed", 409), ("NotFound", 404),
        ("Conflict", 409), ("Forbidden", 403), ("Unauthenticated", 401),
    ],
)  # fmt: skip
def test_the_caller_s_faults_have_an_http_answer(name, status):
    assert getattr(errors, name).status == status


def test_every_error_has_a_vietnamese_sentence_and_one_of_four_fates():
    fates = (Refused, Transient, ParkNow, errors.BrokenCatalogue, errors.SettingsError)
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, LienThongError):
            assert kind.default_vi
            assert kind is LienThongError or issubclass(kind, fates)
