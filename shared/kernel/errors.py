"""Every error of the house, readable as a table of contents.

Retry, park and refuse are decided by these types. Messages carry no personal data. What must not
live here: errors of third-party libraries, which are translated where the library is fenced in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, in Vietnamese and English; `rule` names it for programs."""

    place: str
    vi: str
    en: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.en}" if self.place else self.en


def _slug(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class LienThongError(Exception):
    """Root of all errors; `str()` is the English message and never holds personal data."""

    default_vi: ClassVar[str] = "Có lỗi trong hệ thống."

    def __init__(self, en: str, *, vi: str | None = None, code: str | None = None) -> None:
        super().__init__(en)
        self.en = en
        self.vi = vi if vi is not None else self.default_vi
        self.code = code if code is not None else _slug(type(self).__name__)

    def __str__(self) -> str:
        return self.en


# --- the caller's fault: told at once, never tried again -------------------------------------


class Refused(LienThongError):
    """The caller asked for something that cannot be done; `status` is the HTTP answer."""

    status: int = 422
    faults: tuple[Fault, ...] = ()
    #: What a program is told beside the words.
    extra: Mapping[str, object] = MappingProxyType({})
    default_vi = "Yêu cầu không hợp lệ."


class InvalidInput(Refused):
    """What was given is wrong; carries every fault at once."""

    default_vi = "Dữ liệu chưa hợp lệ."

    def __init__(
        self,
        faults: Iterable[Fault],
        *,
        en: str | None = None,
        vi: str | None = None,
        code: str | None = None,
    ) -> None:
        self.faults = tuple(faults)
        said = en if en is not None else "; ".join(str(fault) for fault in self.faults)
        told = vi if vi is not None else "; ".join(fault.vi for fault in self.faults)
        super().__init__(said or "invalid input", vi=told or None, code=code)


class NotAllowed(Refused):
    """A move that the state does not allow; `allowed` names the moves that it does."""

    status = 409
    default_vi = "Thao tác không được phép ở trạng thái hiện tại."

    def __init__(
        self,
        en: str,
        *,
        vi: str | None = None,
        allowed: Iterable[str] = (),
        code: str | None = None,
    ) -> None:
        super().__init__(en, vi=vi, code=code)
        self.allowed: tuple[str, ...] = tuple(allowed)


class NotFound(Refused):
    """There is no such thing, or the caller may not know that there is."""

    status = 404
    default_vi = "Không tìm thấy."


class Conflict(Refused):
    """It contradicts what is already there."""

    status = 409
    default_vi = "Yêu cầu mâu thuẫn với dữ liệu đã có."


class Forbidden(Refused):
    """The caller is known and has no right to this."""

    status = 403
    default_vi = "Không có quyền thực hiện."


class Unauthenticated(Refused):
    """Nobody knows who the caller is."""

    status = 401
    default_vi = "Cần đăng nhập hoặc khóa truy cập hợp lệ."


class MissingCalendar(Refused):
    """A date falls into a year that has no working calendar, so no deadline can be stated."""

    default_vi = "Chưa có lịch làm việc cho năm này nên không tính được hạn."

    def __init__(self, year: int) -> None:
        super().__init__(
            f"there is no working calendar for the year {year}",
            vi=f"Chưa có lịch làm việc cho năm {year} nên không tính được hạn.",
        )
        self.year = year


# --- try again later -------------------------------------------------------------------------


class Transient(LienThongError):
    """It may work later; the retry budget decides how often it is tried."""

    default_vi = "Hệ thống tạm thời gián đoạn, sẽ thử lại."


class DatabaseAway(Transient):
    """The database cannot be reached or broke off."""

    default_vi = "Cơ sở dữ liệu tạm thời không truy cập được."


class BrokerAway(Transient):
    """The message broker cannot be reached or broke off."""

    default_vi = "Máy chủ bản tin tạm thời không truy cập được."


# --- trying again cannot help ----------------------------------------------------------------


class ParkNow(LienThongError):
    """The fact is parked at once: a person must look at it."""

    default_vi = "Bản tin cần người xem xét."


class Unreadable(ParkNow):
    """The bytes are no message of ours."""

    default_vi = "Bản tin không đọc được."


# --- the installation is wrong: nothing starts ------------------------------------------------


class BrokenCatalogue(LienThongError):
    """The city's data is wrong; carries every fault with file, place and mend."""

    default_vi = "Danh mục của thành phố có lỗi."

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(
            f"the catalogue has {len(self.faults)} fault(s):\n{lines}",
            vi=f"Danh mục có {len(self.faults)} lỗi.",
        )


class SettingsError(LienThongError):
    """A setting is unknown, missing or cannot be read."""

    default_vi = "Cấu hình chưa đúng."
