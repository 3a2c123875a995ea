"""`lienthong agency mail`: staff addresses of agencies, as the one who runs the city types it."""

from __future__ import annotations

import logging

OFFICE = "ubnd-phuong-1"
HEAD, DEPUTY = "truong@phuong1.example", "pho@phuong1.example"


def test_addresses_are_added_listed_and_removed(run, migrated):
    assert run("agency", "mail", OFFICE, HEAD).output == f"{OFFICE}: {HEAD}\n"
    assert run("agency", "mail", OFFICE, DEPUTY, HEAD).output == f"{OFFICE}: {HEAD} {DEPUTY}\n"
    assert f"{OFFICE}: {HEAD} {DEPUTY}" in run("agency", "mail").output
    assert "0 cơ quan" in run("agency", "mail", "bhxh-cao-lanh").output
    assert run("agency", "mail", OFFICE, HEAD, "--remove").output == f"{OFFICE}: {DEPUTY}\n"
    assert "no address" in run("agency", "mail", OFFICE, "--remove").output
    assert "0 cơ quan" in run("agency", "mail").output


def test_what_cannot_be_is_refused_with_its_place_and_nothing_is_kept(run, migrated):
    wrong = run("agency", "mail", OFFICE, HEAD, "trưởng@x", ok=False)
    assert "addresses.2" in str(wrong.exception)
    assert "trưởng" not in str(wrong.exception)
    assert run("agency", "mail", "khong-co", HEAD, ok=False).exit_code != 0
    assert run("agency", "mail", "--remove", ok=False).exit_code == 2
    assert "0 cơ quan" in run("agency", "mail").output


def test_each_act_is_noted_without_the_address(run, migrated, caplog):
    caplog.set_level(logging.DEBUG)
    run("agency", "mail", OFFICE, HEAD)
    run("agency", "mail", OFFICE, "--remove")
    told = run("audit", "show").output
    for act in ("add agency mail", "remove agency mail"):
        (line,) = [line for line in told.splitlines() if act in line]
        assert OFFICE in line
    assert HEAD not in told
    assert HEAD not in caplog.text


def test_a_webhook_is_set_listed_changed_and_removed(run, migrated):
    refused = run("agency", "webhook", OFFICE, "https://phuong1.example/x", ok=False)
    assert "contacts" in str(refused.exception)
    run("agency", "mail", OFFICE, HEAD)
    made = run("agency", "webhook", OFFICE, "https://phuong1.example/x", "--skip", "changed")
    secret = next(line for line in made.output.splitlines() if line.startswith("whsec_"))
    listed = run("agency", "webhook").output
    assert f"{OFFICE}\tactive\twaiting 0\t0/0\twithout changed\thttps://phuong1.example/x" in listed
    assert "whsec_" not in listed
    assert secret not in run("agency", "webhook", OFFICE, "--new-secret").output
    run("agency", "webhook", OFFICE, "--pause")
    assert "paused (by hand)" in run("agency", "webhook", OFFICE).output
    for act in ("--resume", "--try", "--remove"):
        run("agency", "webhook", OFFICE, act)
    assert "0 webhook" in run("agency", "webhook").output
    assert run("agency", "webhook", OFFICE, "--pause", ok=False).exit_code != 0
    assert run("agency", "webhook", "--pause", ok=False).exit_code == 2
    told = run("audit", "show").output
    for act in ("set", "new-secret", "pause", "resume", "try", "remove"):
        assert f"{act} agency webhook" in told
    assert "phuong1.example" not in told
    assert secret not in told
