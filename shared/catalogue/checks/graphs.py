"""The graph of steps: no cycle, nothing unreachable, every dossier comes to an end."""

from __future__ import annotations

from collections.abc import Mapping

from shared.catalogue.faults import did_you_mean
from shared.catalogue.model import Procedure
from shared.catalogue.read import Folder, Found
from shared.catalogue.source import Entry
from shared.catalogue.step import Step


def check_graphs(folder: Folder) -> None:
    """The graph of every procedure version."""
    for found in folder.procedures:
        entries = {
            step.code: entry
            for step, entry in zip(found.value.steps, found.parts["steps"], strict=True)
        }
        for step in found.value.steps:
            _check_step(step, found.value, entries)
        _check_order(found.value, entries)
        _check_branches(found, entries)


def _check_step(step: Step, procedure: Procedure, entries: Mapping[str, Entry]) -> None:
    entry = entries[step.code]
    for code in step.after:
        before = procedure.step(code)
        if before is None:
            en, vi = did_you_mean(code, entries)
            entry.fault(
                "after",
                en=f"there is no step '{code}' in this version: {en}",
                vi=f"phiên bản này không có bước '{code}': {vi}",
            )
        elif before.after_result and not step.after_result:
            entry.fault(
                "after",
                en=f"'{code}' runs after the result, so this step never comes before it: "
                "write after_result: true here too",
                vi=f"'{code}' chạy sau khi có kết quả nên bước này không thể ở trước: "
                "hãy ghi after_result: true ở đây",
            )
    if step.silence == "consent" and step.budget is None:
        entry.fault(
            "silence",
            en="silence can only be consent when there is a day it ends on: write a budget",
            vi="im lặng là đồng ý chỉ khi có thời hạn: hãy ghi budget",
        )
    if step.kind == "payment":
        _check_payment(step, entry)


def _check_payment(step: Step, entry: Entry) -> None:
    if not step.pauses_clock:
        entry.fault(
            "pauses_clock",
            en="the citizen's own time to pay is not the agencies': write pauses_clock: true",
            vi="thời gian công dân nộp tiền không tính vào hạn: hãy ghi pauses_clock: true",
        )
    for key, wrong in (
        ("budget", step.budget is not None),
        ("shares", bool(step.shares)),
        ("results", bool(step.results)),
        ("silence", step.silence != "none"),
    ):
        if wrong:
            entry.fault(
                key,
                en=f"nobody works on a payment: delete '{key}'",
                vi=f"không cơ quan nào xử lý bước nộp tiền: hãy xóa '{key}'",
            )


# --- order ------------------------------------------------------------------------------------


def _check_order(procedure: Procedure, entries: Mapping[str, Entry]) -> None:
    """Take away what can run, again and again; what stays waits for itself or for such a step."""
    waiting = {
        step.code: {code for code in step.after if code in entries} for step in procedure.steps
    }
    while free := [code for code, before in waiting.items() if not before]:
        for code in free:
            del waiting[code]
        for before in waiting.values():
            before.difference_update(free)
    told: set[str] = set()
    while circle := _circle({code: waiting[code] - told for code in waiting if code not in told}):
        told.update(circle)
        path = " -> ".join([*circle, circle[0]])
        entries[circle[0]].fault(
            "after",
            en=f"these steps wait for each other for ever: {path}; take one 'after' away",
            vi=f"các bước này chờ nhau mãi mãi: {path}; hãy bỏ bớt một 'after'",
        )
    for code in waiting:
        if code not in told:
            entries[code].fault(
                "after",
                en=f"step '{code}' can never be reached: it waits for steps of a circle",
                vi=f"bước '{code}' không bao giờ đến lượt: nó chờ các bước trong vòng lặp",
            )


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    """The codes of one cycle, in the order in which they wait, empty when there is none."""
    cleared: set[str] = set()
    for start in waiting:
        path: list[str] = []
        here: str | None = start
        while here is not None and here not in cleared:
            if here in path:
                return path[path.index(here) :]
            path.append(here)
            ahead = [code for code in sorted(waiting[here]) if code in waiting]
            here = next((code for code in ahead if code not in cleared), None)
        cleared.update(path)
    return []


# --- branches -----------------------------------------------------------------------------------


def _check_branches(found: Found[Procedure], entries: Mapping[str, Entry]) -> None:
    procedure, top = found.value, found.entry
    known = [branch.code for branch in procedure.branches]
    used = {step.branch for step in procedure.steps}
    chosen = [each.code for step in procedure.steps for each in step.chooses]
    for step in procedure.steps:
        if step.branch is not None and step.branch not in (*known, *chosen):
            en, vi = did_you_mean(step.branch, (*known, *chosen))
            entries[step.code].fault(
                "branch",
                en=f"there is no branch '{step.branch}': {en}",
                vi=f"không có nhánh '{step.branch}': {vi}",
            )
    for branch, entry in zip(procedure.branches, found.parts["branches"], strict=True):
        if branch.code not in used:
            entry.fault(
                "code",
                en=f"branch '{branch.code}' can never be reached: no step says branch: "
                f"{branch.code}",
                vi=f"nhánh '{branch.code}' không bao giờ đến lượt: không bước nào ghi branch: "
                f"{branch.code}",
            )
    if procedure.min_branches > len(known):
        top.fault(
            "min_branches",
            en=f"{procedure.min_branches} branches must be chosen and there are {len(known)}: "
            "lower the number",
            vi=f"phải chọn {procedure.min_branches} nhánh mà chỉ có {len(known)}: hãy giảm số này",
        )
    always = any(step.branch is None and not step.after_result for step in procedure.steps)
    if procedure.steps and not always and procedure.min_branches == 0:
        top.fault(
            "steps",
            en="a citizen who chooses no branch gets no step: write min_branches: 1",
            vi="công dân không chọn nhánh nào thì không có bước nào: hãy ghi min_branches: 1",
        )
