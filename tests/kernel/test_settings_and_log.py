"""Settings from the environment, and logs that keep people out."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import log
from shared.kernel.errors import LienThongError, SettingsError
from shared.settings import PROJECT, Settings, names


def test_without_any_setting_everything_is_embedded_and_local():
    settings = Settings.load("intake", {"PATH": "/usr/bin"})
    assert settings.amqp_url == "memory://"
    assert settings.database_url == f"sqlite:///{PROJECT / 'var' / 'intake.db'}"
    assert (settings.host, settings.port, settings.ops_port) == ("127.0.0.1", 8080, 0)
    assert Settings.load("routing", {}).port == 8081
    assert Settings.load("notify", {}).port == 8082
    assert settings.secret_key is None


def test_a_setting_for_one_service_wins_over_the_common_one():
    env = {"LIENTHONG_PORT": "9000", "LIENTHONG_ROUTING_PORT": "9001"}
    assert Settings.load("intake", env).port == 9000
    assert Settings.load("routing", env).port == 9001


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_secret_may_be_a_file_that_windows_wrote(tmp_path: Path, encoding: str):
    file = tmp_path / "url"
    file.write_text("postgresql+psycopg://intake:hush@db/intake\r\n", encoding=encoding)
    settings = Settings.load("intake", {"LIENTHONG_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == "postgresql+psycopg://intake:hush@db/intake"


def test_a_secret_that_is_no_text_is_refused_by_its_name(tmp_path: Path):
    file = tmp_path / "url"
    file.write_bytes(b"\x80\x81hush")
    with pytest.raises(SettingsError, match="save it as UTF-8") as refused:
        Settings.load("intake", {"LIENTHONG_DATABASE_URL_FILE": str(file)})
    assert "hush" not in refused.value.en


def test_a_secret_can_be_a_file(tmp_path: Path):
    file = tmp_path / "url"
    file.write_text("postgresql+psycopg://intake:hush@db/intake\n")
    settings = Settings.load("intake", {"LIENTHONG_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == "postgresql+psycopg://intake:hush@db/intake"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"LIENTHONG_AMPQ_URL": "x"}, "did you mean LIENTHONG_AMQP_URL?"),
        ({"LIENTHONG_PORT": "http"}, "LIENTHONG_PORT: not a whole number"),
        ({"LIENTHONG_PORT": "70000"}, "not between 0 and 65535"),
        ({"LIENTHONG_COOKIE_SECURE": "perhaps"}, "not one of true, false"),
        ({"LIENTHONG_LOG_FORMAT": "xml"}, "not one of json, console"),
        ({"LIENTHONG_SECRET_KEY_FILE": "/nowhere/at/all"}, "cannot read the file"),
        ({"LIENTHONG_AMQP_URL": "a", "LIENTHONG_AMQP_URL_FILE": "b"}, "are both set"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_mend(env, said):
    with pytest.raises(SettingsError) as refused:
        Settings.load("intake", env)
    assert said in refused.value.en
    assert refused.value.vi


def test_a_bad_value_is_not_repeated_since_it_may_be_a_secret():
    with pytest.raises(SettingsError) as refused:
        Settings.load("intake", {"LIENTHONG_PREFETCH": "hunter2"})
    assert "hunter2" not in str(refused.value) + refused.value.vi


def test_names_of_the_test_run_are_not_settings():
    Settings.load("intake", {"LIENTHONG_TEST_AMQP_URL": "x", "LIENTHONG_SMOKE_AMQP": "y"})


def test_every_field_but_the_service_has_a_name():
    from dataclasses import fields

    expected = {f"LIENTHONG_{field.name.upper()}" for field in fields(Settings)}
    assert set(names()) == expected - {"LIENTHONG_SERVICE"}


@pytest.fixture
def logged():
    import structlog

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()

    def to(log_format: str) -> io.StringIO:
        env = {"LIENTHONG_LOG_FORMAT": log_format, "LIENTHONG_LOG_LEVEL": "info"}
        log.configure(Settings.load("notify", env), stream=out)
        return out

    yield to
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_without_people(logged):
    out = logged("json")
    log.get("runtime").info("fact.handled", dossier="000-1", phone="+84907123456", note="đã gửi")
    log.get("runtime").debug("not shown")
    (line,) = out.getvalue().splitlines()
    record = json.loads(line)
    assert record["event"] == "fact.handled"
    assert record["service"] == "notify"
    assert record["origin"] == "runtime"
    assert record["dossier"] == "000-1"
    assert record["phone"] == "***456"
    assert "đã gửi" in line


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_is_kept_without_local_variables(logged, log_format):
    out = logged(log_format)

    def fail(phone: str) -> None:
        raise ValueError("no")

    try:
        fail("+84907" + "123456")  # the source line itself is shown, its values are not
    except ValueError:
        log.get("runtime").exception("loop.failed")
    assert "907123456" not in out.getvalue()
    assert "ValueError" in out.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_of_an_error_only_our_own_words_are_logged(logged, log_format):
    out = logged(log_format)

    def fail(phone: str) -> None:
        try:
            int(phone)
        except ValueError as quoting:  # which quotes what it could not read
            raise LienThongError("the row was refused") from quoting

    try:
        fail("phone 0907123456")
    except LienThongError as error:
        log.get("runtime").error("loop.failed", exc_info=error)
    told = out.getvalue()
    assert "invalid literal" not in told
    assert "ValueError" in told
    assert "the row was refused" in told
    assert "in fail" in told or '"name": "fail"' in told


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["%s 100%", 'a "quoted" \\ path', "dòng\nhai\t\x00\x7f\u2028"]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)


def lines_of(log_format: str, level: str, write: Callable[[], None]) -> list[str]:
    """What is written, without the instants."""
    out = io.StringIO()
    env = {"LIENTHONG_LOG_FORMAT": log_format, "LIENTHONG_LOG_LEVEL": level}
    log.configure(Settings.load("notify", env), stream=out)
    write()
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "(at)", out.getvalue()).split("\n")


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("level", ["info", "warning"])
@given(
    st.lists(
        st.tuples(st.sampled_from(["debug", "info", "warning"]), st.tuples(*[VALUES] * 3)),
        max_size=4,
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_event_with_fixed_keys_is_logged_as_any_other(logged, log_format, level, entries):
    """Byte for byte, in the same order, from the same level on."""
    fixed = log.FixedEvent("con%sumer", "fact.handled", ("id", "age_seconds", "why"))

    def one_by_one() -> None:
        for name, (ident, age, why) in entries:
            told = {"id": ident, "age_seconds": age, "why": why}
            getattr(log.get("con%sumer"), name)("fact.handled", **told)

    expected = lines_of(log_format, level, one_by_one)
    assert lines_of(log_format, level, lambda: fixed.write(entries)) == expected


def test_an_event_with_fixed_keys_has_none_that_is_personal():
    with pytest.raises(ValueError, match="personal"):
        log.FixedEvent("consumer", "fact.handled", ("id", "phone"))


def test_the_console_form_is_for_people(logged):
    out = logged("console")
    log.get("runtime").info("fact.handled", email="lan@example.vn")
    assert "fact.handled" in out.getvalue()
    assert "l***@example.vn" in out.getvalue()


def test_what_a_library_says_has_the_same_form_and_quotes_no_row(logged):
    out = logged("json")
    try:
        int("phone 0907123456")
    except ValueError:
        logging.getLogger("sqlalchemy.pool").exception("cannot close")
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["origin"], told["level"]) == (
        "library.said",
        "sqlalchemy.pool",
        "error",
    )
    assert told["exception"][0]["exc_type"] == "ValueError"
    assert "0907123456" not in line


def test_libraries_write_to_the_same_place_from_warnings_up(logged):
    out = logged("json")
    logging.getLogger("amqp").info("chatter")
    logging.getLogger("amqp").warning("connection lost")
    assert "connection lost" in out.getvalue()
    assert "chatter" not in out.getvalue()


def test_a_line_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    log.configure(Settings.load("intake", {}), stream=stream)
    stream.close()
    log.get("test").warning("nobody.hears.this")
    logging.getLogger("library").warning("nor this")


def test_without_a_stream_lines_follow_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    log.configure(Settings.load("intake", {}))
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    log.get("test").warning("heard.later")
    assert "heard.later" in later.getvalue()
