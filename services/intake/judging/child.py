"""Opens one file with the libraries that read its kind and says what it is. A process of its own.

`python -m services.intake.judging.child PATH BYTES`: one line of JSON, {"media": …} or {"why": …}.
Whatever kills it (memory, time, a fault of a library) is for its parent to judge. It writes nothing.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 1024 * 1024 * 1024  # bytes of address space, beside the file itself
CPU_SECONDS: Final = 30
MOST_PIXELS: Final = 64_000_000
MOST_PAGES: Final = 300
MOST_OBJECTS: Final = 300_000
#: Bytes that the packed streams of one PDF may unpack to: an A4 in colour at 600 dpi has 100 MB.
MOST_UNPACKED: Final = 1024 * 1024 * 1024
_DEEPEST: Final = 60
_HEAD: Final = 1024
_PIECE: Final = 1024 * 1024
STARTS: Final = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
#: What makes a PDF do something by itself: actions, dictionaries that hold such, live forms.
_ACTIVE_ACTIONS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/Rendition", "/Movie", "/Sound"}
)
_ACTIVE: Final = frozenset({"/JS", "/JavaScript", "/XFA", "/RichMediaContent", "/RichMedia"})
_EMBEDDED: Final = frozenset({"/EmbeddedFiles", "/EF", "/GoToE", "/EmbeddedFile"})


class Bad(Exception):
    """The file is not taken; its one argument is a key of `domain.files.WHY`."""


def _bound(size: int) -> None:
    """Before any library is loaded: no more memory, time or written byte than this."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY + 2 * size,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(path: Path) -> str:
    """The media type; Bad for everything that is not wholly of its kind."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    media = next((each for start, each in STARTS.items() if head.startswith(start)), None)
    if media is None or not _is_known_as(path, media):
        raise Bad("kind")
    if zipfile.is_zipfile(path):
        raise Bad("mixed")
    if media == "application/pdf":
        _pdf(path)
    else:
        if b"%PDF-" in head:
            raise Bad("mixed")
        _picture(path, media)
    return media


def _is_known_as(path: Path, media: str) -> bool:
    """Whether a list of signatures knows it as this kind too."""
    import puremagic

    try:
        found = puremagic.magic_file(path)
    except (puremagic.PureError, ValueError):
        return False
    return any(each.mime_type == media for each in found)


def _picture(path: Path, media: str) -> None:
    from PIL import Image

    kind = media.rpartition("/")[2].upper()
    Image.MAX_IMAGE_PIXELS = None  # by our own limit, before anything is unpacked
    try:
        with Image.open(path, formats=(kind,)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Bad("too_many_pixels")
            picture.load()
    except MemoryError:
        raise Bad("too_complex") from None
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, EOFError):
        raise Bad("broken") from None


def _pdf(path: Path) -> None:
    import pikepdf

    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            if pdf.is_encrypted and not pdf.allow.extract:
                raise Bad("locked")
            if len(pdf.pages) > MOST_PAGES:
                raise Bad("too_many_pages")
            _walk(pdf, pikepdf)
    except pikepdf.PasswordError:
        raise Bad("locked") from None
    except MemoryError:
        raise Bad("too_complex") from None
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError):
        raise Bad("broken") from None
    _draw(path)


def _walk(pdf: Any, pikepdf: Any) -> None:
    """Look at every object, wherever it hides: packed, renamed by #-codes or referred to by none."""
    if len(pdf.objects) > MOST_OBJECTS:
        raise Bad("too_complex")
    left = MOST_UNPACKED
    for each in (*pdf.objects, pdf.trailer):
        if isinstance(each, pikepdf.Stream):
            left -= _unpacked(each, left)
        for key, value in _members(each, pikepdf, 0):
            word = str(value) if isinstance(value, pikepdf.Name) else ""
            if key in _EMBEDDED or word in _EMBEDDED:
                raise Bad("embedded")
            if key in _ACTIVE or word in _ACTIVE or (key == "/S" and word in _ACTIVE_ACTIONS):
                raise Bad("active")


def _unpacked(stream: Any, most: int) -> int:
    """How many bytes a deflated stream unpacks to, without keeping them; Bad beyond `most`."""
    if "/FlateDecode" not in str(stream.get("/Filter", "")):
        return 0
    raw, made, size = stream.read_raw_bytes(), zlib.decompressobj(), 0
    while raw:
        try:
            size += len(made.decompress(raw, _PIECE))
        except zlib.error:
            return size  # the library that reads it says whether that matters
        if size > most:
            raise Bad("too_complex")
        raw = made.unconsumed_tail
    return size


def _members(thing: Any, pikepdf: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Names and values in a direct object; what is referred to is an object of its own."""
    if depth > _DEEPEST:
        raise Bad("too_complex")
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in thing.items():
            yield key, value
            if depth == 0 or not getattr(value, "is_indirect", False):
                yield from _inner(value, pikepdf, depth)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            yield "", value
            yield from _inner(value, pikepdf, depth)


def _inner(value: Any, pikepdf: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, pikepdf.Object) and not value.is_indirect:
        yield from _members(value, pikepdf, depth + 1)


def _draw(path: Path) -> None:
    """Another library reads it too and draws the first page, small."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
        width, height = document[0].get_size()
        document[0].render(scale=min(1.0, 200 / max(width, height, 1.0)))
    except MemoryError:
        raise Bad("too_complex") from None
    except (pypdfium2.PdfiumError, IndexError, ValueError, OSError):
        raise Bad("broken") from None


def main() -> None:
    """Judge the file that is named and say it in one line."""
    path, size = Path(sys.argv[1]), int(sys.argv[2])
    _bound(size)
    try:
        told = {"media": judge(path)}
    except Bad as bad:
        told = {"why": str(bad.args[0])}
    except (MemoryError, RecursionError):
        told = {"why": "too_complex"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
