"""What steps say beside their order: other times, ways back, verifications, waits, places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.catalogue.faults import did_you_mean
from shared.catalogue.model import Procedure
from shared.catalogue.read import Folder, Found
from shared.catalogue.source import Entry
from shared.catalogue.step import OtherTime, Step

#: More would make more kinds of dossier than anybody can look over.
MOST_TIMES = 8


def check_steps(folder: Folder) -> None:
    """Every procedure version."""
    for found in folder.procedures:
        procedure = found.value
        shared = {name for step in procedure.steps for name in step.shares}
        _check_times(procedure.other_times, procedure, found.entry, None)
        for step, entry in _with_entries(found):
            _check_times(step.other_times, procedure, entry, shared)
            _check_back(step, procedure, entry)
            _check_verification(step, entry)
            _check_wait(step, procedure, entry)
            _check_choice(step, procedure, entry)
            _check_place(step, found, entry, folder)


def _with_entries(found: Found[Procedure]) -> Iterable[tuple[Step, Entry]]:
    return zip(found.value.steps, found.parts["steps"], strict=True)


def _check_times(
    times: tuple[OtherTime, ...], procedure: Procedure, entry: Entry, shared: set[str] | None
) -> None:
    if len(times) > MOST_TIMES:
        entry.fault(
            "other_times",
            en=f"{len(times)} other times, at most {MOST_TIMES}: make procedures of their own",
            vi=f"có {len(times)} thời hạn khác, tối đa {MOST_TIMES}: hãy tách thành thủ tục riêng",
        )
    branches = [branch.code for branch in procedure.branches]
    for other in times:
        _known(other.channel, procedure.channels, entry, "channel")
        _known(other.branch, branches, entry, "branch")
        _check_case(other, procedure, entry, shared)


def _known(word: str | None, known: Iterable[str], entry: Entry, what: str) -> None:
    if word is not None and word not in (known := list(known)):
        en, vi = did_you_mean(word, known)
        entry.fault(
            "other_times",
            en=f"{what} '{word}' is not one of this version: {en}",
            vi=f"{what} '{word}' không có ở phiên bản này: {vi}",
        )


def _check_case(
    other: OtherTime, procedure: Procedure, entry: Entry, shared: set[str] | None
) -> None:
    if other.field is None:
        return
    choices = {field.name: field.choices for field in procedure.form if field.type == "choice"}
    _known(other.field, choices, entry, "field (type choice)")
    if other.field not in choices:
        return
    _known(other.value, choices[other.field], entry, f"answer of {other.field}:")
    if shared is not None and other.field not in shared:
        entry.fault(
            "other_times",
            en=f"no step gets to see '{other.field}', so no step's time can hang on it: "
            "add it to a 'shares'",
            vi=f"không bước nào được xem '{other.field}' nên thời hạn của bước không thể theo nó: "
            "hãy thêm vào một 'shares'",
        )


# --- loops ------------------------------------------------------------------------------------


def _check_back(step: Step, procedure: Procedure, entry: Entry) -> None:
    if step.back is None:
        return
    steps = {each.code: each for each in procedure.steps}
    earlier = _before(step.code, steps)
    if step.kind != "task" or step.after_result:
        entry.fault(
            "back",
            en="only an agency's step before the result can send back: delete 'back'",
            vi="chỉ bước của cơ quan trước khi có kết quả mới trả lại được: hãy xóa 'back'",
        )
    elif step.back.to not in earlier:
        en, vi = did_you_mean(step.back.to, earlier)
        entry.fault(
            "back",
            en=f"'{step.back.to}' is no earlier step of this way: {en}",
            vi=f"'{step.back.to}' không phải bước trước của đường này: {vi}",
        )
    else:
        _check_done_again(step, steps, entry)


def _check_done_again(step: Step, steps: Mapping[str, Step], entry: Entry) -> None:
    to = step.back.to if step.back else ""
    if steps[to].branch not in (None, step.branch):
        entry.fault(
            "back",
            en=f"'{to}' is of a branch that may not be chosen: go back to a step of this way",
            vi=f"'{to}' thuộc nhánh có thể không được chọn: hãy trả về bước của đường này",
        )
    again = [each for each in steps.values() if to in _before(each.code, steps)]
    again = [each for each in (*again, steps[to]) if step.code not in _before(each.code, steps)]
    if chosen := [each.code for each in again if each.chooses]:
        entry.fault(
            "back",
            en=f"a branch is chosen once, and in this loop it would be twice ({', '.join(chosen)}): "
            "go back to a step after it",
            vi=f"nhánh chỉ được chọn một lần, trong vòng này sẽ hai lần ({', '.join(chosen)}): hãy trả "
            "về bước sau đó",
        )
    paid = [each.code for each in again if each.kind == "payment"]
    if paid:
        entry.fault(
            "back",
            en=f"the citizen would pay twice in this loop ({', '.join(paid)}): go back to a later "
            "step",
            vi=f"công dân sẽ phải nộp tiền hai lần trong vòng này ({', '.join(paid)}): hãy trả về "
            "bước sau đó",
        )


def _before(code: str, steps: Mapping[str, Step]) -> set[str]:
    """All that comes before a step, however far."""
    found: set[str] = set()
    queue = list(steps[code].after)
    while queue:
        before = queue.pop()
        if before in steps and before not in found:
            found.add(before)
            queue.extend(steps[before].after)
    return found


# --- verifications, waits, places ---------------------------------------------------------------


def _check_verification(step: Step, entry: Entry) -> None:
    if step.verification is None:
        return
    if step.kind != "task" or step.after_result or step.pauses_clock:
        entry.fault(
            "verification",
            en="this step takes nothing of the legal time, so a verification cannot add to it: "
            "delete 'verification'",
            vi="bước này không tính vào thời hạn nên xác minh không cộng thêm được: "
            "hãy xóa 'verification'",
        )
    if step.verification.time.unit == "same_day":
        entry.fault(
            "verification",
            en="a verification adds time: write {value: 5, unit: working_day}",
            vi="xác minh là thêm thời gian: hãy ghi {value: 5, unit: working_day}",
        )


def _check_choice(step: Step, procedure: Procedure, entry: Entry) -> None:
    if not step.chooses:
        return
    if step.kind != "task" or step.after_result or step.silence == "consent":
        entry.fault(
            "chooses",
            en="only an agency that answers before the result can choose: delete 'chooses' or "
            "'silence'",
            vi="chỉ cơ quan trả lời trước khi có kết quả mới chọn được: hãy xóa 'chooses' hoặc 'silence'",
        )
    if len(step.chooses) < 2:
        entry.fault(
            "chooses",
            en="a choice needs at least two branches",
            vi="phải có ít nhất hai nhánh để chọn",
        )
    _check_ways(step, procedure, entry)
    codes = [each.code for each in step.chooses]
    others = [branch.code for branch in procedure.branches]
    others += [c.code for each in procedure.steps if each is not step for c in each.chooses]
    twice = sorted({code for code in codes if code in others or codes.count(code) > 1})
    if twice:
        entry.fault(
            "chooses",
            en=f"'{', '.join(twice)}' is a branch already: give each its own code",
            vi=f"'{', '.join(twice)}' đã là nhánh: hãy đặt mã riêng cho mỗi nhánh",
        )


def _check_ways(step: Step, procedure: Procedure, entry: Entry) -> None:
    """The steps of the branches come after the choice, and none of them is a payment at once."""
    steps = {each.code: each for each in procedure.steps}
    codes = [each.code for each in step.chooses]
    for each in procedure.steps:
        if each.branch in codes and step.code not in _before(each.code, steps):
            entry.fault(
                "chooses",
                en=f"'{each.code}' is of a branch that is chosen here, so it must come after: "
                f"after: [{step.code}]",
                vi=f"'{each.code}' thuộc nhánh được chọn ở đây nên phải đến sau: after: [{step.code}]",
            )
        if each.kind == "payment" and step.code in each.after:
            entry.fault(
                "chooses",
                en=f"who chooses names no sum: let a step of the branch do it before '{each.code}'",
                vi=f"bước chọn nhánh không nêu số tiền: hãy thêm một bước tính tiền trước '{each.code}'",
            )


def _check_wait(step: Step, procedure: Procedure, entry: Entry) -> None:
    if step.kind != "wait":
        return
    if step.budget is None or step.budget.unit == "same_day":
        entry.fault(
            "budget",
            en="a waiting period needs its length: budget: {value: 15, unit: day}",
            vi="thời gian chờ phải có độ dài: budget: {value: 15, unit: day}",
        )
    for key, wrong in (
        ("shares", bool(step.shares)),
        ("results", bool(step.results)),
        ("silence", step.silence != "none"),
        ("place", step.place is not None),
    ):
        if wrong:
            entry.fault(
                key,
                en=f"nobody works during a waiting period: delete '{key}'",
                vi=f"không cơ quan nào làm việc trong thời gian chờ: hãy xóa '{key}'",
            )
    followers = [each for each in procedure.steps if step.code in each.after]
    if not any(each.branch in (None, step.branch) for each in followers):
        entry.fault(
            "kind",
            en="a waiting period decides nothing: let a step come after it that every dossier has",
            vi="thời gian chờ không quyết định gì: hãy thêm sau nó một bước mà hồ sơ nào cũng có",
        )


def _check_place(step: Step, found: Found[Procedure], entry: Entry, folder: Folder) -> None:
    if step.place is None or step.kind == "wait":
        return
    field = next((one for one in found.value.form if one.name == step.place), None)
    if field is None or field.type != "choice" or not field.required:
        names = [one.name for one in found.value.form if one.type == "choice" and one.required]
        en, vi = did_you_mean(step.place, names)
        entry.fault(
            "place",
            en=f"'{step.place}' is no required field of type choice: {en}",
            vi=f"'{step.place}' không phải ô bắt buộc kiểu choice: {vi}",
        )
        return
    if step.place not in step.shares:
        entry.fault(
            "place",
            en=f"the agency must see the place that makes it competent: add '{step.place}' to "
            "'shares'",
            vi=f"cơ quan phải được xem nơi làm nó có thẩm quyền: hãy thêm '{step.place}' vào "
            "'shares'",
        )
    day = found.value.valid_from
    wards = [each.value.name for each in folder.wards if each.value.is_valid(day)]
    for name in field.choices:
        if name not in wards:
            en, vi = did_you_mean(name, wards)
            entry.fault(
                "place",
                en=f"'{name}' of {step.place} is no ward on {day}: {en}",
                vi=f"'{name}' của {step.place} không phải xã phường ngày {day}: {vi}",
            )
