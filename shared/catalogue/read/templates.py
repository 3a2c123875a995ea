"""Reads one moment file: the words of that moment for each channel and language."""

from __future__ import annotations

from shared.catalogue.model import Language, MessageChannel, Template
from shared.catalogue.read.found import Found
from shared.catalogue.source import Entry

CHANNELS: tuple[MessageChannel, ...] = ("sms", "email")
#: What an officer says who calls; for the moments after which a citizen has to act.
CALL: MessageChannel = "call"
LANGUAGES: tuple[Language, ...] = ("vi", "en")
#: The part of a found template that is its whole version: all channels, both languages.
VERSION = "version"


def read_moment(top: Entry) -> list[Found[Template]]:
    """All versions of the moment in the file."""
    moment = top.text("moment")
    found: list[Found[Template]] = []
    for entry in top.entries("versions"):
        for channel in CHANNELS:
            found.extend(_channel(moment, channel, entry))
        if entry.has(CALL):
            found.extend(_channel(moment, CALL, entry))
        entry.done()
    return found


def _channel(moment: str, channel: MessageChannel, version: Entry) -> list[Found[Template]]:
    number, valid_from = version.number("version"), version.day("valid_from")
    valid_to = version.maybe_day("valid_to")
    inner = version.entry(channel)
    if inner is None:
        version.fault(
            channel,
            en=f"the words for {channel} are missing: write '{channel}:'",
            vi=f"thiếu lời nhắn cho {channel}: hãy ghi '{channel}:'",
        )
        return []
    found = []
    for language in LANGUAGES:
        subject, body, entry = _words(channel, language, inner)
        template = Template(
            moment=moment,
            channel=channel,
            language=language,
            version=number,
            valid_from=valid_from,
            valid_to=valid_to,
            subject=subject,
            body=body,
        )
        found.append(Found(template, entry, {VERSION: (version,)}))
    inner.done()
    return found


def _words(channel: str, language: str, inner: Entry) -> tuple[str | None, str, Entry]:
    if channel in ("sms", CALL):
        return None, " ".join(inner.text(language).split()), inner
    words = inner.entry(language)
    if words is None:
        inner.fault(
            language,
            en=f"the {language} words are missing: write '{language}:'",
            vi=f"thiếu lời nhắn {language}: hãy ghi '{language}:'",
        )
        return None, "", inner
    subject, body = words.text("subject"), words.text("body")
    words.done()
    return subject, body, words
