"""`python -m shared.events` writes docs/asyncapi.json, what is generated of pages, and new samples.

A golden sample is written once, for an event that has none; what is there is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shared.events.asyncapi import text as asyncapi_text
from shared.events.describe import sample_path
from shared.events.reference import answers, reference, renewed
from shared.events.registry import KINDS
from shared.events.specimen import specimen

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
#: The pages that hold something generated, and what makes it.
PAGES: Final[Mapping[str, Callable[[], str]]] = {"contract.md": reference, "agencies.md": answers}


def main() -> None:
    """Write what is missing and renew the rest."""
    for kind in KINDS.values():
        if not (path := sample_path(kind)).exists():
            text = json.dumps(specimen(kind), ensure_ascii=False, indent=2)
            path.write_text(f"{text}\n", encoding="utf-8")
    (DOCS / "asyncapi.json").write_text(asyncapi_text(), encoding="utf-8")
    for name, make in PAGES.items():
        page = DOCS / name
        page.write_text(renewed(page.read_text(encoding="utf-8"), make()), encoding="utf-8")


if __name__ == "__main__":
    main()
