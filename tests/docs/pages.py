"""What stands in README and docs, taken apart: blocks of code, commands, links. No test lives here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.settings import PROJECT

PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`((?:\./run|\./test|lienthong|docker compose|python -m) [^`]*)`")
_ENV = re.compile(r"^\w+=\S+$")


@dataclass(frozen=True)
class Command:
    """One command line as a person would type it, and the page it stands on."""

    page: str
    line: str

    @property
    def words(self) -> list[str]:
        words = shlex.split(self.line, comments=True)
        while words and _ENV.match(words[0]):
            words = words[1:]
        return words

    @property
    def ours(self) -> list[str] | None:
        """The arguments of `lienthong`, however it is called; None for another program."""
        words = self.words
        if words[:1] in (["./run"], ["lienthong"]):
            return words[1:]
        if words[:3] == ["docker", "compose", "run"]:
            rest = words[3:]
            while rest and rest[0].startswith("-"):
                # --entrypoint takes a value, the others that the pages use take none
                if rest[0] == "--entrypoint":
                    return None
                rest = rest[1:]
            entry = {"lienthong": [], "secrets": ["secrets"], "smoke": ["smoke"]}
            return None if rest[0] not in entry else [*entry[rest[0]], *rest[1:]]
        return None

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    text = page.read_text(encoding="utf-8")
    return [body for language, body in _BLOCK.findall(text) if language in languages]


def commands() -> list[Command]:
    """Every command line of every page, in blocks and in running text."""
    found: dict[Command, None] = {}
    for page in PAGES:
        name = str(page.relative_to(PROJECT))
        for block in blocks(page, "sh", "console"):
            for line in _lines(block):
                found[Command(name, line)] = None
        for line in _INLINE.findall(page.read_text(encoding="utf-8")):
            if "…" not in line and "..." not in line:
                found[Command(name, line)] = None
    return [each for each in found if each.words]


def _lines(block: str) -> Iterator[str]:
    prompts = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    joined = "\n".join(prompts) if prompts else block
    for line in joined.replace("\\\n", " ").splitlines():
        whole = line.split(" | ")[-1] if " | docker" in line else line
        bare = re.sub(r"\s[<>]{1,2}\s?\S+", "", whole).strip()
        if bare and not bare.startswith("#"):
            yield bare


def links(page: Path) -> list[str]:
    """Where the links of a page go, outside addresses left out."""
    return [
        target
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:")
    ]
