"""What an agency says of its tasks: kept first, sent until confirmed, told of what is refused."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from partner import refusals
from partner.door import Door
from partner.errors import AnswerRejected, BadAnswer, PartnerError
from partner.inbox import Inbox
from partner.messages import Answer, instant, items_of, write_answer
from partner.outbox import Outbox
from partner.refusals import Refusal
from partner.signing import Signer
from partner.store import Store
from partner.tasks import Task, Tasks
from partner.transport import NewId, Now, Transport

LONGEST_PAUSE = 30.0  # seconds between two attempts at what is away
RefusalNotice = Callable[[Refusal], None]
_LATER = Refusal("", "", "", "", "", "", "")
log = logging.getLogger("partner")


class Answering:
    """The agency's side of the talk; `partner.client.Client` adds the city's."""

    agency: str
    _store: Store
    _inbox: Inbox
    _tasks: Tasks
    _outbox: Outbox
    _transport: Transport | None
    _door: Door | None
    _now: Now
    _new_id: NewId
    _on_refused: RefusalNotice
    _signer: Signer | None
    _answers_rest = _answers_pause = 0.0  # until when by the monotonic clock; the last pause

    # --- looking ---------------------------------------------------------------------------

    def tasks(self, *, closed: bool = False) -> list[Task]:
        """Open tasks by their due instant; `closed` adds the others."""
        return self._tasks.all(closed=closed)

    def task(self, task: str) -> Task:
        """One task; UnknownTask where it never came."""
        return self._tasks.task(task)

    def unsent(self) -> int:
        """How many answers wait to be confirmed."""
        return len(self._outbox.unsent(limit=1_000_000))

    def refusals(self, *, standing: bool = False) -> list[Refusal]:
        """The answers that were not applied, oldest first.

        `standing`: only those whose task was not answered anew or cancelled since.
        """
        return self._outbox.refusals(standing=standing)

    # --- answering -------------------------------------------------------------------------

    def take(self, task: str, officer: str | None = None) -> str:
        """Say that somebody works on it; like every answer it returns the answer's id."""
        return self._answer(task, "taken", {"officer": officer})

    def complete(
        self,
        task: str,
        outcome: str = "granted",
        *,
        result_code: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        amount_vnd: int | None = None,
        file: str | None = None,
        branch: str | None = None,
    ) -> str:
        """Say that it is done; where it is refused, the citizen is told the reason.

        `file` is the receipt of a result that was handed in (`files.hand_in`); `branch` how the
        dossier goes on, one of the task's `branches` where it has any.
        """
        allowed = self.task(task).results
        if result_code is not None and allowed and result_code not in allowed:
            raise BadAnswer(
                f"the result code is one of {', '.join(allowed)}",
                f"mã kết quả là một trong {', '.join(allowed)}",
            )
        data = {
            "outcome": outcome,
            "result_code": result_code,
            "document": document,
            "reason": reason,
            "amount_vnd": amount_vnd,
            "file": file,
            "branch": branch,
        }
        return self._answer(task, "completed", data)

    def ask(
        self, task: str, items: Sequence[str], reason: str, respond_by: datetime | None = None
    ) -> str:
        """Say what is missing, every item in one go; the clock stops until the citizen brings it."""
        until = None if respond_by is None else instant(respond_by, "respond_by")
        data = {"items": items_of(items), "reason": reason, "respond_by": until}
        return self._answer(task, "supplement_needed", data)

    def refuse(self, task: str, reason: str) -> str:
        """Say that this cannot be done: the branch of the dossier ends, the citizen is told."""
        return self._answer(task, "refused", {"reason": reason})

    def not_ours(self, task: str, reason: str, agency: str | None = None) -> str:
        """Say that another agency is competent, and which one if that is known: it is handed on."""
        return self._answer(task, "not_ours", {"reason": reason, "agency": agency})

    def send_back(self, task: str, reason: str) -> str:
        """Send the dossier back to an earlier step, where the task's `may` has sent_back."""
        return self._answer(task, "sent_back", {"reason": reason})

    def verify(self, task: str, reason: str) -> str:
        """Open an extra verification, where the task's `may` has verification_needed."""
        return self._answer(task, "verification_needed", {"reason": reason})

    def more_time(self, task: str, reason: str, until: datetime) -> str:
        """Ask for more time before its date (the head decides); name the new date after it."""
        data = {"reason": reason, "until": instant(until, "until")}
        return self._answer(task, "more_time_needed", data)

    def _answer(self, task: str, kind: str, data: Mapping[str, Any]) -> str:
        """Keep the answer (in the handler's transaction, if one is open) and return its id."""
        self._tasks.task(task)
        answer_id = self._new_id()
        if self._signer is not None:
            signature = self._signer.sign(self.agency, answer_id, task, kind, data)
            data = {**data, "signature": signature}
        answer = write_answer(self.agency, task, kind, data, answer_id=answer_id, at=self._now())
        self._outbox.add(answer)
        return answer.id

    # --- sending ---------------------------------------------------------------------------

    def flush(self) -> int:
        """Send the answers that wait, in order; how many were confirmed.

        By the queue that is the broker's word; the city's own, if it refuses one, comes as a
        message. An answer that cannot be taken for its own sake is noted as refused (`on_refused`,
        `refusals`) and the others go on. Raises BrokerUnreachable, AccessDenied or DoorRefused
        where the line is at fault: what is unsent stays and waits.
        """
        confirmed = 0
        while answers := self._outbox.unsent():
            for answer in answers:
                refusal = self._send(answer)
                if refusal is _LATER:
                    self._rest_answers()
                    return confirmed
                if refusal is None:
                    self._outbox.sent(answer)
                    confirmed += 1
                else:
                    self._refuse(refusal)
        self._answers_rest = self._answers_pause = 0.0
        return confirmed

    def _flush_unless_resting(self) -> None:
        if time.monotonic() >= self._answers_rest:
            self.flush()

    def _rest_answers(self) -> None:
        self._answers_pause = min(max(1.0, self._answers_pause * 2), LONGEST_PAUSE)
        pause = self._answers_pause * random.uniform(0.5, 1.0)
        self._answers_rest = time.monotonic() + pause
        log.warning("the broker would not take an answer; it is sent again in %.0f s", pause)

    def _send(self, answer: Answer) -> Refusal | None:
        """None where it is safe, _LATER where it would not be taken now, or what is wrong with it."""
        if self._transport is not None:
            try:
                return None if self._transport.publish(answer) else _LATER
            except AnswerRejected as rejected:
                return refusals.of_broker(answer, str(rejected))
        if self._door is None:
            raise PartnerError(
                "an answer needs the broker (--url, PARTNER_URL) or the HTTPS door (--door, PARTNER_DOOR)",
                "cần máy chủ (--url, PARTNER_URL) hoặc cổng HTTPS (--door, PARTNER_DOOR) để trả lời",
            )
        return self._door.send(answer)

    def _refuse(self, refusal: Refusal) -> None:
        """Note what no message of the city told us, and let the program hear of it like one."""
        with self._store.transaction():
            fresh = self._outbox.refused(refusal)
            if fresh:
                dossier = self._tasks.task(refusal.task).dossier
                self._inbox.keep(refusals.as_message(refusal, dossier, self._now()))
        if fresh:
            self._on_refused(refusal)


def warn_of_refusal(refusal: Refusal) -> None:
    """Say in the log that an answer was not applied."""
    log.warning(
        "the city refused the answer %s (%s) to the task %s: %s",
        refusal.answer,
        refusal.kind,
        refusal.task,
        refusal.words(),
    )
