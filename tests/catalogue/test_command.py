"""`lienthong catalogue`: what an editor of the catalogue sees."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from services.commands.catalogue import catalogue
from shared.kernel.errors import NotFound
from tests.catalogue.conftest import CITY


def run(*arguments: str) -> tuple[int, str]:
    made = CliRunner().invoke(catalogue, list(arguments), catch_exceptions=False)
    return made.exit_code, made.output


def test_check_says_that_the_city_is_whole():
    status, said = run("check", str(CITY))
    assert status == 0
    assert "The catalogue is whole" in said
    files = list((CITY / "procedures").glob("[0-9]*.yaml"))  # the check's own is not the city's
    assert f"{len(files)} procedures" in said


def test_check_names_file_line_and_mend_in_both_languages_and_fails(spoiled):
    spoiled.replace("agencies/vertical.yaml", "roles: [tax]", "roles: [tacks]")
    status, said = run("check", str(spoiled.folder))
    assert status == 1
    assert "agencies/vertical.yaml:" in said
    assert "no role 'tacks'" in said
    assert "không có vai trò 'tacks'" in said
    assert "No service starts" in said


def test_check_can_speak_one_language(spoiled):
    spoiled.replace("agencies/vertical.yaml", "roles: [tax]", "roles: [tacks]")
    _, said = run("check", str(spoiled.folder), "--lang", "vi")
    assert "there is no role" not in said
    assert "không có vai trò" in said


def test_check_of_a_folder_that_is_not_there_is_a_wrong_call(tmp_path):
    status, _ = run("check", str(tmp_path / "nowhere"))
    assert status == 2


def test_show_prints_a_procedure_with_papers_form_and_steps():
    status, said = run("show", "2.002622", "--on", "2022-03-07")
    assert status == 0
    for words in ("18 working days", "branch survivor", "Giấy báo tử", "sees deceased_name"):
        assert words in said


def test_show_prints_one_version_whatever_the_day():
    _, said = run("show", "1.009994", "--version", "1")
    assert "silence is consent" in said
    _, land = run("show", "1.013831", "--version", "1")
    assert "stops the clock" in land
    assert "after the result" in land


def test_show_prints_times_that_differ_ways_back_and_places():
    _, land = run("show", "1.012753", "--on", "2026-03-16")
    assert "legal time   20 working days; online: 17 working days; postal: 30 working days" in land
    assert "where land_ward lies" in land
    _, poor = run("show", "1.011607", "--on", "2026-03-16")
    assert "back to score, at most 2" in poor
    assert "wait for commune_committee, 3 working days" in poor


def test_show_prints_an_agency():
    _, said = run("show", "ubnd-phuong-2")
    assert "Chủ nhật thân thiện" in said


def test_show_without_a_code_lists_what_is_in_force():
    _, said = run("show", "--on", "2022-03-07")
    assert "1.009994" in said
    assert "1.013225" not in said


def test_show_of_an_unknown_code_says_so():
    with pytest.raises(NotFound):
        run("show", "9.999999")
