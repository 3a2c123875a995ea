"""Draws the stored pictures of the papers anew: `python -m tests.papers.redraw`. Look at them then."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from services.intake.web.papers.pdf import render
from tests.papers.samples import SAMPLES

PICTURES: Final = Path(__file__).parent / "pictures"
#: Dots per inch: a page of text is still told from another, and a picture is some kilobytes.
DPI: Final = 40


def pictures(pdf: bytes, dpi: int = DPI) -> list[Any]:
    """The pages of a PDF as grey pictures."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def main() -> None:
    """Write each page of each sample, and take away what no sample has any more."""
    PICTURES.mkdir(exist_ok=True)
    drawn = set()
    for name, (paper, size) in SAMPLES.items():
        for number, picture in enumerate(pictures(render(paper, size)), 1):
            path = PICTURES / f"{name}-{number}.png"
            picture.quantize(16).save(path, optimize=True)
            drawn.add(path)
    for old in set(PICTURES.glob("*.png")) - drawn:
        old.unlink()
    print(f"{len(drawn)} pictures in {PICTURES}")


if __name__ == "__main__":
    main()
