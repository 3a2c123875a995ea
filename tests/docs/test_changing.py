"""docs/changing.md is true: each change made as it says takes so many files and works.

In a copy of the tree, by the page's own blocks; the changed city is tried out in another process.
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import load
from shared.settings import PROJECT
from tests.docs.changes import PAGE, Copy, blocks, section

EVENT = "An event told to the citizen"
ANSWER = "An answer of an agency"
PROVIDER = "A provider"
CHANNEL = "A channel"
PROCEDURE = "A procedure"
TEXT = "A text"
# The goals, which the page may undercut and never pass.
MOST = {EVENT: 6, ANSWER: 8, PROVIDER: 3, PROCEDURE: 1, TEXT: 1}
DOCUMENTS = {"docs/asyncapi.json", "docs/contract.md", "services/intake/web/translations/en.po"}
WORDS = (
    "tests/catalogue/test_city.py",
    "tests/catalogue/test_render.py",
    "tests/notify/test_notify_domain.py",
)
GUARDS = (
    "tests/events/test_registry.py",
    "tests/events/test_asyncapi.py",
    "tests/events/test_compatible.py",
    "tests/intake/test_telling.py",
    "tests/house/test_words.py",
    "tests/routing/test_agency_door.py",
)

pytestmark = pytest.mark.slow


def told(title: str) -> int:
    """How many files the page's table says that a change takes."""
    anchor = title.lower().replace(" ", "-")
    (count,) = re.findall(
        rf"^\| \[.*\]\(#{anchor}\).* \| (\d+).* \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    return int(count)


@pytest.mark.parametrize("title", MOST)
def test_a_change_takes_no_more_files_than_it_may(title: str):
    files = {block.file for block in blocks(title)}
    assert len(files) == told(title) <= MOST[title]
    assert not [name for name in files if name.startswith(("docs/", "tests/"))]


def test_every_file_of_the_page_is_there():
    new = {block.file for title in MOST for block in blocks(title) if block.new}
    named = set(re.findall(r"`((?:services|shared|partner|catalogue|docs|tests)/[\w./-]+)`",
                           PAGE.read_text("utf-8")))  # fmt: skip
    made = {name for name in named if name.startswith("shared/events/samples/")}
    assert [name for name in named - new - made if not (PROJECT / name).exists()] == []
    channel = set(re.findall(r"`((?:services|shared)/[\w./-]+\.\w+)`", section(CHANNEL)))
    assert len(channel) + len(["its migration"]) == told(CHANNEL)


def test_a_new_event_reaches_the_citizen_in_both_languages(tmp_path: Path):
    copy = Copy(tmp_path, EVENT)
    assert copy.by_hand == {block.file for block in blocks(EVENT)}
    assert copy.generated == DOCUMENTS | {
        "shared/events/samples/dossier.taken_up.v1.json",
        "services/notify/web/translations/en.po",
    }
    copy.tries("taken_up", tmp_path)
    copy.keeps_its_guards(*GUARDS, *WORDS)


@pytest.mark.long
def test_a_new_answer_is_applied_by_the_door_by_the_queue_and_at_the_pages(tmp_path: Path):
    copy = Copy(tmp_path, ANSWER)
    assert copy.by_hand == {block.file for block in blocks(ANSWER)}
    sample = "shared/events/samples/answer.visit_set.v1.json"
    assert copy.generated == DOCUMENTS | {
        "docs/agencies.md",
        "services/routing/web/translations/en.po",
        sample,
    }
    copy.tries("visit_set", tmp_path)
    copy.keeps_its_guards(*GUARDS, "tests/web/test_of_event.py", "tests/partner/test_seams.py")


@pytest.mark.long
def test_a_new_provider_sends(tmp_path: Path):
    copy = Copy(tmp_path, PROVIDER)
    assert copy.by_hand == {block.file for block in blocks(PROVIDER)}
    assert copy.generated == set()
    copy.tries("gateway", tmp_path)
    copy.keeps_its_guards("tests/notify/test_channels.py", "tests/kernel/test_settings_and_log.py")


@pytest.mark.long
def test_a_new_procedure_can_be_filed(tmp_path: Path):
    copy = Copy(tmp_path, PROCEDURE)
    assert copy.by_hand == {block.file for block in blocks(PROCEDURE)}
    assert copy.generated == set()
    assert copy.python("-m", "services", "catalogue", "check")
    copy.tries("filed", tmp_path)
    copy.keeps_its_guards("tests/catalogue/test_command.py", "tests/catalogue/test_docs.py")


def test_a_new_version_of_a_text_holds_from_its_day(tmp_path: Path):
    shutil.copytree(PROJECT / "catalogue", tmp_path / "catalogue")
    (block,) = blocks(TEXT)
    block.apply(tmp_path)
    book = load(tmp_path / "catalogue")
    for day, number in ((date(2026, 12, 31), 1), (date(2027, 1, 1), 2)):
        assert book.template("paid", "sms", "en", day).version == number
