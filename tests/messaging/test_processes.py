"""The real commands as real processes: ready, told to stop, gone with exit 0."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.messaging.assembly import key_file
from tests.backends import ServersBackend
from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]


def environment(backend: ServersBackend, service: str) -> dict[str, str]:
    settings = backend.settings(service)
    keys = key_file(settings)
    keys.read()
    clean = {name: value for name, value in os.environ.items() if "LIENTHONG" not in name}
    return clean | {
        "LIENTHONG_DATA_DIR": str(backend.data_dir),
        "LIENTHONG_DATABASE_URL": settings.database_url,
        "LIENTHONG_AMQP_URL": settings.amqp_url,
        "LIENTHONG_SECRET_KEY": settings.secret_key or "",
        "LIENTHONG_PRIVACY_KEYS": str(keys.path),
        "LIENTHONG_LOG_FORMAT": "json",
        "LIENTHONG_PORT": str(free_port()),
        "LIENTHONG_OPS_PORT": str(free_port()),
    }


@contextmanager
def process(env: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "services", *arguments],
        cwd=PROJECT,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def ask(port: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def until_ready(running: subprocess.Popen[str], port: str) -> dict[str, Any]:
    """The body of /readyz once it is 200; fails when the process ends or 60 s are over."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert running.poll() is None, running.communicate()[1]
        try:
            status, body = ask(port, "/readyz")
        except OSError:
            time.sleep(0.05)
            continue
        if status == 200:
            ready: dict[str, Any] = json.loads(body)
            return ready
        time.sleep(0.05)
    raise AssertionError("never ready")


def migrated(backend: ServersBackend, service: str) -> dict[str, str]:
    env = environment(backend, service)
    subprocess.run([sys.executable, "-c", MIGRATE, service], cwd=PROJECT, env=env, check=True)
    return env


MIGRATE = """
import sys
from services.commands.run_service import _settings, build
service = build(_settings(sys.argv[1]))
service.migrate()
service.close()
"""


@pytest.mark.parametrize("name", ["intake", "routing", "notify"])
def test_work_runs_its_loops_until_it_is_told_to_stop(
    on_servers: ServersBackend, name: str
) -> None:
    env = migrated(on_servers, name)
    with process(env, name, "work") as running:
        ready = until_ready(running, env["LIENTHONG_OPS_PORT"])
        assert set(ready["loops"].values()) == {"ok"}
        assert f"{name}.listener" in ready["loops"]
        _, metrics = ask(env["LIENTHONG_OPS_PORT"], "/metrics")
        assert "lienthong_outbox_unsent 0.0" in metrics
        assert f'lienthong_loop_ok{{loop="{name}.relay"}} 1.0' in metrics
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


@pytest.mark.parametrize("server", ["waitress", "gunicorn"])
def test_web_serves_its_doors_until_it_is_told_to_stop(
    on_servers: ServersBackend, server: str
) -> None:
    env = migrated(on_servers, "intake")
    with process(env, "intake", "web", "--server", server) as running:
        until_ready(running, env["LIENTHONG_OPS_PORT"])
        until_ready(running, env["LIENTHONG_PORT"])
        assert ask(env["LIENTHONG_PORT"], "/api/v1/dossiers")[0] == 401
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def test_web_starts_and_serves_while_the_broker_is_away(on_servers: ServersBackend) -> None:
    env = migrated(on_servers, "intake") | {"LIENTHONG_AMQP_URL": "amqp://127.0.0.1:1"}
    with process(env, "intake", "web", "--server", "waitress") as running:
        ready = until_ready(running, env["LIENTHONG_OPS_PORT"])
        assert ready["broker"] == "away"
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def test_work_refuses_the_memory_bus_which_no_other_process_shares(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if "LIENTHONG" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "services", "intake", "work"],
        cwd=PROJECT,
        env=clean | {"LIENTHONG_DATA_DIR": str(tmp_path), "LIENTHONG_SECRET_KEY": "x" * 40},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "lienthong serve" in done.stderr


def test_a_process_on_a_servers_database_draws_no_keys_of_its_own(
    on_servers: ServersBackend, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    env = environment(on_servers, "notify") | {"LIENTHONG_PRIVACY_KEYS": ""}
    with process(env | {"LIENTHONG_DATA_DIR": str(own)}, "notify", "work") as running:
        _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "LIENTHONG_PRIVACY_KEYS" in said
    assert not own.exists()
