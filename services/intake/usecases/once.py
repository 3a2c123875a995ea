"""The same request gives the same answer for ever: what a write does under an Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from services.intake.storage.answers import KeptAnswer, KeyTaken, find_answer, keep_answer
from shared.database import Store, UnitOfWork
from shared.kernel.actor import Actor
from shared.kernel.errors import Conflict, Fault, InvalidInput, Refused

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent: HTTP status and JSON text; `kept` if it was given before."""

    status: int
    body: str
    kept: bool = False


Act = Callable[[UnitOfWork], tuple[int, dict[str, Any]]]


def digest(method: str, path: str, body: Any) -> str:
    """What makes two requests the same, however their JSON is laid out."""
    text = json.dumps([method, path, body], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def answer_once(
    store: Store, owner: str, key: str | None, request: str, act: Act, *, actor: Actor
) -> Answer:
    """Do it and keep the answer with it in one transaction, or give the answer kept.

    A refused request keeps nothing, so it can be sent again mended. Conflict where the key was
    used for another request.
    """
    if key is None:
        with store.begin(actor) as uow:
            status, data = act(uow)
            body = _json(data)
        return Answer(status, body)
    _check_key(key)
    try:
        return _first_time(store, owner, key, request, act, actor)
    except (KeyTaken, Refused):
        # Done before, or refused because it was done before: the ledger knows. It is not asked
        # first, as nearly every request is the first under its key.
        with store.read() as connection:
            kept = find_answer(connection, owner, key)
        if kept is None:
            raise
        return _again(kept, request)


def _first_time(store: Store, owner: str, key: str, request: str, act: Act, actor: Actor) -> Answer:
    with store.begin(actor) as uow:
        status, data = act(uow)
        body = _json(data)
        keep_answer(uow, owner, key, KeptAnswer(request, status, body))
    return Answer(status, body)


def _again(kept: KeptAnswer, request: str) -> Answer:
    if kept.request != request:
        raise Conflict(
            "this Idempotency-Key was used for another request",
            vi="Khóa Idempotency-Key này đã dùng cho một yêu cầu khác.",
        )
    return Answer(kept.status, kept.answer, kept=True)


def _check_key(key: str) -> None:
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput(
            [
                Fault(
                    "Idempotency-Key",
                    f"Từ 1 đến {LONGEST_KEY} ký tự ASCII.",
                    f"must have 1 to {LONGEST_KEY} printable ASCII characters",
                )
            ]
        )


def _json(data: dict[str, Any]) -> str:
    return msgspec.json.encode(data).decode()
