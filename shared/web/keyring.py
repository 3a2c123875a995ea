"""The guard's door to the key ledger of the service's own database."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.identity import keys

if TYPE_CHECKING:
    from shared.database import Store

#: Keys that one process remembers; the one longest unused is forgotten first.
REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """Asks the ledger anew each time, so that a revoked key stops at once.

    Whose key it is never changes, so that is remembered (by the key's hash) for doors that ask
    only whether the key is still in force, in a trip that they make anyway.
    """

    store: Store
    _known: OrderedDict[bytes, keys.Principal] = field(default_factory=OrderedDict, repr=False)

    def verify(self, text: str) -> keys.Principal | None:
        """The principal of a key's full text, or None."""
        with self.store.query() as connection:
            principal = keys.verify(connection, text)
        if principal is None:
            self._known.pop(keys.hash_of(text), None)
        else:
            self._known[keys.hash_of(text)] = principal
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return principal

    def recall(self, text: str) -> keys.Principal | None:
        """Whose key it was when it was last verified; None for one that is not remembered."""
        return self._known.get(keys.hash_of(text))

    def still_valid(self, key_id: str) -> keys.Principal | None:
        """The principal of a key that was verified before, or None where it is revoked."""
        with self.store.query() as connection:
            return keys.find(connection, key_id)
