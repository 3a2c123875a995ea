"""The moments a citizen hears about and the values a message may hold.

Never among them: an ID number, an address, a link. Which fact leads to which moment is the
notifier's business.
"""

from __future__ import annotations

MOMENTS = (
    "registered", "refused", "received", "supplement_requested", "supplement_reminder",
    "supplement_extended", "supplemented", "supplement_dropped", "payment_requested", "paid",
    "resolved", "result_code", "returned", "extended", "stopped", "withdrawn",
    "waybill_corrected", "verifying", "reorganised",
    "contact_changed", "partly_returned",
)  # fmt: skip

VALUES = frozenset({
    "code", "procedure", "due", "place", "hotline", "lookup", "reason", "next_step", "agency",
    "items", "amount", "office", "name", "step", "respond_by", "replaces",
    "carrier", "waybill", "otp",
})  # fmt: skip
#: What the answer to a citizen's own SMS may hold besides: where a dossier stands, what was sent.
ASKED = frozenset({"status", "about", "sent_at", "mark"})
#: What a citizen's SMS can lead to, each with words of its own (rules.yaml, `answered_sms`).
ANSWERS = (
    "stopped", "started", "status", "not_found", "later", "genuine", "not_genuine", "help",
)  # fmt: skip
EMAIL_ONLY = frozenset({"name"})
FREE = frozenset({"reason", "next_step", "items"})  # sentences that a person typed
# What may be cut short in an SMS, in this order; all else is left whole.
SHORTENED = ("procedure", "items", "next_step", "reason", "step", "agency", "office", "place")
