"""Structured logs with stable event names, and the last net that keeps personal data out of them.

Loggers are made by `get`; nothing is configured until `configure` runs. The masking here is a net:
callers still log ids and states, never people. An event that is logged for each fact is a
`FixedEvent`, which needs no net.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any, Final, TextIO

import structlog

from shared.kernel.clock import format_instant
from shared.kernel.errors import LienThongError
from shared.kernel.text import mask_mapping
from shared.settings import Settings

__all__ = ["FixedEvent", "configure", "get", "mask"]

Plain = str | int | float | bool | None


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that carries `origin=name`; cheap, and configured when it is first used."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(origin=name)
    return logger


class FixedEvent:
    """An event whose keys are always the same and name nothing personal.

    As JSON it goes past the chain of processors, many lines in one write, and each line is what
    the chain would have made of it; in any other form it is logged like everything else.
    """

    def __init__(self, origin: str, event: str, keys: Sequence[str]) -> None:
        hidden = dict.fromkeys(keys, "x")
        if mask_mapping(hidden) != hidden:
            raise ValueError("an event with a personal key must go through the net")
        self.origin, self.event, self.keys = origin, event, tuple(keys)

    def write(self, lines: Iterable[tuple[str, Sequence[Plain]]]) -> None:
        """Log some, each its level's name and the values in the order of the keys."""
        last = structlog.get_config()["processors"][-1]
        if isinstance(last, _JsonLines):  # a test may listen in its place
            last.write(self, lines)
            return
        logger = get(self.origin)
        for level, values in lines:
            getattr(logger, level)(self.event, **dict(zip(self.keys, values, strict=True)))


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """structlog processor: replace the values of personal keys at any depth."""
    return mask_mapping(event)


def configure(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error unless told) in the format of the settings."""
    out = _Out(stream)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_service(settings.service),
            mask,
            # After the net: a frame has a name as well, that of its function.
            *_tracebacks(settings.log_format),
            _renderer(settings, level, out),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(settings, level, out)


class _Out:
    """Where lines go: a stream, or whatever standard error is at the moment of writing.

    A line that cannot be written (closed pipe, full disk) is lost, never the work it speaks of.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def _file(self) -> TextIO:
        return self._stream if self._stream is not None else sys.stderr

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return self._file.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()

    def isatty(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return self._file.isatty()
        return False


def _renderer(settings: Settings, level: int, out: _Out) -> structlog.typing.Processor:
    if settings.log_format == "json":
        return _JsonLines(settings.service, level, out)
    return structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24)


class _JsonLines(structlog.processors.JSONRenderer):
    """The end of the chain, and the way past it for events with fixed keys."""

    def __init__(self, service: str, level: int, out: _Out) -> None:
        super().__init__(ensure_ascii=False)
        self._service = service
        self._level = level
        self._logger = structlog.WriteLogger(out)  # type: ignore[arg-type]

    def write(self, event: FixedEvent, lines: Iterable[tuple[str, Sequence[Plain]]]) -> None:
        """As if each had gone through the chain, at the same instant."""
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        forms: dict[str, str] = {}
        told = []
        for level, values in lines:
            if logging.getLevelNamesMapping()[level.upper()] < self._level:
                continue
            form = forms.get(level)
            if form is None:
                form = forms[level] = self._form(event, level, at)
            told.append(form % tuple([_AS_JSON.get(type(v), _JSON.encode)(v) for v in values]))
        if told:
            self._logger.msg("\n".join(told))

    def _form(self, event: FixedEvent, level: str, at: str) -> str:
        """A line with a place for each value."""
        words = [("event", event.event), ("level", level), ("timestamp", at)]
        parts = [
            _pair("origin", _literal(event.origin)),
            *(_pair(key, "%s") for key in event.keys),
            *(_pair(key, _literal(word)) for key, word in (*words, ("service", self._service))),
        ]
        return "{" + ", ".join(parts) + "}"


def _pair(key: str, value: str) -> str:
    return f"{encode_basestring(key)}: {value}"


def _literal(word: str) -> str:
    return encode_basestring(word).replace("%", "%%")


def _float(value: float) -> str:
    return float.__repr__(value) if math.isfinite(value) else _JSON.encode(value)


# What JSONRenderer would write, without its making an encoder for each line.
_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_AS_JSON: Final[Mapping[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    int: int.__repr__,
    float: _float,
    type(None): lambda _: "null",
}


def _name_service(service: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


def _tracebacks(log_format: str) -> list[structlog.typing.Processor]:
    if log_format == "console":
        return [structlog.processors.ExceptionRenderer(_as_text)]
    return [structlog.processors.ExceptionRenderer(_as_frames)]


def _as_frames(exc_info: structlog.typing.ExcInfo) -> list[dict[str, Any]]:
    """Kind and frames of an error and of what led to it, the words only of our own errors."""
    # Frames only: local variables would carry forms and phone numbers into the log.
    told = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)(exc_info)
    for each, error in zip(told, _chain(exc_info[1]), strict=False):
        each |= {"exc_value": _words(error), "exc_notes": [], "exceptions": []}
    return told


def _as_text(exc_info: structlog.typing.ExcInfo) -> str:
    """The same, as people read it."""
    parts = []
    for error in reversed(list(_chain(exc_info[1]))):
        lines = traceback.format_tb(error.__traceback__)
        words = _words(error)
        end = f"{type(error).__name__}: {words}" if words else type(error).__name__
        parts.append("".join(["Traceback (most recent call last):\n", *lines, end]))
    return "\n\n".join(parts)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, the last first; as Python itself would tell it."""
    while error is not None:
        yield error
        shown = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or shown


def _words(error: BaseException) -> str:
    # A database quotes the row, a parser the text: other people's words may hold personal data.
    return error.en if isinstance(error, LienThongError) else ""


def _route_standard_logging(settings: Settings, level: int, out: _Out) -> None:
    """Libraries that use `logging` write warnings and worse to the same place, one line each."""
    handler = logging.StreamHandler(out)
    plain = _Plain("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json(settings.service) if settings.log_format == "json" else plain)
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


class _Plain(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        return _as_text(ei)


class _Json(logging.Formatter):
    """A library's line in the form of ours, so that who reads the log meets one form only."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "origin": record.name,
            "event": "library.said",
            "message": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": format_instant(at),
            "service": self._service,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _as_frames(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
