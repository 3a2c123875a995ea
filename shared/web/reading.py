"""What comes in is bounded here, at every door: JSON by one reader, addresses before any view.

A body that is deep, long or odd costs nothing and is told in words: nothing behind this reader
meets a thousand brackets, a number of 5,000 digits, half a character or a NUL.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import IO, Any, Final, NoReturn, TypeVar

import flask

from shared.identity.guard import TAKES_FILES
from shared.kernel.errors import Fault, InvalidInput, NotFound

DEEPEST: Final = 32
MOST_VALUES: Final = 10_000
MOST_DIGITS: Final = 40
_NOT_JSON: Final = ("Nội dung không phải là JSON hợp lệ.", "Invalid JSON body.")
_TOO_LARGE: Final = ("Có số quá lớn.", "holds a number that is too large")
_UNSTORABLE: Final = ("Có ký tự không lưu được.", "Text holds characters that cannot be stored.")
# A text as it stands in JSON, also one without an end: what is left of a body is its structure.
_TEXTS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)', re.DOTALL)
_BRACKETS: Final = re.compile(r"[\[{]|[\]}]")
# What may be half a character, or NUL; both can stand in JSON only so.
_ODD: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")


class Malformed(InvalidInput):
    """The request's body is no JSON, or more of it than anybody needs."""

    status = 400

    def __init__(self, vi: str, en: str) -> None:
        super().__init__([Fault("", vi, en)], code="bad_request")


class NotRead(ValueError):
    """A body that is not taken; `refusal` is what its sender is told."""

    def __init__(self, refusal: InvalidInput) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


View = TypeVar("View", bound=Callable[..., Any])
_MARK: Final = "__most_bytes__"
_INTO: Final = "__into__"


def takes(
    count: int | Callable[[], int], *, into: Callable[[], IO[bytes]] | None = None
) -> Callable[[View], View]:
    """Let a view be sent so many bytes, which for all others are few: it is one that takes files.

    `into` makes the files that they are written to as they come; else they lie in memory.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, count)
        setattr(view, _INTO, into)
        setattr(view, TAKES_FILES, True)
        return view

    return mark


class Request(flask.Request):
    """Flask's request; a body that is not taken is told in our words."""

    @property
    def max_content_length(self) -> int | None:
        """How many bytes are read of this request."""
        most = getattr(self._view, _MARK, None)
        if most is None:
            return super().max_content_length
        return int(most() if callable(most) else most)

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    @property
    def _view(self) -> Any:
        return flask.current_app.view_functions.get(self.endpoint or "")

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        """Memory, or where the view wants it: never a folder for everybody's passing files."""
        into: Callable[[], IO[bytes]] | None = getattr(self._view, _INTO, None)
        return io.BytesIO() if into is None else into()

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Refuse with what the reader said; 415 where the content is of another kind."""
        if isinstance(e, NotRead):
            raise e.refusal
        return super().on_json_loading_failed(e)


def install(app: flask.Flask) -> None:
    """Let the app's requests be read here, and no address with a NUL come to a view."""
    app.request_class = Request
    app.before_request(_refuse_nul)


def _refuse_nul() -> None:
    """PostgreSQL keeps none; so nothing of such a name is there, and nothing can be sought by it."""
    if "\0" in flask.request.path:
        raise NotFound("there is nothing of such a name", vi="Không có gì mang tên này.")
    odd = [name for name, text in flask.request.args.items(multi=True) if "\0" in name + text]
    if odd:
        raise InvalidInput([Fault(name.replace("\0", "?"), *_UNSTORABLE) for name in odd])


def read(body: str | bytes) -> Any:
    """The value that a body holds.

    NotRead where it is no JSON, too much of it, or holds texts that no database keeps.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        _bound(text)
        value = _DECODER.decode(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise NotRead(Malformed(*_NOT_JSON)) from None
    if _ODD.search(text):
        faults = [Fault(place, *_UNSTORABLE) for place in _unkept(value, "")]
        if faults:
            raise NotRead(InvalidInput(faults))
    return value


def _bound(text: str) -> None:
    """Refuse what is deep or long, before anything is made of it."""
    if text.count("[") + text.count("{") <= DEEPEST and text.count(",") < MOST_VALUES:
        return
    bare = _TEXTS.sub("", text)
    if bare.count(",") >= MOST_VALUES:
        _refuse(f"Nội dung có hơn {MOST_VALUES} giá trị.", f"holds more than {MOST_VALUES} values")
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            _refuse(
                f"Nội dung lồng nhau hơn {DEEPEST} tầng.", f"nested deeper than {DEEPEST} levels"
            )


def _unkept(value: Any, place: str) -> Iterator[str]:
    """Where texts stand that no database keeps; a name of a member is told by its object."""
    if isinstance(value, str) and _UNKEPT.search(value):
        yield place
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _unkept(each, f"{place}.{number}".lstrip("."))
    elif isinstance(value, dict):
        if any(map(_UNKEPT.search, value)):
            yield place
        for name, each in value.items():
            if not _UNKEPT.search(name):
                yield from _unkept(each, f"{place}.{name}".lstrip("."))


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        _refuse(*_TOO_LARGE)
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        _refuse(*_TOO_LARGE)
    return number


def _refuse(vi: str, en: str) -> NoReturn:
    raise NotRead(Malformed(vi, en))


_DECODER: Final = json.JSONDecoder(
    parse_int=_whole, parse_float=_fraction, parse_constant=lambda _: _refuse(*_NOT_JSON)
)
