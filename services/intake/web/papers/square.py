"""The square code (QR) of a paper; segno is fenced here."""

from __future__ import annotations

from collections.abc import Iterator

import segno

#: Light modules around it, which a reader needs.
BORDER = 2


def _made(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m")


def rows(text: str) -> Iterator[list[bool]]:
    """The modules row by row, dark ones True, with the border."""
    for row in _made(text).matrix_iter(border=BORDER):
        yield [bool(module) for module in row]


def data_uri(text: str) -> str:
    """The same as a picture that a page holds in itself."""
    return str(_made(text).svg_data_uri(border=BORDER, xmldecl=False, nl=False))
