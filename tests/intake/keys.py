"""An officer at the keyboard of a real browser: every key is counted where the page hears it.

A key that writes a letter into a field of the citizen's (the declaration, who hands it in) is the
citizen's; all others are the officer's: Tabs, arrows, search letters, the sign-in, both keys of a
shortcut, choosing in a list, ticking. No test lives here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.web.pages.choosing import find
from shared.catalogue import FormField, Procedure
from shared.kernel.text import unaccent

COUNT = """
addEventListener("keydown", (event) => {
    const bare = event.key.length === 1 && !event.altKey && !event.ctrlKey && !event.metaKey;
    const citizens = "input[name^='f.']:not([type=checkbox]), textarea[name^='f.'], "
        + "input[name^='c.']:not([type=checkbox])";
    const whose = bare && event.target.matches(citizens) ? "citizen" : "officer";
    const told = JSON.parse(sessionStorage.getItem("keys") ?? "[]");
    told.push([whose, event.key]);
    sessionStorage.setItem("keys", JSON.stringify(told));
}, true);
window.print = () => { document.documentElement.dataset.printed = "yes"; };
"""
_AT = """() => {
    const at = document.activeElement;
    return {name: at.name ?? "", kind: at.tagName === "SELECT" ? "select" : at.type ?? "", value: at.value ?? ""};
}"""
#: No form has more stops than this.
_FAR = 80


class Officer:
    """Somebody with a keyboard and no mouse."""

    def __init__(self, page: Any, site: str, *, hasty: bool = False) -> None:
        """`hasty`: what the citizen says is put in without keys, which are not counted anyway."""
        self.page, self.site, self._hasty = page, site, hasty
        self._pressed = 0
        page.add_init_script(COUNT)

    def press(self, *keys: str) -> None:
        """Press these keys; one such as Alt+N is two."""
        for key in keys:
            self.page.keyboard.press(key)
            self._pressed += len(key.split("+"))

    def type(self, text: str) -> None:
        """Type it where the cursor is."""
        self.page.keyboard.type(text)
        self._pressed += sum(each.isascii() for each in text)  # others are composed, unheard

    def write(self, text: str) -> None:
        """Type what the citizen says."""
        if self._hasty:
            self.page.keyboard.insert_text(text)
        else:
            self.type(text)

    def at(self) -> dict[str, str]:
        """What has the focus."""
        found: dict[str, str] = self.page.evaluate(_AT)
        return found

    def go_to(self, name: str) -> dict[str, str]:
        """Tab on to this input."""
        for _ in range(_FAR):
            at = self.at()
            if at["name"] == name:
                return at
            self.press("Tab")
        raise AssertionError(f"no Tab leads to {name}")

    def counted(self) -> list[str]:
        """The officer's own keys, as the pages heard them: all that were pressed were heard."""
        told = self.page.evaluate("JSON.parse(sessionStorage.getItem('keys') ?? '[]')")
        assert len(told) == self._pressed
        return [key for whose, key in told if whose == "officer"]

    def forget(self) -> None:
        """Count from here on."""
        self.page.evaluate("sessionStorage.removeItem('keys')")
        self._pressed = 0

    # --- the way of a dossier -------------------------------------------------------------------

    def sign_in(self, login: str, password: str) -> None:
        """From the door of the city, where the first field has the focus; counts from here on."""
        self.page.goto(f"{self.site}/dang-nhap")
        self.forget()
        self.page.locator("#f-login:focus").wait_for()
        self.type(login)
        self.press("Tab")
        self.type(password)
        self.press("Enter")
        self.page.wait_for_url(f"{self.site}/ho-so")

    def choose(self, words: str, down: int, code: str) -> None:
        """A new dossier of the procedure that these words find, so many lines down."""
        self.press("Alt+N")
        self.page.locator("#f-tim:focus").wait_for()
        self.type(words)
        self.press(*["ArrowDown"] * (down + 1 if down else 0), "Enter")
        self.page.locator("[name^='f.']:focus").wait_for()
        assert code in self.page.url

    def declare(self, fields: Sequence[FormField], values: Mapping[str, Any]) -> None:
        """Fill in the declaration: what is in `values`, and a Tab past the rest."""
        for field in fields:
            if field.name not in values:
                continue
            at = self.go_to(f"f.{field.name}")
            self._enter(at, field, values[field.name])

    def _enter(self, at: dict[str, str], field: FormField, value: Any) -> None:
        if at["kind"] == "select":
            self.press(*["ArrowDown"] * (field.choices.index(value) + 1))
        elif at["kind"] == "checkbox":
            self.press(*["Space"] if value else [])
        elif field.type == "date":
            self.write("".join(reversed(value.split("-"))))
        else:
            self.write(str(value))

    def hand_in(self, fields: Sequence[FormField], contact: Mapping[str, str]) -> None:
        """Who hands it in, told by SMS; all papers as required; file it and see it printed."""
        if any(_can_hand_in(field) for field in fields):
            self.press("Alt+P")
            assert self.page.locator("[name='c.name']").input_value()
        else:
            self.go_to("c.name")
            self.write(contact["name"])
        for name in ("address", "phone"):
            self.go_to(f"c.{name}")
            self.write(contact[name])
        self.go_to("c.sms")
        self.press("Space", "Alt+Y", "Control+Enter")
        self.page.locator("html[data-printed]").wait_for(state="attached")
        assert self.page.url.endswith("/giay-hen")


def _can_hand_in(field: FormField) -> bool:
    return field.type == "name" and field.required and field.identifies not in ("child", "deceased")


def shortest_search(procedure: Procedure, offered: Sequence[Procedure]) -> tuple[str, int]:
    """Words of its name, two at least, and how many lines down it then stands: the fewest keys.

    Such as somebody types who knows what the procedure is called.
    """
    name = re.findall("[a-z0-9]+", unaccent(procedure.name).lower())
    runs = [
        " ".join(name[start:end])
        for start in range(len(name))
        for end in range(start + 2, len(name) + 1)
    ]
    found = []
    for run in runs:
        down = find(offered, run).index(procedure)
        found.append((len(run) + (down + 1 if down else 0), run, down))
    _, run, down = min(found)
    return run, down
