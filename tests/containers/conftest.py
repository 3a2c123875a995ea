"""One installation in containers for the session, made from a fresh clone as an operator would."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
SERVICES = tuple(f"{name}-{p}" for name in ("intake", "routing", "notify") for p in ("web", "work"))
LASTING = (
    *SERVICES,
    "routing-webhooks",
    "routing-queues",
    "mailsink",
    "postgres",
    "rabbitmq",
    "proxy",
)
UP_SECONDS = 600


class Installation:
    """A project of compose on a real engine, and what an operator types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = f"lienthong-{secrets.token_hex(3)}"
        self.image = f"{self.project}:test"
        self.seconds_to_come_up = 0.0
        names = ("INTAKE", "ROUTING", "NOTIFY", "BROKER", "BROKER_MANAGEMENT")
        self.ports = {name: free_port() for name in names}
        self.env = {
            **{name: text for name, text in os.environ.items() if not name.startswith("LIENTHONG")},
            **{f"LIENTHONG_{name}_PORT": str(port) for name, port in self.ports.items()},
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": f"{folder}/compose.yaml{os.pathsep}{self._build_like_here()}",
            "LIENTHONG_IMAGE": self.image,
            "LIENTHONG_COURTESY": "off",  # by night too, and at once
        }

    def _build_like_here(self) -> Path:
        """The package index may be reachable by the host's network alone; that is our matter."""
        file = self.folder.parent / "network.yaml"
        build = {"context": str(self.folder), "network": "host"}
        file.write_text(yaml.safe_dump({"services": {"secrets": {"build": build}}}))
        return file

    # --- typing ---------------------------------------------------------------------------------

    def run(
        self, command: Sequence[str], *, check: bool = True, timeout: float = 300, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, text=True, capture_output=True, check=False,
            timeout=timeout, **more,
        )  # fmt: skip
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def compose(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run(["docker", "compose", *words], **more)

    def docker(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run(["docker", *words], **more)

    def shell(self, script: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Lines of the documentation, as they stand there."""
        return self.run(["bash", "-euo", "pipefail", "-c", script], **more)

    def up(self) -> float:
        """What the documentation says; the seconds it took."""
        begun = time.monotonic()
        self.compose("up", "-d", "--build", "--wait", timeout=UP_SECONDS)
        return time.monotonic() - begun

    def smoke(self, dossiers: int = 50, timeout: int = 240) -> str:
        """One smoke run; its words."""
        return self.smoking(dossiers, timeout).ended()

    def smoking(self, dossiers: int, timeout: int = 240) -> Smoking:
        """A smoke run that goes on while other things happen."""
        return Smoking(self, dossiers, timeout)

    # --- looking --------------------------------------------------------------------------------

    def container(self, service: str) -> str:
        """The container's id."""
        found = self.compose("ps", "-a", "-q", service).stdout.split()
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def inspect(self, service: str) -> Any:
        return json.loads(self.docker("inspect", self.container(service)).stdout)[0]

    def unwell(self) -> list[str]:
        """What is not running and healthy."""
        states = {each: self.inspect(each)["State"] for each in LASTING}
        return [
            f"{name}: {state['Status']}, {state.get('Health', {}).get('Status')}"
            for name, state in states.items()
            if state["Status"] != "running" or state["Health"]["Status"] != "healthy"
        ]

    def heals(self, seconds: float = 180) -> float:
        """Wait until everything is healthy; the seconds it took."""
        begun = time.monotonic()
        while unwell := self.unwell():
            if time.monotonic() - begun > seconds:
                logs = self.compose("logs", "--tail", "30", check=False).stdout
                pytest.fail(f"after {seconds:.0f} s still: {unwell}\n{logs}")
            time.sleep(1)
        return time.monotonic() - begun

    def secret(self, name: str) -> str:
        """A secret as its reader sees it, for proofs only."""
        script = f"import sys; sys.stdout.write(open('/secrets/{name}').read())"
        done = self.compose(
            "run", "--rm", "-T", "--entrypoint", "python", "secrets", "-c", script
        )  # fmt: skip
        return done.stdout

    # --- doing harm -----------------------------------------------------------------------------

    def kill_9(self, service: str) -> None:
        """SIGKILL from the machine itself, as the kernel does; the engine is not told to stop it."""
        pid = self.inspect(service)["State"]["Pid"]
        assert pid > 1
        script = f"import os; os.kill({pid}, 9)"
        self.docker(
            "run", "--rm", "--pid", "host", "--user", "0",
            "--entrypoint", "python", self.image, "-c", script,
        )  # fmt: skip

    def down(self) -> None:
        label = f"label=com.docker.compose.project={self.project}"
        if left := self.docker("ps", "-a", "-q", "--filter", label).stdout.split():
            self.docker("rm", "-f", *left, check=False)
        self.compose("--profile", "tools", "down", "-v", check=False)
        self.docker("image", "rm", "-f", self.image, check=False)


class Smoking:
    """A smoke run in a container of its own."""

    def __init__(self, town: Installation, dossiers: int, timeout: int) -> None:
        self._timeout = timeout
        words = ["smoke", "--dossiers", str(dossiers), "--timeout", str(timeout)]
        self._process = subprocess.Popen(
            ["docker", "compose", "run", "--rm", "-T", *words],
            cwd=town.folder, env=town.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    @property
    def going(self) -> bool:
        return self._process.poll() is None

    def ended(self) -> str:
        """Wait for the end; fails with its own words where it did not go well."""
        try:
            said, _ = self._process.communicate(timeout=self._timeout + 60)
        finally:
            self._process.kill()
        if self._process.returncode != 0:
            pytest.fail(said)
        return said


def fresh_clone(folder: Path) -> None:
    """What an operator has after `git clone`; a checkout without git is copied."""
    if (PROJECT / ".git").exists():
        source = f"file://{PROJECT}"
        subprocess.run(["git", "clone", "-q", "--depth", "1", source, folder], check=True)
        return
    away = shutil.ignore_patterns(".venv", "var", ".*_cache", "__pycache__")
    shutil.copytree(PROJECT, folder, ignore=away)


@pytest.fixture(scope="session")
def town() -> Iterator[Installation]:
    """The installation, up and healthy."""
    # Not pytest's own folder: that goes away once some other run of pytest has begun.
    with tempfile.TemporaryDirectory(prefix="lienthong-installation-") as top:
        folder = Path(top) / "lienthong"
        fresh_clone(folder)
        made = Installation(folder)
        try:
            made.seconds_to_come_up = made.up()
            yield made
        finally:
            made.down()
