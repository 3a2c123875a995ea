"""Debian packages that the tests need, installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path


def say(text: str) -> None:
    """A line about the test run itself, on standard error."""
    print(f"test: {text}", file=sys.stderr, flush=True)


def may_install() -> bool:
    """Whether packages can be installed here: as root, on Debian or one of its kind."""
    release = Path("/etc/os-release")
    debian = release.exists() and "debian" in release.read_text(encoding="utf-8").lower()
    return os.geteuid() == 0 and debian and shutil.which("apt-get") is not None


@cache
def _refresh() -> None:
    subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=sys.stderr)


def install(*packages: str) -> bool:
    """Install packages; False, having said why, where it may not or does not work."""
    line = f"apt-get install -y {' '.join(packages)}"
    if not may_install():
        say(f"missing: {', '.join(packages)}. Type: sudo {line}")
        return False
    say(f"installing {', '.join(packages)} ...")
    _refresh()
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    done = subprocess.run(
        command, check=False, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        say(f"could not be installed: {', '.join(packages)}")
        sys.stderr.write(done.stdout.decode(errors="replace")[-2000:])
    return done.returncode == 0


def chromium() -> str | None:
    """The path of Debian's Chromium for the browser tests, or None."""
    for name in ("chromium", "chromium-browser"):
        if (found := shutil.which(name)) is not None:
            return found
    return None
