"""Sets lines of text on sheets: breaks them, turns the page, repeats heads; fpdf2 is fenced here.

Lengths are millimetres, sizes points. What a line says is the caller's; letters that the typeface
does not have become a question mark, so that nothing is dropped unseen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

_STATIC: Final = Path(__file__).parents[1] / "static"
_FACES: Final = (("", "regular"), ("B", "semibold"))
_FAMILY: Final = "Be Vietnam Pro"
_POINT: Final = 25.4 / 72
_LEADING: Final = 1.38
#: The longest page that PDF readers take: a slip is one page of its own length.
LONGEST: Final = 5000.0
#: Above this size a text is made smaller to stay on one line; below it would not be read.
_SMALLEST: Final = 5.0
Align = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Width, height and margins of the paper, and the size of its text. Height 0: as long as it is."""

    width: float
    height: float
    margin: float
    size: float

    @property
    def endless(self) -> bool:
        """Whether it comes from a roll."""
        return not self.height

    @property
    def inner(self) -> float:
        """What is left between the margins."""
        return self.width - 2 * self.margin


A4: Final = Sheet(210, 297, 16, 10.5)
A4_WIDE: Final = Sheet(297, 210, 12, 8)
SLIP: Final = Sheet(80, 0, 4, 8.5)


@dataclass(frozen=True, slots=True)
class Cell:
    """Text at a place of a row. `unbroken`: on one line, made smaller where it is too wide."""

    text: str
    x: float
    width: float
    style: str = ""
    size: float = 0
    align: Align = "left"
    unbroken: bool = False


