"""Every fault that can be planted is told with file, line, place and mend, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.catalogue import check, load
from shared.catalogue.checks.sizes import MOST_STEPS
from shared.kernel.errors import BrokenCatalogue

BIRTH = "procedures/1.001193-khai-sinh.yaml"
CHAIN = "procedures/2.000986-lien-thong-khai-sinh-thuong-tru-bhyt.yaml"
DEATH = "procedures/2.002622-lien-thong-khai-tu.yaml"
LAND = "procedures/1.013831-bien-dong-dat-dai.yaml"
HOUSE = "procedures/1.009994-giay-phep-nha-o.yaml"
PAUSE = "procedures/1.001570-tam-ngung-ho-kinh-doanh.yaml"
COPIES = "procedures/2.000635-ban-sao-trich-luc.yaml"
WARDS = "agencies/wards.yaml"
COMMUNES = "agencies/communes.yaml"
CITY = "agencies/city.yaml"
VERTICAL = "agencies/vertical.yaml"
OFFICES = "calendar/offices.yaml"
HOLIDAYS = "calendar/holidays.yaml"
RECEIVED = "templates/received.yaml"
EXTENDED = "templates/extended.yaml"


@dataclass(frozen=True)
class Planted:
    """Text to change in a file, and what the fault must name: file, part of place, words."""

    what: str
    file: str
    old: str
    new: str
    place: str
    en: str
    vi: str
    told_in: str | None = None


PLANTED = [
    # --- form ---
    Planted(
        "an unquoted procedure code that lost its zero",
        PAUSE,
        '"1.001570"',
        "1.001570",
        "code",
        'write "1.001570"',
        "mất số 0",
    ),
    Planted("an unquoted ward code", COMMUNES, '"29866"', "29866", "territory", '"29866"', "nháy"),
    Planted(
        "an unquoted hotline",
        COMMUNES,
        '"0277 000 0101"',
        "02770000101",
        "hotline",
        '"02770000101"',
        "nháy",
    ),
    Planted(
        "a procedure code of five digits",
        PAUSE,
        '"1.001570"',
        '"1.00157"',
        "code",
        "six digits",
        "sáu chữ số",
    ),
    Planted(
        "an unknown key with the nearest right one",
        BIRTH,
        "short_name:",
        "shortname:",
        "versions[0].shortname",
        "did you mean 'short_name'?",
        "có phải là 'short_name'",
    ),
    Planted(
        "a missing key",
        BIRTH,
        "    field: Hộ tịch\n",
        "",
        "versions[0].field",
        "'field' is missing",
        "thiếu 'field'",
    ),
    Planted(
        "a comma that cut a value in two",
        BIRTH,
        "name: Giấy chứng sinh hoặc",
        "name: Giấy chứng sinh, hoặc",
        "papers[1]",
        "put a text that holds one in quotes",
        "dấu phẩy",
    ),
    Planted(
        "a key written twice",
        BIRTH,
        "    field: Hộ tịch\n",
        "    field: Hộ tịch\n    field: Khác\n",
        "field",
        "written twice",
        "hai lần",
    ),
    Planted(
        "a word that is not allowed",
        BIRTH,
        "level: commune",
        "level: comune",
        "level",
        "did you mean 'commune'?",
        "commune",
    ),
    Planted(
        "an hour out of quotes that YAML counts in sixties",
        BIRTH,
        '"15:00"',
        "15:00",
        "cutoff",
        'write it in quotes, "15:00"',
        "dấu nháy",
    ),
    Planted(
        "same_day without its hour",
        BIRTH,
        ', cutoff: "15:00"}',
        "}",
        "cutoff",
        "same_day needs the hour",
        "giờ chốt",
    ),
    Planted(
        "a duration without a number",
        LAND,
        "duration: {value: 10, unit: working_day}",
        "duration: {unit: working_day}",
        "duration.value",
        "write how many",
        "số lượng",
    ),
    Planted(
        "a unit that does not exist",
        LAND,
        "duration: {value: 10, unit: working_day}",
        "duration: {value: 10, unit: workingday}",
        "duration.unit",
        "did you mean 'working_day'?",
        "working_day",
    ),
    Planted(
        "a date that is none",
        BIRTH,
        "valid_from: 2021-01-01",
        "valid_from: 2021-02-30",
        "valid_from",
        "write it as 2021-01-31",
        "không phải ngày",
    ),
    Planted(
        "a short name with marks",
        BIRTH,
        "short_name: Dang ky khai sinh",
        "short_name: Đăng ký khai sinh",
        "short_name",
        "without marks",
        "không dấu",
    ),
    Planted(
        "a fee without amount or word",
        BIRTH,
        "fee: {amount_vnd: 0, timing: none, note",
        "fee: {timing: none, nota",
        "fee",
        "did you mean 'note'?",
        "note",
    ),
    Planted(
        "a choice without choices",
        BIRTH,
        "type: choice, choices: [Nam, Nữ]",
        "type: choice",
        "form[3].choices",
        "'choices' belongs to type choice",
        "choices",
    ),
    Planted(
        "a paper of which none is asked",
        BIRTH,
        "đăng ký khai sinh, original: 1",
        "đăng ký khai sinh, original: 0",
        "papers[0].original",
        "write how many",
        "số lượng",
    ),
    Planted(
        "a result code of another form",
        BIRTH,
        "results: [KQ.G15.000031]",
        "results: [KQ-31]",
        "results",
        "KQ.G15.000031",
        "KQ.G15.000031",
    ),
    Planted(
        "a channel that does not exist",
        BIRTH,
        "channels: [direct, online, postal]",
        "channels: [fax]",
        "channels",
        "direct, online, postal",
        "postal",
    ),
    Planted(
        "broken YAML", BIRTH, "    papers:\n", "    papers: [\n", "", "look at indent", "thụt dòng"
    ),
    Planted(
        "a version based on one that is not there",
        LAND,
        "based_on: 1",
        "based_on: 7",
        "versions[1].based_on",
        "no version 7 above",
        "phiên bản 7",
    ),
    Planted(
        "a rule for dates on a field that is none",
        BIRTH,
        "{name: child_name, ",
        "{name: child_name, not_after: today, ",
        "form[1].not_after",
        "belongs to type date",
        "chỉ dùng cho type date",
    ),
    Planted(
        "a day after which a date may not lie that is not known",
        BIRTH,
        "not_after: today",
        "not_after: tomorrow",
        "not_after",
        "today",
        "today",
    ),
    Planted(
        "a first day of a date that is not known",
        BIRTH,
        "not_before: 18 years",
        "not_before: 18",
        "form[2].not_before",
        "write today, or '6 years'",
        "hãy ghi today",
    ),
    Planted(
        "bounds of a number on a field that is none",
        BIRTH,
        "{name: child_name, ",
        "{name: child_name, least: 1, ",
        "form[1].least",
        "belongs to type number",
        "chỉ dùng cho type number",
    ),
    Planted(
        "bounds between which nothing lies",
        LAND,
        "least: 0.1, greatest: 10000000",
        "least: 0.1, greatest: 0",
        "least",
        "nothing lies between 0.1 and 0",
        "không có số nào",
    ),
    Planted(
        "a bound that is no number",
        LAND,
        "least: 0.1,",
        "least: 0-1,",
        "least",
        "'0-1' is no number",
        "không phải số",
    ),
    Planted(
        "a unit that is not known",
        LAND,
        "unit: m2",
        "unit: ha",
        "unit",
        "'ha' is not known here",
        "không dùng được ở đây",
    ),
    Planted(
        "a first day of validity that is a week",
        BIRTH,
        "valid_from: 2021-01-01",
        "valid_from: 2021-W01-1",
        "valid_from",
        "write it as 2021-01-31",
        "không phải ngày",
    ),
    Planted(
        "a name alone that shall tell a child apart",
        BIRTH,
        "not_after: today, personal: true, identifies: child",
        "not_after: today, personal: true",
        "form[1].identifies",
        "mark the ID number, or the day of birth too",
        "ngày sinh",
    ),
    Planted(
        "a field that tells nobody apart",
        BIRTH,
        "choices: [Nam, Nữ]",
        "choices: [Nam, Nữ], identifies: child",
        "form[3].identifies",
        "a field of type choice identifies no child",
        "chỉ dùng với name, date, id_number",
    ),
    Planted(
        "two names of one person",
        BIRTH,
        "label: Họ và tên mẹ, type: name,",
        "label: Họ và tên mẹ, type: name, identifies: child,",
        "form[5].identifies",
        "two fields of type name",
        "hai ô kiểu name",
    ),
    Planted(
        "a parcel without its numbers",
        HOUSE,
        "unit: ordinal, least: 1, greatest: 99999, identifies: parcel",
        "unit: ordinal, least: 1, greatest: 99999, identifies: plot",
        "form[5].identifies",
        "parcel",
        "parcel",
    ),
    Planted(
        "an ID number that is not marked personal",
        BIRTH,
        "type: id_number, personal: true",
        "type: id_number",
        "form[6].personal",
        "personal: true",
        "dữ liệu cá nhân",
    ),
    Planted(
        "a version counted from nought",
        BIRTH,
        "version: 1",
        "version: 0",
        "versions[0].version",
        "counted from 1",
        "đếm từ 1",
    ),
    # --- graph ---
    Planted(
        "an unknown agency role",
        CHAIN,
        "role: police",
        "role: polise",
        "steps[1].role",
        "did you mean 'police'?",
        "polise",
    ),
    Planted(
        "a cycle in the graph",
        CHAIN,
        "        role: justice\n",
        "        role: justice\n        after: [residence]\n",
        "steps[0].after",
        "birth -> residence -> birth",
        "chờ nhau",
    ),
    Planted(
        "a step behind a cycle",
        CHAIN,
        "        role: justice\n",
        "        role: justice\n        after: [residence]\n",
        "steps[2].after",
        "'insurance-card' can never be reached",
        "không bao giờ đến lượt",
    ),
    Planted(
        "a step that waits for itself",
        CHAIN,
        "after: [birth]",
        "after: [residence]",
        "steps[1].after",
        "residence -> residence",
        "chờ nhau",
    ),
    Planted(
        "a step after one that is not there",
        CHAIN,
        "after: [birth]",
        "after: [brith]",
        "steps[1].after",
        "did you mean 'birth'?",
        "brith",
    ),
    Planted(
        "a branch that can never be reached",
        DEATH,
        "branch: survivor",
        "branch: funeral",
        "branches[2].code",
        "'survivor' can never be reached",
        "không bao giờ đến lượt",
    ),
    Planted(
        "a step of an unknown branch",
        DEATH,
        "branch: survivor",
        "branch: survivors",
        "steps[3].branch",
        "did you mean 'survivor'?",
        "survivors",
    ),
    Planted(
        "more branches to choose than there are",
        DEATH,
        "min_branches: 1",
        "min_branches: 4",
        "min_branches",
        "there are 3",
        "chỉ có 3",
    ),
    Planted(
        "a step before the result that waits for one after it",
        LAND,
        "after: [payment]",
        "after: [payment, cadastre]",
        "steps[3].after",
        "after_result: true here too",
        "after_result",
    ),
    Planted(
        "a payment that does not stop the clock",
        LAND,
        "after: [tax-notice]\n        pauses_clock: true\n",
        "after: [tax-notice]\n",
        "steps[2].pauses_clock",
        "pauses_clock: true",
        "pauses_clock: true",
    ),
    Planted(
        "a payment with a budget",
        LAND,
        "        kind: payment\n",
        "        kind: payment\n        budget: {value: 1, unit: day}\n",
        "steps[2].budget",
        "delete 'budget'",
        "xóa 'budget'",
    ),
    Planted(
        "silence without a day it ends on",
        HOUSE,
        "        role: environment\n        budget: {value: 12, unit: day}\n",
        "        role: environment\n",
        "steps[1].silence",
        "write a budget",
        "budget",
    ),
    Planted(
        "step budgets above the legal time",
        HOUSE,
        "budget: {value: 3, unit: day}",
        "budget: {value: 4, unit: day}",
        "versions[0].steps",
        "shorten consult-land (12 day)",
        "hãy giảm",
    ),
    Planted(
        "budgets in other units above the legal time",
        CHAIN,
        "value: 15, unit: day",
        "value: 27, unit: day",
        "versions[0].steps",
        "the law gives 20.0",
        "luật cho 20.0",
    ),
    Planted(
        "a share that names no form field",
        BIRTH,
        "shares: [child_name,",
        "shares: [chil_name,",
        "steps[0].shares",
        "did you mean 'child_name'?",
        "chil_name",
    ),
    Planted(
        "a step result that the procedure does not have",
        BIRTH,
        "        results: [KQ.G15.000031]",
        "        results: [KQ.G15.000032]",
        "steps[0].results",
        "KQ.G15.000031",
        "KQ.G15.000031",
    ),
    Planted(
        "two steps of one code",
        CHAIN,
        "code: insurance-card",
        "code: residence",
        "steps[2].code",
        "stands twice",
        "hai lần",
    ),
    Planted(
        "two form fields of one name",
        BIRTH,
        "name: father_name",
        "name: mother_name",
        "form[8].name",
        "stands twice",
        "hai lần",
    ),
    # --- periods and codes ---
    Planted(
        "two versions that overlap",
        LAND,
        "    valid_to: 2025-06-30\n",
        "    valid_to: 2025-07-01\n",
        "versions[1].valid_from",
        "still in force",
        "vẫn còn hiệu lực",
    ),
    Planted(
        "two versions of one number",
        LAND,
        "version: 2",
        "version: 1",
        "versions[1].version",
        "there already",
        "đã có",
    ),
    Planted(
        "a period that ends before it begins",
        LAND,
        "valid_to: 2025-06-30",
        "valid_to: 2020-06-30",
        "versions[0].valid_to",
        "before it begins",
        "trước khi",
    ),
    Planted(
        "two procedures of one code",
        PAUSE,
        '"1.001570"',
        '"1.001193"',
        "versions[0]",
        "1.001193 version 1",
        "1.001193",
    ),
    Planted(
        "two agencies of one code",
        COMMUNES,
        "code: ubnd-phuong-2",
        "code: ubnd-phuong-1",
        "agencies[1].code",
        "'ubnd-phuong-1' is there already",
        "đã có",
    ),
    Planted(
        "two agencies of one official id",
        COMMUNES,
        "000.22.87.H20",
        "000.21.87.H20",
        "agencies[1].official_id",
        "there already",
        "đã có",
    ),
    Planted(
        "an agency id that is none",
        COMMUNES,
        "000.22.87.H20",
        "0.22.87.H20",
        "agencies[1].official_id",
        "000.01.87.H20",
        "000.01.87.H20",
    ),
    Planted(
        "an agency of an unknown role",
        VERTICAL,
        "roles: [tax]",
        "roles: [tacks]",
        "agencies[2].roles",
        "no role 'tacks'",
        "tacks",
    ),
    Planted(
        "an agency of an unknown calendar",
        COMMUNES,
        "calendar: office-friendly-sunday",
        "calendar: office-frendly-sunday",
        "agencies[1].calendar",
        "did you mean 'office-friendly-sunday'?",
        "office-frendly-sunday",
    ),
    Planted(
        "an agency of an unknown ward",
        COMMUNES,
        '"29866"',
        '"29867"',
        "agencies[0].territory",
        "no ward '29867'",
        "29867",
    ),
    Planted(
        "two agencies with one role for one territory",
        CITY,
        "roles: [culture]",
        "roles: [culture, construction]",
        "roles",
        "'phong-quan-ly-do-thi' has the role 'construction'",
        "phong-quan-ly-do-thi",
    ),
    Planted(
        "a role that nobody has for some office",
        VERTICAL,
        "roles: [tax]",
        "roles: [fire_police]",
        "role",
        "no agency has the role 'tax'",
        "vai trò 'tax'",
        told_in=LAND,
    ),
    Planted(
        "a level that no office receives",
        CITY,
        "    is_office: true\n",
        "",
        "level",
        "no office takes this city procedure",
        "không nơi nào tiếp nhận",
        told_in=LAND,
    ),
    Planted(
        "a desk that is no office",
        CITY,
        "    is_office: true\n",
        "",
        "is_office",
        "is_office: true",
        "is_office: true",
    ),
    Planted(
        "an agency that ended before its procedures",
        VERTICAL,
        "short_name: Chi cục Thuế\n",
        "short_name: Chi cục Thuế\n    valid_to: 2023-12-31\n",
        "role",
        "on 2024-01-01 no agency has the role 'tax'",
        "2024-01-01",
        told_in=LAND,
    ),
    # --- calendars ---
    Planted(
        "a missing calendar year",
        HOLIDAYS,
        "2023, 2024, 2025",
        "2023, 2025",
        "years",
        "the year 2024 is missing",
        "thiếu năm 2024",
    ),
    Planted(
        "a first year that procedures need",
        HOLIDAYS,
        "[2021, 2022",
        "[2022",
        "years",
        "the year 2021 is missing",
        "thiếu năm 2021",
    ),
    Planted(
        "a year without any day off",
        HOLIDAYS,
        "2026, 2027]",
        "2026, 2027, 2028]",
        "years",
        "2028 is listed and has no day off",
        "2028",
    ),
    Planted(
        "a day that stands twice",
        HOLIDAYS,
        "date: 2022-01-03",
        "date: 2022-01-01",
        "date",
        "stands twice",
        "hai dòng",
    ),
    Planted(
        "a swapped day that works anyway",
        HOLIDAYS,
        "date: 2024-05-04",
        "date: 2024-05-06",
        "kind",
        "only a Saturday or Sunday",
        "Thứ Bảy",
    ),
    Planted(
        "a session that ends before it starts",
        OFFICES,
        '"07:30-11:30"',
        '"11:30-07:30"',
        "monday",
        "ends before it starts",
        "trước khi bắt đầu",
    ),
    Planted(
        "a session that is none",
        OFFICES,
        '"07:30-11:30"',
        '"7h30-11h30"',
        "monday",
        '"07:30-11:30"',
        "07:30-11:30",
    ),
    Planted(
        "a weekday that is none",
        OFFICES,
        "no_appointment: [wednesday]",
        "no_appointment: [mittwoch]",
        "no_appointment",
        "'mittwoch' is no weekday",
        "mittwoch",
    ),
    # --- templates ---
    Planted(
        "a template with an unknown value",
        RECEIVED,
        "Hoi: {hotline}",
        "Hoi: {hotlin}",
        "sms.vi",
        "did you mean 'hotline'?",
        "{hotlin}",
    ),
    Planted(
        "a template that does not render",
        RECEIVED,
        "{code}[ ({procedure})]",
        "{code}[ ({procedure})",
        "sms.vi",
        "does not render",
        "không dùng được",
    ),
    Planted(
        "a template with half a brace",
        RECEIVED,
        "Hoi: {hotline}",
        "Hoi: {hotline",
        "sms.vi",
        "does not render",
        "không dùng được",
    ),
    Planted(
        "an SMS longer than its parts with the longest names",
        EXTENDED,
        "Hen moi: {due}.",
        "Chung toi se co gang tra ket qua som hon neu co the, mong Ong/Ba thong cam va cho them "
        "it ngay nua. Moi viec tai noi tiep nhan van lam nhu thuong le, Ong/Ba khong phai nop "
        "them giay to gi va khong phai di lai vi viec nay. Hen moi: {due}.",
        "sms.vi",
        "characters of",
        "phần",
    ),
    Planted(
        "an SMS with marks",
        RECEIVED,
        "Da tiep nhan",
        "Đã tiếp nhận",
        "sms.vi",
        "without marks",
        "không dấu",
    ),
    Planted(
        "a link in an SMS",
        RECEIVED,
        "Hoi: {hotline}",
        "Xem https://x.vn {hotline}",
        "sms.vi",
        "no link",
        "đường dẫn",
    ),
    Planted(
        "a person's name in an SMS",
        RECEIVED,
        "Da tiep nhan",
        "{name}: da tiep nhan",
        "sms.vi",
        "for e-mail only",
        "thư điện tử",
    ),
    Planted(
        "a message without the dossier's code",
        RECEIVED,
        "ho so {code}[",
        "ho so[",
        "sms.vi",
        "write {code}",
        "{code}",
    ),
    Planted(
        "a moment that does not exist",
        RECEIVED,
        "moment: received",
        "moment: recieved",
        "moment",
        "did you mean 'received'?",
        "recieved",
    ),
    Planted(
        "a missing language",
        RECEIVED,
        '      en: "Application',
        '      de: "Application',
        "sms",
        "'en' is missing",
        "thiếu 'en'",
    ),
    # --- sizes ---
    Planted(
        "more steps than a dossier's end can tell of",
        PAUSE,
        "      - code: confirm\n",
        "".join(
            f"      - {{code: again-{n}, name: Thêm, role: tax, after: [check]}}\n"
            for n in range(MOST_STEPS)
        )
        + "      - code: confirm\n",
        "steps",
        f"at most {MOST_STEPS}",
        "hãy gộp bớt",
    ),
    Planted(
        "texts without end",
        PAUSE,
        "max_length: 200",
        "max_length: 30000",
        "form",
        "lower max_length",
        "hãy giảm max_length",
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one.what)
def test_no_service_starts_on_a_planted_fault_and_it_is_told_with_place_and_mend(spoiled, planted):
    spoiled.replace(planted.file, planted.old, planted.new)
    with pytest.raises(BrokenCatalogue) as refused:
        load(spoiled.folder)
    told = [
        fault
        for fault in refused.value.faults
        if fault.place.startswith(planted.told_in or planted.file)
        and planted.place in fault.place
        and planted.en in fault.en
        and planted.vi in fault.vi
    ]
    assert told, "\n".join(f"{one.place} | {one.en} | {one.vi}" for one in refused.value.faults)
    assert re.match(r"[\w./-]+\.yaml:\d+", told[0].place)


def test_the_line_of_a_fault_is_the_line_in_the_file(spoiled):
    spoiled.replace(CHAIN, "role: police", "role: polise")
    lines = (spoiled.folder / CHAIN).read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if "polise" in line)
    assert [fault.place for fault in spoiled.faults()] == [
        f"{CHAIN}:{number}: versions[0].steps[1].role"
    ]


def test_one_run_tells_every_fault_at_once(spoiled):
    spoiled.replace(CHAIN, "role: police", "role: polise")
    spoiled.replace(RECEIVED, "Da tiep nhan", "Đã tiếp nhận")
    spoiled.replace(HOLIDAYS, "2023, 2024, 2025", "2023, 2025")
    assert len({fault.place.split(":")[0] for fault in spoiled.faults()}) == 3


def test_what_a_later_version_inherits_is_told_once(spoiled):
    spoiled.replace(COPIES, "choices: [Khai sinh", "choises: [Khai sinh")
    told = [fault for fault in spoiled.faults() if "choises" in fault.en]
    assert len(told) == 1


def test_a_citizen_who_chooses_no_branch_must_still_get_a_step(spoiled):
    spoiled.replace(
        DEATH, "      - code: death\n", "      - code: death\n        branch: funeral\n"
    )
    spoiled.replace(DEATH, "    min_branches: 1\n", "")
    assert any("min_branches: 1" in fault.en for fault in spoiled.faults())


def test_a_missing_moment_is_told(spoiled):
    (spoiled.folder / RECEIVED).unlink()
    assert [fault.place for fault in spoiled.faults()] == [RECEIVED]


def test_a_missing_holiday_table_is_told(spoiled):
    (spoiled.folder / HOLIDAYS).unlink()
    assert any(fault.place == HOLIDAYS for fault in spoiled.faults())


def test_a_file_that_nobody_reads_is_told(spoiled):
    spoiled.write("procedure.yaml", "code: x\n")
    (told,) = spoiled.faults()
    assert told.place == "procedure.yaml"
    assert "did you mean 'procedures'?" in told.en or "use one of" in told.en


def test_a_file_in_another_encoding_is_told(spoiled):
    (spoiled.folder / RECEIVED).write_bytes("moment: đã nhận".encode("utf-16"))
    assert any("UTF-8" in fault.en for fault in spoiled.faults())


def test_an_empty_file_and_a_list_are_told(spoiled):
    spoiled.write(BIRTH, "")
    spoiled.write(PAUSE, "- 1\n- 2\n")
    told = {fault.place.split(":")[0]: fault.en for fault in spoiled.faults()}
    assert "empty" in told[BIRTH]
    assert PAUSE in told


def test_an_empty_folder_is_no_catalogue(tmp_path: Path):
    assert any("no catalogue here" in fault.en for fault in check(tmp_path))


def test_the_operator_is_told_in_october_that_next_year_is_missing(spoiled):
    assert spoiled.faults(today=date(2026, 11, 23)) == []
    assert spoiled.faults(today=date(2027, 9, 30)) == []
    (told,) = spoiled.faults(today=date(2027, 10, 1))
    assert "the year 2028 is missing" in told.en


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_torn_file_makes_the_check_itself_fall_over(spoiled, data):
    files = sorted(path for path in spoiled.folder.rglob("*.yaml"))
    path = data.draw(st.sampled_from(files))
    whole = path.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    start = data.draw(st.integers(0, len(lines) - 1))
    path.write_text("".join(lines[:start] + lines[start + 1 :]), encoding="utf-8")
    try:
        for fault in spoiled.faults():
            assert fault.place
            assert fault.vi != fault.en
    finally:
        path.write_text(whole, encoding="utf-8")
