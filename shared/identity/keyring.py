"""The guard's door to the key ledger of the service's own database."""

from __future__ import annotations

from dataclasses import dataclass

from shared.database import Store
from shared.identity import keys


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """Asks the ledger anew each time, so that a revoked key stops at once."""

    store: Store

    def verify(self, text: str) -> keys.Principal | None:
        """The principal of a key's full text, or None."""
        with self.store.query() as connection:
            return keys.verify(connection, text)

    def still_valid(self, key_id: str) -> keys.Principal | None:
        """The principal of a key that was verified before, or None where it is revoked."""
        with self.store.query() as connection:
            return keys.find(connection, key_id)
