"""The channel: text messages by SMPP, a window of letters at a time on a line that stays open.

What an SMSC refused before it took anything is `Failed` or `Busy`; a letter of which a part went
out and got no clear word is `Unknown`, and no part of it is sent again that was perhaps taken.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.notify.channels.smpp import pdus
from services.notify.channels.smpp.line import Broken, Line, Times
from services.notify.channels.smpp.opening import opened
from services.notify.channels.smpp.server import SmppServer
from services.notify.channels.smpp.texts import TooLong, cut, whole
from services.notify.channels.window import window
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Sent,
    Unknown,
    Waiting,
    Word,
)
from services.notify.domain.incoming import Incoming
from services.notify.domain.receipts import Receipt, Ticket, number_of

TOO_LONG: Final = "smpp: more than 255 parts"
_SLICE: Final = 0.25
ASK_SECONDS: Final = 3.0


class SmppChannel:
    """Hands letters to an SMSC; not idempotent, because SMPP has no such promise.

    One thread sends, another takes receipts; both use the one line, which opens again by itself.
    """

    idempotent = False
    remote = True

    def __init__(
        self,
        name: str,
        server: SmppServer,
        *,
        times: Times = Times(),  # noqa: B008 - frozen
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._server = server
        self._times = times
        self._context = tls_context
        self._opening = threading.Condition()
        self._opens = False
        self._line: Line | None = None
        self._away: tuple[float, str] = (0.0, "")  # until then (monotonic) nobody is asked, and why
        self._refused = 0  # how often in a row it would not have us
        self._throttled = 0  # how often in a row it had enough
        self._next_at = 0.0  # monotonic: when the next part may go

    # --- letters ---------------------------------------------------------------------------------

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        waiting = iter(letters)
        first = next(waiting, None)
        while first is not None:
            taken, first = window(first, waiting, self._server.window)
            yield from self._hand_over(taken)
            if self._throttled and first is not None:
                yield self._busy()
                return

    def close(self) -> None:
        """Say goodbye; the channel may be used again afterwards."""
        line, self._line = self._line, None
        if line is not None:
            line.unbind()

    def check(self) -> Iterator[Waiting]:
        """Connect and sign in, and send nothing; `Broken` says what failed."""
        opened(self._server, self._times, self._context).unbind()
        yield Waiting()

    def _hand_over(self, taken: Sequence[Letter]) -> Iterator[Word]:
        """A result for each letter of the window."""
        try:
            while (line := self._bound(_SLICE)) is None:
                yield Waiting()
        except Broken as broken:
            away = Failed(str(broken))
            yield from (away for _ in taken)
            return
        yield GoingOut(len(taken))
        handed = [_Handed(letter, self._parts(letter)) for letter in taken]
        for each in handed:
            yield from self._submit(line, each)
        for each in handed:
            yield from self._hear(line, each)
        self._count_throttled(handed)
        for each in handed:
            if each.is_begun and any(part.enough for part in each.parts):
                yield from self._complete(line, each)
        results = [each.result() or self._busy() for each in handed]
        self._refused = 0 if line.answered > 1 else self._refused
        if not any(isinstance(result, Busy) for result in results):
            self._throttled = 0
        yield from results

    def _count_throttled(self, handed: Iterable[_Handed]) -> None:
        if any(part.enough for each in handed for part in each.parts):
            self._throttled += 1

    def _busy(self) -> Busy:
        pause = self._times.throttled * 2.0 ** min(self._throttled - 1, 10)
        return Busy("smpp: throttled", min(self._times.longest_pause, pause))

    def _parts(self, letter: Letter) -> list[_Part]:
        if self._server.payload:
            coding, text = whole(letter.body)
            return [_Part(coding, text, False, number_of(letter.id, letter.tries, 0))]
        digest = hashlib.blake2b(f"{letter.id} {letter.tries}".encode(), digest_size=1).digest()
        try:
            made = cut(letter.body, digest[0])
        except TooLong:
            return []
        return [
            _Part(made.coding, text, made.joined, number_of(letter.id, letter.tries, n))
            for n, text in enumerate(made.parts, start=1)
        ]

    def _submit(self, line: Line, handed: _Handed) -> Iterator[Waiting]:
        for part in handed.parts:
            if not part.is_open:
                continue
            if line.closed:
                part.unsent = line.closed
                continue
            yield from self._wait_for_turn()
            raw = line.make.submit(
                handed.letter.to, part.coding, part.text, joined=part.joined, number=part.number
            )
            part.asked(pdus.sequence_of(raw))
            try:
                line.ask(part.sequence, raw)
            except Broken as broken:
                part.unsent = str(broken)

    def _wait_for_turn(self) -> Iterator[Waiting]:
        if not self._server.per_second:
            return
        while (left := self._next_at - time.monotonic()) > 0:
            yield Waiting()
            time.sleep(min(left, _SLICE))
        self._next_at = max(self._next_at, time.monotonic()) + 1.0 / self._server.per_second

    def _hear(self, line: Line, handed: _Handed) -> Iterator[Waiting]:
        end = time.monotonic() + self._times.reply
        for part in handed.parts:
            while part.is_waiting:
                try:
                    answer = line.answer(part.sequence, _SLICE)
                except Broken as broken:
                    part.broken = str(broken)
                    break
                if answer is not None:
                    part.answered(answer)
                elif time.monotonic() > end:
                    part.broken = "no answer"
                else:
                    yield Waiting()
        if any(part.broken == "no answer" for part in handed.parts):
            line.close("no answer")  # whatever comes behind it is of no use any more

    def _complete(self, line: Line, handed: _Handed) -> Generator[Waiting, None, None]:
        """A letter of which a part was taken: the others must follow, whatever it takes."""
        end = time.monotonic() + self._times.parts
        while any(part.enough for part in handed.parts) and time.monotonic() < end:
            pause = time.monotonic() + self._busy().seconds
            while (left := pause - time.monotonic()) > 0:
                yield Waiting()
                time.sleep(min(left, _SLICE))
            for part in handed.parts:
                part.enough = False
            yield from self._submit(line, handed)
            yield from self._hear(line, handed)
            self._count_throttled([handed])

    # --- the line --------------------------------------------------------------------------------

    def _bound(self, seconds: float) -> Line | None:
        """The line, waited for so long while it opens; `Broken` while it is known to be away."""
        with self._opening:
            if (line := self._alive()) is not None:
                return line
            if self._line is not None and self._line.answered <= 1:
                # Let in and put out again: as good as not let in.
                self._rest(f"smpp: {self._line.closed}")
            self._line = None
            until, why = self._away
            if time.monotonic() < until:
                raise Broken(why)
            if not self._opens:
                self._opens = True
                threading.Thread(target=self._open, name="notify.smpp.opening", daemon=True).start()
            self._opening.wait_for(lambda: not self._opens, seconds)
            return self._alive()

    def _alive(self) -> Line | None:
        line = self._line
        return None if line is None or line.closed else line

    def _open(self) -> None:
        """An SMSC may take its time: whoever waits for the line may do something else meanwhile."""
        line, why = None, ""
        try:
            line = opened(self._server, self._times, self._context)
        except Broken as broken:
            why = str(broken)
        except Exception as odd:  # noqa: BLE001 - nobody else would hear of it in this thread
            why = f"smpp: {type(odd).__name__}"
        with self._opening:
            self._line, self._opens = line, False
            if line is None:
                self._rest(why)
            self._opening.notify_all()

    def _rest(self, why: str) -> None:
        """Ask nobody for a while, longer each time."""
        self._refused += 1
        pause = min(self._times.longest_pause, 0.5 * 2.0 ** min(self._refused, 10))
        self._away = (time.monotonic() + pause, why)

    # --- receipts --------------------------------------------------------------------------------

    def told(self, seconds: float) -> Sequence[Receipt | Incoming]:
        """What the SMSC has told; waits so long for the first. None while it is away."""
        try:
            line = self._bound(seconds)
        except Broken:
            time.sleep(min(seconds, _SLICE))
            return []
        if line is None:
            return []
        return [replace(each, provider=self.name) for each in line.told(seconds)]

    def thank(self, told: Sequence[Receipt | Incoming]) -> None:
        """These are written down; on a line that is gone they are told again, and harmless."""
        line = self._line
        if line is None:
            return
        try:
            line.thank(told)
        except Broken:
            return

    def ask(self, tickets: Sequence[Ticket]) -> list[Receipt]:
        """What became of these parts, as far as the SMSC says (query_sm)."""
        try:
            line = self._bound(_SLICE)
            if line is None:
                return []
            asked = [(ticket, *line.make.query(ticket.given)) for ticket in tickets]
            for _, sequence, raw in asked:
                line.ask(sequence, raw)
            answers = [(t, line.answer(sequence, ASK_SECONDS)) for t, sequence, _ in asked]
        except Broken:
            return []
        return [
            Receipt(self.name, (ticket.reference,), pdus.fate_of(answer), "query_sm")
            for ticket, answer in answers
            if answer is not None and answer.status == pdus.OK
        ]


@dataclass(slots=True)
class _Part:
    """One short message on its way, and what is known of it."""

    coding: int
    text: bytes = field(repr=False)
    joined: bool
    number: int
    sequence: int = 0
    name: str | None = None  # given by the SMSC: it has taken it
    refused: int | None = None
    enough: bool = False  # throttled: it was not taken
    broken: str = ""  # it went out, and got no word
    unsent: str = ""  # the line broke before its end went out

    @property
    def is_open(self) -> bool:
        said = self.broken or self.unsent
        return self.name is None and self.refused is None and not said

    @property
    def is_waiting(self) -> bool:
        return self.is_open and not self.enough and self.sequence > 0

    def asked(self, sequence: int) -> None:
        self.sequence = sequence

    def answered(self, answer: pdus.Pdu) -> None:
        if answer.status == pdus.OK and answer.command == "submit_sm_resp":
            self.name = pdus.given(answer)
        elif answer.status in pdus.ENOUGH:
            self.enough = True
        else:
            self.refused = answer.status or -1


@dataclass(slots=True)
class _Handed:
    """A letter of the window."""

    letter: Letter
    parts: list[_Part]

    @property
    def is_begun(self) -> bool:
        return any(part.name is not None for part in self.parts)

    def result(self) -> Result | None:
        """What became of it; None where the SMSC had enough before it took anything."""
        if not self.parts:
            return Failed(TOO_LONG, permanent=True)
        if all(part.name is not None for part in self.parts):
            return Sent(tuple(part.name or "" for part in self.parts))
        unsent = [part.unsent for part in self.parts if part.unsent]
        refused = [part.refused for part in self.parts if part.refused is not None]
        gone = [part.broken for part in self.parts if part.broken]
        if gone or self.is_begun:
            why = [*gone, *unsent, *(f"part refused {status}" for status in refused), "throttled"]
            return Unknown(f"smpp: {why[0]}", tuple(part.name or "" for part in self.parts))
        if refused:
            return Failed(f"smpp submit: {refused[0]}", permanent=refused[0] in pdus.FINAL)
        return Failed(f"smpp: {unsent[0]}") if unsent else None
