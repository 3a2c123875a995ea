"""What comes to an agency: kept, acknowledged, handled, and what is odd or fails put aside."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from partner import refusals
from partner.answering import Answering
from partner.errors import PartnerError, StoreTrouble, UnknownTask, UnreadableMessage
from partner.inbox import Aside, Entry, Unreadable
from partner.messages import Message
from partner.reading import number_of, read_message
from partner.reconciling import REPLY
from partner.transport import Arrival, Transport

Handler = Callable[[Message], None]
GapNotice = Callable[[range], None]
Notice = Callable[[], None]
CLOCKS_DIFFER = timedelta(hours=1)
log = logging.getLogger("partner")


class Taking(Answering):
    """Everything of the client that does not ask for messages; `partner.client.Client` does."""

    _on_gap: GapNotice
    _store_failed = False
    _patience = 0.0  # seconds that a message waits for missing ones which may be of its task

    # --- what went wrong -------------------------------------------------------------------

    def missing(self) -> list[range]:
        """Numbers of messages that have not come; `catch_up` fetches them."""
        return self._inbox.gaps.missing()

    def aside(self) -> list[Aside]:
        """The messages whose handling failed, those that are tried again and those put aside."""
        return self._inbox.aside()

    def unreadable(self) -> list[Unreadable]:
        """What came and is no message of the contract, kept with its bytes."""
        return self._inbox.unreadable()

    def again(self, task: str) -> None:
        """Try anew, at the next `poll`, what failed of a task; UnknownTask where nothing did."""
        if not self._inbox.again(task):
            raise _nothing_failed(task)

    def settle(self, task: str) -> None:
        """A person has seen to what failed of a task: go on with what came after it."""
        if not self._inbox.settle(task):
            raise _nothing_failed(task)

    # --- keeping what came -----------------------------------------------------------------

    def _look_at_store(self) -> None:
        """While the store cannot be written nothing is taken: it would only go back and forth."""
        if self._store_failed:
            self._store.probe()
            self._store_failed = False

    def _take_in(self, arrivals: Sequence[Arrival]) -> None:
        """Keep messages, and acknowledge them once they are on disk."""
        if not arrivals:
            return
        queue = self._needs_queue()
        try:
            with self._store.transaction():
                told = [
                    self._keep(each.body, sent_anew=not each.redelivered) for each in arrivals
                ]  # fmt: skip
        except BaseException as failed:
            self._store_failed = isinstance(failed, StoreTrouble)
            queue.close()
            raise
        try:
            for arrival in arrivals:
                queue.acknowledge(arrival)
        finally:  # what comes again for want of an acknowledgement is not told again
            _tell(told)

    def _take_in_page(self, bodies: Sequence[bytes]) -> int:
        """Keep messages of the door; the highest number among them, 0 where none can be read."""
        with self._store.transaction():
            told = [self._keep(body, sent_anew=False) for body in bodies]
        _tell(told)
        return max((number_of(body) or 0 for body in bodies), default=0)

    def _keep(self, body: bytes, *, sent_anew: bool) -> list[Notice]:
        """Keep one message; what is to be told of it once that is safe.

        Whatever is odd about it is put aside, as it came, and holds up nothing else.
        """
        try:
            with self._store.attempt():
                return self._keep_message(read_message(body), sent_anew=sent_anew)
        except UnreadableMessage as unreadable:
            reason = str(unreadable)
        except StoreTrouble:
            raise
        except Exception as odd:  # noqa: BLE001 - one odd message must not hold up its neighbours
            reason = f"it does not fit ({type(odd).__name__})"
        return self._put_aside(body, reason)

    def _put_aside(self, body: bytes, reason: str) -> list[Notice]:
        number = number_of(body)
        if not self._inbox.keep_unreadable(body, reason, number):
            return []
        named = "without a number" if number is None else f"number {number}"
        words = "put aside a message that cannot be read, %s: %s"
        return [partial(log.error, words, named, reason)]

    def _keep_message(self, message: Message, *, sent_anew: bool) -> list[Notice]:
        """Keep a message unless it came before.

        Where the city sends anew what came before, it may have lost what was answered (a broker
        without its disk): the answers go out again, under the ids they had.
        """
        known = self._inbox.seen(message)
        if known is not None and known != message.id:
            raise UnreadableMessage(f"number {message.sequence} came before under another id")
        if known is not None:
            if sent_anew:
                self._outbox.send_again(message.task)
            return []
        notices: list[Notice] = []
        if message.follows is not None:
            notices.append(self._begin_anew(message.follows))
        # The city has forgotten that it assigned this task, and does it again.
        assigned = message.kind == "assigned" and self._tasks.find(message.task) is not None
        if gap := self._inbox.keep(message, known=assigned or message.kind == REPLY):
            notices.append(partial(self._on_gap, gap))
        if assigned:
            self._outbox.send_again(message.task)
        self._tasks.apply(message)
        if message.kind == refusals.KIND:
            refusal = refusals.of_message(message)
            self._outbox.refused(refusal)
            notices.append(partial(self._on_refused, refusal))
        return notices

    def _begin_anew(self, follows: int) -> Notice:
        """The city's database was restored from a backup: answer again what it may have lost.

        Its clock and ours may differ.
        """
        since = self._inbox.came_since(follows)
        count = self._outbox.send_again_since(since and since - CLOCKS_DIFFER)
        words = "the city restored its database from a backup; %d answers are sent once more"
        return partial(log.warning, words, count)

    # --- handling --------------------------------------------------------------------------

    def _handle_due(self, handler: Handler) -> int:
        handled = 0
        while entries := self._inbox.due(patience=self._patience):
            handled += sum(self._handle(entry, handler) for entry in entries)
        return handled

    def _handle(self, entry: Entry, handler: Handler) -> bool:
        if self._inbox.spent(entry):
            self._note_failure(entry, "the program ended each time while it was handled")
            return False
        try:
            with self._inbox.turn(entry) as mine:
                if mine:
                    handler(entry.message)
        except StoreTrouble:
            self._store_failed = True
            raise
        except Exception as failed:
            log.debug("the handler failed", exc_info=True)
            self._note_failure(entry, _where(failed))
            return False
        return mine

    def _note_failure(self, entry: Entry, reason: str) -> None:
        pause = self._inbox.failed(entry, reason)
        then = "put aside" if pause is None else f"tried again in {pause:.0f} s"
        log.warning(
            "the handler failed at %s of the task %s: %s; %s",
            entry.message.kind,
            entry.message.task,
            reason,
            then,
        )

    def _needs_queue(self) -> Transport:
        if self._transport is None:
            raise PartnerError(
                "this needs the address of the broker: --url, PARTNER_URL or PARTNER_URL_FILE",
                "cần địa chỉ máy chủ: --url, PARTNER_URL hoặc PARTNER_URL_FILE",
            )
        return self._transport


def _tell(notices: Iterable[list[Notice]]) -> None:
    """Call the agency's own functions; one that fails takes nothing along."""
    for notice in chain.from_iterable(notices):
        try:
            notice()
        except Exception as failed:  # noqa: BLE001 - the agency's own program, as a handler is
            log.warning("a notice failed: %s", _where(failed))


def _nothing_failed(task: str) -> UnknownTask:
    return UnknownTask(
        f"nothing of the task {task} has failed", f"không có gì của nhiệm vụ {task} bị lỗi"
    )


def _where(failed: Exception) -> str:
    """Kind and place of an error of the handler, and not its text, which may hold a citizen's data."""
    frame = traceback.extract_tb(failed.__traceback__)[-1]
    return f"{type(failed).__name__} at {Path(frame.filename).name}:{frame.lineno} {frame.name}"


def warn_of_gap(gap: range) -> None:
    """Say in the log that numbers are missing."""
    log.warning("messages %d to %d have not come; catch up over HTTPS", gap.start, gap.stop - 1)
