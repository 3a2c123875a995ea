"""A fresh clone: our files in a folder of their own, and an environment of the runtime lock alone.

The environment is what `./run` makes on a first start, without asking a package index: the files of
the very distributions that requirements.lock names are linked into it, so that nothing which only the
development lock brings can be found there. No test lives here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from shared.settings import PROJECT

_PIN: Final = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;)?", re.MULTILINE)
# What is made on the spot in a checkout and no clone brings along.
_MADE: Final = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "var", "out", "build"
)


def copy_of(folder: Path) -> Path:
    """A copy of the tree in this new folder, without what is made on the spot."""
    shutil.copytree(PROJECT, folder, ignore=_MADE)
    return folder


class Files:
    """What lies in a folder now, to be compared with what will lie there later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._read()

    def changed(self) -> set[str]:
        """Names of the files that are new, gone or other than they were."""
        now = self._read()
        names = self._before.keys() | now.keys()
        return {name for name in names if self._before.get(name) != now.get(name)}

    def _read(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self._folder)): file.read_bytes()
            for file in self._folder.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        }


class Clone:
    """The folder, and what can be typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_of(folder / "clone")
        venv = self.folder / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        self.python = venv / "bin" / "python"
        self.packages = next(venv.glob("lib/python*/site-packages"))
        for name in pinned():
            _link(metadata.distribution(name), self.packages)
        (self.packages / "lienthong.pth").write_text(f"{self.folder}\n")
        self._stamp(venv)
        # A person's own settings, and nothing of the test run's.
        self.env = {
            n: v for n, v in os.environ.items() if not n.startswith(("LIENTHONG", "PYTHON"))
        }
        self.env |= {"LIENTHONG_LOG_LEVEL": "error", "LIENTHONG_PORT": "0"}

    def _stamp(self, venv: Path) -> None:
        """Mark the environment as ./run does, so that it takes it for its own."""
        script = 'here=$1; . "$here/deploy/dev/venv.sh"; stamp requirements.lock; echo'
        command = ["sh", "-c", script, "sh", str(self.folder.resolve())]
        stamp = subprocess.run(command, check=True, capture_output=True, text=True)
        (venv / ".lienthong-run").write_text(stamp.stdout)

    def command(self, words: tuple[str, ...]) -> list[str]:
        """The words of a command line, with the interpreter that a reader would have."""
        return [str(self.python), *words[1:]] if words[0] == "python" else list(words)

    def type(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Type a command that ends by itself; `settings` stand in its environment."""
        return subprocess.run(
            self.command(words), cwd=self.folder, env=self.env | settings, capture_output=True,
            text=True,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Type a command that runs until it is told to stop."""
        return subprocess.Popen(
            self.command(words), cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def pinned() -> list[str]:
    """The distributions of the runtime lock that this machine needs."""
    found = []
    for name, version, conditional in _PIN.findall(
        (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    ):
        try:
            assert metadata.version(name) == version, f"{name}: another version is installed"
        except metadata.PackageNotFoundError:
            assert conditional, f"{name} is in requirements.lock and not installed"
        else:
            found.append(name)
    return found


def _link(distribution: metadata.Distribution, packages: Path) -> None:
    """Let the environment find one distribution, by the first folder or file of each of its paths."""
    tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    for top in tops:
        (packages / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
