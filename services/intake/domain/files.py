"""Files of a dossier: what is kept of one, what it may be, and what is said where it is not taken.

Not here: how a file is judged (judging/), where its bytes lie (storage/folder.py).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.kernel.errors import Fault, InvalidInput, NotFound
from shared.kernel.text import msgid

MIB: Final = 1024 * 1024
#: What a file may be, as its content shows: the ending under which it is handed out.
MEDIA: Final = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
#: Files of one dossier, and of one form.
MOST_FILES: Final = 100
MOST_AT_ONCE: Final = 20
#: After so long bytes that no row knows are left over, and a file that only began to come in is.
LEFT_OVER_AFTER: Final = timedelta(days=7)
DRAFT_FOR: Final = timedelta(days=1)
_LONGEST_NAME: Final = 100
_NOT_IN_NAMES: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')

State = Literal["held", "clean", "refused"]
Kind = Literal["scan", "result"]
STATES_VI: Final[dict[str, str]] = {
    "clean": msgid("dùng được"),
    "held": msgid("chờ quét mã độc, chưa mở được"),
    "refused": msgid("bị từ chối, đã xóa"),
    "withdrawn": msgid("đã gỡ"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one file, and of all files of a dossier together."""

    file: int = 20 * MIB
    dossier: int = 100 * MIB


@dataclass(frozen=True, slots=True)
class Judged:
    """What a file is by its content; `held` says why nobody may see it yet, a code."""

    media_type: str
    sha256: str
    size: int
    held: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file; `why` is a code of `WHY` where it is not served, instants in UTC.

    `name` is what whoever handed it in called it: shown, never a path. `added_by` is an actor;
    `agency` and `task` are those of a result.
    """

    id: str
    dossier: str
    kind: Kind
    name: str = field(repr=False)
    media_type: str
    size: int
    sha256: str
    state: State
    why: str | None
    added_at: datetime
    added_by: str
    agency: str | None = None
    task: str | None = None
    withdrawn_at: datetime | None = None
    reason: str | None = field(default=None, repr=False)

    @property
    def served(self) -> bool:
        """Whether it may be read by those who may read the dossier's files."""
        return self.state == "clean" and self.withdrawn_at is None

    @property
    def standing(self) -> str:
        """How it stands, a key of `STATES_VI`."""
        return "withdrawn" if self.withdrawn_at is not None else self.state

    @property
    def key(self) -> str:
        """Under which its bytes are kept: by digest; each file has bytes of its own."""
        return f"{self.sha256[:2]}/{self.sha256}-{self.id}"

    @property
    def told_name(self) -> str:
        """The name under which it is handed out: by its content, whatever it was called."""
        stem = self.name.rpartition(".")[0] or self.name
        return f"{stem}.{MEDIA[self.media_type]}"


def tidy_name(name: str | None) -> str:
    """A name as it is kept: of no path, nothing that moves a cursor or ends a name, at most 100."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name or ""))[-1]
    plain = "".join(c for c in last if c.isprintable())  # no controls, no turned writing
    tidy = " ".join(_NOT_IN_NAMES.sub(" ", plain).split()).strip(". ")
    if len(tidy) > _LONGEST_NAME:
        stem, dot, end = tidy.rpartition(".")
        keep = dot + end if stem and len(end) <= 5 else ""
        tidy = (stem if keep else tidy)[: _LONGEST_NAME - len(keep)] + keep
    return tidy or "tep"


#: Why a file is not taken or not served: code -> Vietnamese, English. What to do stands in each.
WHY: Final[dict[str, tuple[str, str]]] = {
    "empty": ("tệp rỗng; hãy quét hoặc chụp lại", "the file is empty; scan it again"),
    "too_large": (
        "tệp lớn hơn {file} MB; hãy quét đen trắng 200 dpi hoặc chia thành nhiều tệp",
        "the file has more than {file} MB; scan at 200 dpi or split it",
    ),
    "kind": (
        "không phải PDF, JPEG hay PNG; hãy quét hoặc chụp lại thành một trong ba loại đó",
        "this is no PDF, JPEG or PNG; scan it as one of these",
    ),
    "mixed": (
        "tệp còn chứa nội dung loại khác; hãy quét hoặc chụp lại từ giấy",
        "the file holds content of another kind as well; scan the paper anew",
    ),
    "broken": (
        "không mở được tệp: hỏng hoặc thiếu một phần; hãy quét hoặc gửi lại",
        "the file cannot be opened: broken or cut short; scan or send it again",
    ),
    "too_complex": (
        "tệp nở ra quá lớn khi mở; hãy quét lại từ giấy",
        "the file grows too large when opened; scan the paper anew",
    ),
    "too_many_pixels": (
        "ảnh có quá nhiều điểm ảnh; hãy chụp ở độ phân giải thường",
        "the picture has too many pixels; take it at a usual resolution",
    ),
    "too_many_pages": (
        "PDF có hơn 300 trang; hãy chia thành nhiều tệp",
        "the PDF has more than 300 pages; split it",
    ),
    "locked": (
        "PDF đặt mật khẩu; hãy bỏ mật khẩu rồi gửi lại",
        "the PDF is locked by a password; remove it and send it again",
    ),
    "active": (
        "PDF chứa lệnh tự chạy (JavaScript, mở chương trình, biểu mẫu động); hãy in ra PDF mới",
        "the PDF holds commands (JavaScript, launching, live forms); print it to a new PDF",
    ),
    "embedded": (
        "PDF có tệp khác đính kèm bên trong; hãy in ra PDF mới, gửi riêng tệp đính kèm",
        "the PDF has other files embedded; print it to a new PDF and send those apart",
    ),
    "infected": (
        "phát hiện mã độc; tệp đã bị xóa, hãy quét lại từ giấy gốc",
        "malware was found; the file was deleted, scan the paper anew",
    ),
    "unscanned": (
        "máy quét mã độc chưa trả lời; tệp được giữ lại và quét sau",
        "the malware scanner did not answer; the file is held and scanned later",
    ),
    "dossier_full": (
        "hồ sơ đã đủ tệp (tối đa {most} tệp, {dossier} MB); hãy gỡ tệp thừa",
        "the dossier is full (at most {most} files, {dossier} MB); withdraw what is not needed",
    ),
    "missing": ("chọn ít nhất một tệp", "choose at least one file"),
    "too_many": ("mỗi lần gửi tối đa {at_once} tệp", "at most {at_once} files at once"),
}


class FileRefused(InvalidInput):
    """A file that is not taken; `why` is a key of `WHY`. Nothing of it is left."""

    def __init__(self, why: str, limits: Limits, name: str = "", place: str = "file") -> None:
        vi, en = said(why, limits)
        before = f"{name}: " if name else ""
        super().__init__([Fault(place, f"{before}{vi}.", f"{before}{en}", f"file_{why}")])
        self.why = why
        if why == "too_large":
            self.status = 413


def said(why: str, limits: Limits) -> tuple[str, str]:
    """The words of a reason, Vietnamese and English."""
    numbers = {
        "file": limits.file // MIB,
        "dossier": limits.dossier // MIB,
        "most": MOST_FILES,
        "at_once": MOST_AT_ONCE,
    }
    vi, en = WHY[why]
    return vi.format(**numbers), en.format(**numbers)


def no_such_file() -> NotFound:
    """It is not there, is not served, or is not the caller's to see."""
    return NotFound("there is no such file", vi="Không có tệp này, hoặc tệp chưa mở được.")
