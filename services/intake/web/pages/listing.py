"""Which lists a desk has, and what one asked for in an address means. Nothing is read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from services.intake.domain.dossier import CHANNELS
from services.intake.domain.statuses import Status
from services.intake.storage.queries import Filters, Sort
from shared.kernel.clock import VN, to_vn
from shared.kernel.days import read_day
from shared.kernel.numbers import Unreadable
from shared.web.words import msgid, said

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class List:
    """A list of the desk: its name in addresses, its title, what to say where it is empty.

    `counted`: its tab says how many there are. `column`: what its rows say beside the usual.
    `tab`: its title where there is little room.
    """

    name: str
    title: str
    empty: str
    narrow: Callable[[Filters, datetime], Filters]
    sort: Sort = "due"
    counted: bool = True
    column: str = ""
    tab: str = ""


def _today(filters: Filters, now: datetime) -> Filters:
    start = datetime.combine(to_vn(now).date(), time.min, VN)
    return replace(filters, due_from=start, due_to=start + _DAY)


HOLDER: Final = msgid("Đang giữ")
PHONE: Final = msgid("Điện thoại")
LISTS: Final[Mapping[str, List]] = {
    each.name: each
    for each in (
        List(
            "dang-xu-ly",
            msgid("Đang xử lý"),
            msgid("Chưa có hồ sơ nào đang xử lý. Bấm «Nộp hồ sơ mới» để nhận hồ sơ của công dân."),
            lambda filters, _: replace(filters, unfinished=not filters.statuses),
        ),
        List(
            "can-kiem-tra",
            msgid("Cần kiểm tra"),
            msgid(
                "Không có hồ sơ nào chờ kiểm tra. Hồ sơ nộp trực tuyến hoặc qua bưu chính hiện ở đây."
            ),
            lambda filters, _: replace(filters, unfinished=True, statuses=(Status.REGISTERED,)),
        ),
        List(
            "cho-cong-dan",
            msgid("Chờ công dân"),
            msgid("Không chờ công dân nào bổ sung giấy tờ hay nộp tiền."),
            lambda filters, _: replace(
                filters, unfinished=True, statuses=(Status.SUPPLEMENT, Status.PAYMENT)
            ),
            column=PHONE,
        ),
        List(
            "den-han",
            msgid("Đến hạn hôm nay"),
            msgid("Hôm nay không có hồ sơ nào đến hạn. Xem «Quá hạn» và «Đang xử lý»."),
            _today,
            column=HOLDER,
            tab=msgid("Hạn hôm nay"),
        ),
        List(
            "qua-han",
            msgid("Quá hạn, chưa xin lỗi"),
            msgid("Không có hồ sơ nào quá hạn mà chưa xin lỗi và hẹn lại."),
            lambda filters, _: replace(filters, overdue=True),
            column=HOLDER,
            tab=msgid("Quá hạn"),
        ),
        List(
            "xin-gia-han",
            msgid("Xin gia hạn, chờ trưởng bộ phận"),
            msgid("Không có cơ quan nào xin gia hạn."),
            lambda filters, _: replace(filters, asks_time=True),
            column=HOLDER,
            tab=msgid("Xin gia hạn"),
        ),
        List(
            "cho-tra",
            msgid("Chờ trả kết quả"),
            msgid("Không có kết quả nào chờ trả. Kết quả do cơ quan gửi về hiện ở đây."),
            lambda filters, _: replace(filters, unfinished=True, statuses=(Status.RESOLVED,)),
            column=PHONE,
            tab=msgid("Chờ trả"),
        ),
        List(
            "can-goi",
            msgid("Cần gọi"),
            msgid("Không phải gọi ai: mọi tin cần báo đều đã gửi được."),
            lambda filters, _: replace(filters, to_call=True),
            column=PHONE,
        ),
        List(
            "tat-ca",
            msgid("Tất cả"),
            msgid("Chưa có hồ sơ nào. Bấm «Nộp hồ sơ mới» để nhận hồ sơ của công dân."),
            lambda filters, _: filters,
            sort="newest",
            counted=False,
        ),
        List(
            "so",
            msgid("Sổ theo dõi"),
            msgid("Ngày này không tiếp nhận hồ sơ nào. Chọn ngày khác."),
            lambda filters, _: filters,
            sort="oldest",
            counted=False,
        ),
    )
}
COUNTED: Final = tuple(each for each in LISTS.values() if each.counted)
REGISTER: Final = LISTS["so"]
#: What an address may say beside which list and which page.
_DATES: Final = ("tu", "den")
_FILTERS: Final = ("trang-thai", "thu-tuc", "hinh-thuc", *_DATES)


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as its address asks for it; `search` stands for words that are kept here.

    `wrong`: what of `args` could not be read, and why; the list is not narrowed by it.
    """

    of: List
    filters: Filters
    sort: Sort
    day: date
    search: str | None = None
    words: str = field(default="", repr=False)
    args: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Whether something beside the list itself was asked for."""
        return bool(self.search or any(name in self.args for name in _FILTERS))


def read(args: Mapping[str, str], office: str, now: datetime) -> Asked:
    """The list that an address asks for; what it says wrongly is as if it had not said it."""
    of = LISTS.get(args.get("xem", ""), LISTS["dang-xu-ly"])
    dated = _DATES if of is not REGISTER else ("ngay",)
    asked = {name: read_day(args[name]) for name in dated if args.get(name)}
    wrong = {name: [said(each)] for name, each in asked.items() if isinstance(each, Unreadable)}
    days = {name: each for name, each in asked.items() if isinstance(each, date)}
    day = days.get("ngay") or to_vn(now).date()
    kept = {name: args[name][:100] for name in _FILTERS if args.get(name)}
    number = kept.get("trang-thai", "")
    whole = number.isascii() and number.isdigit() and len(number) < 3
    filters = Filters(
        office=office,
        statuses=(int(number),) if whole else (),
        procedure=kept.get("thu-tuc"),
        channel=kept["hinh-thuc"] if kept.get("hinh-thuc") in CHANNELS else None,
        received_from=start_of(days.get("tu")),
        received_to=end_of(days.get("den")),
    )
    filters = of.narrow(filters, now)
    if of is REGISTER:
        filters = replace(filters, received_from=start_of(day), received_to=end_of(day))
        kept["ngay"] = args["ngay"][:100] if wrong else day.isoformat()
    return Asked(of, filters, of.sort, day, args=kept, wrong=wrong)


def of_lists(asked: Asked, now: datetime) -> dict[str, Filters]:
    """The conditions of every list that is counted, as far as its search goes and no filter."""
    plain = Filters(office=asked.filters.office, codes=asked.filters.codes)
    return {each.name: each.narrow(plain, now) for each in COUNTED}


def start_of(day: date | None) -> datetime | None:
    """Its first instant in Việt Nam."""
    return None if day is None else datetime.combine(day, time.min, VN)


def end_of(day: date | None) -> datetime | None:
    """The first instant of the day after it."""
    return None if day is None else datetime.combine(day + _DAY, time.min, VN)
