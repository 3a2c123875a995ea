"""What a citizen wrote, in a deliver_sm: its text whatever the coding, and which part of it this is.

Parts are told by a header before the text (3GPP TS 23.040, 9.2.3.24.1 and .8) or by the sar_
fields of SMPP 3.4 (5.3.2.22 to .24). What cannot be read as a text becomes an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.notify.channels.smpp.pdus import RECEIPT_BITS, UDHI, Pdu
from services.notify.channels.smpp.texts import read_gsm
from services.notify.domain.incoming import LONGEST, Incoming

#: Information elements of a header: a reference of one octet, and of two.
_JOINS: Final = {0x00: 1, 0x08: 2}
_MOST_PARTS: Final = 20  # no citizen writes more


def written(pdu: Pdu) -> Incoming | None:
    """The text, or its part, with no provider yet; None for a receipt or a notice of the network."""
    kind = pdu.number("esm_class") or 0
    if kind & RECEIPT_BITS:
        return None
    octets = pdu.octets("short_message") or pdu.octets("message_payload")
    place = _told(pdu)
    if kind & UDHI and octets:
        head, octets = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
        place = _place(head) or place
    reference, parts, part = place or ("", 1, 1)
    text = _decoded(pdu.number("data_coding") or 0, octets)
    # No database keeps a NUL; whatever else cannot be seen does no harm.
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST]
    return Incoming("", pdu.text("source_addr"), clean, "", reference, parts, part)


def _told(pdu: Pdu) -> tuple[str, int, int] | None:
    numbers = [
        pdu.number(f"sar_{name}") for name in ("msg_ref_num", "total_segments", "segment_seqnum")
    ]
    if None in numbers:
        return None
    reference, parts, part = (number or 0 for number in numbers)
    return _checked(str(reference), parts, part)


def _place(head: bytes) -> tuple[str, int, int] | None:
    for element, value in _elements(head):
        width = _JOINS.get(element)
        if width is not None and len(value) == width + 2:
            return _checked(value[:width].hex(), value[width], value[width + 1])
    return None


def _elements(head: bytes) -> Iterator[tuple[int, bytes]]:
    while len(head) > 1:
        yield head[0], head[2 : 2 + head[1]]
        head = head[2 + head[1] :]


def _checked(reference: str, parts: int, part: int) -> tuple[str, int, int] | None:
    return (reference, parts, part) if 1 < parts <= _MOST_PARTS and 1 <= part <= parts else None


def _decoded(coding: int, octets: bytes) -> str:
    """By data_coding: SMPP 3.4, 5.2.19, and the message classes of 3GPP TS 23.038, 4."""
    group = coding & 0xF0
    if coding == 8 or group == 0xE0:
        return octets.decode("utf-16-be", "replace")
    if coding in (1, 3):
        return octets.decode("latin-1")
    if coding == 0 or group in (0xC0, 0xD0) or (group == 0xF0 and not coding & 0x04):
        return read_gsm(octets)
    return ""
