"""Words, prices and budgets have versions: on each day exactly one of them, and only what can be filled in."""

from __future__ import annotations

from datetime import date

from shared.catalogue import load
from tests.catalogue.conftest import CITY, Spoiled


def versions(spoiled: Spoiled, moment: str, *spans: tuple[int, str, str | None]) -> None:
    """The same words as so many versions: number, first day, last day."""
    text = (CITY / "templates" / f"{moment}.yaml").read_text(encoding="utf-8")
    head, mark, block = text.partition("  - version: 1\n    valid_from: 2021-01-01\n")
    assert mark
    made = [
        f"  - version: {number}\n    valid_from: {first}\n"
        + (f"    valid_to: {last}\n" if last else "")
        + block
        for number, first, last in spans
    ]
    spoiled.write(f"templates/{moment}.yaml", head + "".join(made))


def test_versions_that_overlap_leave_a_gap_or_cannot_be_told_apart_are_refused(spoiled: Spoiled):
    versions(spoiled, "paid", (1, "2021-01-01", None), (2, "2026-01-01", None))
    versions(spoiled, "returned", (1, "2021-01-01", "2025-12-31"), (2, "2026-01-03", None))
    versions(spoiled, "verifying", (1, "2021-01-01", "2026-12-31"))
    versions(spoiled, "withdrawn", (1, "2021-01-01", "2025-12-31"), (1, "2026-01-01", None))
    versions(spoiled, "supplemented", (1, "2022-05-01", None))
    spoiled.replace(
        "templates/received.yaml", "Hoi: {hotline}", "Phai nop {amount}. Hoi: {hotline}"
    )
    found = {fault.place.partition(":")[0]: fault for fault in spoiled.faults()}
    told = {file.removeprefix("templates/").removesuffix(".yaml"): f for file, f in found.items()}
    assert len(spoiled.faults()) == len(found) == 6  # each once, whatever languages and channels
    for moment, en, vi in (
        ("paid", "an earlier version is still in force", "phiên bản trước vẫn còn hiệu lực"),
        ("returned", "from 2026-01-01 until 2026-01-03 nothing", "không có lời nhắn"),
        ("verifying", "after 2026-12-31 nothing would be said", "không còn lời nhắn"),
        ("withdrawn", "needs a higher number than 1", "cần số lớn hơn 1"),
        ("supplemented", "from 2021-01-01 until 2022-05-01 nothing", "không có lời nhắn"),
        (
            "received",
            "nothing fills {amount} at 'received' (only at payment_requested, paid)",
            "amount",
        ),
    ):
        fault = told[moment]
        assert en in fault.en
        assert vi in fault.vi
        assert fault.place.partition(":")[2]  # a line


def test_a_version_without_the_words_of_a_call_is_refused_where_one_is_needed(spoiled: Spoiled):
    versions(spoiled, "stopped", (1, "2021-01-01", "2025-12-31"), (2, "2026-01-01", None))
    path = spoiled.folder / "templates" / "stopped.yaml"
    first, mark, second = path.read_text(encoding="utf-8").partition("  - version: 2")
    call = second[second.index("    call:") : second.index("    email:")]
    path.write_text(first + mark + second.replace(call, ""), encoding="utf-8")
    (fault,) = spoiled.faults()
    assert "write 'call:' in templates/stopped.yaml" in fault.en


def test_the_version_of_the_day_is_found_and_each_by_its_number(spoiled: Spoiled):
    versions(spoiled, "paid", (1, "2021-01-01", "2025-12-31"), (2, "2026-01-01", None))
    book = load(spoiled.folder)
    for day, number in ((date(2025, 12, 31), 1), (date(2026, 1, 1), 2)):
        assert book.template("paid", "sms", "vi", day).version == number
    assert book.template_version("paid", "email", "en", 1).valid_to == date(2025, 12, 31)


def test_prices_and_budgets_are_checked_like_words(spoiled: Spoiled):
    rules = "rules.yaml"
    spoiled.replace(
        rules,
        "    budget_vnd: {city: 6000000, each_office: 1500000}\n",
        "    budget_vnd: {city: 6000000, offices: {ubnd-phuong-99: 1}}\n"
        "  - valid_from: 2026-01-01\n    vnd_per_part: {sms: 400, fax: 1}\n",
    )
    told = [f"{fault.place} {fault.en}" for fault in spoiled.faults()]
    assert all(each.startswith(rules) for each in told)
    assert len(told) == 3
    for words in ("there is no office 'ubnd-phuong-99'", "an earlier version", "fax"):
        assert any(words in each for each in told), words


def test_a_budget_is_an_office_s_own_else_each_office_s(spoiled: Spoiled):
    spoiled.replace(
        "rules.yaml", "each_office: 1500000", "each_office: 7, offices: {ubnd-phuong-1: 9}"
    )
    rule = load(spoiled.folder).cost_rule(date(2022, 3, 1))
    assert [rule.budget(of) for of in (None, "ubnd-phuong-1", "ubnd-phuong-2")] == [6_000_000, 9, 7]
    assert rule.vnd_per_part == {"sms": 350, "email": 0}
