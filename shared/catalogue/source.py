"""YAML files read with the place of every value, so that a fault can name file and line.

Values are read as they were written, not as YAML guesses: an unquoted code is a fault here before
it can become a number that lost its zero. What a procedure or an agency is lives elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml

from shared.kernel.errors import Fault

T = TypeVar("T", bound=str)
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STRING_TAG = "tag:yaml.org,2002:str"
INT_TAG = "tag:yaml.org,2002:int"
BOOL_TAG = "tag:yaml.org,2002:bool"
NULL_TAG = "tag:yaml.org,2002:null"
DATE_TAG = "tag:yaml.org,2002:timestamp"
TRUE_WORDS = frozenset({"true", "yes", "on"})
CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


@dataclass(slots=True)
class Faults:
    """All that was found wrong so far; reading goes on so that one run tells everything."""

    found: list[Fault] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def add(self, place: str, *, en: str, vi: str) -> None:
        """Note one fault; both texts say what is wrong and how to mend it.

        What a later version only inherits stands at the same line and is told once.
        """
        line = place.rpartition(": ")[0] or place
        if (line, en) not in self._told:
            self._told.add((line, en))
            self.found.append(Fault(place=place, vi=vi, en=en))

    def __len__(self) -> int:
        return len(self.found)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, None when nothing is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> tuple[str, str]:
    """The mend in English and Vietnamese for a word that is not one of the known ones."""
    words = sorted(known)
    near = nearest(word, words)
    if near is not None:
        return f"did you mean '{near}'?", f"có phải là '{near}'?"
    listed = ", ".join(words) if words else "-"
    return f"use one of: {listed}", f"hãy dùng một trong: {listed}"


class Entry:
    """One mapping of a file; every reader gives a value of the right type or notes a fault.

    A reader that notes a fault gives back a harmless value, so that reading can go on.
    """

    def __init__(
        self, file: str, path: str, node: yaml.Node, faults: Faults, under: Entry | None = None
    ) -> None:
        self.file = file
        self.path = path
        self.line = node.start_mark.line + 1
        self.faults = faults
        self.under = under
        self._asked: set[str] = set()
        self._values: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        if isinstance(node, yaml.MappingNode):
            self._take(node)
        else:
            self.fault(
                None,
                en="this must be a mapping of names to values: write 'name: value'",
                vi="chỗ này phải là các cặp tên và giá trị: hãy ghi 'tên: giá trị'",
            )

    def _take(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            name = str(key.value)
            if name in self._values:
                self.faults.add(
                    f"{self.file}:{key.start_mark.line + 1}: {self._join(name)}",
                    en=f"'{name}' is written twice: keep one of them",
                    vi=f"'{name}' được ghi hai lần: hãy giữ lại một",
                )
            self._values[name] = value
            self._lines[name] = key.start_mark.line + 1

    def _join(self, key: str | None) -> str:
        return ".".join(part for part in (self.path, key) if part)

    def place(self, key: str | None = None) -> str:
        """File, line and path of a value, as faults name it."""
        if key is not None and key not in self._lines and self.under is not None:
            return self.under.place(key)
        line = self.line if key is None else self._lines.get(key, self.line)
        path = self._join(key)
        return f"{self.file}:{line}: {path}" if path else f"{self.file}:{line}"

    def fault(self, key: str | None, *, en: str, vi: str) -> None:
        """Note a fault at this key."""
        self.faults.add(self.place(key), en=en, vi=vi)

    def has(self, key: str) -> bool:
        """Whether the key is written here, or in the version that this one is based on."""
        return self._node(key) is not None

    def _node(self, key: str) -> yaml.Node | None:
        self._asked.add(key)
        found = self._values.get(key)
        if found is None and self.under is not None:
            return self.under._node(key)
        if isinstance(found, yaml.ScalarNode) and found.tag == NULL_TAG:
            return None
        return found

    def _scalar(self, key: str, needed: bool) -> yaml.ScalarNode | None:
        node = self._node(key)
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
            return date.fromisoformat(str(node.value))
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
        node = self._node(key)
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
        node = self._node(key)
        if node is None:
            return None
        return Entry(self.file, self._join(key), node, self.faults)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The list of mappings under this key."""
        node = self._node(key)
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

    def keys(self) -> Iterator[str]:
        """The names written here, marked as known."""
        for name in self._values:
            self._asked.add(name)
            yield name

    def done(self) -> None:
        """Everything was asked for: what is left has a name that nobody reads."""
        for name, node in self._values.items():
            if name not in self._asked and node.start_mark.index == node.end_mark.index:
                self.fault(
                    name,
                    en=f"'{name}' stands alone: a comma inside {{ }} ends a value, "
                    "put a text that holds one in quotes",
                    vi=f"'{name}' đứng riêng: dấu phẩy trong {{ }} kết thúc giá trị, "
                    "hãy đặt nội dung có dấu phẩy trong dấu nháy",
                )
            elif name not in self._asked:
                en, vi = did_you_mean(name, self._asked)
                self.fault(
                    name, en=f"nothing reads '{name}': {en}", vi=f"không có mục '{name}': {vi}"
                )


def open_file(path: Path, root: Path, faults: Faults) -> Entry | None:
    """The top mapping of a YAML file, None (and a fault) when it cannot be read."""
    name = path.relative_to(root).as_posix()
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=Loader)
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
    if node is None:
        faults.add(
            name,
            en="the file is empty: fill it in or delete it",
            vi="tệp trống: hãy ghi nội dung hoặc xóa tệp",
        )
        return None
    return Entry(name, "", node, faults)
