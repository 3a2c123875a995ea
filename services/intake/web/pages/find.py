"""The search: its words come in a form, never in an address; an exact code opens the dossier."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.finding import LONGEST_SEARCH, read_search
from services.intake.storage.search import find
from services.intake.storage.searches import remember
from services.intake.web.deps import deps, office_agency
from shared.identity.guard import current
from shared.kernel.letters import tidy


def search() -> Response:
    """Open the one dossier whose code this is, else show what is found under an opaque id."""
    known, office = deps(), office_agency()
    typed = "".join(c for c in tidy(request.form.get("q", "")) if c.isprintable())
    words = typed[:LONGEST_SEARCH]
    wanted = read_search(words, office.official_id)
    if wanted.empty and not words:
        return redirect(url_for("desk.dossiers"), 303)
    if wanted.codes or wanted.slip:
        with known.store.read() as connection:
            found = find(connection, known.index, office.code, wanted)
        if len(found.codes) == 1 and (wanted.slip or found.codes[0] in wanted.codes):
            return redirect(url_for("desk.dossier", code=found.codes[0]), 303)
    with known.store.begin(current().actor) as uow:
        kept = remember(uow, office.code, words)
    return redirect(url_for("desk.dossiers", xem="tat-ca", tim=kept), 303)
