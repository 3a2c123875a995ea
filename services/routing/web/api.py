"""The REST door: catching up on task messages, looking at tasks, answering them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
from flask import current_app, request
from flask.views import MethodView

from services.routing.domain.case import Task
from services.routing.domain.submission import SubmissionKey, SubmittedAnswer
from services.routing.storage.views import OPEN, TaskLine
from services.routing.usecases.look import SeenTask
from services.routing.usecases.reading import AnswerSchema
from services.routing.web.book import add_api as add_evidence
from services.routing.web.coordination import add_api
from services.routing.web.door import Door
from services.routing.web.reconciling import add_api as add_sums
from services.routing.web.schemas import (
    FilesSchema,
    ReplySchema,
    TaskDetailSchema,
    TaskSchema,
    TasksQuery,
    TasksSchema,
)
from shared.identity.guard import current, require
from shared.identity.links import API, LASTS, QUERY, Link, Links
from shared.kernel.errors import NotFound
from shared.web.api import Blueprint, linked

TASKS: Final = "/api/v1/tasks"
_LINE = TaskSchema()
_ONE: Final = f"{TASKS}/{{task_id}}"
_ABOUT_ONE: Final = (f"get {_ONE}/files", f"post {_ONE}/answers")


def blueprint(door: Door) -> Blueprint:
    """The routes under /api/v1/tasks."""
    blue = Blueprint("tasks", __name__, url_prefix=TASKS, description="Tasks")
    _add_looking(blue, door)
    _add_files(blue, door)
    _add_answering(blue, door)
    add_api(blue, door)
    add_sums(blue, door)
    add_evidence(blue, door)
    return blue


def _add_looking(blue: Blueprint, door: Door) -> None:
    @blue.route("")
    class Tasks(MethodView):
        """All tasks of the calling agency."""

        @require("agency")
        @blue.arguments(TasksQuery, location="query")  # type: ignore[untyped-decorator]
        @blue.response(200, TasksSchema)  # type: ignore[untyped-decorator]
        @blue.doc(  # type: ignore[untyped-decorator]
            **linked(
                200, "task_id", "$response.body#/items/0/data/task", f"get {_ONE}", *_ABOUT_ONE
            )
        )
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Catch up on task messages after a number, or list tasks by state.

            The messages are the very ones that were put on the agency's queue, from the ledger.
            """
            agency = current().bound_to
            if "state" in query:
                return _in_state(door, agency, query["state"], query["limit"])
            handed = door.handed_over(agency, query.get("after", 0), query["limit"])
            return {"items": handed.messages, "next": handed.next, "more": handed.more}

    @blue.route("/<string:task_id>")
    class OneTask(MethodView):
        """One task."""

        @require("agency")
        @blue.response(200, TaskDetailSchema)  # type: ignore[untyped-decorator]
        @blue.doc(**linked(200, "task_id", "$response.body#/id", *_ABOUT_ONE))  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such task")  # type: ignore[untyped-decorator]
        def get(self, task_id: str) -> dict[str, Any]:
            """Show one task with what its step shares."""
            return detail(door.task(current().bound_to, task_id))


