"""Pages for operators: what citizens were told, what waits, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.notify.domain.contacts import CHANNELS
from services.notify.domain.messages import STAFF, Message
from services.notify.domain.states import NAMES_VI, RECALLABLE, RESENDABLE, State
from services.notify.storage import queries, receipts
from services.notify.usecases.recalling import recall
from services.notify.usecases.resending import resend
from services.notify.web import words
from services.notify.web.api import bookmark, read_bookmark, shown
from shared.database import Store
from shared.identity.audit import reveal, saw
from shared.identity.callers import place_of
from shared.identity.guard import current, require
from shared.kernel.errors import Fault, InvalidInput, Refused
from shared.messaging.measure import Depths, measure
from shared.messaging.tables import PARKED, RETRY, WAITING
from shared.web.words import gettext, msgid, said

PAGE = 30
#: What an operator may order of one message -> what is said when it is done.
_ORDERS: Final = {
    "gui-lai": (resend, msgid("Đã xếp tin nhắn vào hàng chờ gửi lại.")),
    "thu-hoi": (recall, msgid("Đã thu hồi: tin này và các cách báo sau nó không đi nữa.")),
}
_LONGEST_CODE = 60


def blueprint(store: Store) -> Blueprint:
    """The pages /tin-nhan and /tin-nhan/<id>."""
    blue = Blueprint("pages", __name__, template_folder="templates")

    @blue.get("/")
    @require("operator")
    def home() -> Response:
        return redirect(url_for("pages.messages"))

    _list(blue, store)
    _one(blue, store)
    return blue


def _list(blue: Blueprint, store: Store) -> None:
    @blue.get("/tin-nhan")
    @require("operator")
    def messages() -> str:
        chosen = _chosen()
        with store.read() as connection:
            found = queries.find(connection, _search(chosen))
            counts = queries.unfinished(connection)
            depths = measure(connection)
        page = found[:PAGE]
        saw(message.dossier for message in page)
        more = bookmark(page[-1]) if len(found) > PAGE else None
        return render_template(
            "notify/messages.html",
            rows=[_row(message) for message in page],
            chosen=chosen,
            older=_older(chosen, more) if more else None,
            states=_state_links(counts, chosen),
            state_choices=[(state.value, gettext(NAMES_VI[state])) for state in State],
            channel_choices=[(channel, gettext(words.CHANNELS[channel])) for channel in CHANNELS],
            held=_held(depths),
        )


def _one(blue: Blueprint, store: Store) -> None:
    @blue.get("/tin-nhan/<message_id>")
    @require("operator")
    def message(message_id: str) -> str:
        return _page(_found(store, message_id))

    @blue.post("/tin-nhan/<message_id>/noi-dung")
    @require("operator")
    def words_of(message_id: str) -> str | tuple[str, int]:
        seen, reason = _found(store, message_id), request.form.get("reason", "")
        found = seen.message
        try:
            reveal(
                store,
                "reveal message",
                (found.id, found.dossier),
                reason=reason,
                actor=current().actor,
                place=f"page {place_of(request.remote_addr)}",
            )
        except InvalidInput as wrong:
            return _page(seen, reason=reason[:300], faults=wrong.faults), 422
        return _page(seen, shown_words=True)

    @blue.post("/tin-nhan/<message_id>/<any('gui-lai', 'thu-hoi'):order>")
    @require("operator")
    def ordered(message_id: str, order: str) -> Response:
        act, done = _ORDERS[order]
        try:
            with store.begin(current().actor) as uow:
                act(uow, message_id)
        except Refused as refused:
            if refused.status == 404:
                raise
            flash(said(refused), "bad")
        else:
            flash(gettext(done), "good")
        return redirect(url_for("pages.message", message_id=message_id), 303)


@dataclass(frozen=True, slots=True)
class Seen:
    """A message, the ways of its moment in their order, and what happened to it, in words."""

    message: Message
    ways: Sequence[Message]
    story: Sequence[words.Happened]


def _found(store: Store, message_id: str) -> Seen:
    with store.read() as connection:
        found = queries.one(connection, message_id)
        ways = queries.of_moment(connection, found)
        tries = receipts.tries_of(connection, message_id)
        tickets = receipts.of_messages(connection, [message_id]).get(message_id, [])
    saw([found.dossier])
    return Seen(found, ways, words.story(found, tries, tickets))


def _page(
    seen: Seen, *, shown_words: bool = False, reason: str = "", faults: Sequence[Fault] = ()
) -> str:
    """One message; what was written to the citizen only where that was asked for, with a reason."""
    found = seen.message
    return render_template(
        "notify/message.html",
        message=_row(found),
        ways=[_row(each) for each in seen.ways],
        story=seen.story,
        subject=found.subject if shown_words else "",
        body=found.body if shown_words else "",
        is_written=bool(found.body),
        shown_words=shown_words,
        reason=reason,
        wrong={"reason": [said(fault) for fault in faults]} if faults else {},
        may_resend=found.state in RESENDABLE and bool(found.to),
        may_recall=found.state in RECALLABLE,
        uncertain=found.state is State.UNCERTAIN,
    )


def _chosen() -> dict[str, str]:
    """The filters of the address, those that mean something."""
    asked = request.args
    chosen: dict[str, str] = {}
    if asked.get("state") in {state.value for state in State}:
        chosen["state"] = asked["state"]
    if asked.get("channel") in CHANNELS:
        chosen["channel"] = asked["channel"]
    dossier = asked.get("dossier", "").strip()[:_LONGEST_CODE]
    if dossier:
        chosen["dossier"] = dossier
    return chosen


def _search(chosen: dict[str, str]) -> queries.Search:
    after = request.args.get("after")
    return queries.Search(
        states=(chosen["state"],) if "state" in chosen else (),
        channel=chosen.get("channel"),
        dossier=chosen.get("dossier"),
        before=read_bookmark(after) if after else None,
        limit=PAGE + 1,
    )


def _older(chosen: dict[str, str], more: str) -> str:
    filters: dict[str, Any] = {**chosen, "after": more}
    return url_for("pages.messages", **filters)


def _row(message: Message) -> dict[str, Any]:
    return shown(message) | {
        "moment_name": gettext(words.MOMENTS.get(message.moment, message.moment)),
        "channel_name": gettext(words.CHANNELS.get(message.channel, "—")),
        "about": gettext("cơ quan") if message.role == STAFF else gettext("hồ sơ"),
        "state_name": gettext(NAMES_VI[message.state]),
        "tone": words.TONES[message.state],
        "reason_words": words.reason(message.reason),
    }


def _state_links(counts: dict[str, int], chosen: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": gettext(NAMES_VI[state]),
            "tone": words.TONES[state],
            "count": counts[state.value],
            "address": url_for("pages.messages", state=state.value),
            "current": chosen.get("state") == state.value,
        }
        for state in State
        if counts.get(state.value)
    ]


def _held(depths: Depths) -> dict[str, int]:
    """Facts that came in and are not handled: waiting, retried, parked."""
    held = dict.fromkeys((WAITING, RETRY, PARKED), 0)
    for (_, state), depth in depths.inbox.items():
        held[state] += depth.count
    return held
