"""The moments a citizen hears about and the values a message may hold.

Never among them: an ID number, an address, a link. Which fact leads to which moment is the
notifier's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: What every text may hold: the dossier's own, its office's, the citizen's.
OF_CASE = frozenset({"code", "procedure", "due", "place", "hotline", "lookup", "office", "name"})
#: Each moment, with what its event gives beside (`tests/notify/test_moments.py` holds the two together).
_GIVEN: Final[Mapping[str, str]] = {
    "registered": "",
    "refused": "reason next_step",
    "received": "",
    "supplement_requested": "agency items reason respond_by step",
    "supplement_reminder": "agency items reason respond_by",
    "supplement_extended": "agency items respond_by",
    "supplemented": "",
    "supplement_dropped": "reason step",
    "payment_requested": "agency amount replaces step",
    "paid": "amount step",
    "resolved": "items reason",
    "result_code": "otp respond_by",
    "returned": "carrier waybill",
    "extended": "agency reason",
    "stopped": "agency reason next_step step",
    "withdrawn": "reason",
    "waybill_corrected": "carrier waybill",
    "verifying": "agency reason",
    "branched": "agency reason",
    "reorganised": "agency",
    "contact_changed": "",
    "partly_returned": "carrier waybill",
}
MOMENTS: Final[Mapping[str, frozenset[str]]] = {
    moment: OF_CASE | frozenset(given.split()) for moment, given in _GIVEN.items()
}
VALUES: Final[frozenset[str]] = frozenset().union(*MOMENTS.values())
#: What the answer to a citizen's own SMS may hold besides: where a dossier stands, what was sent.
ASKED = frozenset({"status", "about", "sent_at", "mark"})
#: What a citizen's SMS can lead to, each with words of its own (rules.yaml, `answered_sms`).
ANSWERS = (
    "stopped", "started", "status", "not_found", "later", "genuine", "not_genuine", "help",
)  # fmt: skip
#: What a second party's message may hold: nothing of the applicant's but which dossier it is.
PARTY_VALUES = frozenset(
    {"code", "procedure", "due", "place", "hotline", "agency", "office", "name", "step"}
)
#: Roles of people that no procedure may give another meaning.
RESERVED_ROLES = ("applicant", "staff", "asker")
#: Moments of the applicant alone: a word for a result, a new number of theirs.
APPLICANTS_ONLY = ("result_code", "contact_changed", "waybill_corrected")


def party_moment(role: str, moment: str) -> str:
    """The name under which a second party's words for a moment stand: `giap-ranh.received`."""
    return f"{role}.{moment}"


EMAIL_ONLY = frozenset({"name"})
NEXT: Final = "next_step"
FREE = frozenset({"reason", "next_step", "items"})  # sentences that a person typed
# What may be cut short in an SMS, by whole words and in this order; all else is left whole.
SHORTENED = ("procedure", "items", "next_step", "reason", "step", "agency", "office", "place")
