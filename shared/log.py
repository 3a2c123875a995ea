"""Structured logs with stable event names, and the last net that keeps personal data out of them.

Loggers are made by `get`; nothing is configured until `configure` runs. The masking here is a net:
callers still log ids and states, never people.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from shared.kernel.text import mask_mapping
from shared.settings import Settings

__all__ = ["configure", "get", "mask"]


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that carries `origin=name`; cheap, and configured when it is first used."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(origin=name)
    return logger


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """structlog processor: replace the values of personal keys at any depth."""
    return mask_mapping(event)


def configure(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error unless told) in the format of the settings."""
    out = stream if stream is not None else sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_service(settings.service),
            *_tracebacks(settings.log_format),
            mask,
            _renderer(settings.log_format, out),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(level, out)


def _renderer(log_format: str, out: TextIO) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24)


def _name_service(service: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


def _tracebacks(log_format: str) -> list[structlog.typing.Processor]:
    if log_format == "console":
        return [structlog.processors.format_exc_info]
    # Frames only: local variables would carry forms and phone numbers into the log.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
    return [structlog.processors.ExceptionRenderer(frames)]


def _route_standard_logging(level: int, out: TextIO) -> None:
    """Libraries that use `logging` write warnings and worse to the same place, one line each."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
