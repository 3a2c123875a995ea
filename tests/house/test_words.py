"""Words that people read on pages stand in catalogues: none is left in code or templates.

Code is read as trees, templates by Jinja's own parser; each room that is not there yet is named.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from jinja2 import Environment, nodes
from markupsafe import Markup

from services.intake.web.scripts import SAYS
from shared.settings import PROJECT
from shared.web import catalogues
from shared.web.words import SOURCE

#: What of a room is no page: what programs read, in Vietnamese and English beside each other, and
#: the names of what is typed.
NO_PAGES = (
    "services/intake/web/api/", "services/routing/web/api.py", "services/notify/web/api.py",
    "shared/web/api.py", "shared/web/described.py", "shared/web/faults.py", "shared/web/problems.py",
    "shared/web/reading.py", "shared/web/status.py", "shared/web/errors.py",
    "services/intake/web/pages/provider.py", "shared/web/words.py",
)  # fmt: skip
#: The one place of the words of official papers. They are in no catalogue on purpose: the law writes
#: them, in Vietnamese (the forms of the circulars on the one-stop mechanism; decree 30/2020 on state
#: papers), and a receipt must be the same whoever prints it. Only what pages show too is marked.
OF_PAPERS = "services/intake/domain/papers"
#: What lays these papers out: pages and PDF. A page does it `of_state`, so that nothing turns.
LAYS_OUT = "services/intake/web/papers"
#: What an operator sees alone, on a port of its own, in both languages at once.
OF_OPERATORS = "lienthong/status.html"
_VIETNAMESE = re.compile("[À-ỹĐđ]")
_TAGS = re.compile(r"<[^>]*>|&\w+;")
_ATTRIBUTE = re.compile(r"[\w-]+=\"")
_READ = re.compile(r"\s(?:title|aria-label|alt|placeholder|data-label|data-key-says)=\"([^\"]*)\"")
_WORD = re.compile(r"[^\W\d_]{2,}|[À-ỹĐđ]")
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
        if isinstance(text, str) and id(node) not in fine and _VIETNAMESE.search(_unnamed(text)):
            yield f"{node.lineno}: {text}"


def _unnamed(text: str) -> str:
    return text.replace("Liên Thông", "")


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


def scripts() -> dict[str, str]:
    """The code of each script of ours, without its comments and the letters that it folds."""
    return {
        file.name: _code(file.read_text(encoding="utf-8")).replace("[đĐ]", "")
        for room in ("shared", "services")
        for file in (PROJECT / room).rglob("*.js")
        if "min" not in file.name
    }


def test_scripts_hold_no_words():
    assert [name for name, code in scripts().items() if _VIETNAMESE.search(code)] == []


def test_each_script_is_given_the_words_that_it_says_and_no_other():
    """One kind for all: by name, out of the script's own element (services/intake/web/scripts.py)."""
    code = scripts()
    assert SAYS.keys() <= code.keys()
    for name, said in SAYS.items():
        assert {*re.findall(r'\bsay\("([\w-]+)"', code[name])} <= {*said}, name
        assert [key for key in said if f'"{key}"' not in code[name]] == [], name


def test_the_words_of_papers_stand_in_one_place():
    laid_out = [
        f"{file.name}: {said}"
        for file in (PROJECT / LAYS_OUT).glob("*.py")
        for said in bare_of_module(file.read_text(encoding="utf-8"))
    ]
    assert laid_out == []
    assert list((PROJECT / OF_PAPERS).glob("*.py"))
    for name in ("paper.html", "slip.html"):
        page = (PROJECT / "services/intake/web/templates/intake" / name).read_text(encoding="utf-8")
        before, sheet, after = re.split(
            r"\{% call of_state\(\) %\}(?=<div)|\{% endcall %\}(?=\n[{<])", page
        )
        assert 'class="card receipt sheet' in sheet
        assert "sheet" not in f"{before}{after}".partition("block content")[2]


def _code(script: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", script, flags=re.DOTALL)


def test_every_room_with_templates_has_a_catalogue():
    rooms = {
        file.parents[2].relative_to(PROJECT).as_posix()
        for room in ("shared", "services")
        for file in (PROJECT / room).rglob("templates/*/*.html")
    }
    assert rooms == {*catalogues.ROOMS}


@pytest.mark.parametrize(("room", "language"), [each[:2] for each in catalogues.files()])
def test_a_catalogue_has_every_sentence_and_no_other(room: str, language: str):
    """Made anew it is the same: else run `python -m shared.web.catalogues`."""
    file = PROJECT / room / "translations" / f"{language}.po"
    assert file.read_text(encoding="utf-8") == catalogues.renewed(room, language, file)


def _translated() -> Iterator[tuple[list[str], list[str]]]:
    for _, language, file in catalogues.files():
        for message in catalogues.read(file, language):
            ids, strings = message.id, message.string
            if ids:
                yield (
                    list(ids) if isinstance(ids, tuple) else [ids],
                    list(strings) if isinstance(strings, tuple) else [strings],
                )


def test_a_translation_has_the_same_holes_and_no_marks_of_its_own():
    """What the sentence leaves open its translation leaves open; HTML is where it was."""
    wrong = [
        (ids[0], string)
        for ids, strings in _translated()
        for string in strings
        if string
        and (
            set(_HOLES.findall(string)) != set(_HOLES.findall(ids[0]))
            or sorted(_TAGS.findall(string)) != sorted(_TAGS.findall(ids[0]))
            or ('"' in string and '"' not in ids[0])
        )
    ]
    assert wrong == []


def test_every_sentence_is_in_english():
    assert [ids[0] for ids, strings in _translated() if not all(strings)] == []
    assert SOURCE == "vi"
