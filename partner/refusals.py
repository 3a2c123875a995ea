"""A refused answer, by whichever way the kit learnt of it: by a message, at the door, at the broker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from partner.messages import Answer, Message, instant
from partner.reading import read_message

KIND = "answer_refused"
# How the city calls the state of a task, and how the agency sees it; a closed one stays closed.
_STATES = {"assigned": "open", "taken": "taken", "paused": "paused"}
_STATES |= {"answered": "completed", "cancelled": "cancelled"}
_BY_RULE = {"already_answered": "completed", "already_cancelled": "cancelled"}
_BY_RULE |= {"already_transferred": "handed_on"}


class Refusal(NamedTuple):
    """One answer that was not applied; nothing has changed by it.

    `said` is English, `vi` Vietnamese (either may be empty); `rule` is a stable code, `place` the
    field that is wrong, empty where it is the whole answer. `state`: how the task stands at the
    city, None where that is not told.
    """

    task: str
    kind: str
    said: str
    vi: str
    answer: str
    rule: str
    place: str
    state: str | None = None

    def words(self) -> str:
        """What is wrong, in one line: rule, place, and the words of both languages."""
        where = f" ({self.place})" if self.place else ""
        return f"{self.rule}{where}: {' / '.join(each for each in (self.vi, self.said) if each)}"


def of_message(message: Message) -> Refusal:
    """What a message of the kind `answer_refused` says."""
    told = message.data
    return Refusal(
        task=message.task,
        kind=told.get("kind") or "",
        said=told.get("en") or "",
        vi=told.get("vi") or "",
        answer=told.get("answer_id") or "",
        rule=told.get("rule") or "refused",
        place=told.get("place") or "",
        state=_BY_RULE.get(told.get("rule") or "") or _STATES.get(str(told.get("state"))),
    )


def of_door(answer: Answer, told: Mapping[str, Any], otherwise: str) -> Refusal:
    """What the door said: a problem (RFC 9457) with its faults, or a reply `applied: false`."""
    listed = told.get("errors")
    faults = [
        each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)
    ]
    first = faults[0] if faults else told
    rule = str(first.get("rule") or told.get("code") or "refused")

    def words(name: str) -> str:
        return "; ".join(str(each[name]) for each in (*faults, told) if each.get(name))

    return Refusal(
        task=answer.task,
        kind=answer.kind,
        said=words("en") or str(told.get("detail") or told.get("note") or otherwise),
        vi=words("vi"),
        answer=answer.id,
        rule=rule,
        place=str(first.get("place") or ""),
        state=_STATES.get(str(told.get("state"))) or _BY_RULE.get(rule),
    )


def of_broker(answer: Answer, said: str) -> Refusal:
    """What the broker said of one answer that it will not have."""
    return Refusal(
        task=answer.task,
        kind=answer.kind,
        said=said,
        vi="máy chủ bản tin không nhận câu trả lời này",
        answer=answer.id,
        rule="not_taken",
        place="",
    )


def as_message(refusal: Refusal, dossier: str, at: datetime) -> Message:
    """A refusal that came by no message, as one: the agency's program sees all in one way."""
    data = {
        "task": refusal.task,
        "dossier": dossier,
        "answer_id": refusal.answer,
        "kind": refusal.kind,
        "rule": refusal.rule,
        "place": refusal.place,
        "vi": refusal.vi,
        "en": refusal.said,
    }
    envelope = {
        "specversion": "1.0",
        "id": f"refused:{refusal.answer}",
        "source": "/kit",
        "type": f"vn.lienthong.task.{KIND}.v1",
        "time": instant(at, "time"),
        "data": data,
    }
    return read_message(json.dumps(envelope).encode(), numbered=False)