class Press:
    """One run over the sheets of a paper; `height` is that of an endless sheet, `pages` of all.

    A run that is not `inked` only measures.
    """

    def __init__(
        self,
        sheet: Sheet,
        at: datetime,
        *,
        height: float,
        foot: str,
        pages: int = 1,
        inked: bool = True,
    ) -> None:
        from fpdf import FPDF

        self.sheet, self.foot, self.pages, self.inked = sheet, foot, pages, inked
        self.height = sheet.height or height
        self.pdf: Any = FPDF(unit="mm", format=(sheet.width, self.height))
        self.pdf.set_auto_page_break(auto=False)
        self.pdf.set_creation_date(at)
        self.pdf.set_lang("vi")
        for style, name in _FACES:
            self.pdf.add_font(_FAMILY, style, _STATIC / f"be-vietnam-pro-1.002-{name}.ttf")
        face: Any = self.pdf.fonts[_FAMILY.lower()]
        self._known = frozenset(face.cmap)
        self._widths: dict[tuple[str, str], float] = {}
        self.y = 0.0
        self.turn()

    # --- the page -------------------------------------------------------------------------------

    @property
    def bottom(self) -> float:
        """Where text ends; the foot stands below it."""
        return self.height - self.sheet.margin - (0 if self.sheet.endless else 4)

    @property
    def room(self) -> float:
        """What is left on this page."""
        return self.bottom - self.y

    def turn(self) -> None:
        """Go on on a new page, and say on it which one it is where there are several."""
        self.pdf.add_page()
        self.y = self.sheet.margin
        if self.pages > 1:
            said = f"{self.foot} · Trang {self.pdf.page}/{self.pages}"
            place = Cell(said, self.sheet.margin, self.sheet.inner, size=7.5, align="right")
            self._line(self.plain(said), place, self.height - self.sheet.margin + 1, 7.5)

    def need(self, height: float) -> None:
        """Turn the page unless there is so much room, or there never is; a roll needs no turning."""
        if not self.sheet.endless and self.room < height <= self.bottom - self.sheet.margin:
            self.turn()

    def skip(self, height: float) -> None:
        """Leave room, unless the page has just begun."""
        if self.y > self.sheet.margin:
            self.y += height

    # --- text -----------------------------------------------------------------------------------

    def plain(self, text: str) -> str:
        """Text as it can be set: composed, without tabs, each letter one that the typeface has."""
        composed = unicodedata.normalize("NFC", text.replace("\t", " "))
        return "".join(c if c == "\n" or ord(c) in self._known else "?" for c in composed)

    def width(self, text: str, style: str, size: float) -> float:
        """How wide a text is."""
        return sum(self._letter(letter, style) for letter in text) * size

    def _letter(self, letter: str, style: str) -> float:
        found = self._widths.get((letter, style))
        if found is None:
            self.pdf.set_font(_FAMILY, style, 10)
            found = self._widths[letter, style] = self.pdf.get_string_width(letter) / 10
        return found

    def leading(self, size: float) -> float:
        """From line to line."""
        return size * _POINT * _LEADING

    def lines(self, text: str, width: float, style: str, size: float) -> list[str]:
        """The text broken into lines; a word that is wider than a line is broken inside."""
        found: list[str] = []
        for paragraph in self.plain(text).split("\n"):
            line = ""
            for word in paragraph.split():
                joined = f"{line} {word}" if line else word
                if self.width(joined, style, size) <= width:
                    line = joined
                    continue
                if line:
                    found.append(line)
                *whole, line = self._pieces(word, width, style, size)
                found += whole
            found.append(line)
        return found

    def _pieces(self, word: str, width: float, style: str, size: float) -> list[str]:
        pieces = [""]
        for letter in word:
            if pieces[-1] and self.width(pieces[-1] + letter, style, size) > width:
                pieces.append("")
            pieces[-1] += letter
        return pieces

    def _set(self, cell: Cell) -> tuple[list[str], float]:
        """The lines of a cell, and their size."""
        size = cell.size or self.sheet.size
        if cell.unbroken:
            text = self.plain(cell.text)
            size = max(
                _SMALLEST, min(size, size * cell.width / (self._wide(text, cell, size) or 1))
            )
            if self.width(text, cell.style, size) <= cell.width + 0.1:
                return [text], size
        return self.lines(cell.text, cell.width, cell.style, size), size

    def _wide(self, text: str, cell: Cell, size: float) -> float:
        return self.width(text, cell.style, size)

    def row(
        self,
        cells: Sequence[Cell],
        *,
        again: Callable[[], None] | None = None,
        drawn: Callable[[float, float], None] | None = None,
        pad: float = 0,
        least: float = 0,
    ) -> None:
        """Cells side by side; a row that fits on no page goes on on the next.

        `again` sets what heads each page, `drawn` gets top and bottom of what stands on one;
        `least` is how high a row is at least.
        """
        left = [(cell, *self._set(cell)) for cell in cells]
        step = max(self.leading(size) for _, _, size in left)
        height = max(least, max(len(lines) for _, lines, _ in left) * step + 2 * pad)
        if height > self.room and (height <= self.height / 2 or self.room < 4 * step):
            self._over(again)
        while True:
            fits = max(1, int((self.room - 2 * pad + 0.01) // step))
            top, most = self.y, max(len(lines) for _, lines, _ in left)
            for cell, lines, size in left:
                for number, line in enumerate(lines[:fits]):
                    self._line(line, cell, top + pad + number * step, size)
            self.y = top + max(least, min(fits, most) * step + 2 * pad)
            if drawn is not None:
                drawn(top, self.y)
            left = [(cell, lines[fits:], size) for cell, lines, size in left]
            if not any(lines for _, lines, _ in left):
                return
            self._over(again)

    def _over(self, again: Callable[[], None] | None) -> None:
        self.turn()
        if again is not None:
            again()

    def _line(self, text: str, cell: Cell, top: float, size: float) -> None:
        if not (text and self.inked):
            return
        free = cell.width - self.width(text, cell.style, size)
        x = cell.x + {"left": 0.0, "centre": free / 2, "right": free}[cell.align]
        self.pdf.set_font(_FAMILY, cell.style, size)
        self.pdf.text(x, top + self.leading(size) * 0.76, text)

    # --- lines and squares ----------------------------------------------------------------------

    def rule(self, x: float, y: float, width: float, *, thick: float = 0.2) -> None:
        """A line across."""
        if not self.inked:
            return
        self.pdf.set_line_width(thick)
        self.pdf.line(x, y, x + width, y)

    def box(self, x: float, top: float, width: float, bottom: float, *, thick: float = 0.2) -> None:
        """A frame."""
        if not self.inked:
            return
        self.pdf.set_line_width(thick)
        self.pdf.rect(x, top, width, bottom - top)

    def square(self, rows: Sequence[Sequence[bool]], x: float, top: float, width: float) -> None:
        """A square code: dark modules, each run of a row in one piece."""
        module = width / len(rows)
        self.pdf.set_fill_color(0, 0, 0)
        for number, row in enumerate(rows):
            start = None
            for place, dark in enumerate([*row, False]):
                if dark and start is None:
                    start = place
                elif not dark and start is not None:
                    run = (place - start) * module
                    y = top + number * module
                    self.pdf.rect(x + start * module, y, run, module, style="F")
                    start = None
