"""Who did it and who looked: the access log of a service, sealed by a chain of digests.

`entry` is what one act is, `tables` where acts lie and how they are kept from being changed, `log`
how they are written beside the work, `chain` how they are sealed, checked and pruned, `keeper` the
loop that does so by itself.
"""

from shared.identity.audit.chain import Seal, Verdict, prune, seal, verify
from shared.identity.audit.entry import Entry
from shared.identity.audit.keeper import Keeper
from shared.identity.audit.log import AccessLog, note, pass_over, reveal, saw
from shared.identity.audit.tables import define

__all__ = [
    "AccessLog",
    "Entry",
    "Keeper",
    "Seal",
    "Verdict",
    "define",
    "note",
    "pass_over",
    "prune",
    "reveal",
    "saw",
    "seal",
    "verify",
]
