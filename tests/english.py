"""What of a page in English is still Vietnamese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

LETTERS = re.compile("[À-ỹĐđ]")
#: What is called alike in every language.
EVERYWHERE = ("Liên Thông", "Việt Nam", "Bưu điện Việt Nam", "Tiếng Việt")
_ATTRIBUTES = (
    "title",
    "aria-label",
    "alt",
    "placeholder",
    "data-label",
    "data-key-says",
    "data-words",
)
_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})


class _Read(HTMLParser):
    """Everything that a reader meets, beside what is marked as Vietnamese."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        inside = self._open[-1][1] if self._open else False
        marked = given["lang"] == "vi" if "lang" in given else inside
        if not marked:
            self.told += [given[name] or "" for name in _ATTRIBUTES if name in given]
        if tag not in _VOID:
            self._open.append((tag, marked))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1][1]):
            self.told.append(data)


def vietnamese_of(text: str, data: Iterable[str] = ()) -> list[str]:
    """What a page says in Vietnamese beside this data and what is marked as Vietnamese."""
    page = _Read()
    page.feed(text)
    told = "\n".join(page.told)
    for each in sorted({*data, *EVERYWHERE}, key=len, reverse=True):
        told = told.replace(each, "")
    return [line.strip() for line in told.splitlines() if LETTERS.search(line)]
