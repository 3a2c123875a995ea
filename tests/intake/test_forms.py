"""What is typed at a desk: tidied where it can be, refused all at once where it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.contacts import ContactInput, check_contact
from services.intake.domain.forms import PaperCount, check_branches, check_form
from services.intake.domain.submission import check_submission
from shared.kernel.errors import Fault, InvalidInput
from tests.intake.made import CONTACT, FORM, OFFICE, PAPERS, PROCEDURE, TODAY, command


def places(refused: pytest.ExceptionInfo[InvalidInput]) -> set[str]:
    return {fault.place for fault in refused.value.faults}


def test_every_fault_is_told_at_once():
    wrong = command(
        channel="pigeon",
        form={"birth_date": "1990-02-30", "copies": "two", "colour": "red", "id_number": "12"},
        papers=(PaperCount("to-khai", 1), PaperCount("unknown", 1)),
        branches=("nowhere",),
        contact=replace(CONTACT, phone="01681234567", email="nguyễn@example.com"),
    )
    with pytest.raises(InvalidInput) as refused:
        check_submission(wrong, PROCEDURE, OFFICE, TODAY)
    assert places(refused) == {
        "channel",
        "form.full_name",
        "form.birth_date",
        "form.copies",
        "form.colour",
        "form.id_number",
        "papers.1.code",
        "branches",
        "contact.phone",
        "contact.email",
    }


def test_a_direct_dossier_names_each_missing_paper_with_its_counts():
    with pytest.raises(InvalidInput) as refused:
        check_submission(command(papers=()), PROCEDURE, OFFICE, TODAY)
    assert places(refused) == {"papers.to-khai", "papers.giay-to"}
    assert "Tờ khai" in refused.value.faults[0].vi


def test_an_online_dossier_may_come_with_papers_missing():
    checked = check_submission(command(channel="online", papers=()), PROCEDURE, OFFICE, TODAY)
    assert checked.papers == ()


def test_a_spare_original_stands_for_a_copy():
    papers = (PaperCount("to-khai", 1), PaperCount("giay-to", 1, 0))
    assert (
        check_submission(command(papers=papers), PROCEDURE, OFFICE, TODAY).papers[1].original == 1
    )


def test_a_paper_outside_the_list_is_kept_under_its_own_name():
    papers = (*PAPERS, PaperCount(None, 1, 0, name="Giấy xác nhận"))
    held = check_submission(command(papers=papers), PROCEDURE, OFFICE, TODAY).papers
    assert (held[-1].code, held[-1].name) == ("other-3", "Giấy xác nhận")


def test_values_are_tidied():
    faults: list[Fault] = []
    raw = {
        "full_name": "  Trần Thi\u0323 Hoa  ",
        "birth_date": "2000-01-31",
        "copies": 2,
        "purpose": "học",
        "urgent": True,
        "helper_phone": "+84 (0)90 7123456",
        "id_number": "087 190 001234",
    }
    values = check_form(PROCEDURE.form, raw, faults, today=TODAY)
    assert faults == []
    assert values["full_name"] == "Trần Thị Hoa"
    assert values["helper_phone"] == "+84907123456"
    assert values["id_number"] == "087190001234"


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "3", [1], 10**18])
def test_a_number_is_a_number(value):
    faults: list[Fault] = []
    check_form(PROCEDURE.form, {**FORM, "copies": value}, faults, today=TODAY)
    assert [f.place for f in faults] == ["form.copies"]


@pytest.mark.parametrize("value", ["20220301", "2022-13-01", "1899-12-31", 20220301, "01/03/2022"])
def test_a_date_is_a_real_date_of_our_time(value):
    faults: list[Fault] = []
    check_form(PROCEDURE.form, {**FORM, "birth_date": value}, faults, today=TODAY)
    assert [f.place for f in faults] == ["form.birth_date"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([f.name for f in PROCEDURE.form]) | st.text(), _json))
def test_whatever_is_typed_is_tidied_or_refused_and_never_breaks(raw):
    faults: list[Fault] = []
    values = check_form(PROCEDURE.form, raw, faults, today=TODAY)
    assert set(values) <= {f.name for f in PROCEDURE.form}
    again: list[Fault] = []
    if not faults:
        assert check_form(PROCEDURE.form, values, again, today=TODAY) == values
        assert again == []


@given(st.text(min_size=8))
def test_faults_never_repeat_what_was_typed(secret):
    raw = {"full_name": secret * 20, "birth_date": secret, "id_number": secret, "purpose": secret}
    faults: list[Fault] = []
    check_form(PROCEDURE.form, raw, faults, today=TODAY)
    assert not [f for f in faults if secret in f.en or secret in f.vi]


def test_branches_default_to_the_usual_ones_and_keep_the_catalogue_order():
    faults: list[Fault] = []
    assert check_branches(PROCEDURE, None, faults) == ("main",)
    assert check_branches(PROCEDURE, ["extra", "main"], faults) == ("main", "extra")
    assert faults == []
    check_branches(PROCEDURE, [], faults)
    assert [f.place for f in faults] == ["branches"]


def test_a_contact_is_normalised_and_keeps_what_was_written():
    faults: list[Fault] = []
    contact = check_contact(CONTACT, faults)
    assert faults == []
    assert contact is not None
    assert (contact.phone, contact.phone_original) == ("+84907123456", "0907 123 456")
    assert "Mai" not in repr(contact)
    assert "0907" not in repr(CONTACT)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"phone": None}, "contact.consent.sms"),
        ({"phone": "0277 3851 234"}, "contact.consent.sms"),
        ({"email": ""}, "contact.consent.email"),
        ({"email": "không@example.com"}, "contact.email"),
        ({"email": "x@"}, "contact.email"),
        ({"name": " "}, "contact.name"),
        ({"name": "A\0B"}, "contact.name"),
        ({"language": "fr"}, "contact.language"),
        ({"phone": "+1 202 555 0143"}, "contact.phone"),
    ],
)
def test_a_contact_that_cannot_work_is_refused_at_its_place(changes, place):
    faults: list[Fault] = []
    assert check_contact(replace(CONTACT, **changes), faults) is None
    assert [f.place for f in faults] == [place]


def test_a_citizen_without_phone_and_mail_is_welcome():
    faults: list[Fault] = []
    contact = check_contact(ContactInput(name="Lê Văn Tám"), faults)
    assert contact is not None
    assert faults == []
