"""Where a request comes from: whose it is as far as can be told, and what of it may be kept."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNKNOWN = "?"


def _read(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _cut(address: IPv4Address | IPv6Address, bits: int) -> str:
    return str(ip_network((address, bits), strict=False))


def address_of(text: str | None) -> str:
    """The address in its one spelling; "?" for what is none."""
    return str(_read(text) or UNKNOWN)


@lru_cache(maxsize=4096)  # it is asked with every request
def house_of(text: str | None) -> str:
    """Whom to count as one caller: an IPv4 address, or the /64 that an IPv6 line is given whole."""
    address = _read(text)
    if address is None:
        return UNKNOWN
    return str(address) if isinstance(address, IPv4Address) else _cut(address, 64)


@lru_cache(maxsize=4096)
def place_of(text: str | None) -> str:
    """What is written down of an address: its /24 or /48, which is no single person's."""
    address = _read(text)
    if address is None:
        return UNKNOWN
    return _cut(address, 24 if isinstance(address, IPv4Address) else 48)
