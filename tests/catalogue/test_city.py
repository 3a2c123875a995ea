"""The city of the demonstration: what its catalogue says, day by day."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest

from shared.catalogue import MOMENTS, load
from shared.kernel.errors import NotFound, Refused
from shared.kernel.text import is_gsm
from tests.catalogue.conftest import CITY, MARCH_2022

NEEDED = [
    "1.001193", "1.000894", "1.000656", "1.004873", "2.000815", "1.001612", "1.009994",
    "1.013831", "1.004222", "1.001939", "2.000986", "2.001023", "2.002622", "1.013978",
]  # fmt: skip
LATER = {
    "1.013225",
    "2.002621",
    "3.000722",
    "1.012753",
    "1.013949",
}  # came into force after the demonstration's month


def test_the_catalogue_loads_in_a_blink():
    best = min(_seconds() for _ in range(3))
    assert best < 0.3


def _seconds() -> float:
    begun = time.process_time()
    load(CITY)
    return time.process_time() - begun


def test_every_promised_procedure_is_in_force_in_march_2022(city):
    in_force = {procedure.code for procedure in city.procedures(MARCH_2022)}
    assert set(NEEDED) <= in_force
    assert len(in_force) >= 28
    assert set(city.procedure_codes()) - in_force == LATER


def test_a_code_keeps_its_last_zero(city):
    assert city.procedure("1.001570", MARCH_2022).code == "1.001570"
    with pytest.raises(NotFound):
        city.procedure("1.00157", MARCH_2022)


def test_every_step_finds_its_agency_for_every_office_on_every_day_that_matters(city):
    for day in (MARCH_2022, date(2024, 7, 1), date(2025, 7, 1), date(2026, 11, 23)):
        for procedure in city.procedures(day):
            offices = [
                office
                for office in city.offices(day)
                if city.office_handles(office.code, procedure, day)
            ]
            wards = 15 if day < date(2025, 7, 1) else 3
            assert len(offices) == (1 if procedure.level == "city" else wards)
            for office in offices:
                for step in procedure.steps:
                    agency = city.agency_for(step.role, office.territory, day)
                    assert agency.territory in (office.territory, "*")


def test_a_ward_dossier_is_worked_on_in_its_own_ward(city):
    assert city.agency_for("justice", "29869", MARCH_2022).code == "ubnd-phuong-2"
    assert city.agency_for("commune_police", "29899", MARCH_2022).code == "cong-an-xa-tinh-thoi"
    assert city.agency_for("social_insurance", "29869", MARCH_2022).code == "bhxh-cao-lanh"
    with pytest.raises(NotFound):
        city.agency_for("justice", "*", MARCH_2022)


def test_a_ward_desk_takes_no_city_procedure_and_the_police_take_none(city):
    land = city.procedure("1.013831", MARCH_2022)
    birth = city.procedure("1.001193", MARCH_2022)
    assert city.office_handles("mot-cua-thanh-pho", land, MARCH_2022)
    assert not city.office_handles("ubnd-phuong-1", land, MARCH_2022)
    assert city.office_handles("ubnd-phuong-1", birth, MARCH_2022)
    assert not city.office_handles("cong-an-phuong-1", birth, MARCH_2022)
    assert not city.office_handles("nowhere", birth, MARCH_2022)


def test_the_fifteen_wards_carry_the_codes_of_2022(city):
    wards = [ward for ward in city.wards if ward.is_valid(MARCH_2022)]
    assert len(wards) == 15
    assert city.ward("29869", MARCH_2022).name == "Phường 2"
    territories = {office.territory for office in city.offices(MARCH_2022)}
    assert territories == {ward.code for ward in wards} | {"*"}


def test_both_ways_to_reach_an_agency_are_in_use(city):
    reaches = {agency.code: agency.reach for agency in city.agencies(MARCH_2022)}
    assert reaches["ubnd-phuong-1"] == "amqp"
    assert reaches["ubnd-xa-my-ngai"] == "web"
    assert {reaches[code] for code in reaches if code.startswith("phong-")} == {"amqp"}


def test_a_dossier_keeps_the_version_it_was_received_under(city):
    before = city.procedure("1.000894", date(2025, 12, 31))
    after = city.procedure("1.000894", date(2026, 1, 1))
    assert [paper.code for paper in before.papers if paper.condition] == ["xac-nhan-hon-nhan"]
    assert not [paper for paper in after.papers if paper.condition]
    assert after.steps == before.steps  # what version 2 does not restate, it inherits
    assert city.procedure_version("1.000894", before.version) == before
    with pytest.raises(NotFound):
        city.procedure_version("1.000894", 9)


def test_the_house_permit_of_2022_ends_where_its_successor_begins(city):
    last = city.procedure("1.009994", date(2025, 6, 30)).valid_to
    assert last is not None
    assert city.procedure("1.013225", last + timedelta(days=1)).valid_from > last
    with pytest.raises(NotFound):
        city.procedure("1.009994", last + timedelta(days=1))


def test_the_interlinked_birth_forks_after_the_birth_is_registered(city):
    chain = city.procedure("2.000986", MARCH_2022)
    assert {step.code: step.after for step in chain.steps} == {
        "birth": (),
        "residence": ("birth",),
        "insurance-card": ("birth",),
    }


def test_the_interlinked_death_lets_the_citizen_choose(city):
    death = city.procedure("2.002622", MARCH_2022)
    assert [(branch.code, branch.default) for branch in death.branches] == [
        ("residence", True), ("funeral", False), ("survivor", False),
    ]  # fmt: skip
    assert death.min_branches == 1
    assert {step.branch for step in death.steps} == {None, "residence", "funeral", "survivor"}


def test_land_waits_for_the_citizen_to_pay_and_goes_on_after_the_result(city):
    for code in ("1.013831", "1.013978"):
        land = city.procedure(code, MARCH_2022)
        payment = next(step for step in land.steps if step.kind == "payment")
        assert payment.pauses_clock
        assert payment.budget is None
        assert [step.code for step in land.steps if step.after_result] == ["cadastre"]


def test_silence_is_consent_only_in_the_consultation_of_a_permit(city):
    silent = {
        (procedure.code, step.code)
        for procedure in city.procedures(MARCH_2022)
        for step in procedure.steps
        if step.silence == "consent"
    }
    assert silent == {("1.009994", "consult-land"), ("1.009994", "consult-heritage")}


def test_no_step_shares_the_citizen_s_phone(city):
    for procedure in city.procedures(MARCH_2022):
        kinds = {field.name: field.type for field in procedure.form}
        for step in procedure.steps:
            assert "phone" not in {kinds[name] for name in step.shares}


def test_names_ids_and_addresses_of_people_are_marked_personal(city):
    for code in city.procedure_codes():
        for procedure in city.versions(code):
            for field in procedure.form:
                if field.type == "id_number" or "Họ và tên" in field.label:
                    assert field.personal, (code, field.name)


def test_every_number_has_bounds_and_every_sum_and_area_its_unit(city):
    for code in city.procedure_codes():
        for procedure in city.versions(code):
            for field in procedure.form:
                if field.type != "number":
                    continue
                least, most = field.least, field.most(MARCH_2022)
                assert least is not None, (code, field.name)
                assert most is not None, (code, field.name)
                assert least >= 0, (code, field.name)
                assert ("(đồng)" in field.label) == (field.unit == "vnd")
                assert ("(m2)" in field.label) == (field.unit == "m2") == (field.decimals > 0)


def test_where_the_procedure_says_a_child_nobody_is_born_in_1900(city):
    for code in city.procedure_codes():
        for procedure in city.versions(code):
            for field in procedure.form:
                if field.name == "child_birth_date" and field.label == "Ngày sinh":
                    assert field.not_before in (6, 18), code


def test_short_names_travel_by_sms(city):
    for code in city.procedure_codes():
        for procedure in city.versions(code):
            assert is_gsm(procedure.short_name)
            assert len(procedure.short_name) <= 36


def test_every_moment_has_its_words_for_both_channels_and_languages(city):
    for moment in MOMENTS:
        for channel in ("sms", "email"):
            for language in ("vi", "en"):
                template = city.template(moment, channel, language, MARCH_2022)
                assert (template.subject is None) == (channel == "sms")
    with pytest.raises(NotFound):
        city.template("forwarded", "sms", "vi", MARCH_2022)


def test_the_same_files_give_the_same_version_and_a_changed_one_another(city, spoiled):
    assert load(CITY).version == city.version
    spoiled.replace("templates/received.yaml", "Hoi:", "Hoi so:")
    assert load(spoiled.folder).version != city.version


def test_what_is_not_there_is_refused_in_both_languages(city):
    for look_up in (
        lambda: city.agency("nobody"),
        lambda: city.procedure("9.999999", MARCH_2022),
        lambda: city.procedure("1.001193", date(2019, 1, 1)),
        lambda: city.ward("00000", MARCH_2022),
    ):
        with pytest.raises(Refused) as refused:
            look_up()
        assert refused.value.vi != refused.value.en


#: As they stand on the paper, where its text was at hand (catalogue/README.md).
ON_PAPER = {
    "1.001193": "submitter_relation child_name child_birth_date child_sex birth_place mother_name "
    "mother_id mother_passport father_name",
    "1.000656": "applicant_name submitter_relation deceased_name deceased_id death_date death_place",
    "1.004222": "applicant_name birth_date applicant_id old_address household_owner new_address "
    "persons",
    "1.004194": "applicant_name birth_date applicant_id stay_address stay_until landlord_name",
    "1.003197": "applicant_name applicant_id residence_address removed_name removal_reason",
    "1.013225": "investor_name investor_id site_address land_ward map_sheet parcel_number "
    "building_kind floor_area_m2 floors",
}


@pytest.mark.parametrize("code", ON_PAPER)
def test_the_fields_stand_in_the_order_of_the_paper_where_it_is_known(code):
    newest = list(load(CITY).procedure(code, date(2026, 6, 1)).form)
    assert [field.name for field in newest] == ON_PAPER[code].split()
