"""An official paper as a PDF, on A4 or on a slip of 80 mm; the same paper is the same bytes."""

from __future__ import annotations

from itertools import accumulate
from typing import Final, Literal

from services.intake.domain.papers.model import (
    Because,
    Block,
    Field,
    Fields,
    Items,
    OfficialPaper,
    Table,
    Words,
    filled,
)
from services.intake.domain.papers.words import MOTTO, ON_PAPER, dated, numbered
from services.intake.web.papers import square
from services.intake.web.papers.press import A4, A4_WIDE, LONGEST, SLIP, Cell, Press, Sheet

Size = Literal["a4", "slip"]
SIZES: Final[tuple[Size, ...]] = ("a4", "slip")
_SIGNED: Final = 16.0  # mm in which a hand signs
_SQUARE: Final = 27.0


def render(paper: OfficialPaper, size: Size = "a4") -> bytes:
    """The paper's PDF. A first run finds how long a slip is, and how many pages there are."""
    sheet = SLIP if size == "slip" else A4_WIDE if paper.wide else A4
    measured = _run(paper, sheet, LONGEST, 1, inked=False)
    pages = measured.pdf.page
    height = LONGEST if pages > 1 else measured.y + sheet.margin + 1
    return bytes(_run(paper, sheet, height, pages, inked=True).pdf.output())


def _run(paper: OfficialPaper, sheet: Sheet, height: float, pages: int, *, inked: bool) -> Press:
    foot = numbered(paper.number)
    press = Press(sheet, paper.at, height=height, foot=foot, pages=pages, inked=inked)
    press.pdf.set_title(f"{paper.title} {paper.number}")
    press.pdf.set_author(paper.issuer.name)
    _head(press, paper)
    for block in paper.blocks:
        _block(press, paper, block)
    _end(press, paper)
    return press


# --- head ---------------------------------------------------------------------------------------


def _head(press: Press, paper: OfficialPaper) -> None:
    sheet = press.sheet
    if paper.form_words:
        press.row([_whole(press, paper.form_words, size=sheet.size - 2.5, align="right")])
        press.skip(1.5)
    if sheet.endless:
        _stacked(press, paper)
    else:
        _side_by_side(press, paper)
    press.skip(2 if sheet.endless else 6)
    title = paper.title.upper()
    press.row(
        [_whole(press, title, "B", size=sheet.size + (2 if sheet.endless else 4), align="centre")]
    )
    press.skip(1 if sheet.endless else 3)


def _side_by_side(press: Press, paper: OfficialPaper) -> None:
    sheet = press.sheet
    half, top = sheet.inner / 2 - 2, press.y
    left, right = sheet.margin, sheet.margin + sheet.inner / 2 + 2
    sides = []
    for x, parts in (
        (left, ((paper.issuer.name.upper(), "B"), (numbered(paper.number), ""))),
        (right, ((MOTTO[0].upper(), "B"), (MOTTO[1], "B"), (dated(paper.place, paper.at), ""))),
    ):
        press.y = top
        for number, (text, style) in enumerate(parts):
            press.row([Cell(text, x, half, style, align="centre")])
            if (x, number) in ((left, 0), (right, 1)):
                press.y += 1.2
                press.rule(x + half / 2 - 14, press.y, 28)
                press.y += 1.2
        sides.append(press.y)
    press.y = max(sides)


def _stacked(press: Press, paper: OfficialPaper) -> None:
    for text, style in (
        (MOTTO[0].upper(), "B"),
        (MOTTO[1], "B"),
        (paper.issuer.name.upper(), "B"),
        (numbered(paper.number), ""),
        (dated(paper.place, paper.at), ""),
    ):
        press.row([_whole(press, text, style, size=press.sheet.size - 0.5, align="centre")])
        if text == MOTTO[1]:
            press.y += 1.0
            press.rule(press.sheet.width / 2 - 12, press.y, 24)
            press.y += 1.4


def _whole(
    press: Press,
    text: str,
    style: str = "",
    *,
    size: float = 0,
    align: Literal["left", "centre", "right"] = "left",
) -> Cell:
    return Cell(text, press.sheet.margin, press.sheet.inner, style, size, align)


# --- blocks -------------------------------------------------------------------------------------


def _block(press: Press, paper: OfficialPaper, block: Block) -> None:
    match block:
        case Fields(framed=True):
            _frame(press, paper, block)
        case Fields():
            _title(press, block.title)
            for each in block.fields:
                _field(press, each, press.sheet.margin, press.sheet.inner)
        case Items():
            _title(press, block.title)
            _numbered(press, block.items)
        case Table():
            _title(press, block.title)
            _table(press, block)
        case Words():
            press.row([_whole(press, block.text)])
        case Because():
            for label, text in (("reason", block.reason), ("next_step", block.next_step)):
                press.need(3 * press.leading(press.sheet.size))
                press.row([_whole(press, f"{ON_PAPER[label]}:", "B")])
                press.row([_whole(press, text)])
    press.skip(1.5 if press.sheet.endless else 2.5)


