"""marshmallow's messages as faults in Vietnamese and English, each with its place.

Only the words live here; which fields exist is each schema's own business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.kernel.errors import Fault

_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"Missing data for required field\.", "Thiếu trường bắt buộc."),
    (r"Unknown field\.", "Trường không được phép."),
    (r"Field may not be null\.", "Không được để trống (null)."),
    (r"Not a valid string\.", "Phải là chuỗi ký tự."),
    (r"Not a valid (?:integer|whole number)\.", "Phải là số nguyên."),
    (r"Not a valid number\.", "Phải là số."),
    (r"Not a valid boolean\.", "Phải là true hoặc false."),
    (r"Not a valid list\.", "Phải là danh sách."),
    (r"Not a valid (?:mapping type|object)\.", "Phải là đối tượng JSON."),
    (r"Invalid input type\.", "Sai kiểu dữ liệu."),
    (r"Not a valid date\.", "Ngày không hợp lệ (yyyy-MM-dd)."),
    (
        r"Not a valid (?:datetime|instant)\.",
        "Thời điểm không hợp lệ (RFC 3339, có múi giờ, từ năm 1900 đến 2199).",
    ),
    (r"Not a valid UUID\.", "Mã định danh không hợp lệ."),
    (r"Not a valid email address\.", "Địa chỉ thư điện tử không hợp lệ."),
    (r"Invalid JSON body\.", "Nội dung không phải là JSON hợp lệ."),
    (r"Text must not be empty\.", "Không được để trống."),
    (r"Text holds characters that cannot be stored\.", "Có ký tự không lưu được."),
    (r"Must be one of: (?P<a>.*?)\.", "Phải là một trong: {a}."),
    (r"String does not match expected pattern\.", "Không đúng định dạng."),
    (r"Shorter than minimum length (?P<a>\d+)\.", "Ngắn hơn {a} ký tự hoặc phần tử."),
    (r"Longer than maximum length (?P<a>\d+)\.", "Dài hơn {a} ký tự hoặc phần tử."),
    (r"Length must be between (?P<a>\d+) and (?P<b>\d+)\.", "Độ dài phải từ {a} đến {b}."),
    (r"Length must be (?P<a>\d+)\.", "Độ dài phải là {a}."),
    (
        r"Must be greater than or equal to (?P<a>.+?) and less than or equal to (?P<b>.+?)\.",
        "Phải từ {a} đến {b}.",
    ),
    (r"Must be greater than or equal to (?P<a>.+?)\.", "Phải lớn hơn hoặc bằng {a}."),
    (r"Must be less than or equal to (?P<a>.+?)\.", "Phải nhỏ hơn hoặc bằng {a}."),
)
_RULES: Final = tuple((re.compile(pattern), vi) for pattern, vi in _WORDS)
#: The rules that a field can break by itself; whatever else is wrong with it is the last.
_NAMED: Final = {
    "Missing data for required field.": "missing_field",
    "Unknown field.": "unknown_field",
}
INVALID: Final = "invalid_field"
OTHERWISE: Final = "Giá trị không hợp lệ."
_LOCATIONS: Final = frozenset({"json", "query", "headers", "path", "form", "json_or_form"})
_WHOLE: Final = "_schema"  # marshmallow's name for a fault of the object as a whole


def vietnamese(message: str) -> str:
    """The Vietnamese of one of marshmallow's messages; a plain sentence for an unknown one."""
    for pattern, vi in _RULES:
        if found := pattern.fullmatch(message):
            return vi.format(**found.groupdict())
    return OTHERWISE


def faults_of(messages: Any) -> tuple[Fault, ...]:
    """Every fault in marshmallow's nested messages; places read like `papers.0.code`.

    webargs puts the location (json, query …) around the messages; it is no part of the place.
    """
    if isinstance(messages, Mapping) and len(messages) == 1:
        location, below = next(iter(messages.items()))
        if location in _LOCATIONS and isinstance(below, Mapping | list):
            messages = below
    return tuple(_walk(messages, ""))


def _walk(messages: Any, place: str) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            yield from _walk(below, place if name == _WHOLE else f"{place}.{name}".lstrip("."))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _walk(message, place)
    elif isinstance(messages, Fault):
        yield messages
    else:
        said = str(messages)
        yield Fault(place, vietnamese(said), said, _NAMED.get(said, INVALID))
