"""Words that people read on pages stand in catalogues: none is left in code or templates.

Code is read as trees, templates by Jinja's own parser; each room that is not there yet is named.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes
from markupsafe import Markup

from shared.settings import PROJECT
from shared.web import catalogues
from shared.web.words import SOURCE

#: Rooms with pages whose words are not in catalogues yet; the list may only become shorter.
NOT_YET = ("services/routing/web", "services/notify/web")
#: Scripts that still hold words of their own, both officers'; the list may only become shorter.
SCRIPTS_NOT_YET = frozenset({
    "desk.js", "offline-store.js", "offline-waiting.js", "offline.js",
})  # fmt: skip
#: What of a room is no page: what programs read, in Vietnamese and English beside each other, the
#: papers of state, and the names of what is typed.
NO_PAGES = (
    "services/intake/web/api/", "services/intake/web/papers/", "shared/web/api.py",
    "shared/web/described.py", "shared/web/faults.py", "shared/web/problems.py",
    "shared/web/reading.py", "shared/web/status.py", "shared/web/errors.py",
    "services/intake/web/pages/provider.py", "shared/web/words.py",
)  # fmt: skip
#: Whoever reads these chose a language: nothing of them may lack English.
FOR_CITIZENS = frozenset({
    "services/intake/web/openings.py", "services/intake/web/where.py",
    "services/intake/web/pages/lookup.py", "services/intake/web/pages/result.py",
    "services/intake/web/templates/intake/found.html",
    "services/intake/web/templates/intake/lookup.html",
    "services/intake/web/templates/intake/result.html",
    "shared/web/due.py", "shared/web/filters.py", "shared/web/rooms.py",
    "shared/web/templates/lienthong/base.html", "shared/web/templates/lienthong/error.html",
    "shared/web/templates/lienthong/macros.html",
})  # fmt: skip
#: What an operator sees alone, on a port of its own, in both languages at once.
OF_OPERATORS = "lienthong/status.html"
_VIETNAMESE = re.compile("[À-ỹĐđ]")
_TAGS = re.compile(r"<[^>]*>|&\w+;")
_ATTRIBUTE = re.compile(r"[\w-]+=\"")
_READ = re.compile(r"\s(?:title|aria-label|alt|placeholder|data-label|data-key-says)=\"([^\"]*)\"")
_WORD = re.compile(r"[^\W\d_]{2,}")
#: Said alike in every language.
_NAMES = frozenset({
    "Liên", "Thông", "Enter", "Excel", "CSV", "KB", "MB", "dd", "mm", "yyyy", "SHA", "Ctrl", "Alt",
    "en", "vi", "English", "JSON", "Tab",
})  # fmt: skip
_HOLES = re.compile(r"%\((\w+)\)s")


def templates() -> list[str]:
    return [
        file.relative_to(PROJECT).as_posix()
        for room in catalogues.ROOMS
        for file in sorted((PROJECT / room).rglob("*.html"))
        if not file.as_posix().endswith(OF_OPERATORS)
    ]


def modules() -> list[str]:
    found = (
        file.relative_to(PROJECT).as_posix()
        for room in catalogues.ROOMS
        for file in sorted((PROJECT / room).rglob("*.py"))
    )
    return [each for each in found if not each.startswith(NO_PAGES)]


@pytest.mark.parametrize("path", templates())
def test_a_template_says_nothing_of_its_own(path: str):
    assert list(bare_of_template((PROJECT / path).read_text(encoding="utf-8"))) == []


def bare_of_template(source: str) -> Iterator[str]:
    """Words of a template that no catalogue can translate."""
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(source)
    looked_up = {
        id(inner)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext")
        for inner in call.find_all(nodes.Const)
    }
    for text in tree.find_all(nodes.Const):
        bare = isinstance(text.value, str) and not isinstance(text.value, Markup)
        if bare and id(text) not in looked_up and _VIETNAMESE.search(text.value):
            yield text.value
    html = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\0"
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )
    shown = [_ATTRIBUTE.sub(" ", _TAGS.sub(" ", html)), *_READ.findall(html)]
    for piece in shown:
        yield from (word for word in _WORD.findall(piece) if word not in _NAMES)


_ALL = [str(each.relative_to(PROJECT)) for each in PROJECT.glob("s*/**/templates/**/*.html")]


@pytest.mark.parametrize("path", sorted(_ALL))
def test_only_sentences_of_the_template_itself_are_taken_for_safe(path: str):
    """What `_` gives is markup; a variable goes through `said`, which is escaped like any text."""
    assert list(_not_literal((PROJECT / path).read_text(encoding="utf-8"))) == []


def _not_literal(source: str) -> Iterator[int]:
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(source)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext"):
            sentences = call.args[: 2 if call.node.name == "ngettext" else 1]
            if not all(isinstance(each, nodes.Const) for each in sentences):
                yield call.lineno


def test_a_variable_taken_for_safe_is_seen():
    assert list(
        _not_literal('{{ _("a") }}{% trans n=1 %}b {{ n }}{% endtrans %}\n{{ _(name) }}')
    ) == [2]


@pytest.mark.parametrize("path", modules())
def test_a_module_of_pages_says_nothing_of_its_own(path: str):
    assert list(bare_of_module((PROJECT / path).read_text(encoding="utf-8"))) == []


def bare_of_module(source: str) -> Iterator[str]:
    """Vietnamese texts that no catalogue can translate, and that have no English beside them."""
    tree = ast.parse(source)
    fine: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            fine.add(id(node.value))  # a docstring
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            told = [each.value for each in node.keywords if each.arg == "vi"]
            told += node.args[1:2] if name == "Fault" else []
            told += node.args if name in ("gettext", "ngettext", "msgid") else []
            fine.update(id(inner) for each in told for inner in ast.walk(each))
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_vi":
            fine.update(id(inner) for inner in ast.walk(node.value))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in fine and _VIETNAMESE.search(text):
            yield f"{node.lineno}: {text}"


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("<p>Xem</p>", ["Xem"]),
        ("<p>{{ _('Xem') }}</p>", []),
        ("<p>{% trans %}Xem{% endtrans %}</p>", []),
        ('<p title="Mở">{{ lt.field("a", "Tên") }}</p>', ["Tên", "Mở"]),
        ('<a href="/xem" class="xem">{{ x }}</a>', []),
    ],
)
def test_a_bare_word_of_a_template_is_seen(source: str, bare: list[str]):
    assert list(bare_of_template(source)) == bare


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('x = "Đã lưu"', True),
        ('x = f"Đã lưu {n}"', True),
        ('x = gettext("Đã lưu %(n)s", n=n)', False),
        ('raise NotFound("gone", vi="Không có")', False),
        ('Fault("a", "Sai", "wrong"), Fault("a", f"Thiếu {n}", "lacks")', False),
    ],
)
def test_a_bare_sentence_of_a_module_is_seen(source: str, seen: bool):
    assert bool(list(bare_of_module(source))) is seen


def test_scripts_take_their_words_from_the_page():
    holding = {
        file.name
        for room in ("shared", "services")
        for file in (PROJECT / room).rglob("*.js")
        if "min" not in file.name and _VIETNAMESE.search(_code(file.read_text(encoding="utf-8")))
    }
    assert holding == SCRIPTS_NOT_YET


def _code(script: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", script, flags=re.DOTALL)


def test_every_room_with_templates_has_a_catalogue_or_is_named():
    rooms = {
        file.parents[2].relative_to(PROJECT).as_posix()
        for room in ("shared", "services")
        for file in (PROJECT / room).rglob("templates/*/*.html")
    }
    assert rooms == {*catalogues.ROOMS, *NOT_YET}


@pytest.mark.parametrize(("room", "language"), [each[:2] for each in catalogues.files()])
def test_a_catalogue_has_every_sentence_and_no_other(room: str, language: str):
    """Made anew it is the same: else run `python -m shared.web.catalogues`."""
    file = PROJECT / room / "translations" / f"{language}.po"
    assert file.read_text(encoding="utf-8") == catalogues.renewed(room, language, file)


def _translated() -> Iterator[tuple[Message, list[str], list[str]]]:
    for _, language, file in catalogues.files():
        for message in catalogues.read(file, language):
            ids, strings = message.id, message.string
            if ids:
                yield (
                    message,
                    list(ids) if isinstance(ids, tuple) else [ids],
                    list(strings) if isinstance(strings, tuple) else [strings],
                )


def test_a_translation_has_the_same_holes_and_no_marks_of_its_own():
    """What the sentence leaves open its translation leaves open; HTML is where it was."""
    wrong = [
        (ids[0], string)
        for _, ids, strings in _translated()
        for string in strings
        if string
        and (
            set(_HOLES.findall(string)) != set(_HOLES.findall(ids[0]))
            or sorted(_TAGS.findall(string)) != sorted(_TAGS.findall(ids[0]))
            or ('"' in string and '"' not in ids[0])
        )
    ]
    assert wrong == []


def test_what_citizens_read_is_all_in_english():
    lacking = [
        ids[0]
        for message, ids, strings in _translated()
        if {place for place, _ in message.locations} & FOR_CITIZENS and not all(strings)
    ]
    assert lacking == []
    assert SOURCE == "vi"
    assert all((PROJECT / each).exists() for each in FOR_CITIZENS)
