"""What is said in SMPP 3.4 and what is understood of it; the one module that knows smpplib's PDUs.

Whatever an SMSC says is taken with care: what cannot be read is `Garbled`, never an exception of
the library's own.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Final

from smpplib import consts, smpp
from smpplib.client import SimpleSequenceGenerator

from services.notify.channels.smpp.server import SmppServer
from services.notify.domain.receipts import Fate, Receipt, even

HEADER: Final = 16
#: No PDU of ours or of an honest SMSC is longer.
LONGEST: Final = 70_000
OK: Final = int(consts.SMPP_ESME_ROK)
#: It has had enough for now: nothing was taken, and nothing more is wanted for a while.
ENOUGH: Final = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
#: It speaks of this one letter, and would say so again.
FINAL: Final = frozenset(
    {
        consts.SMPP_ESME_RINVMSGLEN,
        consts.SMPP_ESME_RINVDSTADR,
        consts.SMPP_ESME_RINVDSTTON,
        consts.SMPP_ESME_RINVDSTNPI,
        consts.SMPP_ESME_RX_P_APPN,
        consts.SMPP_ESME_RX_R_APPN,
    }
)
_STATES: Final = {
    consts.SMPP_MESSAGE_STATE_ENROUTE: Fate.UNDERWAY,
    consts.SMPP_MESSAGE_STATE_DELIVERED: Fate.DELIVERED,
    consts.SMPP_MESSAGE_STATE_EXPIRED: Fate.LOST,
    consts.SMPP_MESSAGE_STATE_DELETED: Fate.LOST,
    consts.SMPP_MESSAGE_STATE_UNDELIVERABLE: Fate.LOST,
    consts.SMPP_MESSAGE_STATE_ACCEPTED: Fate.UNDERWAY,
    consts.SMPP_MESSAGE_STATE_REJECTED: Fate.LOST,
}
_WORDS: Final = {
    "ENROUTE": Fate.UNDERWAY,
    "ACCEPTD": Fate.UNDERWAY,
    "DELIVRD": Fate.DELIVERED,
    "EXPIRED": Fate.LOST,
    "DELETED": Fate.LOST,
    "UNDELIV": Fate.LOST,
    "REJECTD": Fate.LOST,
}
# Only these three words of a receipt's text are read: behind them stands the citizen's own.
_TEXT: Final = {
    name: re.compile(rf"(?:^|\s){name}:\s*([0-9A-Za-z_.-]{{1,64}})", re.IGNORECASE)
    for name in ("id", "stat", "err")
}
RECEIPT_BITS: Final = 0x3C  # esm_class: what kind of message this is
UDHI: Final = int(consts.SMPP_GSMFEAT_UDHI)
_NAME: Final = re.compile(r"[\x21-\x7e]{1,64}")


class Garbled(Exception):
    """No PDU of SMPP."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU that was read: its command, status and number, and the library's own object."""

    command: str
    status: int
    sequence: int
    fields: Any

    def text(self, name: str) -> str:
        """A field of text; empty where it is not there."""
        value = getattr(self.fields, name, None)
        return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else ""

    def octets(self, name: str) -> bytes:
        """A field as it came; empty where it is not there."""
        value = getattr(self.fields, name, None)
        return value if isinstance(value, bytes) else b""

    def number(self, name: str) -> int | None:
        """A field that is a number; None where it is not there."""
        value = getattr(self.fields, name, None)
        return value if isinstance(value, int) else None


def read(raw: bytes) -> Pdu:
    """The PDU in these bytes, which are as long as it says itself."""
    try:
        pdu = smpp.parse_pdu(raw, client=_NOBODY, allow_unknown_opt_params=True)
    # The library answers odd bytes with whatever they break in it.
    except Exception as odd:
        # A request without a name that it knows can still be answered for, by its number.
        if len(raw) >= HEADER and _is_unknown(raw):
            return Pdu("unknown", 0, struct.unpack(">L", raw[12:16])[0], None)
        raise Garbled from odd
    if pdu is None:
        return Pdu("unknown", 0, struct.unpack(">L", raw[12:16])[0], None)
    return Pdu(str(pdu.command), int(pdu.status), int(pdu.sequence), pdu)


def _is_unknown(raw: bytes) -> bool:
    from smpplib.command_codes import commands

    return struct.unpack(">L", raw[4:8])[0] not in commands.values()


