"""What happens to a program on its bad day, one trial after the other, and what is asked of it each time.

A program is judged by its answers alone: which tasks have one, under how many ids, and whether each
keeps the contract. It may answer as it likes: done, refused, papers asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from shared.events.agencies import AnswerCompleted, TaskCancelled
from simulation.conformance.consumer import LEAVE_SECONDS, Consumer
from simulation.conformance.peer import Peer

MANY: Final = 20
_BIG: Final = 200_000  # letters of a form near the largest message
# What an agency's own software may put into AMQP, and bodies that no reader can read.
_POISON: Final = (
    b"",
    b"\xff\xfe\x00",
    b"no json",
    b"[]",
    b'{"id": 5}',
    b'{"specversion": "1.0"}',
    b"null",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried; `words` say in two languages what is asked."""

    name: str
    vi: str
    en: str
    passed: bool
    seen: str  # what was seen where it failed
    seconds: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What a trial works with; `patience` is how long an answer may take, in seconds."""

    peer: Peer
    consumer: Consumer
    close_lines: Callable[[], int]
    patience: float

    def answered(self, *tasks: str) -> str:
        """Empty where each of these tasks gets its answer in time, else which do not."""
        if self.peer.until(lambda: self.peer.answered(*tasks), self.patience):
            return ""
        left = [task for task in tasks if not self.peer.answered(task)]
        alive = "" if self.consumer.alive else "; the program has ended"
        return f"no answer to {', '.join(left)}{alive}"

    def once(self, *tasks: str) -> str:
        """Empty where each has one answer, however often that came."""
        many = [task for task in tasks if len(self.peer.final_ids(task)) > 1]
        return f"answered under more than one id: {', '.join(many)}" if many else ""


Play = Callable[[Bench], str]


def _first(bench: Bench) -> str:
    bench.peer.assign("first")
    return bench.answered("first")


def _repeats(bench: Bench) -> str:
    body = bench.peer.assign("repeated")
    for _ in range(2):
        bench.peer.put(body)
    bench.peer.assign("after-repeats")
    seen = bench.answered("repeated", "after-repeats")
    bench.peer.put(body)
    bench.peer.assign("much-later")
    return seen or bench.answered("much-later") or bench.once("repeated")


def _odd(bench: Bench) -> str:
    for body in _POISON:
        bench.peer.put(body)
    unknown = bench.peer.message(TaskCancelled, "odd")
    bench.peer.put(unknown.replace(b"task.cancelled.v1", b"task.praised.v1"))
    bench.peer.put(unknown.replace(b"task.cancelled.v1", b"task.cancelled.v9"))
    headers: dict[str, Any] = {"x": [1, {"y": None}], "big": 2**62, "flag": True}
    more = bench.peer.message(TaskCancelled, "unknown-task")
    bench.peer.put(more, headers=headers, content_type="text/plain", priority=9)
    bench.peer.assign("after-odd", {"một tên lạ": {"sâu": [1, 2, {"x": "đ"}]}}, anything="new")
    return bench.answered("after-odd")


def _big(bench: Bench) -> str:
    bench.peer.assign("big", {"ghi_chu": "ắ" * (_BIG // 3)})
    return bench.answered("big")


def _no_results(bench: Bench) -> str:
    bench.peer.assign("no-results", results=[])
    seen = bench.answered("no-results")
    codes = [
        each.event.result_code
        for each in bench.peer.heard
        if each.task == "no-results" and isinstance(each.event, AnswerCompleted)
    ]
    return seen or ("a result code was invented" if any(codes) else "")


def _refused(bench: Bench) -> str:
    bench.peer.assign("refused")
    seen = bench.answered("refused")
    last = next((each for each in bench.peer.heard if each.task == "refused" and each.final), None)
    if last is None:
        return seen
    bench.peer.refuse(last)
    bench.peer.assign("after-refused")
    seen = bench.answered("after-refused")
    again = sum(each.task == "refused" and each.id == last.id for each in bench.peer.heard)
    # At most one new answer by itself: more is a circle that a person should have ended.
    circle = len(bench.peer.final_ids("refused")) > 2 or again > 3
    return seen or ("the refused answer was sent again and again" if circle else "")


def _line(bench: Bench) -> str:
    bench.peer.assign("before-break")
    seen = bench.answered("before-break")
    closed = bench.close_lines()
    bench.peer.assign("after-break")
    lost = "" if closed else "no connection of the program was found"
    return (
        seen or bench.answered("after-break") or bench.once("before-break", "after-break") or lost
    )


def _queue(bench: Bench) -> str:
    bench.peer.take_queue_away()
    bench.peer.assign("after-queue")
    return bench.answered("after-queue")


def _killed(bench: Bench) -> str:
    tasks = [f"kill-{n}" for n in range(MANY)]
    for n, task in enumerate(tasks):
        bench.peer.assign(task)
        if n % 7 == 6:  # in the middle of its work
            bench.peer.until(partial(bench.peer.answered, tasks[n - 6]), 5.0)
            bench.consumer.kill()
            bench.consumer.start()
    return bench.answered(*tasks) or bench.once(*tasks)


def _stopped(bench: Bench) -> str:
    tasks = [f"stop-{n}" for n in range(MANY)]
    for task in tasks[: MANY // 2]:
        bench.peer.assign(task)
    left = bench.consumer.stop()
    for task in tasks[MANY // 2 :]:
        bench.peer.assign(task)
    bench.consumer.start()
    seen = bench.answered(*tasks) or bench.once(*tasks)
    return seen or ("" if left else f"it did not leave within {LEAVE_SECONDS:.0f} s of SIGTERM")


def _acknowledged(bench: Bench) -> str:
    bench.consumer.stop()
    bench.peer.until(lambda: bench.peer.readers() == 0, 10.0)
    left = bench.peer.waiting()
    return f"{left} messages came back to the queue" if left else ""


def _contract(bench: Bench) -> str:
    faults = {each.fault for each in bench.peer.heard if each.event is None}
    return "; ".join(sorted(faults)[:5])


#: Name, what is asked of a program in Vietnamese and English, and how it is tried.
TRIALS: Final[tuple[tuple[str, str, str, Play], ...]] = (
    ("first-task", "trả lời một nhiệm vụ", "answers a task", _first),
    ("repeats", "bản tin đến nhiều lần chỉ được trả lời một lần", "answers a repeated message once", _repeats),
    ("odd-messages", "đi tiếp qua bản tin hỏng hoặc lạ", "goes on past broken and unknown messages", _odd),
    ("large-message", "nhận bản tin gần 256 KiB", "takes a message of nearly 256 KiB", _big),
    ("no-results", "không bịa mã kết quả", "invents no result code", _no_results),
    ("answer-refused", "câu trả lời bị từ chối không thành vòng lặp", "makes no circle of a refused answer", _refused),
    ("broken-line", "nối lại khi đường truyền đứt", "connects again after a broken line", _line),
    ("queue-made-anew", "đọc tiếp khi hàng đợi được tạo lại", "reads on after its queue was made anew", _queue),
    ("killed", "bị tắt đột ngột không mất, không trả lời hai lần", "loses and repeats nothing when killed", _killed),
    ("stopped", "dừng trong 15 giây khi được bảo, rồi làm tiếp", "leaves within 15 s when told, and goes on", _stopped),
    ("acknowledged", "xác nhận mọi bản tin đã nhận", "acknowledges all that it took", _acknowledged),
    ("contract", "mọi câu trả lời đúng hợp đồng", "keeps the contract in every answer", _contract),
)  # fmt: skip


def play(bench: Bench) -> Iterator[Trial]:
    """One trial after the other; the program is started by the first and stopped at the end."""
    bench.consumer.start()
    try:
        for name, vi, en, tried in TRIALS:
            began = time.monotonic()
            seen = tried(bench)
            yield Trial(name, vi, en, not seen, seen, time.monotonic() - began)
            if not bench.consumer.alive and name != "acknowledged":
                bench.consumer.start()
    finally:
        bench.consumer.kill()
