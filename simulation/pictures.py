"""Pictures of the main pages, taken by a real browser that works in a served city.

Lives here: the browser, who opens what, and making the files small. Must not: building the city or
playing in it. Playwright and Chromium come with the packages for development alone.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from PIL import Image

from shared.catalogue import Procedure
from shared.kernel.errors import LienThongError

#: Every picture by its name, with its width in pixels.
PICTURES: Final = {
    "01-sign-in": 1280,
    "02-dossiers": 1280,
    "03-choose": 1280,
    "04-form": 1280,
    "05-receipt": 1280,
    "06-dossier": 1280,
    "07-tasks": 1280,
    "08-task": 1280,
    "09-look-up": 1280,
    "10-report": 1280,
    "11-dossiers-phone": 360,
    "12-look-up-phone": 360,
}
HEIGHT: Final = 900
_COLOURS: Final = 128
_PATIENCE_MS: Final = 60_000
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


class NoBrowser(LienThongError):
    """What takes the pictures is not installed."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who works before the camera, by sign-in name and password, and on which two dossiers.

    The officer's `office` is a desk and an agency. `filed` is what they file (form and contact as the
    API takes them); `code` and `word` are of a dossier of that desk that is under way.
    """

    officer: tuple[str, str]
    office: str
    leader: tuple[str, str]
    procedure: Procedure
    filed: Mapping[str, Any]
    code: str
    word: str


def chromium() -> str:
    """Where Chromium is; NoBrowser with what to install, where it or Playwright is missing."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoBrowser(
            "the pictures need Chromium: apt-get install chromium",
            vi="Chụp trang cần Chromium: apt-get install chromium.",
        )
    if importlib.util.find_spec("playwright") is None:
        raise NoBrowser(
            "the pictures need the packages of requirements-dev.lock; ./test installs them",
            vi="Chụp trang cần các gói trong requirements-dev.lock; ./test sẽ cài.",
        )
    return found


def take(url: str, at: datetime, cast: Cast, folder: Path) -> list[Path]:
    """Take every picture into `folder` (made if missing); `at` is what the browser's clock shows."""
    folder.mkdir(parents=True, exist_ok=True)
    with _browser(chromium()) as browser:
        camera = _Camera(browser, url, at, folder)
        _at_the_desk(camera, cast)
        _at_the_agency(camera, cast)
        for name in ("09-look-up", "12-look-up-phone"):
            with camera.page(name) as page:
                _look_up(page, cast)
                camera.shoot(page, name)
        with camera.page("10-report", cast.leader) as page:
            camera.shoot(page, "10-report", f"/bao-cao?noi={cast.office}")
    return [camera.file(name) for name in PICTURES]


@contextmanager
def _browser(executable: str) -> Iterator[Any]:
    # By its name: the lock of the product does not have it.
    playwright = importlib.import_module("playwright.sync_api").sync_playwright
    with playwright() as started:
        opened = started.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


@dataclass(frozen=True, slots=True)
class _Camera:
    browser: Any
    url: str
    at: datetime
    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.png"

    @contextmanager
    def page(self, name: str, who: tuple[str, str] | None = None) -> Iterator[Any]:
        """A page of a fresh browser as wide as this picture, signed in if need be."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": PICTURES[name], "height": HEIGHT},
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            reduced_motion="reduce",
            service_workers="block",
        )
        try:
            context.clock.set_fixed_time(self.at)
            context.add_init_script("window.print = () => {};")
            page = context.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            if who is not None:
                _sign_in(page, who)
            yield page
        finally:
            context.close()

    def shoot(self, page: Any, name: str, path: str | None = None) -> None:
        """The page as it stands, or another that is opened first."""
        if path is not None:
            page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("async () => { await document.fonts.ready; }")
        with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as shot:
            small = shot.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
            small.save(self.file(name), optimize=True)


def _sign_in(page: Any, who: tuple[str, str]) -> None:
    login, password = who
    page.goto("/dang-nhap")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda at: urlsplit(at).path != "/dang-nhap")


def _at_the_desk(camera: _Camera, cast: Cast) -> None:
    with camera.page("01-sign-in") as page:
        camera.shoot(page, "01-sign-in", "/dang-nhap")
    with camera.page("02-dossiers", cast.officer) as page:
        camera.shoot(page, "02-dossiers", "/ho-so")
        page.goto("/ho-so/moi")
        page.locator("#f-tim").press_sequentially("khai sinh")
        camera.shoot(page, "03-choose")
        page.goto(f"/ho-so/moi/{cast.procedure.code}")
        _fill(page, cast)
        camera.shoot(page, "04-form")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/giay-hen")
        camera.shoot(page, "05-receipt")
        camera.shoot(page, "06-dossier", f"/ho-so/{cast.code}")
    with camera.page("11-dossiers-phone", cast.officer) as page:
        camera.shoot(page, "11-dossiers-phone", "/ho-so")


def _fill(page: Any, cast: Cast) -> None:
    form = cast.filed["form"]
    for field in cast.procedure.form:
        if field.name not in form:
            continue
        asked, value = page.locator(f"[name='f.{field.name}']"), form[field.name]
        if field.type == "choice":
            asked.select_option(value)
        elif field.type == "bool":
            asked.set_checked(value)
        elif field.type == "date":
            asked.fill("/".join(reversed(value.split("-"))))
        else:
            asked.fill(str(value))
    contact = cast.filed["contact"]
    for name in ("name", "address", "phone"):
        page.locator(f"[name='c.{name}']").fill(contact[name])
    page.locator("[name='c.sms']").check()
    page.keyboard.press("Alt+Y")
    page.evaluate("scrollTo(0, 0)")


def _at_the_agency(camera: _Camera, cast: Cast) -> None:
    with camera.page("07-tasks", cast.officer) as page:
        camera.shoot(page, "07-tasks", "/nhiem-vu")
        going = page.locator("main tbody tr").filter(has_text="Đang xử lý")
        going.locator("a[href^='/nhiem-vu/']").first.click()
        page.wait_for_url("**/nhiem-vu/*")
        camera.shoot(page, "08-task")


def _look_up(page: Any, cast: Cast) -> None:
    page.goto("/tra-cuu")
    page.locator("main [name=code]").fill(cast.code)
    page.locator("main [name=word]").fill(cast.word)
    page.locator("main button[type=submit]").click()
    page.get_by_text(cast.code).first.wait_for()
