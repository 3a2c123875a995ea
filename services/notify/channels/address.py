"""A server's address with a user and a password in it, read from one setting and checked whole.

What is wrong is told part by part, and never repeated: it may be the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.kernel.errors import SettingsError

_WRITE: Final = "write / ? # @ : % in a user or password as %2F %3F %23 %40 %3A %25"
_GHI: Final = "trong tên hoặc mật khẩu hãy ghi / ? # @ : % thành %2F %3F %23 %40 %3A %25"


@dataclass(frozen=True, slots=True)
class Place:
    """Which setting it is, an example of it, and the port that each scheme has by itself."""

    setting: str
    example: str
    ports: Mapping[str, int]

    def wrong(self, en: str, vi: str) -> SettingsError:
        """What to say where a part of it is not right."""
        return SettingsError(
            f"{self.setting}: {en}; for example {self.example}",
            vi=f"{self.setting}: {vi}; ví dụ {self.example}.",
        )

    def read(self, url: str) -> Address:
        """The address in its parts; SettingsError says which is wrong."""
        parts = self._parts(url)
        host, port = self._host(parts)
        user, password = self._word(parts.username), self._word(parts.password)
        if user and password is None:
            raise self.wrong("a user without a password", "có tên nhưng thiếu mật khẩu")
        if password is not None and not user:
            raise self.wrong("a password without a user", "có mật khẩu nhưng thiếu tên")
        options = parse_qs(parts.query, keep_blank_values=True)
        return Address(
            parts.scheme, host, port or self.ports[parts.scheme], user, password, options
        )

    def _parts(self, url: str) -> SplitResult:
        try:
            # What urlsplit would drop in silence, and an address has not.
            parts = urlsplit(url) if url.isprintable() and " " not in url else None
        except ValueError:  # brackets that do not close
            parts = None
        if parts is None or parts.scheme not in self.ports:
            raise self.wrong("it is no such address", "không phải địa chỉ dạng này")
        if parts.path not in ("", "/") or parts.fragment:
            raise self.wrong(
                f"there is more behind the host and port; {_WRITE}",
                f"sau tên máy và cổng còn chữ thừa; {_GHI}",
            )
        return parts

    def _host(self, parts: SplitResult) -> tuple[str, int | None]:
        try:
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError:
            host, port = "", None
        if not host or port == 0:
            raise self.wrong(
                f"the host or the port is wrong; {_WRITE}", f"sai tên máy hoặc cổng; {_GHI}"
            )
        return host, port

    def _word(self, text: str | None) -> str | None:
        """A user's name or password, in which %xx stand for bytes of UTF-8."""
        if not text:
            return None
        try:
            said = unquote(text, errors="strict")
        except UnicodeDecodeError:
            said = "\0"
        if any(ord(each) < 32 for each in said):
            raise self.wrong(
                "%xx in the user or password are no characters in UTF-8",
                "%xx trong tên hoặc mật khẩu không phải ký tự UTF-8",
            )
        return said


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """The parts of an address; `options` is what stands behind the question mark."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None
    options: Mapping[str, list[str]]
