"""A mapping of a YAML file with the line of every value, so that a fault can name it.

What type a value should have is the business of `source`.
"""

from __future__ import annotations

import yaml

from shared.catalogue.faults import Faults, did_you_mean

NULL_TAG = "tag:yaml.org,2002:null"


class Placed:
    """One mapping of a file: its nodes by name, and where each of them stands."""

    def __init__(
        self, file: str, path: str, node: yaml.Node, faults: Faults, under: Placed | None = None
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
        return self.node(key) is not None

    def node(self, key: str) -> yaml.Node | None:
        """The raw node under this key, own or inherited; an explicit null counts as not written."""
        self._asked.add(key)
        found = self._values.get(key)
        if found is None and self.under is not None:
            return self.under.node(key)
        if isinstance(found, yaml.ScalarNode) and found.tag == NULL_TAG:
            return None
        return found

    def names(self) -> tuple[str, ...]:
        """The keys that stand in this very mapping."""
        return tuple(self._values)

    def writes(self, key: str) -> bool:
        """Whether the key stands in this very mapping, inherited or not; it counts as read."""
        self._asked.add(key)
        return key in self._values

    def known_like(self, other: Placed) -> None:
        """The same names may stand here as in the other mapping."""
        self._asked |= other._asked

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
