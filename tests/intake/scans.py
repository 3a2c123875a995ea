"""Files as people and rude callers hand them in, each made anew: nothing of it lies in the tree."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

NOISE = 7


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), colour: int = NOISE) -> bytes:
    """A small picture; another colour is another file."""
    out = io.BytesIO()
    Image.new("RGB", size, (colour, 90, 120)).save(out, kind)
    return out.getvalue()


def pdf(pages: int = 1, *, change: Any = None, **saved: Any) -> bytes:
    """A PDF of empty pages; `change` is given it before it is saved."""
    made = pikepdf.new()
    for _ in range(pages):
        made.add_blank_page(page_size=(200, 300))
    if change is not None:
        change(made)
    out = io.BytesIO()
    made.save(out, **saved)
    return out.getvalue()


def _script(made: pikepdf.Pdf) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def with_script(made: pikepdf.Pdf) -> None:
    """Runs JavaScript when it is opened."""
    made.Root.OpenAction = _script(made)


def with_hidden_script(made: pikepdf.Pdf) -> None:
    """JavaScript on a mark of a page, three objects deep and not named at the root."""
    mark = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=pikepdf.Array([0, 0, 1, 1]),
        AA=pikepdf.Dictionary(E=made.make_indirect(_script(made))),
    )
    made.pages[0].Annots = pikepdf.Array([made.make_indirect(mark)])


def with_launch(made: pikepdf.Pdf) -> None:
    """Starts a program when it is opened."""
    made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe"))


def with_attachment(made: pikepdf.Pdf) -> None:
    """Another file lies within."""
    made.attachments["x.exe"] = b"MZ"


def with_live_form(made: pikepdf.Pdf) -> None:
    """A form of XFA, which is a program."""
    xfa = made.make_stream(b"<xdp/>")
    made.Root.AcroForm = pikepdf.Dictionary(XFA=xfa, Fields=pikepdf.Array())


def locked() -> bytes:
    """Only whoever has the password can read it."""
    return pdf(encryption=pikepdf.Encryption(owner="o", user="u"))


def packed_bomb() -> bytes:
    """Two gigabytes of zeros, packed, as the objects of a PDF."""
    piece, check = bytes(1 << 20), 1
    for _ in range(2048):
        check = zlib.adler32(piece, check)
    squeeze = zlib.compressobj(9, wbits=-15)
    squeeze.compress(piece)
    squeeze.flush(zlib.Z_FULL_FLUSH)
    again = squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
    packed = b"\x78\xda" + again * 2048 + squeeze.flush() + check.to_bytes(4, "big")
    out = bytearray(b"%PDF-1.5\n")
    starts = []

    def put(number: int, body: bytes) -> None:
        starts.append(len(out))
        out.extend(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    put(1, b"<</Type/Catalog/Pages 2 0 R>>")
    put(2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
    put(3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
    head = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
    put(4, head + packed + b"\nendstream")
    table = len(out)
    rows = [(0, 0, 65535), *((1, at, 0) for at in starts), (2, 4, 0), (1, table, 0)]
    body = b"".join(struct.pack(">BIH", *row) for row in rows)
    out += b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 2]/Root 1 0 R/Length %d>>\nstream\n" % len(body)
    out += body + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table
    return bytes(out)


def huge_png(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds hardly anything."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        said = kind + data
        return struct.pack(">I", len(data)) + said + struct.pack(">I", zlib.crc32(said))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def archive() -> bytes:
    """A ZIP with something in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("run.html", "<script>alert(1)</script>")
    return out.getvalue()


def large_pdf(path: Path, size: int) -> None:
    """A good PDF of about `size` bytes, written a piece at a time."""
    with path.open("wb") as out:
        out.write(b"%PDF-1.4\n")
        starts = []
        for number, body in enumerate(
            (
                b"<</Type/Catalog/Pages 2 0 R>>",
                b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]>>",
            ),
            start=1,
        ):
            starts.append(out.tell())
            out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        starts.append(out.tell())
        out.write(b"4 0 obj\n<</Length %d>>\nstream\n" % size)
        piece = bytes(range(256)) * 4096
        for _ in range(size // len(piece)):
            out.write(piece)
        out.write(bytes(size % len(piece)))
        out.write(b"\nendstream\nendobj\n")
        table = out.tell()
        out.write(b"xref\n0 5\n0000000000 65535 f \n")
        out.write(b"".join(b"%010d 00000 n \n" % at for at in starts))
        out.write(b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table)
