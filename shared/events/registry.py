"""All events of the product: importing this enters every one of them."""

from __future__ import annotations

from typing import Final

from shared.events import agencies, intake, notify, routing
from shared.events.event import Kind, address, kind_named, kind_of, kinds, read, write

__all__ = ["KINDS", "Kind", "address", "kind_named", "kind_of", "read", "write"]

_MODULES: Final = (intake, routing, agencies, notify)
#: Wire type -> what the registry says of it, in the order of the modules, whoever is imported first.
KINDS: Final = {
    kind.type: kind
    for module in _MODULES
    for kind in kinds()
    if kind.cls.__module__ == module.__name__
}