def _title(press: Press, title: str | None) -> None:
    if title:
        press.need(4 * press.leading(press.sheet.size))
        press.row([_whole(press, title, "B")])
        press.y += 0.6


def _field(press: Press, each: Field, x: float, width: float, *, bold: bool = False) -> None:
    """A label with its value beside it; on a slip the one runs on into the other."""
    size, style = press.sheet.size, "B" if bold else ""
    value = filled(each.value)
    if press.sheet.endless:
        if bold:
            press.row([Cell(each.label, x, width, size=size - 1.5)])
            press.row([Cell(value, x, width, "B", size + 1, unbroken=each.unbroken)])
        else:
            press.row([Cell(f"{each.label}: {value}", x, width)])
        return
    label = min(52.0, width * 0.34)
    press.row(
        [
            Cell(f"{each.label}:", x, label),
            Cell(
                value, x + label + 2, width - label - 2, style, size + bold, unbroken=each.unbroken
            ),
        ]
    )


def _frame(press: Press, paper: OfficialPaper, block: Fields) -> None:
    """What is looked for first, with the square code beside it, or under it on a slip."""
    sheet, pad = press.sheet, 2.0
    link, beside = paper.link, not press.sheet.endless
    inner = sheet.inner - 2 * pad - (_SQUARE if link and beside else 0)
    press.need(max(_SQUARE, len(block.fields) * 6) + 2 * pad)
    top = press.y
    press.y += pad
    for each in block.fields:
        _field(press, each, sheet.margin + pad, inner, bold=True)
    if link:
        width = _SQUARE if beside else 30.0
        x = sheet.margin + sheet.inner - width - 0.5 if beside else sheet.width / 2 - width / 2
        press.square([*square.rows(link)], x, top + 0.5 if beside else press.y, width)
        press.y = max(press.y, top + width - pad + 1) if beside else press.y + width
    press.y += pad
    press.box(sheet.margin, top, sheet.inner, press.y, thick=0.4)


def _numbered(press: Press, items: tuple[str, ...]) -> None:
    x, room = press.sheet.margin, 8.0
    for number, item in enumerate(items, 1):
        press.row([
            Cell(f"{number}.", x, room),
            Cell(item, x + room, press.sheet.inner - room),
        ])  # fmt: skip


def _table(press: Press, table: Table) -> None:
    sheet, pad = press.sheet, 0.9
    total = sum(column.share for column in table.columns)
    widths = [sheet.inner * column.share / total for column in table.columns]
    starts = [sheet.margin + before for before in accumulate(widths, initial=0.0)]

    def drawn(top: float, bottom: float) -> None:
        for x, width in zip(starts, widths, strict=False):
            press.box(x, top, width, bottom)

    def cells(texts: tuple[str, ...], style: str = "") -> list[Cell]:
        return [
            Cell(text, x + pad, width - 2 * pad, style, sheet.size - 0.5,
                 "centre" if style or (column.share < 20 and column.unbroken) else "left",
                 unbroken=column.unbroken and not style)
            for text, x, width, column in zip(texts, starts, widths, table.columns, strict=False)
        ]  # fmt: skip

    def head() -> None:
        press.row(cells(tuple(c.title for c in table.columns), "B"), drawn=drawn, pad=pad)

    head()
    for row in table.rows:
        press.row(cells(row), again=head, drawn=drawn, pad=pad, least=10 if table.signed else 0)
    if not table.rows:
        press.row([_whole(press, table.empty)], pad=pad)


# --- end ----------------------------------------------------------------------------------------


def _end(press: Press, paper: OfficialPaper) -> None:
    """How to look it up and who signs, together: nobody signs an empty page."""
    sheet = press.sheet
    press.need(_SIGNED + 9 * press.leading(sheet.size))
    if paper.look_up is not None:
        before, after = paper.look_up
        press.row([_whole(press, " ".join(part for part in (before, paper.lookup, after) if part))])
        press.skip(2)
    press.skip(1 if sheet.endless else 4)
    places = max(2, len(paper.signers))
    width = sheet.inner / places
    first = places - len(paper.signers)  # one alone signs on the right
    spots = [
        (signer, sheet.margin + (first + number) * width)
        for number, signer in enumerate(paper.signers)
    ]
    for texts, style, size in (
        ([signer.role for signer, _ in spots], "B", sheet.size),
        ([signer.hint for signer, _ in spots], "", sheet.size - 1.5),
    ):
        press.row(
            [
                Cell(t, x + 1, width - 2, style, size, "centre")
                for t, (_, x) in zip(texts, spots, strict=True)
            ]
        )
    press.y += _SIGNED
    press.row(
        [
            Cell(signer.name or "", x + 1, width - 2, "B", sheet.size, "centre")
            for signer, x in spots
        ]
    )
