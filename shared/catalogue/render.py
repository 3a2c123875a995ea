"""Fills a message template in, and makes an SMS fit.

Syntax: `{value}` is filled in; `[part]` is optional and left out when a value inside is empty.
E-mail keeps its marks. An SMS comes out unaccented, in GSM 03.38 characters only, and in one
segment where that is possible: first the procedure's name is shortened or left out, then optional
parts go from the last to the first (a free text inside is shortened before its part goes), then
other long values are shortened.

For an SMS hand in short names (`Procedure.short_name`, `Agency.short_name`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.catalogue.model import Template
from shared.catalogue.moments import ASKED, FREE, SHORTENED, VALUES
from shared.kernel.errors import LienThongError
from shared.kernel.text import is_gsm, sms_segments, unaccent

PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
VALUE = re.compile(r"\{([a-z_]+)\}")
STRAY = re.compile(r"[{}\[\]]")
DOTS = re.compile(r"\.{4,}")
SEGMENT = 160  # septets of a message that is not joined, GSM 03.38
SHORTEST = 8  # letters that a shortened value keeps at least
TELLING = 24  # below this a free text tells nothing: its optional part goes instead
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


def render(template: Template, values: Mapping[str, str]) -> Rendered:
    """The template with its values; a value that is not given counts as empty.

    Errors: BrokenTemplate, which a checked catalogue cannot raise.
    """
    if template.channel == "sms":
        return Rendered(None, render_sms(template.body, values))
    body = parts_of(template.body)
    given = {name: _said(name, values) for name in values}
    subject = " ".join(_fill(parts_of(template.subject or ""), given).split())
    return Rendered(_composed(subject), _tidy(_composed(_fill(body, given))))


def render_sms(words: str, values: Mapping[str, str]) -> str:
    """An SMS of these words, with its values; see above."""
    body = parts_of(words)
    named = {name for part in body for name in part.values}
    return _sms(body, {name: plain(_said(name, values)) for name in named})


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


def _fits(text: str) -> bool:
    return sms_segments(text).parts <= 1


def _sms(parts: tuple[Part, ...], values: dict[str, str]) -> str:
    kept = list(parts)

    def text() -> str:
        words = " ".join(_fill(kept, values).split())
        return DOTS.sub("...", words if is_gsm(words) else plain(words))

    if _fits(whole := text()):
        return whole
    _shorten(values, SHORTENED[0], SHORTEST, text)
    for part in _least_needed(parts):
        for name in part.values:
            if name in FREE:
                _shorten(values, name, TELLING, text)
        if _fits(text()):
            break
        kept.remove(part)
    for name in SHORTENED[1:]:
        _shorten(values, name, SHORTEST, text)
    return text()


def _least_needed(parts: Sequence[Part]) -> list[Part]:
    """Optional parts in the order in which they go: the procedure's name first, then backwards."""
    optional = [part for part in reversed(parts) if part.optional]
    named = [part for part in optional if SHORTENED[0] in part.values]
    return named + [part for part in optional if part not in named]


def _shorten(values: dict[str, str], name: str, least: int, text: Callable[[], str]) -> None:
    """Cut a value by whole words, as little as makes the message fit, never below `least`."""
    excess = sms_segments(text()).units - SEGMENT
    value = values.get(name, "")
    room = max(least, len(value) - excess - len("..."))
    if excess <= 0 or room >= len(value):
        return
    cut = value[:room]
    if value[room] != " " and " " in cut[SHORTEST:]:
        cut = cut[: cut.rindex(" ")]
    values[name] = cut.rstrip(" ,.;:-(") + "..."
