"""What stands on an official paper, as data: no size of a sheet, no typeface, no mark-up.

Two renderers make a page and a PDF of it, so whatever holds of the content holds of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.intake.domain.papers.words import BLANK
from shared.catalogue import Agency, FormKind, OfficialForm

#: Papers that give the citizen a no, or a wait: never without why and what to do next.
NEGATIVE: Final[frozenset[FormKind]] = frozenset({"supplement", "refusal", "stop", "apology"})


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what stands behind it; None is a line to fill in by hand.

    `unbroken`: it stays on one line, however narrow the paper is.
    """

    label: str
    value: str | None = field(repr=False)
    unbroken: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields one under the other; `framed` ones are what the citizen looks for first."""

    fields: tuple[Field, ...]
    title: str | None = None
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A numbered list."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its part of the width; numbers and codes stay on one line."""

    title: str
    share: int
    unbroken: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head that is repeated on each page; `empty` says why there is no row.

    `signed`: hands sign in its rows, so that they are high enough.
    """

    title: str | None
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    empty: str = "Không có."
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Because:
    """Why not, and what the citizen can do now: one is never printed without the other."""

    reason: str
    next_step: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.next_step.strip():
            raise ValueError("a paper that says no says why, and what to do next")


Block = Fields | Items | Table | Words | Because


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs; the name where it is known, else a line is left for it."""

    role: str
    name: str | None = field(default=None, repr=False)
    hint: str = "(ký, ghi rõ họ tên)"


@dataclass(frozen=True, slots=True)
class OfficialPaper:
    """One paper: `at` (UTC) is the instant of what it says, so a reprint is the same paper.

    `form` is None for a note that no circular knows. `lookup` is the address of the look-up page,
    None where the city has none or the paper is not the citizen's.
    """

    kind: FormKind
    form: OfficialForm | None
    title: str
    number: str
    issuer: Agency
    place: str | None
    at: datetime
    blocks: tuple[Block, ...]
    signers: tuple[Signer, ...]
    code: str | None = None
    lookup: str | None = None
    #: On its side: tables of many columns.
    wide: bool = False

    def __post_init__(self) -> None:
        if self.kind in NEGATIVE and not any(isinstance(b, Because) for b in self.blocks):
            raise ValueError(f"a {self.kind} needs a reason and a next step")

    @property
    def link(self) -> str | None:
        """What the square code opens: the look-up page, with the code behind a number sign.

        What stands there is never sent to a server, so that no log has it; the look-up word is not
        in it: whoever has only a picture of the square cannot open the dossier.
        """
        return f"{self.lookup}#{self.code}" if self.lookup and self.code else None

    @property
    def look_up(self) -> tuple[str, str] | None:
        """How to look the dossier up: the words before the address and after it."""
        if self.code is None or self.wide:
            return None
        own = self.kind == "receipt"  # it holds the word itself
        word, end = ("", " Giữ kín từ tra cứu.") if own else (" trên giấy hẹn", "")
        after = f"bằng mã hồ sơ và từ tra cứu{word}, hoặc gọi {self.issuer.hotline}.{end}"
        return ("Tra cứu tại" if self.lookup else "Tra cứu", after)

    @property
    def form_words(self) -> str:
        """Which form it is, as it stands in the corner."""
        return f"Mẫu số {self.form.number} ({self.form.circular})" if self.form else ""


def filled(value: str | None) -> str:
    """A value, or the line that is left for it."""
    return value or BLANK