class Maker:
    """Makes the PDUs of one connection, which it numbers."""

    def __init__(self, server: SmppServer) -> None:
        self._server = server
        self._numbers = SimpleSequenceGenerator()

    def bind(self) -> tuple[int, bytes]:
        """Sign in, to send and to be sent receipts."""
        server = self._server
        return self._made(
            "bind_transceiver",
            system_id=server.user,
            password=server.password,
            system_type=server.system_type,
        )

    def submit(self, to: str, coding: int, text: bytes, *, joined: bool, number: int) -> bytes:
        """One part of a letter; its sequence number is in it."""
        body = {"message_payload": text} if self._server.payload else {"short_message": text}
        dest = to.removeprefix("+")
        return self._made(
            "submit_sm",
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=dest,
            esm_class=UDHI if joined else 0,
            data_coding=coding,
            registered_delivery=consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
            user_message_reference=number,
            **self._source(),
            **body,
        )[1]

    def query(self, reference: str) -> tuple[int, bytes]:
        """Ask what became of a part."""
        return self._made("query_sm", message_id=reference, **self._source())

    def plain(self, command: str) -> tuple[int, bytes]:
        """One without fields: enquire_link, unbind."""
        return self._made(command)

    @staticmethod
    def answer(command: str, sequence: int, status: int = OK) -> bytes:
        """The answer to what the SMSC asks."""
        pdu = smpp.make_pdu(command, client=_NOBODY, status=status)
        pdu.sequence, pdu.status = sequence, status
        if command == "deliver_sm_resp":
            pdu.message_id = ""
        return bytes(pdu.generate())

    def _made(self, command: str, **fields: Any) -> tuple[int, bytes]:
        pdu = smpp.make_pdu(command, client=self._numbers, **fields)
        return int(pdu.sequence), bytes(pdu.generate())

    def _source(self) -> dict[str, Any]:
        sender = self._server.sender
        if not sender:
            ton, npi = consts.SMPP_TON_UNK, consts.SMPP_NPI_UNK
        elif not sender.isdigit():
            ton, npi = consts.SMPP_TON_ALNUM, consts.SMPP_NPI_UNK
        elif len(sender) < 9:  # a short code
            ton, npi = consts.SMPP_TON_NWSPEC, consts.SMPP_NPI_ISDN
        else:
            ton, npi = consts.SMPP_TON_INTL, consts.SMPP_NPI_ISDN
        return {"source_addr_ton": ton, "source_addr_npi": npi, "source_addr": sender}


_NOBODY: Final = SimpleSequenceGenerator()


def sequence_of(raw: bytes) -> int:
    """The number of a PDU that was made."""
    number: int = struct.unpack(">L", raw[12:16])[0]
    return number


def receipt(pdu: Pdu, provider: str, ids: str) -> Receipt | None:
    """The receipt in a deliver_sm; None for anything else, such as a citizen's own message."""
    if not (pdu.number("esm_class") or 0) & RECEIPT_BITS:
        return None
    text = pdu.text("short_message") or pdu.text("message_payload")
    found = {name: match[1] for name, what in _TEXT.items() if (match := what.search(text))}
    name = pdu.text("receipted_message_id") or found.get("id", "")
    state = pdu.number("message_state")
    fate = _STATES.get(state or 0) or _WORDS.get(found.get("stat", "").upper()[:7])
    if fate is None or not _NAME.fullmatch(name):
        return None
    code = found.get("err", "")
    return Receipt(
        provider=provider,
        references=names(name, ids),
        fate=fate,
        code=f"{found.get('stat', '') or f'state {state}'} {code}".strip(),
        to=pdu.text("source_addr"),
        number=pdu.number("user_message_reference"),
    )


def fate_of(answer: Pdu) -> Fate:
    """What a query_sm_resp says; `TAKEN` where it says nothing."""
    return _STATES.get(answer.number("message_state") or 0, Fate.TAKEN)


def given(answer: Pdu) -> str:
    """The name that the SMSC gives to a part it has taken; empty where it is none."""
    name = answer.text("message_id")
    return name if _NAME.fullmatch(name) else ""


def names(told: str, ids: str) -> tuple[str, ...]:
    """The names under which a part may have been given that is told of as this, likeliest first."""
    same = even(told)
    as_hex = even(f"{int(told):x}") if told.isdigit() else ""
    as_decimal = str(int(told, 16)) if re.fullmatch(r"[0-9A-Fa-f]{1,32}", told) else ""
    asked = {
        "same": (same,),
        "hex": (as_hex,),
        "decimal": (as_decimal,),
        "auto": (same, as_hex, as_decimal),
    }[ids]
    return tuple(dict.fromkeys(name for name in asked if name)) or (same,)
