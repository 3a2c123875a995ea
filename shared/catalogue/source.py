"""Typed readers over the YAML files: each gives a value of the right type or notes a fault.

Values are read as they were written, not as YAML guesses: an unquoted code is a fault here before
it can become a number that lost its zero. What a procedure or an agency is lives elsewhere.
"""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import TypeVar

import yaml

from shared.catalogue.depth import DEEPEST, too_deep
from shared.catalogue.faults import Faults, did_you_mean
from shared.catalogue.placed import Placed
from shared.kernel.clock import parse_day

T = TypeVar("T", bound=str)
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STRING_TAG = "tag:yaml.org,2002:str"
INT_TAG = "tag:yaml.org,2002:int"
BOOL_TAG = "tag:yaml.org,2002:bool"
TRUE_WORDS = frozenset({"true", "yes", "on"})
DECIMAL = re.compile(r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")
CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


class Entry(Placed):
    """A mapping whose values are asked for by type.

    A reader that notes a fault gives back a harmless value, so that reading can go on.
    """

    def _scalar(self, key: str, *, needed: bool) -> yaml.ScalarNode | None:
        node = self.node(key)
        if node is None:
            if needed:
                self.fault(
                    key, en=f"'{key}' is missing: write it", vi=f"thiếu '{key}': hãy ghi vào"
                )
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.fault(key, en=f"'{key}' must be a single value", vi=f"'{key}' phải là một giá trị")
            return None
        return node

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there and not be empty."""
        node = self._scalar(key, needed=default is None)
        if node is None:
            return default or ""
        if default is None and not node.value.strip():
            self.fault(key, en=f"'{key}' is empty: write it", vi=f"'{key}' để trống: hãy ghi vào")
        return str(node.value).strip()

    def maybe_text(self, key: str) -> str | None:
        """A text, or None when it is not written."""
        return self.text(key, default="") or None

    def quoted(self, key: str, example: str) -> str:
        """A code that looks like a number: it must stand in quotes, else YAML eats its zeros."""
        node = self._scalar(key, needed=True)
        if node is None:
            return ""
        raw = str(node.value)
        if node.tag != STRING_TAG:
            self.fault(
                key,
                en=f"{raw} is not in quotes, so YAML reads a number and may lose a zero: "
                f'write "{raw}", all digits as in "{example}"',
                vi=f"{raw} không có dấu nháy nên YAML đọc thành số và có thể mất số 0: "
                f'hãy ghi "{raw}", đủ chữ số như "{example}"',
            )
        return raw

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number of 0 or more."""
        found = self.maybe_number(key)
        if found is None:
            if default is None and not self.has(key):
                self.fault(
                    key, en=f"'{key}' is missing: write it", vi=f"thiếu '{key}': hãy ghi vào"
                )
            return default or 0
        return found

    def maybe_number(self, key: str) -> int | None:
        """A whole number of 0 or more, or None when it is not written."""
        node = self._scalar(key, needed=False)
        if node is None:
            return None
        if node.tag != INT_TAG or not str(node.value).isdecimal():
            self.fault(
                key,
                en=f"'{node.value}' is no whole number: write one such as 3",
                vi=f"'{node.value}' không phải số nguyên: hãy ghi số như 3",
            )
            return None
        return int(node.value)

    def maybe_decimal(self, key: str) -> float | None:
        """A number that may have a fraction or a minus, or None when it is not written."""
        node = self._scalar(key, needed=False)
        if node is None:
            return None
        if not DECIMAL.match(str(node.value)):
            self.fault(
                key,
                en=f"'{node.value}' is no number: write one such as 0.5 or 1000",
                vi=f"'{node.value}' không phải số: hãy ghi số như 0.5 hoặc 1000",
            )
            return None
        return float(node.value) if "." in node.value else int(node.value)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        node = self._scalar(key, needed=False)
        if node is None:
            return default
        if node.tag != BOOL_TAG:
            self.fault(
                key,
                en=f"'{node.value}' is neither true nor false: write one of them",
                vi=f"'{node.value}' không phải true hay false: hãy ghi một trong hai",
            )
            return default
        return str(node.value).lower() in TRUE_WORDS

    def day(self, key: str) -> date:
        """A date, written 2021-01-01."""
        found = self.maybe_day(key)
        if found is None and not self.has(key):
            self.fault(
                key,
                en=f"'{key}' is missing: write a date such as 2021-01-01",
                vi=f"thiếu '{key}': hãy ghi ngày như 2021-01-01",
            )
        return found or date.min

    def maybe_day(self, key: str) -> date | None:
        """A date, or None when it is not written."""
        node = self._scalar(key, needed=False)
        if node is None:
            return None
        try:
            return parse_day(str(node.value))
        except ValueError:
            self.fault(
                key,
                en=f"'{node.value}' is no date: write it as 2021-01-31",
                vi=f"'{node.value}' không phải ngày: hãy ghi như 2021-01-31",
            )
            return None

    def clock(self, key: str) -> time | None:
        """A time of day in quotes, "15:00", or None; unquoted, YAML counts it in sixties."""
        node = self._scalar(key, needed=False)
        if node is None:
            return None
        match = CLOCK.match(str(node.value))
        if node.tag != STRING_TAG or match is None:
            self.fault(
                key,
                en=f'{node.value} is no time of day: write it in quotes, "15:00"',
                vi=f'{node.value} không phải giờ: hãy ghi trong dấu nháy, "15:00"',
            )
            return None
        return time(int(match[1]), int(match[2]))

    def choice(self, key: str, allowed: tuple[T, ...], default: T | None = None) -> T:
        """One of the allowed words."""
        word = self.text(key, default=default)
        for known in allowed:
            if word == known:
                return known
        if word or self.has(key):
            en, vi = did_you_mean(word, allowed)
            self.fault(
                key,
                en=f"'{word}' is not known here: {en}",
                vi=f"'{word}' không dùng được ở đây: {vi}",
            )
        return default if default is not None else allowed[0]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one single text counts as a list of one."""
        node = self.node(key)
        if node is None:
            return ()
        if isinstance(node, yaml.ScalarNode):
            return (str(node.value),)
        if isinstance(node, yaml.SequenceNode) and all(
            isinstance(item, yaml.ScalarNode) for item in node.value
        ):
            return tuple(str(item.value) for item in node.value)
        self.fault(
            key,
            en=f"'{key}' must be a list of words: [one, two]",
            vi=f"'{key}' phải là danh sách các từ: [một, hai]",
        )
        return ()

    def entry(self, key: str) -> Entry | None:
        """The mapping under this key, None when it is not written."""
        node = self.node(key)
        if node is None:
            return None
        return Entry(self.file, self._join(key), node, self.faults)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The list of mappings under this key."""
        node = self.node(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.fault(
                key,
                en=f"'{key}' must be a list: each item begins with '- '",
                vi=f"'{key}' phải là danh sách: mỗi mục bắt đầu bằng '- '",
            )
            return ()
        return tuple(
            Entry(self.file, f"{self._join(key)}[{index}]", item, self.faults)
            for index, item in enumerate(node.value)
        )


def open_file(path: Path, root: Path, faults: Faults) -> Entry | None:
    """The top mapping of a YAML file, None (and a fault) when it cannot be read."""
    name = path.relative_to(root).as_posix()
    try:
        node = _compose(path.read_text(encoding="utf-8"), name, faults)
    except UnicodeDecodeError:
        faults.add(
            name,
            en="the file is not UTF-8: save it as UTF-8",
            vi="tệp không phải UTF-8: hãy lưu lại dạng UTF-8",
        )
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        faults.add(
            f"{name}{line}",
            en=f"this is no YAML ({problem}): look at indent and quotes",
            vi=f"không đúng YAML ({problem}): hãy xem lại thụt dòng và dấu nháy",
        )
        return None
    return None if node is None else Entry(name, "", node, faults)


def _compose(text: str, name: str, faults: Faults) -> yaml.Node | None:
    """The file's top node; None (and a fault) where it is empty or deeper than anybody needs."""
    line = too_deep(text, Loader)
    if line is not None:
        faults.add(
            f"{name}:{line}",
            en=f"nested deeper than {DEEPEST} levels: look at indent and brackets",
            vi=f"lồng nhau hơn {DEEPEST} tầng: hãy xem lại thụt dòng và dấu ngoặc",
        )
        return None
    node: yaml.Node | None = yaml.compose(text, Loader=Loader)
    if node is None:
        faults.add(
            name,
            en="the file is empty: fill it in or delete it",
            vi="tệp trống: hãy ghi nội dung hoặc xóa tệp",
        )
    return node
