"""Coming to rest: everybody is waited for, operators do their part, and then the evidence is taken.

Bounded: what is not at rest after so long is found by the verdict. Must not: mend anything that an
operator could not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from simulation.chaos.agencies import Desk
from simulation.chaos.desks import Desks
from simulation.chaos.evidence import Inquiry, NoEvidence
from simulation.chaos.journal import Journal
from simulation.chaos.mail import Post
from simulation.chaos.stranger import Stranger
from simulation.chaos.town import Town
from simulation.chaos.verdict import BROKEN, SETTLED, Evidence, Finding, judge

OPERATOR: Final = "van-hanh"
#: After the last act: what a dead sender held is taken over after a minute of silence.
REST_SECONDS: Final = 300.0
_READY_SECONDS: Final = 60.0
#: What a broken line still carried has come by then, or never comes.
_SURE_SECONDS: Final = 10.0
_LAST_SECONDS: Final = 30.0
_TELL_SECONDS: Final = 20.0
_PAUSE: Final = 1.0

Say = Callable[[str], None]


class Rest:
    """The end of a run; `come` waits for it."""

    def __init__(
        self, inquiry: Inquiry, town: Town, journal: Journal, post: Post,
        desks: Desks, agencies: Mapping[str, Desk], stranger: Stranger, say: Say,
    ) -> None:  # fmt: skip
        self._inquiry = inquiry
        self._town = town
        self._journal = journal
        self._post = post
        self._desks = desks
        self._agencies = agencies
        self._stranger = stranger
        self._say = say
        self._resent: set[str] = set()
        self._uncertain: dict[str, float] = {}  # since when (monotonic)
        self._told = time.monotonic()

    def come(self, offices: Sequence[str], reasons: int) -> tuple[Evidence, list[Finding]]:
        """Wait until nothing is left to find, or for as long as a run may rest; the last findings."""
        end = time.monotonic() + REST_SECONDS
        self._town.ready_within(_READY_SECONDS)
        evidence, findings = Evidence(), [Finding(BROKEN, "nothing could be asked")]
        while time.monotonic() < end:
            time.sleep(_PAUSE)
            try:
                waiting = self._waiting()
                if waiting and time.monotonic() < end - _LAST_SECONDS:
                    self._tell(waiting)
                    continue
                evidence = self._evidence(offices, reasons)
            except NoEvidence as silent:
                findings = [Finding(BROKEN, str(silent))]
                continue
            findings = judge(evidence)
            if not findings:
                break
            self._tell(f"{findings[0].kind}: {findings[0].what}")
        return evidence, findings

    def _tell(self, words: str) -> None:
        if time.monotonic() > self._told + _TELL_SECONDS:
            self._told = time.monotonic()
            self._say(f"  not yet: {words}")

    def _waiting(self) -> str:
        """For what is still to be waited, in words; operators order letters again meanwhile."""
        messages = self._inquiry.messages(OPERATOR)
        moving = sum(each["state"] not in SETTLED for each in messages) + self._order(messages)
        unsent = [code for code, each in self._agencies.items() if each.unsent]
        parts = {
            f"{moving} letters": moving,
            f"{self._desks.left} requests and dossiers": self._desks.left,
            "what the stranger has to say": not self._stranger.idle,
            f"answers of {', '.join(unsent)}": unsent,
        }
        return "; ".join(words for words, there in parts.items() if there)

    def _order(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Send again what failed, and what is uncertain and not at the mail server; how many."""
        kept = {letter.id for letter in self._post.seen() if letter.kept}
        moving = 0
        for each in messages:
            sure = each["state"] == "failed"
            if each["state"] == "uncertain":
                since = self._uncertain.setdefault(each["id"], time.monotonic())
                sure = time.monotonic() - since > _SURE_SECONDS
            if each["state"] in ("failed", "uncertain") and each["id"] not in kept:
                moving += 1
                if sure:
                    self._inquiry.resend(OPERATOR, each["id"])
                    self._resent.add(each["id"])
        return moving

    # --- evidence -------------------------------------------------------------------------------

    def _evidence(self, offices: Sequence[str], reasons: int) -> Evidence:
        late = self._town.not_ready()
        for entry in self._journal.entries:
            if entry.facts.get("recovers") and not late:
                self._journal.settle(entry, "everything is ready again", ok=True)
        held, lines = self._inquiry.held(), self._inquiry.status()["lines"]
        return Evidence(
            acts=list(self._journal.entries),
            receipts=list(self._desks.filed),
            dossiers=self._inquiry.dossiers(offices),
            letters=self._post.seen(),
            messages=self._inquiry.messages(OPERATOR),
            uncertain=sorted(self._uncertain),
            reasons=reasons,
            told={agency: self._inquiry.told(agency) for agency in self._agencies},
            parked={each["id"]: each["reason"] for each in held if each["state"] == "parked"},
            held=_moving(held, lines),
            shown=sum(
                each["count"] or 0
                for each in lines
                if each["part"] == "held" and each["name"].endswith(" parked")
            ),
            broken=[
                *(f"not ready: {each}" for each in late),
                *(f"{code}: {each.broken}" for code, each in self._agencies.items() if each.broken),
                *(f"500 at {each}" for each in self._desks.failed),
            ],
        )

    def counts(self, evidence: Evidence) -> dict[str, int]:
        """What happened, in numbers."""
        letters = evidence.letters
        return {
            "dossiers filed": len(evidence.receipts),
            "letters kept by the mail server": sum(each.kept for each in letters),
            "letters that it left without a word": sum(not each.said for each in letters),
            "letters uncertain": len(evidence.uncertain),
            "kills and broken lines that may explain one": evidence.reasons,
            "letters sent again by the operator": len(self._resent),
            "answers refused and told": sum(map(len, evidence.told.values())),
            "facts parked": len(evidence.parked),
            "requests repeated after doubt": self._desks.repeats,
        }


def _moving(held: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is neither done nor parked, in words."""
    return [
        *(
            f"{each['consumer']} {each['state']} {each['type']}: {each['reason']}"
            for each in held
            if each["state"] != "parked"
        ),
        *(
            f"{each['name']} outbox: {each['count']}"
            for each in lines
            if each["part"] == "outbox" and each["count"]
        ),
    ]
