"""Run in a tree with the procedure of docs/changing.md: filed, carried through, seen by the citizen."""

from __future__ import annotations

import sys
from pathlib import Path

from simulation.kit import open_city

if __name__ == "__main__":
    with open_city(Path(sys.argv[1])) as city:
        city.play()
        desk = city.desk("ubnd-phuong-1")
        receipt = desk.submit("9.000002")
        city.rest()
        assert desk.status(receipt.code) == 9
        assert "Xác nhận nơi ở" in city.citizen(receipt.code, receipt.word).page()
