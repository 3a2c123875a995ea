"""The shell blocks of docs/install.md by heading, so that the tests type what the page says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "install.md"


def blocks() -> dict[str, list[str]]:
    """Heading -> its shell blocks in order."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        shell = re.findall(r"^```sh\n(.*?)^```", body, re.MULTILINE | re.DOTALL)
        if shell:
            found[heading.strip()] = shell
    return found


def block(heading: str, number: int = 0) -> str:
    """One of them."""
    return blocks()[heading][number]
