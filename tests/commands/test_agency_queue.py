"""`lienthong agency add …` where the city has no broker: keys and pauses, and plain words."""

from __future__ import annotations

CODE = "ubnd-phuong-1"


def test_a_city_in_one_process_gives_a_key_and_says_that_there_is_no_queue(run, migrated):
    told = run("agency", "add", CODE).output
    (key,) = [line for line in told.splitlines() if line.startswith("PARTNER_DOOR_KEY=lt_")]
    assert "không có máy chủ bản tin" in told
    assert "PARTNER_" not in run("agency", "add", CODE).output
    refused = run("agency", "rotate", CODE, ok=False)
    assert "there is no broker" in str(refused.exception)
    other = run("agency", "rotate", CODE, "--key").output
    assert "PARTNER_DOOR_KEY=lt_" in other
    assert key not in other
    listed = run("keys", "list", "--service", "routing").output
    assert "end within 14 days: 1" in listed, "the old one ends in a day"
    assert "2 khóa đã thu hồi" in run("agency", "remove", CODE, "--keys").output
    assert key.partition("=")[2] not in run("audit", "show").output


def test_a_pause_is_kept_told_and_ended(run, migrated):
    assert run("agency", "pause", CODE, ok=False).exit_code == 2
    run("agency", "pause", CODE, "--why", "bảo trì")
    assert "bảo trì" in run("agency", "list", CODE).output
    assert "bảo trì" in run("handover", "list", "--agency", CODE).output
    run("agency", "resume", CODE)
    assert "không tạm dừng" in run("agency", "resume", CODE).output
    told = run("audit", "show").output
    assert "pause agency" in told
    assert "resume agency" in told
    assert run("agency", "add", "khong-co", ok=False).exit_code != 0
