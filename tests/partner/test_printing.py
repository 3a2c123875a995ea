"""What an officer reads of a message on the command line: a correction by its fields, never a value."""

from __future__ import annotations

import json

from partner.printing import print_message
from partner.reading import read_message
from tests.partner.conftest import envelope
from tests.partner.test_seams import AGENCY


def printed(capsys, **data) -> str:
    body = json.dumps(envelope(AGENCY, 7, "changed", **data)).encode()
    print_message(read_message(body))
    return capsys.readouterr().out


def test_a_correction_is_told_by_the_names_of_its_fields(capsys):
    told = printed(capsys, change="due", corrected=True, form={"child_name": "Lê Ân"})
    assert told.rstrip().endswith("corrected child_name")
    assert "Lê Ân" not in told


def test_another_change_is_told_by_what_it_is(capsys):
    assert printed(capsys, change="paused", form={}).rstrip().endswith("paused")
