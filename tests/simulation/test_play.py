"""The simulated month and the replay, through the real commands."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from services.commands.demo import demo
from services.commands.replay import replay
from shared.catalogue import load
from shared.settings import PROJECT
from tests.simulation.the_log import LOG, needs_log


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LIENTHONG_AMQP")]:
        monkeypatch.delenv(name)


def played(tmp_path: Path, name: str, *options: str) -> tuple[dict[str, Any], str]:
    file = tmp_path / f"{name}.json"
    arguments = ["--json", str(file), "--data", str(tmp_path / name), *options]
    outcome = CliRunner().invoke(demo, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return json.loads(file.read_text(encoding="utf-8")), outcome.output


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    folder = tmp_path_factory.mktemp("month")
    results, output = played(folder, "first", "--dossiers", "40", "--seed", "5")
    return results, output, folder / "first"


def count(folder: Path, service: str, query: str) -> int:
    engine = sa.create_engine(f"sqlite:///{folder / f'{service}.db'}")
    with engine.connect() as connection:
        return int(connection.execute(sa.text(query)).scalar_one())


def test_every_figure_of_the_demonstration_is_what_the_databases_hold(
    month: tuple[dict[str, Any], str, Path],
) -> None:
    results, _, folder = month
    assert results["dossiers"]["submitted"] == 40
    assert sum(results["dossiers"]["by_status"].values()) == 40
    assert count(folder, "intake", "SELECT count(*) FROM dossiers") == 40
    assert results["tasks"]["assigned"] == count(
        folder, "routing", "SELECT count(*) FROM tasks WHERE kind = 'task'"
    )
    assert 0 < results["tasks"]["answered"] <= results["tasks"]["assigned"]
    assert results["tasks"]["handed_on"] == count(
        folder, "routing", "SELECT count(*) FROM answers WHERE kind = 'not_ours'"
    )
    assert results["messages"]["by_state"]["sent"] == count(
        folder, "notify", "SELECT count(*) FROM messages WHERE state = 'sent'"
    )
    told = results["messages"]
    assert sum(told["by_rung"].values()) == told["by_state"]["sent"]
    assert told["by_channel"]["none"] > 0
    assert f"không có kênh {told['by_channel']['none']}" in month[1]
    assert told["calls"]["delivered"] == told["tries_of_calls"]["reached"] + told[
        "tries_of_calls"
    ].get("met", 0)
    assert results["parked"] == []
    assert results["waiting"] == []


def test_received_is_resolved_and_in_progress_in_every_row_of_the_form(
    month: tuple[dict[str, Any], str, Path],
) -> None:
    for row in month[0]["report_ii06a"]:
        resolved, progress = sum(row["resolved"].values()), sum(row["in_progress"].values())
        assert row["received"] == resolved + progress


def test_the_timeline_and_the_messages_of_one_dossier_are_shown(
    month: tuple[dict[str, Any], str, Path],
) -> None:
    _, output, folder = month
    assert "Một hồ sơ liên thông" in output
    assert "SMS ·" in output
    assert "═ Điện thoại ═" in output
    assert "Biểu II.06a" in output
    assert str(folder) in output.replace("\n", "")


def test_nobody_who_has_to_act_is_left_untold_and_nobody_hears_anything_by_night(
    month: tuple[dict[str, Any], str, Path],
) -> None:
    """Each such moment left by one way, is with the desk, or was settled before it could leave."""
    _, _, folder = month
    rule = load(PROJECT / "catalogue").telling_rule(date(2022, 3, 1))
    acts = ", ".join(f"'{moment}'" for moment in rule.needs_act)
    told = "('sent', 'delivered', 'to_call', 'uncertain', 'undeliverable', 'standby', 'held')"
    untold = f"""
        SELECT count(*) FROM (
            SELECT fact_id FROM messages AS m WHERE moment IN ({acts}) AND state != 'awaiting_contact'
            GROUP BY fact_id
            HAVING sum(state IN {told}) = 0 AND NOT (sum(state = 'cancelled') > 0 AND EXISTS (
                SELECT 1 FROM messages AS later WHERE later.dossier = m.dossier
                AND later.moment IN ('returned', 'supplemented', 'paid', 'resolved', 'stopped',
                    'withdrawn', 'refused', 'extended', 'supplement_extended')))
        )"""
    assert count(folder, "notify", untold) == 0
    by_night = """
        SELECT count(*) FROM messages WHERE channel IN ('sms', 'email') AND sent_at IS NOT NULL
        AND NOT strftime('%H', sent_at, '+7 hours') BETWEEN '07' AND '20'"""
    assert count(folder, "notify", by_night) == 0
    twice = """
        SELECT count(*) FROM (SELECT 1 FROM messages WHERE sent_at IS NOT NULL AND channel != 'call'
        GROUP BY fact_id, moment, person HAVING count(*) > 1)"""
    assert count(folder, "notify", twice) == 0


def test_every_sent_message_lies_in_a_file_once(
    month: tuple[dict[str, Any], str, Path],
) -> None:
    results, _, folder = month
    files = [file for file in (folder / "messages").rglob("*") if file.is_file()]
    assert len(files) == results["messages"]["by_state"]["sent"]


def test_the_same_seed_gives_the_same_month_to_the_letter(
    month: tuple[dict[str, Any], str, Path], tmp_path: Path
) -> None:
    again, _ = played(tmp_path, "again", "--dossiers", "40", "--seed", "5")
    assert {**again, "seconds": 0} == {**month[0], "seconds": 0}


def test_another_seed_gives_another_month(
    month: tuple[dict[str, Any], str, Path], tmp_path: Path
) -> None:
    other, _ = played(tmp_path, "other", "--dossiers", "40", "--seed", "6")
    assert other["messages"] != month[0]["messages"]


def test_a_log_is_replayed_and_its_unusable_rows_are_named(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        "case,channel,start,activity,group,timestamp\n"
        "one,Desk,,Receipt,g,2022-03-01 09:00:00\n"
        "one,Desk,,Check,g,2022-03-03 10:00:00\n"
        "one,Desk,,Sign,g,2022-03-08 10:00:00\n"
        "two,Internet,,Receipt,g,2022-03-02 14:00:00\n"
        "three,Pigeon,,Receipt,g,2022-03-02 14:00:00\n",
        encoding="utf-8",
    )
    out = tmp_path / "out.json"
    arguments = [str(file), "--json", str(out), "--data", str(tmp_path / "city")]
    outcome = CliRunner().invoke(replay, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["dossiers"]["submitted"] == 2
    assert results["dossiers"]["by_status"] == {"4 Đang xử lý": 1, "10 Đã trả kết quả": 1}
    assert [row["line"] for row in results["unusable_rows"]] == [6]
    assert "dòng 6" in outcome.output


def test_a_procedure_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        "case,channel,start,activity,group,timestamp\n1,Desk,,Receipt,g,2022-03-01 09:00:00\n",
        encoding="utf-8",
    )
    arguments = [str(file), "--procedure", "9.123456", "--data", str(tmp_path / "city")]
    outcome = CliRunner().invoke(replay, arguments)
    assert outcome.exit_code != 0
    assert "9.123456" in str(outcome.exception)


@needs_log
@pytest.mark.timeout(600)
def test_the_first_cases_of_a_real_municipal_log_go_through(tmp_path: Path) -> None:
    lines = LOG.read_text(encoding="utf-8").splitlines(keepends=True)
    file = tmp_path / "some.csv"
    file.write_text("".join(lines[:200]), encoding="utf-8")
    out = tmp_path / "out.json"
    arguments = [str(file), "--json", str(out), "--data", str(tmp_path / "city")]
    outcome = CliRunner().invoke(replay, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["dossiers"]["submitted"] == results["cases"] > 15
    assert results["unusable_rows"] == []
    assert results["parked"] == results["waiting"] == []
