"""Fills a message template in, and makes an SMS fit.

Syntax: `{value}` is filled in; `[part]` is optional and left out when a value inside is empty.
E-mail keeps its marks. An SMS comes out unaccented, in GSM 03.38 characters only, and within its
`Room` where that is possible: first the procedure's name is left out, then optional parts go from
the last to the first (a free text inside is shortened before its part goes; what the citizen does
next never goes), then other long values are shortened. Shortened is by whole words, and what a
person typed then says that there is more.

For an SMS hand in short names (`Procedure.short_name`, `Agency.short_name`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.catalogue.model import Template, Words
from shared.catalogue.moments import ASKED, FREE, NEXT, SHORTENED, VALUES
from shared.kernel.errors import LienThongError
from shared.kernel.text import is_gsm, sms_segments, unaccent

PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
VALUE = re.compile(r"\{([a-z_]+)\}")
STRAY = re.compile(r"[{}\[\]]")
DOTS = re.compile(r"\.{4,}")
CLAUSE = re.compile(r"[;,.] ")
SEGMENT = 160  # septets of a message that is not joined, GSM 03.38
JOINED = 153  # of each part of one that is
MARK_LENGTH: Final = 5  # of a message's own short code
SHORTEST = 8  # letters that a shortened value keeps at least
TELLING = 16  # below this a free text tells nothing: its optional part goes instead
#: Behind a sentence of which there is more than fits.
MORE: Final[Mapping[str, str]] = {"vi": " (con nua)", "en": " (and more)"}
SEPTET_PAIRS = str.maketrans(
    {
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "`": "'",
        "^": " ",
        "\\": "/",
        "|": "/",
        "~": "-",
        "\n": " ",
        "\r": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Room:
    """How long an SMS may be: so many parts, of which so many septets are kept for what follows."""

    parts: int = 1
    kept: int = 0

    @property
    def septets(self) -> int:
        """What the words themselves may take."""
        return (SEGMENT if self.parts <= 1 else JOINED * self.parts) - self.kept


ONE_PART: Final = Room()


class BrokenTemplate(LienThongError):
    """The template names a value that does not exist, or a bracket has no partner."""

    default_vi = "Mẫu tin nhắn có lỗi."


@dataclass(frozen=True, slots=True)
class Rendered:
    """The finished words; `subject` is None for an SMS."""

    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template; an optional one may be left out whole."""

    text: str
    optional: bool

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the values inside."""
        return tuple(VALUE.findall(self.text))


@lru_cache(maxsize=512)
def parts_of(text: str) -> tuple[Part, ...]:
    """The pieces of a template text; BrokenTemplate when it cannot be read."""
    parts = tuple(
        Part(match[1] if match[1] is not None else match[2], match[1] is not None)
        for match in PART.finditer(text)
    )
    for part in parts:
        for name in part.values:
            if name not in VALUES | ASKED:
                raise BrokenTemplate(
                    f"there is no value {{{name}}}", vi=f"Không có giá trị {{{name}}}."
                )
    if sum(len(part.text) + 2 * part.optional for part in parts) != len(text) or any(
        STRAY.search(VALUE.sub("", part.text)) for part in parts
    ):
        raise BrokenTemplate(
            "a bracket has no partner, or stands inside another",
            vi="Dấu ngoặc thiếu cặp hoặc lồng nhau.",
        )
    return parts


def render(template: Template, values: Mapping[str, str], room: Room = ONE_PART) -> Rendered:
    """The template with its values; a value that is not given counts as empty.

    Errors: BrokenTemplate, which a checked catalogue cannot raise.
    """
    if template.channel == "sms":
        return Rendered(None, render_sms(template.body, values, room, template.language))
    body = parts_of(template.body)
    given = {name: _said(name, values) for name in values}
    subject = " ".join(_fill(parts_of(template.subject or ""), given).split())
    return Rendered(_composed(subject), _tidy(_composed(_fill(body, given))))


def render_sms(
    words: str, values: Mapping[str, str], room: Room = ONE_PART, language: str = "vi"
) -> str:
    """An SMS of these words, with its values; see above."""
    body = parts_of(words)
    named = {name for part in body for name in part.values}
    given = {name: plain(_said(name, values)) for name in named}
    if room.parts > 1:  # no second part for the procedure's name alone
        brief = [part for part in body if not (part.optional and SHORTENED[0] in part.values)]
        short = _Fitting(brief, given, Room(1, room.kept).septets, MORE[language])
        if short.fits():
            return short.text()
    return _Fitting(body, given, room.septets, MORE[language]).text()


def marked(body: str, mark: Words, code: str, language: str) -> str:
    """An SMS with the city's last words behind it, by which its reader asks about it."""
    stop = "" if body.endswith((".", "!", "?")) else "."
    said = mark.en if language == "en" else mark.vi
    return f"{body}{stop} {render_sms(said, {'mark': code})}"


