"""The changes of docs/changing.md, taken from the page and made in a copy of the tree. No test lives here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.settings import PROJECT
from tests.docs.clone import Files, copy_of

PAGE: Final = PROJECT / "docs" / "changing.md"
_BLOCK: Final = re.compile(r"^```(?:diff|python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEW: Final = re.compile(r"# (\S+\.(?:py|yaml))(?::.*)?\n")
_UNSAID: Final = re.compile(r'(msgid ".+"\n)msgstr ""\n(?=\n|\Z)')
_CHANGED: Final = re.compile(r"--- (\S+)\n")


@dataclass(frozen=True)
class Block:
    """One block of the page: what becomes of one file."""

    file: str
    text: str
    new: bool

    def apply(self, tree: Path) -> None:
        """Write the file anew, or make each change at the one place that its lines name."""
        path = tree / self.file
        if self.new:
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")
            return
        said = "\n" + path.read_text(encoding="utf-8")
        for hunk in self.text.split("@@\n"):
            lines = hunk.splitlines()
            assert {line[:1] or " " for line in lines} <= set(" +-"), hunk
            before, after = (
                "".join(f"\n{line[1:]}" for line in lines if line[:1] != left) + "\n"
                for left in "+-"
            )
            assert said.count(before) == 1, f"{self.file} has no such place, or several:{before}"
            said = said.replace(before, after)
        path.write_text(said[1:], encoding="utf-8")


def section(title: str) -> str:
    """What stands under a heading of the page."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str) -> list[Block]:
    """The blocks of a section, in their order."""
    found = []
    for text in _BLOCK.findall(section(title)):
        changed, new = _CHANGED.match(text), _NEW.match(text)
        named = changed or new
        assert named, f"a block that names no file: {text[:60]}"
        found.append(Block(named[1], text[named.end() :] if changed else text, changed is None))
    return found


def _in_english(unsaid: re.Match[str]) -> str:
    holes = " ".join(re.findall(r"%\(\w+\)s", unsaid[1]))
    return f'{unsaid[1]}msgstr "In English {holes}"\n'


class Copy:
    """A copy of the tree in which one change of the page was made."""

    def __init__(self, folder: Path, title: str) -> None:
        self.folder = copy_of(folder / "tree")
        before = Files(self.folder)
        for block in blocks(title):
            block.apply(self.folder)
        self.by_hand = before.changed()
        self.python("-m", "shared.events")
        self.python("-m", "shared.web.catalogues")
        self.generated = before.changed() - self.by_hand
        for file in self.folder.glob("s*/**/translations/en.po"):  # by hand as well, one line each
            file.write_text(_UNSAID.sub(_in_english, file.read_text("utf-8")), "utf-8")

    def python(self, *words: str) -> str:
        """What python says in the copy; its own modules come before all others."""
        env = {n: v for n, v in os.environ.items() if not n.startswith(("LIENTHONG", "PYTEST"))}
        env |= {"PYTHONPATH": str(self.folder), "LIENTHONG_LOG_LEVEL": "error"}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def tries(self, name: str, folder: Path) -> None:
        """Try the changed city out by a script of `tried/`; it fails by an exception."""
        self.python(
            str(self.folder / "tests" / "docs" / "tried" / f"{name}.py"), str(folder / "city")
        )

    def keeps_its_guards(self, *tests: str) -> None:
        """The changed files are as the house wants them, and these tests hold in the copy."""
        files = sorted(name for name in self.by_hand if name.endswith(".py"))
        if files:
            self.python("-m", "ruff", "check", *files)
            self.python("-m", "ruff", "format", "--check", *files)
        self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not servers", *tests)
