"""The words of pages: Vietnamese in code and templates, other languages in catalogues beside them.

A sentence is its own key: `gettext` in code, `_` and `{% trans %}` in templates. A catalogue is
`translations/<language>.po` in the room whose sentences it holds; `python -m shared.web.catalogues` renews
them. It is read as it is when an app is built, so that nothing is compiled. What a catalogue does not
have stays Vietnamese.

A page is shown in the language that its reader chose. Who has chosen none reads Vietnamese; a
citizen's page is then in the language that the browser asks for. What programs read does not turn
with it (they name theirs in Accept-Language), nor do papers of state (`of_state`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale, get_translations
from markupsafe import Markup

from shared.identity import guard
from shared.kernel.errors import LienThongError
from shared.kernel.text import msgid
from shared.web.security import cookie_name
from shared.web.state import state_of

__all__ = ["gettext", "language", "msgid", "ngettext", "said"]

SOURCE: Final = "vi"
#: Language -> what those who read it call it.
LANGUAGES: Final = {SOURCE: "Tiếng Việt", "en": "English"}
ASKED: Final = "lang"  # in an address: be shown in this language
_YEAR: Final = 365 * 24 * 3600  # seconds
OURS: Final = Path(__file__).parent / "translations"


def gettext(vi: str, /, **values: object) -> str:
    """The sentence in the language of what is shown; `values` fill its `%(names)s`."""
    text: str = vi if language() == SOURCE else get_translations().ugettext(vi)
    return text % values if values else text


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The form of a sentence for so many; Vietnamese has one, so both are the same sentence."""
    text: str = get_translations().ungettext(one, many, num)
    return text % {"num": num, **values}


def language() -> str:
    """The language of what is shown now: Vietnamese outside a request."""
    try:  # asked for each sentence of a page, found once
        here: dict[str, str] = vars(g._get_current_object())  # noqa: SLF001
    except RuntimeError:
        return SOURCE
    if "language" not in here:
        if not has_request_context():
            return SOURCE
        here["language"] = str(get_locale().language)
    return here["language"]


@cache
def _marked(text: str) -> Markup:
    return Markup(text) % ()  # noqa: S704 - a sentence of ours


def _in_template(vi: str, /, **values: object) -> Markup:
    """As Jinja does it, without asking the context for every sentence: a list says hundreds."""
    text = gettext(vi)
    return Markup(text) % values if values else _marked(text)  # noqa: S704 - values are escaped


class Both(Protocol):
    """What has its words in both languages: an error, a fault, an unreadable input."""

    @property
    def vi(self) -> str:
        """A sentence."""

    @property
    def en(self) -> str:
        """The same, without its capital and full stop."""


def said(words: Both) -> str:
    """What an error, which has words in both languages, tells the reader of a page."""
    if language() == SOURCE:
        return words.vi
    return f"{words.en[:1].upper()}{words.en[1:].rstrip('.')}."


def _shown(words: str | Both | None) -> str:
    """What comes out of a variable, in the language of the page: the filter `said`."""
    if not words:
        return ""
    return gettext(words) if isinstance(words, str) else said(words)


@contextmanager
def vietnamese() -> Iterator[None]:
    """What is said within is Vietnamese whoever looks on: for what goes onto papers of state."""
    chosen = language()
    here: dict[str, str] = vars(g._get_current_object())  # noqa: SLF001
    here["language"] = SOURCE
    try:
        yield
    finally:
        here["language"] = chosen


def of_state(caller: Callable[[], str]) -> Markup:
    """Keep what a template calls this with as it is whoever looks on: a paper of state on a page."""
    turned = language() != SOURCE
    with vietnamese():
        sheet = Markup(caller())  # noqa: S704 - a template's
    return Markup('<div lang="vi">{}</div>').format(sheet) if turned else sheet


def install(app: Flask, folders: Iterable[Path] = ()) -> None:
    """Read our catalogue and those of these folders, and choose among them for each request."""
    babel = Babel()
    babel.domain_instance = _Catalogues((OURS, *folders))
    babel.init_app(app, default_locale=SOURCE, locale_selector=_chosen)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals |= {"_": _in_template, "gettext": _in_template, "of_state": of_state}
    app.jinja_env.filters["said"] = _shown
    app.after_request(_remember)


class _Catalogues(Domain):  # type: ignore[misc]
    """Every language that is not the source's, out of the files as they were written."""

    def __init__(self, folders: Iterable[Path]) -> None:
        super().__init__()
        self._none = NullTranslations()
        self._read = {
            each: _merged(folder / f"{each}.po" for folder in folders)
            for each in LANGUAGES
            if each != SOURCE
        }

    def get_translations(self) -> NullTranslations:
        """Those of the language that is shown now."""
        return self._read.get(language(), self._none)


def _merged(files: Iterable[Path]) -> NullTranslations:
    merged = Translations()
    for file in files:
        compiled = BytesIO()
        with file.open("rb") as source:
            write_mo(compiled, read_po(source, locale=file.stem))
        compiled.seek(0)
        merged.merge(Translations(compiled))
    return merged


def for_citizens() -> bool:
    """Whether this page is a citizen's, or one that is not there: in the browser's language."""
    if request.blueprint is not None:
        return request.blueprint in state_of().for_citizens
    return request.endpoint is None and bool(state_of().for_citizens) and not _of_officers()


def _of_officers() -> bool:
    try:
        return guard.current_or_none() is not None
    except LienThongError:
        return False


def others() -> list[tuple[str, str]]:
    """The languages, with their names, in which this page can be read beside the one it is in.

    None for an officer's form that came back: what is typed in it would be lost.
    """
    if guard.is_api() or (request.method != "GET" and not for_citizens()):
        return []
    return [each for each in LANGUAGES.items() if each[0] != language()]


def _chosen() -> str:
    if guard.is_api():
        return SOURCE
    for wish in (request.args.get(ASKED), request.cookies.get(_cookie())):
        if wish in LANGUAGES:
            return wish
    # A browser in English is not yet an officer who wants English.
    if not for_citizens() or _of_officers():
        return SOURCE
    # Not best_match: it takes `en` before `vi-VN`, whatever the browser would rather have.
    wanted = (tag.partition("-")[0].lower() for tag, much in request.accept_languages if much)
    return next((each for each in wanted if each in LANGUAGES), SOURCE)


def _remember(response: Response) -> Response:
    wish = request.args.get(ASKED)
    if wish in LANGUAGES and not guard.is_api():
        secure = state_of().settings.cookie_secure
        response.set_cookie(
            _cookie(), wish, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _cookie() -> str:
    """Remembers a choice for a year; says nothing of who chose."""
    return cookie_name(state_of().settings, "language")
