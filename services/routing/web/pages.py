"""Pages for agencies that have no system of their own: the open tasks, one task, and its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import marshmallow as ma
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from services.routing.storage.views import OPEN, TaskLine, answers_to
from services.routing.usecases.answer import NotApplied
from services.routing.usecases.look import SeenTask
from services.routing.usecases.reading import AnswerSchema
from services.routing.web import book, connection, coordination, reconciling, words
from services.routing.web.api import file_links, submit
from services.routing.web.door import Door
from shared.catalogue import FormField
from shared.identity.guard import current, require
from shared.identity.links import PAGE
from shared.kernel.clock import format_instant
from shared.kernel.days import read_moment
from shared.kernel.errors import Fault
from shared.kernel.numbers import Unreadable, read_number
from shared.web.faults import faults_of
from shared.web.schemas import Instant
from shared.web.words import SOURCE, gettext

MOST: Final = 200
#: The button of the question that comes before a task is handed on.
_SURE: Final = "sure"
_SCHEMA: Final = AnswerSchema()


def blueprint(door: Door) -> Blueprint:
    """The pages under /nhiem-vu."""
    blue = Blueprint("pages", __name__, template_folder="templates")
    _add_lists(blue, door)
    _add_one_task(blue, door)
    coordination.add_pages(blue, door)
    book.add_pages(blue, door)
    reconciling.add_pages(blue, door)
    connection.add_pages(blue, door)
    connection.add_queue(blue, door)
    return blue


def _add_lists(blue: Blueprint, door: Door) -> None:
    @blue.get("/")
    @require("agency")
    def home() -> Response:
        return redirect(url_for("pages.open_tasks"))

    @blue.get("/nhiem-vu")
    @require("agency")
    def open_tasks() -> str:
        return _listed(door, door.lines(current().bound_to, OPEN, MOST), near=False)

    @blue.get("/nhiem-vu/sap-den-han")
    @require("agency")
    def near_tasks() -> str:
        return _listed(door, door.near(current().bound_to, MOST), near=True)

    @blue.get("/nhiem-vu/da-xong")
    @require("agency")
    def closed_tasks() -> str:
        now = door.store.clock.now()
        lines = door.lines(current().bound_to, ("answered", "cancelled"), MOST, newest=True)
        rows = [_row(door, line, now) for line in lines]
        agency = door.agency_name(current().bound_to)
        return render_template("routing/closed.html", rows=rows, most=MOST, agency=agency)


def _listed(door: Door, lines: Sequence[TaskLine], *, near: bool) -> str:
    now = door.store.clock.now()
    rows = [_row(door, line, now) for line in lines]
    return render_template(
        "routing/tasks.html",
        rows=rows,
        near=near,
        counts=Counter(row["due"].tone for row in rows),
        most=MOST,
        agency=door.agency_name(current().bound_to),
    )


def _add_one_task(blue: Blueprint, door: Door) -> None:
    @blue.get("/nhiem-vu/<task_id>")
    @require("agency")
    def task(task_id: str) -> str:
        return _page(door, door.task(current().bound_to, task_id))

    @blue.post("/nhiem-vu/<task_id>/tra-loi")
    @require("agency")
    def answer(task_id: str) -> Response | tuple[str, int]:
        agency = current().bound_to
        seen = door.task(agency, task_id)
        data, faults = _read(request.form)
        if data is None:
            return _page(door, seen, request.form, faults), 422
        if data["kind"] == "not_ours" and _SURE not in request.form:
            return _page(door, seen, request.form, ask=True), 200
        try:
            taken = submit(door, agency, task_id, data)
        except NotApplied as refused:
            return _page(door, seen, request.form, refused.faults), refused.status
        if taken.note:
            flash(taken.note, "waiting")
        else:
            kind = gettext(words.KINDS[taken.kind]).lower()
            flash(gettext("Đã ghi nhận: %(kind)s.", kind=kind), "good")
        return redirect(url_for("pages.task", task_id=task_id), 303)


def _row(door: Door, line: TaskLine, now: datetime) -> dict[str, Any]:
    name, tone = words.STATES[line.task.state]
    return {
        "line": line,
        "task": line.task,
        "step_name": door.step_name(line),
        "state": gettext(name),
        "tone": tone,
        "due": words.due(line.task, now),
        "outcome": words.outcome(line.task),
    }


def _page(
    door: Door,
    seen: SeenTask,
    given: Mapping[str, Any] | None = None,
    faults: tuple[Fault, ...] = (),
    *,
    ask: bool = False,
) -> str:
    now = door.store.clock.now()
    fields = door.fields(seen.case)
    name, tone = words.STATES[seen.task.state]
    with door.store.read() as connection:
        said = answers_to(connection, seen.task.agency.code, seen.task.id)
    return render_template(
        "routing/task.html",
        seen=seen,
        task=seen.task,
        state=gettext(name),
        tone=tone,
        due=words.due(seen.task, now),
        form=[
            (*_shared(fields.get(name), name, value), seen.case.corrected.get(name))
            for name, value in seen.form.items()
        ],
        overtaken=[fields[name].label if name in fields else name for name in seen.overtaken],
        **_choices(seen),
        outcome=words.outcome(seen.task),
        others=door.others(seen) if seen.task.is_open else [],
        ask=ask,
        answer_id=door.store.ids.new(),
        given=given or {},
        chosen=(given or {}).get("kind", ""),
        me=current().name,
        links=None if seen.task.is_handed_on else file_links(door, seen, PAGE),
        handed_in=_handed_in(door, seen, given),
        faults=[Fault(_place(f), f.vi, f.en) for f in faults],
        labels_of_inputs=words.labels(),
        wrong=words.by_place(faults),
        said=[_said(row) for row in said],
    )


def _choices(seen: SeenTask) -> dict[str, Any]:
    """What can be chosen where it is granted, and which branch was."""
    return {
        "results": [(code, code) for code in seen.results],
        "branches": [(each.code, words.branch(each)) for each in seen.branches],
        "chosen_branch": next((b.name for b in seen.branches if b.code == seen.task.branch), None),
    }


def _handed_in(door: Door, seen: SeenTask, given: Mapping[str, Any] | None) -> str:
    """The receipt of the file that was just handed in, or that the form held; empty for none."""
    receipt = str((given or request.args).get("file" if given else "tep", ""))[:120]
    return receipt if door.rules.receipted(receipt, seen.task.id) else ""


def _shared(field: FormField | None, name: str, value: Any) -> tuple[str, str]:
    """A field that the step shares, with its label; its name where the catalogue has lost it."""
    return (
        (name, words.value(value))
        if field is None
        else (field.label, words.value(value, field.unit))
    )


def _place(fault: Fault) -> str:
    return fault.place.split(".")[0]


def _said(row: Any) -> dict[str, Any]:
    """What was answered; the note stands as it was put on record, in Vietnamese."""
    title = gettext(words.KINDS.get(row.kind, words.UNKNOWN_KIND))
    if not row.applied:
        title = gettext("%(title)s: không được ghi nhận", title=title)
    tone = "good" if row.applied else "bad"
    return {"at": row.at, "title": title, "text": row.note, "lang": SOURCE, "tone": tone}


def _read(form: MultiDict[str, str]) -> tuple[dict[str, Any] | None, tuple[Fault, ...]]:
    """A page's form as a checked answer, or every fault in it."""
    raw = {
        name: _typed(name, text)
        for name, text in form.items()
        if text.strip() and name not in ("csrf_token", _SURE)
    }
    unread = {name: typed for name, typed in raw.items() if isinstance(typed, Unreadable)}
    told = tuple(Fault(name, each.vi, each.en) for name, each in unread.items())
    try:
        data = dict(_SCHEMA.load(raw))
    except ma.ValidationError as wrong:
        found = (fault for fault in faults_of(wrong.messages) if fault.place not in unread)
        return None, (*told, *found)
    return data, ()


def _typed(name: str, text: str) -> Any:
    """What the text of an input stands for; what stands for nothing is left to be refused."""
    match _SCHEMA.fields.get(name):
        case ma.fields.List():
            return [line.strip() for line in text.splitlines() if line.strip()]
        case ma.fields.Integer():
            return read_number(text, unit="vnd")
        case Instant():
            return _instant(text)
    return text


def _instant(text: str) -> str | Unreadable:
    """A day and hour as they are written here, as an instant."""
    read = read_moment(text)
    return read if isinstance(read, Unreadable) else format_instant(read)
