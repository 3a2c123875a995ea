"""What an agency writes has human sizes: more is refused and said, and never becomes a fact."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.sizes import overlong
from shared.events.agencies import AnswerRefused, AnswerSupplementNeeded
from shared.events.envelope import MAX_BYTES
from shared.events.types import WRITTEN_ITEM, WRITTEN_ITEMS, WRITTEN_TEXT
from shared.web.security import MAX_BODY
from tests.routing.test_agency_door import CODE, post
from tests.routing.town import Town

LETTER = "ắ"  # three bytes, as many as a letter of Vietnamese can have
LONGEST = {
    "items": (LETTER * WRITTEN_ITEM,) * WRITTEN_ITEMS,
    "reason": LETTER * WRITTEN_TEXT,
}
TOO_LONG: dict[str, dict[str, Any]] = {
    "one item too many": LONGEST | {"items": ("a",) * (WRITTEN_ITEMS + 1)},
    "as many as a schema lets through": {"items": (LETTER * 1000,) * 500, "reason": LETTER * 4000},
    "an item of one letter too many": LONGEST | {"items": ("a" * (WRITTEN_ITEM + 1),)},
    "a reason of one letter too many": LONGEST | {"reason": "a" * (WRITTEN_TEXT + 1)},
    "a reason of letters that take more room": LONGEST | {"reason": "\x01" * WRITTEN_TEXT},
}
SUPPLEMENT = "dossier.supplement_requested"


@pytest.mark.parametrize("name", TOO_LONG)
def test_an_answer_that_is_too_long_is_refused_with_its_place(name: str) -> None:
    told = overlong(AnswerSupplementNeeded(task="t", **TOO_LONG[name]))
    assert told is not None
    assert told.place.startswith(("items", "reason"))
    assert "tối đa" in told.vi
    assert len(told.vi) < 200


def test_the_longest_that_a_person_may_write_is_taken() -> None:
    assert overlong(AnswerSupplementNeeded(task="t", **LONGEST)) is None
    assert overlong(AnswerRefused(task="t", reason=LONGEST["reason"])) is None


# What a schema lets through is too large for a message; odd letters are refused before their length.
BY_MESSAGE = [name for name in TOO_LONG if not name.endswith(("lets through", "more room"))]


@pytest.mark.parametrize("name", BY_MESSAGE)
def test_by_message_it_changes_nothing_and_the_dossier_goes_on(town: Town, name: str) -> None:
    town.receive(CODE)
    task = town.task("phuong-1")
    town.answer("phuong-1", "supplement_needed", task, **TOO_LONG[name])
    assert SUPPLEMENT not in town.names(CODE)
    [refused] = town.inbox("routing.answers")
    assert (refused.state, "tối đa" in (refused.note or "")) == ("refused", True)
    town.answer("phuong-1", "supplement_needed", task, **LONGEST)
    asked = town.one(CODE, SUPPLEMENT)
    assert (tuple(asked["items"]), asked["reason"]) == tuple(LONGEST.values())


def test_over_http_it_is_refused_and_a_body_over_the_limit_as_413(town: Town) -> None:
    town.receive(CODE)
    key, task = town.key("phuong-1"), town.task("phuong-1")
    asked = {"kind": "supplement_needed", "reason": "thiếu"}
    reply = post(town, task, key, answer_id="a-1", items=["a"] * (WRITTEN_ITEMS + 1), **asked)
    assert (reply.status_code, reply.get_json()["code"]) == (422, "too_many_items")
    assert "tối đa 20" in reply.get_data(as_text=True)
    huge = post(town, task, key, answer_id="a-2", items=["x" * 1000] * 300, **asked)
    assert huge.status_code == 413
    assert MAX_BODY == MAX_BYTES
    assert SUPPLEMENT not in town.names(CODE)
