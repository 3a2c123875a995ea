"""What the command line prints: one line each, without form data."""

from __future__ import annotations

from partner.inbox import Aside
from partner.messages import Message
from partner.refusals import KIND, Refusal
from partner.tasks import Task


def print_message(message: Message) -> None:
    """A message as it is handled; a refusal was printed when it came."""
    if message.kind == KIND:
        return
    words = [message.time, f"#{message.sequence}", message.kind, message.task, message.dossier]
    line = " ".join([*words, _about(message)]).rstrip()
    try:
        print(line, flush=True)
    except OSError as gone:  # nobody reads any more: that is no fault of the message
        raise SystemExit(2) from gone


def _about(message: Message) -> str:
    """The step of a task; of a change what it is, and the names of the fields that are new."""
    data = message.data
    if message.kind != "changed":
        return str((data.get("step") or {}).get("name", ""))
    said = "corrected" if data.get("corrected") else str(data.get("change", ""))
    return " ".join([said, *(data.get("form") or {})])


def print_task(task: Task) -> None:
    """A task as it stands."""
    procedure, step = task.data.get("procedure") or {}, task.data.get("step") or {}
    name = f"{step.get('name', '')} ({procedure.get('name', '')})"
    print(f"{task.id}  {task.state:9}  due {task.due_at or '-':20}  {task.dossier}  {name}")


def print_refusal(refusal: Refusal) -> None:
    """An answer that was not applied."""
    said = refusal.words()
    print(f"!!!  {refusal.task}  the city refused the answer {refusal.kind}: {said}", flush=True)


def print_aside(failed: Aside) -> None:
    """A message that the agency's program failed at."""
    then = "is tried again" if failed.waiting else "put aside"
    behind = f"; {failed.behind} later messages wait" if failed.behind else ""
    print(
        f"!!!  {failed.task}  {failed.kind} #{failed.sequence} of {failed.came_at} failed"
        f" {failed.tries} times, {then}: {failed.reason}{behind}"
    )
