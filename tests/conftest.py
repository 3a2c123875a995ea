"""Fixtures for every test, and the loud word where something was not run."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests.backends import (
    Backend,
    EmbeddedBackend,
    Servers,
    ServersBackend,
    Templates,
    missing_reason,
    open_templates,
)
from tests.browser import launched
from tests.servers.process import NotStarted
from tests.tls import TlsBroker, open_tls_broker

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

# Deadlines per example make a slow machine fail; the timeout per test is the guard here.
hypothesis_settings.register_profile("lienthong", deadline=None, print_blob=True)
hypothesis_settings.load_profile("lienthong")

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs on the real servers; leave out what only its own word runs."""
    asked = config.getoption("markexpr") or ""
    kept, left = [], []
    for item in items:
        callspec = getattr(item, "callspec", None)
        back_end = callspec.params.get("backend", "") if callspec is not None else ""
        if back_end == "servers":
            item.add_marker(pytest.mark.servers)
        words = {
            name
            for name in ("containers", "long")
            if (mark := item.get_closest_marker(name)) and (not mark.args or back_end in mark.args)
        }
        (left if any(word not in asked for word in words) else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
        config.stash[_LEFT_OUT] = len(left)


_LEFT_OUT = pytest.StashKey[int]()
_LONG_RUN_SECONDS, _DEAREST = 300, 40


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several workers share a run: a file stays whole, its two back ends may part."""
    from tests.servers.sharing import Sharing

    return Sharing(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands on what it left out; the one that writes the summary did not collect."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker left out, all of them the same."""
    output = getattr(node, "workeroutput", None) or {}
    node.config.stash[_LEFT_OUT] = output.get("left_out", 0)


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Say what this run did not look at."""
    failed = os.environ.get("LIENTHONG_TEST_FAILED_CHECKS")
    if failed:
        terminalreporter.section(f"CHECKS FAILED before the tests: {failed}", red=True)
    left_out = config.stash.get(_LEFT_OUT, 0)
    if left_out:
        terminalreporter.section("not run")
        terminalreporter.line(
            f"{left_out} tests of containers and long ones were left out; "
            "they run by ./test --containers and ./test --long"
        )
    _tell_where_the_time_went(terminalreporter)
    if Servers.found() is None:
        terminalreporter.section("NOT RUN: no servers", red=True)
        terminalreporter.line("Nothing was tried on PostgreSQL and RabbitMQ. " + missing_reason())


def _tell_where_the_time_went(terminalreporter: TerminalReporter) -> None:
    """The dearest files of a long run: what to look at first when it has grown too long."""
    spent: Counter[str] = Counter()
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        if isinstance(report, pytest.TestReport):
            spent[report.nodeid.partition("::")[0]] += report.duration  # type: ignore[assignment]
    if (whole := sum(spent.values())) < _LONG_RUN_SECONDS:
        return
    terminalreporter.section(f"where {whole:.0f} s of work went")
    for file, seconds in spent.most_common(_DEAREST):
        terminalreporter.line(f"{seconds:6.0f} s  {file}")


@pytest.fixture(scope="session")
def servers() -> Servers:
    """Where the real servers are; without them the test is skipped, in CI it fails."""
    found = Servers.found()
    if found is None:
        if IN_CI:
            pytest.fail(missing_reason(), pytrace=False)
        pytest.skip(missing_reason())
    return found


@pytest.fixture(scope="session")
def tls_broker() -> Iterator[TlsBroker]:
    """A RabbitMQ of our own that speaks TLS as deployed; a broker named from outside cannot."""
    try:
        with open_tls_broker() as made:
            yield made
    except NotStarted as missing:
        if IN_CI:
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"NOT RUN: it needs a RabbitMQ of its own: {missing}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium for browser tests; without it they are skipped, in CI they fail."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "NOT RUN: it needs Chromium (Debian's package chromium)"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium for the tests of one file."""
    with launched(chromium) as opened:
        yield opened


@pytest.fixture(scope="session")
def templates() -> Iterator[Templates]:
    """Migrated databases to copy from, kept for the session."""
    with open_templates(Servers.found()) as made:
        yield made


@pytest.fixture(params=["embedded", "servers"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, templates: Templates
) -> Iterator[Backend]:
    """A fresh place to run in: once embedded, once on the real servers."""
    made: Backend
    if request.param == "embedded":
        made = EmbeddedBackend(tmp_path, templates)
    else:
        made = ServersBackend(tmp_path, templates, request.getfixturevalue("servers"))
    yield made
    made.close()


@pytest.fixture
def embedded(tmp_path: Path, templates: Templates) -> Iterator[EmbeddedBackend]:
    """The embedded back end alone, for what has nothing to do with servers."""
    made = EmbeddedBackend(tmp_path, templates)
    yield made
    made.close()


@pytest.fixture
def on_servers(tmp_path: Path, templates: Templates, servers: Servers) -> Iterator[ServersBackend]:
    """The real servers alone, for what only they can show."""
    made = ServersBackend(tmp_path, templates, servers)
    yield made
    made.close()
