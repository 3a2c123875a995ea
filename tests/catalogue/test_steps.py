"""What steps say beside their order: times, ways back, verifications, waits and places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.catalogue import Catalogue, check, load
from shared.kernel.calendar import Duration
from tests.catalogue.conftest import CITY, MARCH_2022
from tests.catalogue.invented import (
    CHOICE,
    LOOP,
    PARTY,
    PLACE,
    SECOND,
    TIMES,
    VERIFICATION,
    WAIT,
    with_invented,
)

FAULTS = [
    (LOOP, "most: 2", "most: 0", "a loop needs a bound", "giới hạn"),
    (LOOP, ", most: 2", "", "a loop needs a bound", "giới hạn"),
    (LOOP, "to: list", "to: decide", "no earlier step", "bước trước"),
    (LOOP, "to: list", "to: papers", "no earlier step", "bước trước"),
    (LOOP, "after: [list], back", "after: [list, decide], back", "wait for each other", "chờ nhau"),
    (
        LOOP,
        "name: Xét giấy tờ, role: justice, after: [list], budget: {value: 2, unit: working_day}, shares: [matter]",
        "name: Nộp tiền, kind: payment, pauses_clock: true, role: tax, after: [list]",
        "pay twice",
        "nộp tiền hai lần",
    ),
    (
        WAIT,
        "kind: wait, ",
        "kind: wait, shares: [matter], ",
        "nobody works during",
        "thời gian chờ",
    ),
    (WAIT, ", budget: {value: 15, unit: day}", "", "needs its length", "độ dài"),
    (WAIT, "after: [post], ", "", "decides nothing", "không quyết định gì"),
    (VERIFICATION, "time: {value: 5, unit: working_day}", "most: 1", "'time' is missing", "thiếu"),
    (
        VERIFICATION,
        "        budget: {value: 2",
        "        pauses_clock: true\n        budget: {value: 2",
        "a verification cannot add to it",
        "không cộng thêm",
    ),
    (TIMES, "is: Khó, time: {value: 15", "is: Kho, time: {value: 15", "'Khó'", "'Khó'"),
    (TIMES, "branch: card, time", "branch: cart, time", "did you mean 'card'", "'card'"),
    (TIMES, "{channel: online, time", "{channel: fax, time", "channel 'fax'", "channel 'fax'"),
    (TIMES, "{channel: online, time", "{time", "for whom", "cho ai"),
    (TIMES, ", is: Khó, time: {value: 9", ", time: {value: 9", "needs both", "cần cả hai"),
    (TIMES, "        shares: [matter]\n", "", "no step gets to see", "không bước nào"),
    (TIMES, "time: {value: 12", "time: {value: 5", "11.0 working days", "11.0 ngày làm việc"),
    (TIMES, "time: {value: 8", "time: {value: 6", "7.0 working days", "7.0 ngày làm việc"),
    (PLACE, "Phường 2, ", "Phường 22, ", "is no ward", "không phải xã phường"),
    (PLACE, "place: land_ward", "place: land", "did you mean 'land_ward'", "'land_ward'"),
    (PLACE, ", shares: [land_ward]", "", "must see the place", "phải được xem"),
    (CHOICE, "code: survey", "code: archive", "is a branch already", "đã là nhánh"),
    (CHOICE, "branch: survey, after: [measure]", "branch: surve, after: [measure]", "did you mean 'survey'",
     "'survey'"),
    (CHOICE, "branch: archive, after: [appraise]", "branch: archive", "must come after", "phải đến sau"),
    (CHOICE, "          - {code: archive, name: Cấp theo hồ sơ lưu}\n", "", "at least two", "ít nhất hai"),
    (CHOICE, "shares: [matter]\n        chooses", "silence: consent\n        shares: [matter]\n        chooses",
     "that answers before", "trước khi có kết quả"),
    (CHOICE, ", time: {value: 10, unit: working_day}", "", "the law gives 10.0", "luật cho 10.0"),
    (CHOICE, "after: [measure], budget", "after: [measure], back: {to: appraise, most: 1}, budget",
     "is chosen once", "chỉ được chọn một lần"),
    (CHOICE, "name: Trích lục, role: justice", "name: Nộp tiền, kind: payment, pauses_clock: true, role: tax",
     "names no sum", "không nêu số tiền"),
    (PARTY, "told: [received, resolved]", "told: [received, paid]", "words of their own", "lời nhắn riêng"),
    (PARTY, "told: [received, resolved]", "told: [received, result_code]", "cannot be told", "không báo được"),
    (PARTY, "code: giap-ranh", "code: staff", "means somebody else", "chỉ người khác"),
    (PARTY, ", told: [received, resolved]", "", "hears of nothing", "không được báo gì"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_invented(tmp_path_factory.mktemp("invented") / "catalogue")


@pytest.fixture(scope="module")
def book(folder: Path) -> Catalogue:
    return load(folder)


def test_the_invented_ones_are_sound_and_in_no_catalogue_of_the_city(book: Catalogue, city):
    invented = {LOOP, TIMES, VERIFICATION, WAIT, PLACE, CHOICE, PARTY}
    assert set(book.procedure_codes()) - set(city.procedure_codes()) == invented
    assert check(CITY) == []


def rounds() -> Iterator[list[tuple[str, str, str, str, str]]]:
    """One fault of each file at a time, so that one check finds several."""
    of = {code: [fault for fault in FAULTS if fault[0] == code] for code, *_ in FAULTS}
    for number in range(max(map(len, of.values()))):
        yield [faults[number] for faults in of.values() if number < len(faults)]


@pytest.mark.parametrize("planted", list(rounds()), ids=lambda found: found[0][4])
def test_a_fault_is_told_in_plain_words(folder: Path, planted):
    whole: dict[Path, str] = {}
    for code, old, new, _, _ in planted:
        (file,) = (folder / "procedures").glob(f"{code}-*.yaml")
        whole[file] = file.read_text(encoding="utf-8")
        assert old in whole[file]
        file.write_text(whole[file].replace(old, new, 1), encoding="utf-8")
    try:
        faults = check(folder)
    finally:
        for file, text in whole.items():
            file.write_text(text, encoding="utf-8")
    for code, _, _, en, vi in planted:
        of_file = [f for f in faults if f"/{code}-" in f.place]
        assert [f for f in of_file if en in f.en and vi in f.vi], [f.en for f in of_file]


def test_several_levels_take_it_in_and_a_ward_may_have_a_second_desk(folder: Path):
    book = load(folder)
    procedure = book.procedure(PLACE, MARCH_2022)
    takes = [o.code for o in book.offices(MARCH_2022)
             if book.office_handles(o.code, procedure, MARCH_2022)]  # fmt: skip
    assert {"mot-cua-thanh-pho", "ubnd-phuong-1", SECOND} <= set(takes)
    assert (
        book.agency_for("justice", book.agency(SECOND).territory, MARCH_2022).code
        == "ubnd-phuong-1"
    )


@pytest.mark.parametrize(
    ("channel", "matter", "branches", "days", "check_days"),
    [
        ("direct", "Thường", (), 10, 2),
        ("postal", "Thường", (), 12, 6),
        ("online", "Thường", (), 3, 2),
        ("online", "Thường", ("card",), 8, 2),
        ("direct", "Khó", ("card",), 15, 9),
        ("postal", "Khó", (), 15, 6),
    ],
)
def test_the_first_other_time_that_holds_counts(
    book: Catalogue, channel, matter, branches, days, check_days
):
    procedure = book.procedure(TIMES, MARCH_2022)
    kind = (channel, {"matter": matter}, branches)
    assert procedure.legal_time(*kind) == Duration(days, "working_day")
    assert procedure.steps[0].time(*kind) == Duration(check_days, "working_day")
