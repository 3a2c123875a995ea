"""`python -m shared.web.catalogues` brings every catalogue up to date with code and templates.

What was translated stays; a sentence that is new stands there without a translation, one that is
gone is taken out. Which sentences must be translated is in tests/house/test_words.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from shared.settings import PROJECT
from shared.web.words import LANGUAGES, SOURCE

#: Rooms whose sentences are in catalogues: `translations/` lies in each.
ROOMS: Final = (
    "shared/web", "services/intake/web", "services/routing/web", "services/notify/web"
)  # fmt: skip
_METHODS: Final = [("**.html", "jinja2"), ("**.py", "python")]
_OPTIONS: Final = {"**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS: Final = {"_": None, "gettext": None, "msgid": None, "ngettext": (1, 2)}
_HEAD: Final = "# The key is the sentence itself, in Vietnamese. Renewed by: python -m shared.web.catalogues\n\n"


def files() -> Iterator[tuple[str, str, Path]]:
    """Room, language and file of every catalogue."""
    for room in ROOMS:
        for language in LANGUAGES:
            if language != SOURCE:
                yield room, language, PROJECT / room / "translations" / f"{language}.po"


def sentences(room: str) -> Catalog:
    """What code and templates of a room say, and the tables of its service that its pages show."""
    found = Catalog()
    whole = room.removesuffix("/web") if room.startswith("services/") else room
    for name, _, message, comments, context in sorted(
        extract_from_dir(PROJECT / whole, _METHODS, _OPTIONS, _KEYWORDS), key=lambda each: each[:2]
    ):
        found.add(message, None, [(f"{whole}/{name}", 1)], auto_comments=comments, context=context)
    return found


def read(file: Path, language: str) -> Catalog:
    """A catalogue as it stands; empty where there is none."""
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def renewed(room: str, language: str, file: Path) -> str:
    """The text of a catalogue with every sentence of its room and no other."""
    catalogue = read(file, language)
    catalogue.update(sentences(room), no_fuzzy_matching=True)
    out = BytesIO()
    write_po(
        out, catalogue, width=100, omit_header=True, ignore_obsolete=True, include_lineno=False
    )
    return _HEAD + out.getvalue().decode("utf-8")


def main() -> None:
    """Renew them all."""
    for room, language, file in files():
        file.parent.mkdir(exist_ok=True)
        file.write_text(renewed(room, language, file), encoding="utf-8")


if __name__ == "__main__":
    main()
