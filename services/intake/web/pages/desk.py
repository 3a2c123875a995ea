"""The desk's pages: a new dossier, a dossier with its timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.calling import OUTCOMES
from services.intake.domain.circumstances import procedure_of
from services.intake.domain.dossier import Dossier
from services.intake.domain.files import MOST_AT_ONCE, STATES_VI
from services.intake.domain.returning import RETURN_METHODS, TAKERS_VI
from services.intake.domain.similar import WHY_VI, LookAlike
from services.intake.domain.waits import ACTIONS_VI, actions
from services.intake.storage import files, slips
from services.intake.usecases import look
from services.intake.usecases.similar import SimilarFound
from services.intake.usecases.unreached import unreached
from services.intake.web import views
from services.intake.web.deps import agency_name, deps, may, office_agency, own_office
from services.intake.web.due import channel_name, due
from services.intake.web.pages import (
    blank,
    choosing,
    drafts,
    export,
    filing,
    find,
    lists,
    papers,
    typed,
)
from services.intake.web.pages.choosing import offered
from services.intake.web.pages.faulty import faulty, lost_before, unasked
from services.intake.web.pages.mended import newest_first
from services.intake.web.people import People, names_in
from services.intake.web.telling.agencies import MOMENTS
from services.intake.web.where import places, stages
from shared.catalogue import Procedure
from shared.identity.audit import saw
from shared.identity.guard import require
from shared.kernel.errors import InvalidInput
from shared.web.words import gettext, msgid, said

#: What is said once an act is done.
DONE: Final[Mapping[str, str]] = {
    "receive": msgid("Đã tiếp nhận hồ sơ."),
    "refuse": msgid("Đã từ chối tiếp nhận; công dân được báo lý do và hướng dẫn."),
    "request-supplement": msgid("Đã gửi yêu cầu bổ sung; công dân được báo."),
    "supplement": msgid("Đã ghi nhận phần bổ sung."),
    "extend-supplement": msgid("Đã lùi hạn bổ sung; công dân được báo hạn mới."),
    "payment": msgid("Đã ghi nhận tiền nộp."),
    "withdraw": msgid("Đã rút hồ sơ; các cơ quan được báo."),
    "grant-extension": msgid("Đã đồng ý gia hạn; cơ quan được báo."),
    "refuse-extension": msgid("Đã trả lời không đồng ý; cơ quan được báo lý do."),
    "apologise": msgid("Đã xin lỗi và hẹn lại; công dân được báo."),
    "return-result": msgid("Đã ghi nhận trả kết quả."),
    "correct-waybill": msgid("Đã sửa mã vận đơn; công dân được báo mã đúng."),
    "called": msgid("Đã ghi nhận cuộc gọi."),
    "files": msgid("Đã lưu tệp vào hồ sơ."),
    "file-gone": msgid("Đã gỡ tệp; mã băm và lý do được giữ lại."),
    "contact": msgid(
        "Đã lưu cách liên hệ; số hoặc hộp thư mới được báo ngay, tin sau được gửi theo đó."
    ),
    "correct": msgid(
        "Đã sửa hồ sơ; cơ quan đang giữ được báo giá trị mới. In lại giấy hẹn (bản sửa) "
        "và đổi cho công dân."
    ),
}


def _returning() -> dict[str, Any]:
    """What can be chosen where a result is handed over or a citizen was called."""
    return {
        "methods": [(method, gettext(words[0])) for method, words in RETURN_METHODS.items()],
        "takers": [(taker, gettext(vi)) for taker, vi in TAKERS_VI.items()],
        "call_outcomes": [(outcome, gettext(vi)) for outcome, vi in OUTCOMES.items()],
        "moments": MOMENTS,
    }


def _parties(dossier: Dossier, procedure: Procedure) -> list[tuple[str, str]]:
    """Who else is told, and how."""
    found = []
    for party in procedure.parties:
        if (held := dossier.contact.parties.get(party.code)) is None:
            continue
        ways = [(held.sms, held.phone_original or held.phone), (held.mail, held.email)]
        told = ", ".join(to for yes, to in ways if yes and to)
        found.append((party.name, f"{held.name} – {told or gettext('không nhận tin')}"))
    return found


def blueprint() -> Blueprint:
    """Pages under /ho-so; for the officers of a desk alone."""
    blue = Blueprint("desk", __name__)
    routes: tuple[tuple[str, str, Any], ...] = (
        ("/ho-so", "dossiers", lists.dossiers),
        ("/ho-so/danh-sach.<any(csv, xlsx):kind>", "export", export.export),
        ("/ho-so/moi", "choose", choosing.choose),
        ("/ho-so/moi/<string:code>", "new", new),
        ("/ho-so/<string:code>", "dossier", dossier),
    )
    for path, name, view in routes:
        blue.add_url_rule(path, name, require("desk")(view), methods=["GET"])
    blue.add_url_rule("/ho-so/tim", "search", require("desk")(find.search), methods=["POST"])
    blue.add_url_rule(
        "/ho-so/moi/<string:code>", "submit", require("desk")(submit), methods=["POST"]
    )
    return blue


def new(code: str) -> str:
    """An empty form of the procedure, or what was typed into one and is not filed yet."""
    procedure = offered(code)
    if blank.is_asked():
        return _form(procedure, drafts.Opened("", ""), ())
    return _form(procedure, drafts.opened(procedure), ())


def _form(
    procedure: Procedure, opened: drafts.Opened, faults: Any, *, similar: Sequence[LookAlike] = ()
) -> str:
    """The form with what was typed; with the dossiers that may be about the same matter."""
    values = opened.values
    counts = typed.papers(procedure.papers, values)
    return render_template(
        "intake/new.html",
        procedure=procedure,
        values=values,
        opened=opened,
        others=() if blank.is_asked() else drafts.others(procedure, opened.token),
        faults=faults,
        faulty=faulty(faults, counts, procedure),
        at=typed.by_input(faults, counts, said),
        channel_name=channel_name,
        fresh=not values,
        similar=views.similar(similar, deps().catalogue, own_office()),
        why=WHY_VI,
        **blank.context(),
    )


def submit(code: str) -> Response | tuple[str, int]:
    """File it; the receipt is a page of its own, so it is shown only after the commit."""
    procedure = offered(code)
    token = request.form.get("token", "")[:100]
    with deps().store.read() as connection:
        lost = unreached(connection, typed.contact(request.form))
    doubts = (*unasked(request.form), *lost_before(request.form, lost))
    try:
        given = filing.file(procedure, request.form, doubts)
    except InvalidInput as wrong:
        # Told with all the rest, and alone only where nothing else is wrong.
        faults = wrong.faults if set(doubts) <= set(wrong.faults) else (*wrong.faults, *doubts)
        return _form(procedure, drafts.keep_refused(procedure, token), faults), 422
    except SimilarFound as found:
        saw(each.code for each in found.similar if each.office == own_office())
        again = drafts.keep_refused(procedure, token)
        return _form(procedure, again, (), similar=found.similar), 409
    filed = json.loads(given.body)
    papers.to_be_printed(filed["code"])
    choosing.remember(code)
    return redirect(url_for("papers.receipt", code=filed["code"]), 303)


def dossier(code: str) -> str:
    """One dossier: where it stands, what may be done, what happened."""
    args = request.args
    done = DONE.get(args.get("xong", ""))
    action = "contact" if "lien-he" in args else None
    return show(code, action=action, done=gettext(done) if done else None)


def _files_of(code: str) -> dict[str, Any]:
    """What the page says of the dossier's files."""
    with deps().store.read() as connection:
        found = files.of_dossier(connection, code)
    return {
        "files": found,
        "file_states": STATES_VI,
        "file_limits": deps().files.limits,
        "most_at_once": MOST_AT_ONCE,
    }


