"""`python -m shared.events` writes docs/asyncapi.json and the reference in docs/contract.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from shared.events.asyncapi import document
from shared.events.reference import renewed

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def asyncapi_text() -> str:
    """The document as it stands in docs/asyncapi.json."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write both."""
    (DOCS / "asyncapi.json").write_text(asyncapi_text(), encoding="utf-8")
    page = DOCS / "contract.md"
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
