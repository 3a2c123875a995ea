"""The house stays as it was built: its size, its floors, and where the contract's words may stand.

The trees are read, not imported; each exception has its reason beside it.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.events.registry import KINDS

ROOT = Path(__file__).parents[2]
ROOMS = ("shared", "services", "simulation", "partner")
LONGEST_FUNCTION = 40  # lines, from `def` to its last
#: Statements by Python's own parser. It may be lowered; to raise it, say in the commit what for.
MOST_STATEMENTS = 53_000

# The partner kit must not import us, so it has names of its own; tests/partner holds both together.
FREE_OF_NAMES = ("shared/events/", "partner/")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the source by its path from the root."""
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in files
    }


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{path}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_the_source_does_not_grow_unseen():
    found = sum(isinstance(node, ast.stmt) for tree in trees().values() for node in ast.walk(tree))
    assert found <= MOST_STATEMENTS


def test_no_module_imports_another_in_a_circle_not_even_for_types():
    assert circle({name: imports(name, path) for name, path in modules().items()}) is None


def modules() -> dict[str, str]:
    return {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path
        for path in trees()
    }


def imports(module: str, path: str) -> set[str]:
    """The modules of the source that are imported in this one, anywhere in it."""
    known = modules()
    found: set[str] = set()
    for node in ast.walk(trees()[path]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in inner}
    return (found & known.keys()) - {module}


def circle(graph: dict[str, set[str]]) -> list[str] | None:
    """Modules that lead back to the first of them; None where there are none."""
    left = dict(graph)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    if not left:
        return None
    way = [next(iter(left))]
    while way[-1] not in way[:-1]:
        way.append(next(iter(left[way[-1]] & left.keys())))
    return way[way.index(way[-1]) :]


def test_a_circle_is_found_and_told():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) is None
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])


def test_wire_names_stand_with_the_events_alone():
    names = re.compile("|".join(re.escape(kind.name) for kind in KINDS.values()))
    spelled = [
        f"{path}:{node.lineno} {node.value!r}"
        for path, node in constants()
        if node.value.startswith("vn.lienthong.") or names.fullmatch(node.value)
    ]
    assert spelled == []


def test_data_of_an_event_are_read_as_its_class_and_not_by_key():
    by_key = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in trees().items()
        if not path.startswith(FREE_OF_NAMES)
        for node in ast.walk(tree)
        if _reads_by_key(node)
    ]
    assert by_key == []


def _reads_by_key(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=ast.Attribute(attr="data"), slice=ast.Constant(value=str())):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="data"), attr="get")):
            return True
    return False


def constants() -> Iterator[tuple[str, ast.Constant]]:
    """Every text in the source that is no docstring, outside the rooms that may name events."""
    for path, tree in trees().items():
        if path.startswith(FREE_OF_NAMES):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("envelope.data['due_at']", True),
        ("envelope.data.get('due_at')", True),
        ("self.data[3:5]", False),
        ("envelope.event().due_at", False),
    ],
)
def test_a_key_is_seen(code: str, told: bool):
    assert any(map(_reads_by_key, ast.walk(ast.parse(code)))) is told
