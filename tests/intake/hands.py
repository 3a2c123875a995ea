"""Somebody at the desk with a keyboard and nothing else; no test lives here.

They tab to what they want by its name, see where they are (each stop has a visible mark), and press
Enter or Space.
"""

from __future__ import annotations

from playwright.sync_api import Error

from tests.intake.made import OFFICE

#: The name of what has the focus, and whether one can see that it has it.
_AT = """() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const name = at.labels?.[0]?.textContent ?? at.getAttribute("aria-label") ?? at.textContent;
    const seen = style.outlineStyle !== "none" || style.boxShadow !== "none"
        || at === document.body || at.matches("main, [data-first], summary");
    return [name.replace(/\\s+/g, " ").trim(), seen];
}"""
#: No page has more stops than this.
_FAR = 150


class Hands:
    """Somebody without a mouse."""

    def __init__(self, page, url):
        self.page, self.url = page, url

    def to(self, words):
        """Tab on to what is called so."""
        for _ in range(_FAR):
            self.page.wait_for_load_state()
            self.page.keyboard.press("Tab")
            try:
                name, seen = self.page.evaluate(_AT)
            except Error:  # the next page came just now
                continue
            assert seen, f"nobody sees that {name[:60]} has the focus"
            if name.startswith(words):
                return self
        raise AssertionError(f"no Tab leads to {words}")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text):
        self.page.keyboard.insert_text(text)
        return self

    def told(self, words):
        self.page.get_by_text(words).first.wait_for()
        return self

    def sign_in(self, desk):
        _, self.password = desk.person(("head", OFFICE.code), login="hoa")
        self.page.goto(f"{self.url}/dang-nhap")
        self.page.locator("#f-login:focus").wait_for()
        self.type("hoa").press("Tab").type(self.password).press("Enter")
        self.page.wait_for_url(f"{self.url}/ho-so")

    def find(self, code):
        """The dossier by its exact code, from any page of the desk."""
        if self.page.url != f"{self.url}/ho-so":
            self.press("Alt+O")
            self.page.wait_for_url(f"{self.url}/ho-so")
        self.press("Alt+K").type(code).press("Enter")
        self.page.wait_for_url(f"{self.url}/ho-so/{code}")
        return self
