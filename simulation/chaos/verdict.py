"""What must hold after a run, told from the logs of the peers. Pure: the same evidence, the same verdict.

Nothing lost, nobody told twice, no more letters in doubt than there were reasons for doubt, and no
act in silence. Must not: ask anybody anything (evidence.py has asked).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.chaos.journal import Entry
from simulation.chaos.mail import Letter

LOST, TWICE, DOUBT, SILENCE, BROKEN = "lost", "told twice", "in doubt", "in silence", "broken"
KINDS: Final = (LOST, TWICE, DOUBT, SILENCE, BROKEN)
#: Moments of a dossier that come once in its life.
_ONCE: Final = frozenset({"received", "resolved", "returned", "stopped", "refused", "withdrawn"})
#: States of a message that moves no more by itself.
SETTLED: Final = frozenset(
    {"sent", "delivered", "uncertain", "undeliverable", "skipped"}
    | {"standby", "spared", "to_call", "cancelled", "recalled"}
)
_RETURNED: Final = 10
_ENDED: Final = frozenset({3, 7, 8, _RETURNED})
_ALWAYS: Final = ("received", "resolved", "returned")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be."""

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the peers know, and what the doors and commands of the city say.

    `uncertain` are messages that the city listed so before anybody settled one; `reasons` is for how
    many letters at most a kill or a broken line was reason for doubt. `shown` is how many parked
    facts `lienthong status` tells of.
    """

    acts: Sequence[Entry] = ()
    receipts: Collection[str] = ()  # codes that a desk got
    dossiers: Mapping[str, int] = field(default_factory=dict)  # code -> official status
    letters: Sequence[Letter] = ()
    messages: Sequence[Mapping[str, Any]] = ()  # id, dossier, moment, channel, state
    uncertain: Collection[str] = ()
    reasons: int = 0
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)  # agency -> refused answers
    parked: Mapping[str, str] = field(default_factory=dict)  # id -> reason
    held: Sequence[str] = ()  # what is neither done nor parked, in words
    shown: int = 0
    broken: Sequence[str] = ()  # 500s, processes and agencies that did not come back


def judge(evidence: Evidence) -> list[Finding]:
    """Everything that must not be, by kind; empty for a good run."""
    return [
        *_lost(evidence),
        *_twice(evidence),
        *_in_doubt(evidence),
        *_in_silence(evidence),
        *(Finding(BROKEN, each) for each in evidence.broken),
    ]


# --- lost -----------------------------------------------------------------------------------------


def _lost(evidence: Evidence) -> Iterator[Finding]:
    for code in evidence.receipts:
        status = evidence.dossiers.get(code)
        if status is None:
            yield Finding(LOST, f"{code}: the desk has a receipt, the city no dossier")
        elif status not in _ENDED:
            yield Finding(LOST, f"{code} came to no end, it stands at {status}")
    moments: dict[str, set[str]] = defaultdict(set)
    for message in evidence.messages:
        moments[message["dossier"]].add(message["moment"])
    for code, status in evidence.dossiers.items():
        for moment in _ALWAYS if status == _RETURNED else ():
            if moment not in moments[code]:
                yield Finding(LOST, f"{code}: nothing was written for the moment '{moment}'")
    yield from _letters_lost(evidence)


def _letters_lost(evidence: Evidence) -> Iterator[Finding]:
    kept = {letter.id for letter in evidence.letters if letter.kept}
    refused = {letter.id for letter in evidence.letters if letter.said.startswith("5")}
    for message in evidence.messages:
        name = f"{message['dossier']} '{message['moment']}' {message['id']}"
        if message["state"] == "sent" and message["id"] not in kept:
            yield Finding(LOST, f"{name}: sent says the city, the mail server has no such letter")
        if message["state"] not in SETTLED:
            yield Finding(LOST, f"{name} came to no end, it is '{message['state']}'")
        if message["state"] == "undeliverable" and message["id"] not in refused:
            yield Finding(LOST, f"{name}: given up, and no mail server refused it")


# --- twice ----------------------------------------------------------------------------------------


def _twice(evidence: Evidence) -> Iterator[Finding]:
    for code in sorted(set(evidence.dossiers) - set(evidence.receipts)):
        yield Finding(TWICE, f"{code}: a dossier for which no desk got a receipt")
    kept = Counter(letter.id for letter in evidence.letters if letter.kept)
    for letter, count in kept.items():
        if count > 1:
            yield Finding(TWICE, f"the letter {letter} reached its citizen {count} times")
    moments: Counter[tuple[str, str]] = Counter()
    for message in evidence.messages:
        if message["moment"] in _ONCE and kept[message["id"]]:
            moments[message["dossier"], message["moment"]] += 1
    for (code, moment), count in moments.items():
        if count > 1:
            yield Finding(TWICE, f"{code}: the citizen was told '{moment}' by {count} letters")


# --- doubt ----------------------------------------------------------------------------------------


def _in_doubt(evidence: Evidence) -> Iterator[Finding]:
    """A letter that the server left without a word explains itself; the others need a reason.

    Also one of which it read a part alone: the rest had left the sender, who cannot know.
    """
    wordless = {letter.id for letter in evidence.letters if not letter.said}
    unexplained = sorted(set(evidence.uncertain) - wordless)
    if len(unexplained) > evidence.reasons:
        yield Finding(
            DOUBT,
            f"{len(unexplained)} letters are uncertain and the mail server did not hang up on them; "
            f"kills and broken lines explain {evidence.reasons} at most: {', '.join(unexplained)}",
        )


# --- silence --------------------------------------------------------------------------------------


def _in_silence(evidence: Evidence) -> Iterator[Finding]:
    for entry in evidence.acts:
        ok, said = verdict_of(entry, evidence)
        if not ok:
            yield Finding(SILENCE, f"act {entry.number} ({name_of(entry)}): {said}")
    known = {entry.facts.get("parked") for entry in evidence.acts}
    for fact, reason in evidence.parked.items():
        if fact not in known:
            yield Finding(SILENCE, f"parked, and nobody asked for it: {fact[:12]} ({reason})")
    if evidence.shown != len(evidence.parked):
        words = f"{len(evidence.parked)} facts are parked, status tells of {evidence.shown}"
        yield Finding(SILENCE, words)
    yield from (Finding(SILENCE, f"still held: {each}") for each in evidence.held)


def verdict_of(entry: Entry, evidence: Evidence) -> tuple[bool, str]:
    """Whether an act got what it must get, and in which words."""
    if entry.ok is not None:
        return entry.ok, entry.said
    if entry.act.startswith("file"):
        code = entry.facts.get("code")
        status = evidence.dossiers.get(str(code))
        return code is not None and status in _ENDED, f"{code or 'no receipt'}, status {status}"
    if entry.act == "rude":
        return _of_rude(entry.facts, evidence)
    return False, "no verdict"


def _of_rude(facts: Mapping[str, Any], evidence: Evidence) -> tuple[bool, str]:
    verdict = facts.get("verdict")
    if not facts.get("said"):
        return False, "the broker never took it"
    if verdict == "parked":
        reason = evidence.parked.get(str(facts.get("parked")))
        return reason is not None, f"parked: {reason}" if reason else "neither parked nor told"
    count = list(evidence.told.get(str(facts.get("agency")), ())).count(str(facts.get("answer")))
    if verdict == "once":
        return count == 1, f"told {count} times"
    return count > 0, "told" if count else "neither told nor parked"


def name_of(entry: Entry) -> str:
    """What an act is called in the table."""
    detail = entry.what.get("kind") or entry.what.get("process") or ""
    if entry.act == "fault":
        detail = f"{entry.what['kind']} on {entry.what['line']}"
    return f"{entry.act}: {detail}" if detail else entry.act