def room_for_mark(mark: Words | None, language: str) -> int:
    """How many septets `marked` adds at most."""
    return 0 if mark is None else len(marked("", mark, "W" * MARK_LENGTH, language))


def _said(name: str, values: Mapping[str, str]) -> str:
    """A value without blanks around it; of a sentence also the full stop, templates have one."""
    value = values.get(name, "").strip()
    return value.rstrip(".") if name in FREE else value


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _fill(parts: Sequence[Part], values: Mapping[str, str]) -> str:
    kept = (
        part
        for part in parts
        if not part.optional or all(values.get(name, "") for name in part.values)
    )
    return "".join(VALUE.sub(lambda match: values.get(match[1], ""), part.text) for part in kept)


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


# --- SMS ------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """The text in single GSM 03.38 septets: unaccented, one line, nothing from the extension."""
    letters = unaccent(unicodedata.normalize("NFC", text)).translate(SEPTET_PAIRS)
    if not is_gsm(letters):
        letters = "".join(one for one in letters if is_gsm(one))
    return " ".join(letters.split())


class _Fitting:
    """One SMS while it is made short enough."""

    def __init__(
        self, parts: Sequence[Part], values: dict[str, str], septets: int, more: str
    ) -> None:
        self._kept, self._values = list(parts), values
        self._septets, self._more = septets, more

    def fits(self) -> bool:
        """Whether nothing has to go."""
        return self._excess() <= 0

    def text(self) -> str:
        """The words, as much of them as fits."""
        if not self.fits():
            for part in _least_needed(self._kept):
                for name in part.values:
                    if name in FREE:
                        self._shorten(name, TELLING)
                if self.fits():
                    break
                self._kept.remove(part)
            for name in SHORTENED:
                self._shorten(name, SHORTEST)
        return self._said()

    def _said(self) -> str:
        words = " ".join(_fill(self._kept, self._values).split())
        return DOTS.sub("...", words if is_gsm(words) else plain(words))

    def _excess(self) -> int:
        return sms_segments(self._said()).units - self._septets

    def _shorten(self, name: str, least: int) -> None:
        """Cut a value by whole words, as little as makes the message fit, never below `least`."""
        excess, value = self._excess(), self._values.get(name, "")
        more = self._more if name in FREE else ""
        room = max(least, len(value) - excess - len(more))
        if excess > 0 and room + len(more) < len(value):
            self._values[name] = _cut(value, room) + more


def _cut(value: str, room: int) -> str:
    """The first words of a text: up to the last clause that fits, where that is most of it."""
    cut = value[:room]
    clauses = [each.start() for each in CLAUSE.finditer(cut) if each.start() >= room // 2]
    if clauses:
        return cut[: clauses[-1]]
    if value[room] != " " and " " in cut:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,.;:-(")


def _least_needed(parts: Sequence[Part]) -> list[Part]:
    """Optional parts in the order in which they go: the procedure's name first, then backwards.

    What the citizen does next is not among them: it may be shortened, and stays.
    """
    optional = [part for part in reversed(parts) if part.optional and NEXT not in part.values]
    named = [part for part in optional if SHORTENED[0] in part.values]
    return named + [part for part in optional if part not in named]
