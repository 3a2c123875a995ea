"""The timeline in words: every event that a desk may meet has some."""

from __future__ import annotations

import pytest

from services.intake.web.telling import tell
from shared.events import names
from shared.events.describe import SAMPLES
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.registry import KINDS
from shared.messaging.timeline import Entry

STATED = {kind.cls for kind in KINDS.values() for to in kind.addresses if "/intake" in to.source}
READ = {kind.cls for kind in KINDS.values() if "intake" in kind.read_by}
MET = sorted(kind_of(cls).type for cls in STATED | READ)


@pytest.mark.parametrize("kind", MET)
def test_every_event_that_a_desk_may_meet_is_told_in_words(kind: str):
    body = (SAMPLES / f"{kind.removeprefix(names.PREFIX)}.json").read_bytes()
    fact = decode(body)
    told = tell(Entry(fact.time, fact.type, fact.source, "done", None, fact, body))
    assert told.type == names.short(kind)
    assert told.title != told.type
    assert "{" not in told.title + told.text
    assert "None" not in told.text
