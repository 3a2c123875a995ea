"""What a dossier is found by, and what the words of a search may mean; nothing is looked up here.

Names are folded by ourselves: the databases' own folding does not know that đ is a d.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, Final

from services.intake.domain.codes import is_dossier_code
from services.intake.domain.dossier import Contact
from services.intake.domain.slips import read_number
from shared.catalogue import FormField, Procedure
from shared.kernel.errors import InvalidInput
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.phones import normalise_phone
from shared.kernel.text import unaccent

#: Words of a name that a search may begin with, and letters of it that are kept.
MOST_WORDS: Final = 12
LONGEST_NAME: Final = 60
LONGEST_SEARCH: Final = 200

_WORD: Final = re.compile("[a-z0-9]+")
_SQUEEZED: Final = re.compile(r"([0-9]{2,9})H([0-9]{2})([0-9]{6})([0-9]{4,9})")
_TAIL: Final = re.compile(r"([0-9]{6})([0-9]{4,9})")
_ID_NUMBER: Final = re.compile("[0-9]{9}|[0-9]{12}")
_SHEET_FIRST: Final = re.compile(
    r"(?:to(?: ban do)?(?: so)? )?([0-9]{1,4}) ?[/,;]? ?(?:thua(?: dat)?(?: so)? )?([0-9]{1,5})"
)
_PARCEL_FIRST: Final = re.compile(
    r"thua(?: dat)?(?: so)? ([0-9]{1,5}) ?[/,;]? ?to(?: ban do)?(?: so)? ([0-9]{1,4})"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one dossier is found by. Personal, so never shown by repr.

    Names are folded, phones E.164, parcels `sheet/parcel`, `born` the ISO days of birth of those
    whom the dossier is about.
    """

    names: frozenset[str] = field(repr=False)
    id_numbers: frozenset[str] = field(repr=False)
    phones: frozenset[str] = field(repr=False)
    born: frozenset[str] = field(repr=False)
    parcels: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search may mean; a number may be several things at once."""

    codes: tuple[str, ...] = ()
    slip: str | None = None
    id_number: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    parcel: str | None = field(default=None, repr=False)
    words: tuple[str, ...] = field(default=(), repr=False)

    @property
    def empty(self) -> bool:
        """Whether nothing can be looked for."""
        return not (
            self.codes or self.slip or self.id_number or self.phone or self.parcel or self.words
        )


def folded(text: str) -> str:
    """Text as it is compared: without marks, lower case, single blanks."""
    return " ".join(unaccent(text).lower().split())


def words_of(name: str) -> list[str]:
    """The words of a name without marks."""
    return _WORD.findall(folded(name))


def terms_of(procedure: Procedure | None, contact: Contact, form: Mapping[str, Any]) -> Terms:
    """What a dossier is found by: the applicant, and what the types and roles of its fields say."""
    fields = procedure.form if procedure is not None else ()

    def texts(chosen: Iterable[FormField]) -> frozenset[str]:
        return frozenset(v for f in chosen if isinstance(v := form.get(f.name), str) and v)

    def of_type(kind: str) -> frozenset[str]:
        return texts(f for f in fields if f.type == kind)

    names = {" ".join(words_of(each)) for each in {contact.name, *of_type("name")}}
    parcel = parcel_of(procedure, form) if procedure is not None else None
    return Terms(
        names=frozenset(name for name in names if name),
        id_numbers=of_type("id_number"),
        phones=of_type("phone") | {each for each in (contact.phone, contact.told.phone) if each},
        born=texts(f for f in fields if f.type == "date" and f.identifies),
        parcels=frozenset({parcel} if parcel else ()),
    )


def parcel_of(procedure: Procedure, form: Mapping[str, Any]) -> str | None:
    """The numbers that tell a parcel of land, in the form's order; None unless all are there."""
    fields = [f for f in procedure.form if f.identifies == "parcel" and f.type == "number"]
    numbers = [form.get(f.name) for f in fields]
    if not numbers or None in numbers:
        return None
    return "/".join(f"{number:.15g}" for number in numbers if isinstance(number, int | float))


def beginnings(name: str) -> Iterator[str]:
    """A folded name from each of its words on: every run of its words begins one of these."""
    words = name.split()
    for place in range(min(len(words), MOST_WORDS)):
        yield " ".join(words[place:])[:LONGEST_NAME]


def read_search(text: str, official_id: str) -> Wanted:
    """What was typed may mean; `official_id` is that with which the office's own codes begin."""
    plain = fold_wide(tidy(text))[:LONGEST_SEARCH]
    if number := read_number(plain):
        return Wanted(slip=number)
    squeezed = re.sub(r"[\s.,_/\-\u2010-\u2015\u2212]", "", plain).upper()
    digits = squeezed if squeezed.isascii() and squeezed.isdigit() else ""
    codes = tuple(dict.fromkeys(_codes(squeezed, official_id)))
    if codes and not digits:
        return Wanted(codes=codes)
    return Wanted(
        codes=codes,
        id_number=digits if _ID_NUMBER.fullmatch(digits) else None,
        phone=_phone(plain),
        parcel=_parcel(folded(plain)),
        words=() if digits else tuple(words_of(plain)[:MOST_WORDS]),
    )


def _codes(squeezed: str, official_id: str) -> Iterator[str]:
    """Every dossier code that this may be, written without points, dashes and blanks."""
    if tail := _TAIL.fullmatch(squeezed):
        yield f"{official_id}-{tail[1]}-{tail[2]}"
    # An O is no letter of a code; I and l are easily read for a one.
    found = _SQUEEZED.fullmatch(squeezed.replace("O", "0").replace("I", "1").replace("L", "1"))
    if found is None:
        return
    agency, province, day, number = found.groups()
    for parts in (1, 2, 3):
        for sizes in product((2, 3), repeat=parts):
            if sum(sizes) == len(agency):
                cuts = [sum(sizes[:n]) for n in range(parts + 1)]
                groups = [agency[a:b] for a, b in pairwise(cuts)]
                code = f"{'.'.join(groups)}.H{province}-{day}-{number}"
                if is_dossier_code(code):
                    yield code


def _phone(text: str) -> str | None:
    if not any(each.isdigit() for each in text) or any(each.isalpha() for each in text):
        return None
    try:
        return normalise_phone(text).e164
    except InvalidInput:
        return None


def _parcel(text: str) -> str | None:
    if found := _PARCEL_FIRST.fullmatch(text):
        return f"{int(found[2])}/{int(found[1])}"
    found = _SHEET_FIRST.fullmatch(text)
    # Two numbers side by side are a parcel only where something says so.
    if found and not text.isdigit() and re.search("[/,;t]", text):
        return f"{int(found[1])}/{int(found[2])}"
    return None