def _read(code: str) -> tuple[Dossier, list[Any], People, tuple[str, datetime | None] | None]:
    """The own office's dossier, what was said of it, who did it, and the slip it came with."""
    with deps().store.read() as connection:
        found = look.one(connection, own_office(), code)
        entries = look.timeline(connection, found.code)
        people = names_in(connection, found.code, entries)
        return found, entries, people, slips.of_dossier(connection, found.code)


def show(
    code: str,
    *,
    action: str | None = None,
    values: typed.Typed | None = None,
    faults: Any = (),
    done: str | None = None,
) -> str:
    """The dossier's page; with faults, the form of `action` keeps what was typed."""
    known, now = deps(), deps().now()
    found, entries, people, slip = _read(code)
    procedure = procedure_of(known.catalogue, found)
    counts = typed.papers(procedure.papers, values) if values else []
    return render_template(
        "intake/dossier.html",
        dossier=found,
        slip=slip,
        procedure=procedure,
        office=office_agency(),
        events=newest_first(people, entries, found, procedure),
        keeper=people.keeper,
        allowed=[act for act in actions(found) if may(act)],
        names=ACTIONS_VI,
        contact=typed.of_contact(found.contact),
        party_facts=_parties(found, procedure),
        held={p.code: p for p in found.papers},
        papers=papers.links(found),
        **_returning(),
        due=due(found, now),
        agency_name=agency_name,
        places=places(found, stages(entries), office_agency().name),
        channel_name=channel_name,
        **_files_of(found.code),
        action=action,
        values=values if values is not None else typed.Typed(),
        faults=faults,
        faulty=faulty(faults, counts, procedure, action or ""),
        at=typed.by_input(faults, counts, said),
        done=done,
    )