def _add_files(blue: Blueprint, door: Door) -> None:
    @blue.route("/<string:task_id>/files")
    class Files(MethodView):
        """The files of a task's dossier."""

        @require("agency")
        @blue.response(200, FilesSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such task")  # type: ignore[untyped-decorator]
        def get(self, task_id: str) -> dict[str, Any]:
            """Give links by which scans are read and a result is handed in; they end."""
            return file_links(door, door.task(current().bound_to, task_id), API)


def _add_answering(blue: Blueprint, door: Door) -> None:
    @blue.route("/<string:task_id>/answers")
    class Answers(MethodView):
        """Answers to one task."""

        @require("agency")
        @blue.arguments(AnswerSchema)  # type: ignore[untyped-decorator]
        @blue.response(200, ReplySchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="There is no such task")  # type: ignore[untyped-decorator]
        @blue.alt_response(409, description="The id or the task's state forbids it")  # type: ignore[untyped-decorator]
        def post(self, data: dict[str, Any], task_id: str) -> dict[str, Any]:
            """Answer a task; the same answer again gets the same reply.

            What is refused has changed nothing; `rule` says why, as a stable code.
            """
            return reply(submit(door, current().bound_to, task_id, data, _as_sent()))


def file_links(door: Door, seen: SeenTask, address: str) -> dict[str, Any]:
    """The links of whoever calls, to the addresses for people or for programs.

    NotFound for whoever said that the task is not theirs: the citizen's papers are no longer either.
    """
    if seen.task.is_handed_on:
        raise NotFound("the task was handed on", vi="Nhiệm vụ đã chuyển cho cơ quan khác.")
    until = door.store.clock.now() + LASTS
    link = Link("read", seen.case.dossier, until, current(), seen.task.id, seen.task.agency.name)
    signer = Links(str(current_app.config["SECRET_KEY"]))

    def at(link: Link) -> str:
        return f"{address}?{QUERY}={signer.write(link)}"

    hand_in = at(replace(link, act="hand_in")) if seen.task.is_open else None
    return {"read": at(link), "hand_in": hand_in, "until": until}


def submit(
    door: Door,
    agency: str,
    task_id: str,
    data: dict[str, Any],
    fields: dict[str, Any] | None = None,
) -> SubmittedAnswer:
    """Hand in a body that the schema let through; `fields` as its sender may have signed them."""
    key = SubmissionKey(agency, data["answer_id"], task_id)
    return door.answer(key, AnswerSchema.event(data, task=task_id), fields)


def _as_sent() -> dict[str, Any]:
    body: dict[str, Any] = request.get_json()
    return {name: value for name, value in body.items() if name not in ("answer_id", "kind")}


def _in_state(door: Door, agency: str, state: str, limit: int) -> dict[str, Any]:
    if state == "near":
        lines = door.near(agency, limit + 1)
    else:
        states = OPEN if state == "open" else (state,)
        lines = door.lines(agency, states, limit + 1, newest=state in ("answered", "cancelled"))
    items = [_LINE.dump(_line(door, line)) for line in lines[:limit]]
    return {"items": items, "next": None, "more": len(lines) > limit}


def _line(door: Door, line: TaskLine) -> dict[str, Any]:
    return _task(line.task) | {
        "dossier": line.dossier,
        "procedure": {"code": line.procedure_code, "name": line.procedure_name},
        "step": {"code": line.task.step, "name": door.step_name(line)},
    }


def detail(seen: SeenTask) -> dict[str, Any]:
    """A task as the API shows it."""
    return _task(seen.task) | {
        "dossier": seen.case.dossier,
        "procedure": msgspec.to_builtins(seen.case.procedure),
        "step": {"code": seen.task.step, "name": seen.step_name},
        "form": seen.form,
        "papers": msgspec.to_builtins(seen.case.papers),
        "results": list(seen.results),
        "may": list(seen.may),
        "branches": [{"code": each.code, "name": each.name} for each in seen.branches],
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "task": task.id,
        "state": task.state,
        "assigned_at": task.opened_at,
        "due_at": None if task.state == "paused" else task.due_at,
        "taken_at": task.taken_at,
        "closed_at": task.closed_at,
        "outcome": task.outcome,
        "result_code": task.result_code,
        "document": task.document,
        "file": task.file,
        "reason": task.reason,
        "amount_vnd": task.amount_vnd,
        "late": task.late,
    }


def reply(answer: SubmittedAnswer) -> dict[str, Any]:
    """What the agency is told about its answer."""
    return {
        "answer_id": answer.answer_id,
        "task": answer.task,
        "kind": answer.kind,
        "applied": answer.applied,
        "state": answer.state,
        "note": answer.note,
    }
