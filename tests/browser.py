"""Chromium for the browser tests, and what must hold of every page that it shows.

The one place that says how wide a page may be: `fits` measures it on two phones and at the width
that the test chose, in the typeface that we ship and in the system's where ours does not come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
DESKTOP: Final = 1280
PHONE: Final = 360
# The narrowest phones that are in use, and the most usual width.
PHONES: Final = (320, PHONE)
HEIGHT: Final = 800
# A flow is tried whole on a desk's screen, its pages measured at the phones' widths as well (`fits`);
# the whole flow on a phone is one of the long tests.
SCREENS: Final = (
    pytest.param(DESKTOP, id="desktop"),
    pytest.param(PHONE, id="phone", marks=pytest.mark.long),
)
PATIENCE_MS: Final = 60_000  # a machine under load is not a page that never comes

_LOADED = """async () => {
    const faces = [...document.fonts];
    await Promise.all(faces.map((face) => face.load()));
    await document.fonts.ready;
    return faces.filter((face) => face.status === "loaded").length;
}"""
# The typefaces of our style sheets, taken off the page and given back: no page must be loaded anew,
# so that what a test has opened or typed stays as it is.
_TAKE = """() => {
    const taken = [];
    for (const sheet of document.styleSheets)
        for (let place = sheet.cssRules.length - 1; place >= 0; place -= 1)
            if (sheet.cssRules[place] instanceof CSSFontFaceRule) {
                taken.push([sheet, place, sheet.cssRules[place].cssText]);
                sheet.deleteRule(place);
            }
    return taken;
}"""
_GIVE_BACK = """(taken) => {
    for (const [sheet, place, text] of taken.reverse()) sheet.insertRule(text, place);
}"""
_TOO_WIDE = """() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const out = [...document.body.querySelectorAll("*")]
        .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 0.5)
        .map((each) => `${each.tagName.toLowerCase()}.${each.className} `
            + `${Math.round(each.getBoundingClientRect().right)} ${each.textContent.trim().slice(0, 40)}`);
    return [`${root.scrollWidth - root.clientWidth} px too wide`, ...out];
}"""
_TWICE = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    return ids.filter((each, place) => ids.indexOf(each) !== place);
}"""


@contextmanager
def launched(chromium: str) -> Iterator[Any]:
    """A browser that ends with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def opened_page(browser: Any, width: int, **more: Any) -> Iterator[Any]:
    """A page of a browser of its own; what it complains about is kept in `page.complaints`."""
    shown = {"viewport": {"width": width, "height": HEIGHT}, "locale": "vi-VN"}
    context = browser.new_context(**shown | more)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.complaints = []
        page.on("console", lambda message: _note(page, message))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
    finally:
        context.close()


def _note(page: Any, message: Any) -> None:
    """Keep a complaint, unless it only repeats a status that a test asks for on purpose."""
    expected = any(status in message.text for status in ("401", "403", "404", "409", "422"))
    if message.type in ("error", "warning") and not expected:
        page.complaints.append(message.text)


def is_sound(page: Any) -> None:
    """Accessible, on every screen, no two things of one name, and nothing complained about."""
    is_accessible(page)
    fits(page)
    twice = page.evaluate(_TWICE)
    assert twice == [], f"{page.url}: {twice}"
    assert page.complaints == [], f"{page.url}: {page.complaints}"


def is_accessible(page: Any) -> None:
    """No fault that axe finds; it takes a second."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state("load")  # a text may be there before the styles are
    found = Axe().run(page).response["violations"]
    told = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]
    assert told == [], f"{page.url}: {told}"


def fits(page: Any) -> None:
    """Nothing is wider than the screen: on a phone or here, in our typeface or in the system's."""
    page.wait_for_load_state("load")
    assert page.evaluate(_LOADED) == 2, f"{page.url}: the typeface has not come"
    own = page.viewport_size
    widths = sorted({*PHONES, own["width"]})
    try:
        _fits_all(page, widths, "our typeface")
        taken = page.evaluate_handle(_TAKE)
        try:
            assert page.evaluate("document.fonts.size") == 0
            _fits_all(page, widths, "the system's typeface")
        finally:
            page.evaluate(_GIVE_BACK, taken)
    finally:
        page.set_viewport_size(own)


def _fits_all(page: Any, widths: list[int], typeface: str) -> None:
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        out = page.evaluate(_TOO_WIDE)
        assert out == [], f"{page.url} at {width} px in {typeface}: {out}"
