"""Which procedure a new dossier is for: found by any part of its name or code, or the last one again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages import blank
from shared.catalogue import Procedure
from shared.kernel.errors import NotFound
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.text import unaccent

_LAST: Final = "last_procedure"
_LONGEST: Final = 100


def choose() -> str | Response:
    """What the office takes in; or what the words in the address find of it: the only one at once.

    A browser with scripts finds the same while somebody types (desk.js).
    """
    typed = tidy(request.args.get("tim", ""))[:_LONGEST]
    offered = deps().procedures_of(own_office())
    found = find(offered, typed) if typed else []
    if len(found) == 1:
        return redirect(url_for("desk.new", code=found[0].code))
    fields: dict[str, list[Procedure]] = {}
    for procedure in offered:
        fields.setdefault(procedure.field, []).append(procedure)
    return render_template(
        "intake/choose.html",
        fields=fields,
        found=found,
        typed=typed,
        plain=_plain,
        words_of=words_of,
        last=None if blank.is_asked() else last_of(offered),
        office=office_agency(),
        **blank.context(),
    )


def offered(code: str) -> Procedure:
    """The procedure, if this office takes it in today; else NotFound."""
    for procedure in deps().procedures_of(own_office()):
        if procedure.code == code:
            return procedure
    raise NotFound("there is no such procedure", vi="Bộ phận này không tiếp nhận thủ tục này.")


def words_of(procedure: Procedure) -> str:
    """What a procedure is found by, without marks: name, short name, field, code with and without dots."""
    code = procedure.code
    said = (procedure.name, procedure.short_name, procedure.field, code, code.replace(".", ""))
    return _plain(" ".join(said))


def find(offered: Iterable[Procedure], typed: str) -> list[Procedure]:
    """Those in which every typed word stands somewhere, with or without marks; the likeliest first.

    That is where the words stand side by side in the name, early in it; then the shorter name.
    """
    words = _plain(typed).split()

    def place(procedure: Procedure) -> tuple[int, int]:
        name = _plain(procedure.name)
        at = name.find(" ".join(words))
        return (at if at >= 0 else len(name), len(name))

    found = (each for each in offered if all(word in words_of(each) for word in words))
    return sorted(found, key=place)


def remember(code: str) -> None:
    """The procedure that this browser has filed last."""
    session[_LAST] = code


def last_of(offered: Iterable[Procedure]) -> Procedure | None:
    """The one of these that this browser has filed last; None where there is none."""
    return next((each for each in offered if each.code == session.get(_LAST)), None)


def _plain(text: str) -> str:
    return unaccent(fold_wide(text)).lower()
