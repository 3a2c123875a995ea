"""How deep a YAML file is nested, found out before it is read: the reader in C recurses and dies."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

DEEPEST: Final = 32
_BRACKETS: Final = re.compile(r"[\[{]|[\]}]")
# An indent, or a row of items on one line, that no file of a person has.
_ODD: Final = re.compile(rf"^ {{{2 * DEEPEST}}}|^(?: *- ){{{DEEPEST // 2}}}", re.MULTILINE)


def too_deep(text: str, loader: Any) -> int | None:
    """The number of the line on which the nesting passes DEEPEST levels; None where none does.

    yaml.YAMLError for what is no YAML before it comes so far.
    """
    if not _may_be_deep(text):
        return None
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                return 1 if event.start_mark is None else event.start_mark.line + 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _may_be_deep(text: str) -> bool:
    """A quick look, since nearly every file is flat."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > DEEPEST // 2:
            return True
    return _ODD.search(text) is not None
