"""The wire: what a message and an answer are, and answers written, as CloudEvents 1.0 in JSON.

Pure functions. How a message is read is in reading.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from partner.errors import BadAnswer

CONTENT_TYPE = "application/cloudevents+json"
EXCHANGE = "agency.answers"
OUTCOMES = ("granted", "refused")
# Each kind of answer, and what it makes of its task as the agency sees it.
KINDS = {
    "taken": "taken",
    "completed": "completed",
    "supplement_needed": "waiting",
    "refused": "refused",
    "more_time_needed": "taken",
    "not_ours": "handed_on",
    "sent_back": "handed_on",
    "verification_needed": "taken",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the agency's queue; `kind` is assigned, changed, cancelled or answer_refused.

    A kind of a later day has its wire type as its name. `sequence` is 0 for a refusal that the
    kit learnt otherwise than by a message of the city. `follows`: the city's database was restored
    from a backup, and this is the first message after it; what it had numbered above `follows` it
    has forgotten, and no number in between will come.
    """

    id: str
    kind: str
    sequence: int
    time: str
    task: str
    dossier: str
    data: Mapping[str, Any] = field(repr=False)
    body: bytes = field(repr=False)
    follows: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to be sent as often as it takes: its id stays the same."""

    id: str
    task: str
    kind: str
    body: bytes = field(repr=False)


def queue_of(agency: str) -> str:
    """The name of an agency's queue."""
    return f"agency.{agency}.tasks"


def key_of(agency: str, kind: str) -> str:
    """The routing key of an answer; the broker refuses every other agency's."""
    return f"answer.{agency}.{kind}"


def write_answer(
    agency: str, task: str, kind: str, data: Mapping[str, Any], *, answer_id: str, at: datetime
) -> Answer:
    """Make an answer, given at `at`; BadAnswer where the contract would refuse it."""
    _check(kind, data)
    return _written(agency, task, kind, {"task": task, **data}, answer_id, at)


def write_sums(agency: str, days: Sequence[Any], *, answer_id: str, at: datetime) -> Answer:
    """Make what hands in the sums of some days: it goes the way of answers, and is about no task."""
    data = {"agency": agency, "days": list(days)}
    return _written(agency, agency, "day_sums", data, answer_id, at)


def _written(
    agency: str, subject: str, kind: str, data: Mapping[str, Any], answer_id: str, at: datetime
) -> Answer:
    envelope = {
        "specversion": "1.0",
        "id": answer_id,
        "source": f"/agencies/{agency}",
        "type": f"vn.lienthong.answer.{kind}.v1",
        "subject": subject,
        "time": instant(at, "time"),
        "datacontenttype": "application/json",
        "data": data,
    }
    try:
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        raise BadAnswer(
            "a field holds what is no text, or half a character",
            "có trường không phải là chuỗi, hoặc có ký tự hỏng",
        ) from None
    return Answer(id=answer_id, task=subject, kind=kind, body=body)


def _check(kind: str, data: Mapping[str, Any]) -> None:
    if kind not in KINDS:
        raise BadAnswer(
            f"an answer is one of {', '.join(KINDS)}",
            f"câu trả lời là một trong {', '.join(KINDS)}",
        )
    if kind == "completed":
        if data.get("outcome") not in OUTCOMES:
            raise BadAnswer(
                f"the outcome is one of {', '.join(OUTCOMES)}",
                f"kết luận là một trong {', '.join(OUTCOMES)}",
            )
        amount = data.get("amount_vnd")
        if amount is not None and (not isinstance(amount, int) or amount < 0):
            raise BadAnswer(
                "amount_vnd is a whole number of dong", "amount_vnd là số đồng nguyên, không âm"
            )
    told = ("supplement_needed", "refused", "more_time_needed", "verification_needed")
    needs_reason = kind in told
    if kind in ("not_ours", "sent_back") and not data.get("reason"):
        raise BadAnswer(
            "a reason is needed: the next agency is told it",
            "cần lý do: cơ quan tiếp theo sẽ được báo lý do này",
        )
    if (needs_reason or data.get("outcome") == "refused") and not data.get("reason"):
        raise BadAnswer(
            "a reason is needed: the citizen is told it",
            "cần lý do: công dân sẽ được báo lý do này",
        )
    if kind == "supplement_needed" and not data.get("items"):
        raise BadAnswer(
            "name every missing item, all in one go", "hãy nêu mọi giấy tờ còn thiếu trong một lần"
        )


def items_of(items: Sequence[str]) -> list[str]:
    """The missing items as a list; a single text would be taken for its letters."""
    if isinstance(items, str):
        raise BadAnswer("items is a list of texts", "items là danh sách các chuỗi")
    return [item for item in items if item]


def instant(at: datetime, name: str) -> str:
    """Write an instant as RFC 3339 in UTC; BadAnswer for what is no datetime with a time zone."""
    if not isinstance(at, datetime):
        raise BadAnswer(f"{name} is a datetime with a time zone", f"{name} là datetime có múi giờ")
    if at.tzinfo is None:
        raise BadAnswer(
            f"{name} needs a time zone: 2022-03-25T17:00+07:00",
            f"{name} cần có múi giờ: 2022-03-25T17:00+07:00",
        )
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
