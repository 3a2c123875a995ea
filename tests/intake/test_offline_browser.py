"""The desk without a line, in a real browser: nothing typed is lost, nothing handed in is filed twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import DESKTOP, SCREENS, fits, is_accessible, opened_page
from tests.intake.line import FORM, KEPT, ROWS, Line, fill, hand_in, settled, until
from tests.intake.test_browser import sign_in

pytestmark = pytest.mark.browser
FILE = "Nộp và in giấy hẹn"
BACK = "dispatchEvent(new Event('online'))"
# A first page shares its window with the empty one before it.
CLOCK = "window.real ??= Date.now.bind(Date); Date.now = () => window.real() + {ms}"


@pytest.fixture
def line(embedded_desk):
    made = Line(embedded_desk)
    yield made
    made.stop()


@pytest.fixture
def page(browser):
    with opened_page(browser, DESKTOP) as opened:
        opened.set_default_timeout(40000)
        yield opened


@pytest.fixture
def ready(page, line, embedded_desk):
    """A signed-in officer whose browser has all it needs to go on without a line."""
    sign_in(page, line.url, embedded_desk)
    settled(page, line.url)
    return page


def named(page):
    return page.locator("[name='f.full_name']")


def states(page):
    return [row[1] for row in page.evaluate(ROWS)["rows"]]


def reconnect(page, line):
    line.begin()
    page.evaluate(BACK)


def all_sent(told):
    return told["rows"] and all(row[1] == "sent" for row in told["rows"])


# --- typing --------------------------------------------------------------------------------------


def test_typing_is_there_without_a_line_after_reload_back_and_in_a_second_tab(ready, line):
    ready.goto(f"{line.url}{FORM}")
    line.stop()
    named(ready).fill("Nguyễn Thị Mai")
    named(ready).press("Tab")
    ready.get_by_text("Chữ đã gõ được giữ, có khóa, trong máy này").wait_for()
    ready.reload()
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")
    ready.get_by_role("link", name="Chọn thủ tục khác").click()
    ready.get_by_text("Vẫn nộp mới được").wait_for()
    ready.go_back()
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")
    second = ready.context.new_page()
    second.goto(ready.url)
    expect(named(second)).to_have_value("Nguyễn Thị Mai")
    second.goto(f"{line.url}/ho-so/cho-gui")
    second.get_by_text("mới chỉ có trong máy này").wait_for()
    line.begin()
    ready.evaluate(BACK)
    ready.reload()
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")
    ready.get_by_text("Đã lưu nháp lúc").wait_for()


@pytest.mark.long
def test_what_the_server_had_is_there_without_a_line_too(ready, line):
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Nguyễn Thị Mai")
    named(ready).press("Tab")
    ready.get_by_text("Đã lưu nháp lúc").wait_for()
    line.stop()
    ready.reload()
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")


def test_words_that_changed_on_the_server_meanwhile_are_shown_beside_ours(ready, line):
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Nguyễn Thị Mai")
    named(ready).press("Tab")
    ready.get_by_text("Đã lưu nháp lúc").wait_for()
    line.stop()
    named(ready).fill("Lê Thị Thảo")
    named(ready).press("Tab")
    ready.get_by_text("Chữ đã gõ được giữ").wait_for()
    address = ready.url
    ready.goto("about:blank")
    line.begin()
    other = ready.context.browser.new_context()  # another machine of the office
    there = other.new_page()
    sign_in(there, line.url, line.desk, login="Lan.Tran")
    there.goto(address)
    with there.expect_response("**/ho-so/ban-nhap/*"):
        named(there).fill("Trần Văn Hùng")
        named(there).press("Tab")
    there.goto("about:blank")
    other.close()
    ready.goto(address)
    ready.get_by_text("Có hai bản khác nhau").wait_for()
    row = ready.locator("#hai-ban tbody tr").filter(has_text="Họ và tên").first
    expect(row).to_contain_text("Trần Văn Hùng")
    expect(row).to_contain_text("Lê Thị Thảo")
    is_accessible(ready)
    fits(ready)
    ready.get_by_role("button", name="Lấy bản trong máy này").click()
    expect(named(ready)).to_have_value("Lê Thị Thảo")
    ready.get_by_text("Đã lưu nháp lúc").wait_for()
    ready.reload()
    expect(named(ready)).to_have_value("Lê Thị Thảo")


# --- handing in ----------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("width", SCREENS)
def test_two_handed_in_without_a_line_are_filed_in_their_order_when_it_is_back(
    browser, line, embedded_desk, width
):
    with opened_page(browser, width) as page:
        sign_in(page, line.url, embedded_desk)
        settled(page, line.url)
        line.stop()
        page.goto(f"{line.url}/ho-so/moi")
        page.get_by_role("link", name="Thủ tục thử nghiệm").first.click()
        page.get_by_text("Vẫn gõ và nộp được").wait_for()
        is_accessible(page)
        fits(page)
        named(page).fill("Nguyễn Thị Mai")
        page.get_by_role("button", name=FILE).click()
        page.get_by_text("Còn ô bắt buộc chưa ghi").wait_for()
        fill(page)
        first = hand_in(page)
        is_accessible(page)
        fits(page)
        expect(page.locator("#giay-tam")).to_contain_text("Tờ khai: 1 bản chính")
        page.goto(f"{line.url}{FORM}")
        fill(page, "Lê Thị Thảo")
        second = hand_in(page)
        assert [number.split("-")[2] for number in (first, second)] == ["0001", "0002"]
        expect(page.locator("#cho-gui")).to_have_text("Chờ gửi: 2")
        page.goto(f"{line.url}/ho-so")  # a page that needs the line
        page.get_by_text("Trang vừa mở chưa xem được").wait_for()
        is_accessible(page)
        fits(page)
        assert line.filed() == 0
        reconnect(page, line)
        until(page, ROWS, all_sent)
        assert line.filed() == line.slips() == 2
        codes = page.locator("#cho tbody td[data-label='Tình trạng'] a").all_inner_texts()
        assert [code[-4:] for code in codes] == ["0001", "0002"]
        page.goto(f"{line.url}/ho-so")
        page.get_by_role("searchbox").first.fill(second)
        page.get_by_role("searchbox").first.press("Enter")
        page.wait_for_url(f"**/ho-so/{codes[1]}")
        assert page.get_by_text(second).first.is_visible()


def test_the_browser_says_it_is_offline_and_hands_in_all_the_same(ready, line):
    ready.goto(f"{line.url}{FORM}")
    ready.context.set_offline(True)
    fill(ready)
    hand_in(ready)
    assert states(ready) == ["waiting"]
    ready.context.set_offline(False)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


@pytest.mark.parametrize("mood", ["silent", "foreign"])
def test_an_answer_that_is_lost_or_somebody_elses_files_nothing_twice(ready, line, mood):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    line.mood = mood
    reconnect(ready, line)
    until(ready, "() => 0", lambda _: line.sent >= 1)
    assert states(ready) == ["waiting"]
    line.mood = "up"
    ready.evaluate(BACK)
    until(ready, ROWS, all_sent)
    assert line.filed() == line.slips() == 1


def test_the_page_goes_in_the_middle_of_sending_and_it_is_filed_once(ready, line):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    line.mood = "silent"
    context = ready.context
    reconnect(ready, line)
    until(ready, "() => 0", lambda _: line.sent >= 1)
    ready.close()  # whatever it was about to write down
    line.mood = "up"
    again = context.new_page()
    again.goto(f"{line.url}/ho-so/cho-gui")
    until(again, ROWS, all_sent)
    assert line.filed() == line.slips() == 1


def test_the_line_breaks_while_the_page_files_and_the_page_says_that_it_is_filed(ready, line):
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    line.mood = "silent"
    ready.get_by_role("button", name=FILE).click()
    ready.get_by_text("Hồ sơ vừa gõ đã nộp").wait_for()
    assert named(ready).input_value() == ""
    line.mood = "up"
    ready.goto(f"{line.url}/ho-so/cho-gui")
    ready.get_by_text("Không có hồ sơ nào chờ gửi").wait_for()
    until(ready, "() => lienthongQuay.unsaved().then((all) => all.length)", lambda left: left == 0)
    assert line.filed() == 1


@pytest.mark.long
def test_it_breaks_and_stays_away_and_pressing_again_is_one_dossier_with_its_slip(ready, line):
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    line.mood = "silent-then-down"
    ready.get_by_role("button", name=FILE).click()
    ready.get_by_text("Mất mạng đúng lúc gửi").wait_for()
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")
    assert line.filed() == 1
    hand_in(ready)
    line.mood = "up"
    ready.evaluate(BACK)
    until(ready, ROWS, all_sent)
    assert line.filed() == line.slips() == 1


@pytest.mark.long
def test_a_server_that_says_it_is_away_is_a_line_that_is_away(ready, line):
    line.mood = "down"
    ready.goto(f"{line.url}{FORM}")
    ready.get_by_text("Vẫn gõ và nộp được").wait_for()
    fill(ready)
    hand_in(ready)
    line.mood = "up"
    ready.evaluate(BACK)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


def one_refused_one_sent(page, line):
    """Two handed in without a line; the number of the slip whose form the server refuses."""
    line.stop()
    page.goto(f"{line.url}{FORM}")
    fill(page)
    page.locator("[name='f.birth_date']").fill("2090-05-04")
    number = hand_in(page)
    page.goto(f"{line.url}{FORM}")
    fill(page, "Lê Thị Thảo")
    hand_in(page)
    page.goto(f"{line.url}/ho-so/cho-gui")
    reconnect(page, line)
    until(page, ROWS, lambda told: [row[1] for row in told["rows"]] == ["refused", "sent"])
    return number


def test_what_the_server_refuses_stays_with_its_reason_and_is_mended_in_the_form(ready, line):
    number = one_refused_one_sent(ready, line)
    expect(ready.locator("#cho tbody tr").first).to_contain_text("Ngày sinh")
    is_accessible(ready)
    ready.get_by_role("link", name="Mở để sửa").click()
    expect(ready.locator("#cho-gui-day")).to_contain_text(number)
    expect(named(ready)).to_have_value("Nguyễn Thị Mai")
    is_accessible(ready)
    fits(ready)
    ready.get_by_role("button", name=FILE).click()  # not mended yet: the page says so
    ready.get_by_text("chỗ cần sửa").wait_for()
    ready.locator("[name='f.birth_date']").fill("1990-05-04")
    ready.get_by_role("button", name=FILE).click()
    ready.wait_for_url("**/giay-hen")
    expect(ready.locator("main")).to_contain_text(number)
    until(ready, ROWS, all_sent)
    assert line.filed() == line.slips() == 2


def test_what_can_never_be_sent_is_deleted_alone_and_only_after_a_question(ready, line):
    number = one_refused_one_sent(ready, line)
    ready.get_by_role("button", name=f"Xóa {number}", exact=True).click()
    assert len(ready.evaluate(ROWS)["rows"]) == 2, "it asks first"
    ready.get_by_role("button", name=f"Xóa hẳn {number}? Công dân đang giữ giấy tạm").click()
    until(ready, ROWS, lambda told: [row[1] for row in told["rows"]] == ["sent"])
    assert line.filed() == line.slips() == 1


@pytest.mark.long
def test_one_that_makes_the_server_stumble_holds_up_nobody_else(ready, line, monkeypatch):
    from services.intake.web.pages import filing

    real = filing.file

    def stumble(procedure, form, doubts=()):
        if form["f.full_name"] == "Nguyễn Thị Mai":
            raise RuntimeError("a defect")
        return real(procedure, form, doubts)

    line.stop()
    for name in ("Nguyễn Thị Mai", "Lê Thị Thảo"):
        ready.goto(f"{line.url}{FORM}")
        fill(ready, name)
        hand_in(ready)
    monkeypatch.setattr(filing, "file", stumble)
    reconnect(ready, line)
    until(ready, ROWS, lambda told: [row[1] for row in told["rows"]] == ["waiting", "sent"])
    monkeypatch.setattr(filing, "file", real)
    ready.evaluate(BACK)
    until(ready, ROWS, all_sent)
    assert line.filed() == 2


@pytest.mark.long
def test_the_same_form_handed_in_from_two_tabs_is_two_and_neither_is_lost(ready, line):
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Nguyễn")
    named(ready).press("Tab")
    ready.get_by_text("Đã lưu nháp lúc").wait_for()
    second = ready.context.new_page()
    second.goto(ready.url)
    line.stop()
    fill(ready)
    hand_in(ready)
    fill(second, "Lê Thị Thảo")
    hand_in(second)
    names = "() => lienthongQuay.rows().then(({ rows }) => rows.map((row) => row.applicant))"
    assert second.evaluate(names) == ["Nguyễn Thị Mai", "Lê Thị Thảo"]


# --- whose it is ---------------------------------------------------------------------------------


def test_a_session_that_ended_meanwhile_asks_to_sign_in_and_then_sends(ready, line, embedded_desk):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    ready.goto(f"{line.url}/ho-so/cho-gui")
    ready.context.clear_cookies()
    reconnect(ready, line)
    ready.get_by_text("đăng nhập để gửi tiếp").first.wait_for()
    assert line.filed() == 0
    _again(ready, line, "hoa.nguyen", embedded_desk)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


def _again(page, line, login, desk):
    """Sign in with an account that is there already."""
    from services.intake.storage import staff
    from services.intake.usecases import passwords

    with desk.store.begin() as uow:
        person = staff.by_login(uow.connection, login)
        staff.change(uow.connection, person.id, hash=passwords.hash_password("một câu ngắn dễ nhớ"))
    page.goto(f"{line.url}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill("một câu ngắn dễ nhớ")
    page.get_by_role("button", name="Vào làm việc").click()
    page.wait_for_url(f"{line.url}/ho-so")


def test_another_officer_at_the_same_machine_sees_and_sends_nothing_of_it(
    ready, line, embedded_desk
):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Lê Thị Thảo")
    named(ready).press("Tab")
    ready.get_by_text("Chữ đã gõ được giữ").wait_for()
    typing = ready.url
    ready.context.clear_cookies()
    ready.goto("about:blank")
    line.begin()
    sign_in(ready, line.url, embedded_desk, login="Lan.Tran")
    ready.goto(f"{line.url}/ho-so/cho-gui")
    ready.get_by_text("Còn 1 hồ sơ trong máy này do người khác nhận").wait_for()
    assert "Mai" not in ready.locator("main").inner_text()
    assert "Thảo" not in ready.locator("main").inner_text()
    assert until(ready, ROWS)["rows"] == []
    ready.goto(typing)
    ready.wait_for_selector("form[data-begun='1']")
    assert named(ready).input_value() == ""
    assert line.filed() == 0
    ready.context.clear_cookies()
    _again(ready, line, "hoa.nguyen", embedded_desk)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1
    ready.goto(typing)
    expect(named(ready)).to_have_value("Lê Thị Thảo")


def test_signing_out_takes_the_typing_and_the_key_and_leaves_what_waits_locked(
    ready, line, embedded_desk
):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Lê Thị Thảo")
    named(ready).press("Tab")
    ready.get_by_text("Chữ đã gõ được giữ").wait_for()
    line.mood = "foreign"
    line.begin()
    ready.goto(f"{line.url}/ho-so")
    ready.get_by_role("button", name="Đăng xuất").click()
    ready.get_by_text("Còn 1 hồ sơ chưa gửi trong máy này").wait_for()
    ready.get_by_role("button", name="Đăng xuất").click()
    ready.wait_for_url("**/dang-nhap")
    found = """async () => {
        const opened = await new Promise((done) => { const asked = indexedDB.open("lienthong-quay"); asked.onsuccess = () => done(asked.result); });
        const all = (name) => new Promise((done) => { const asked = opened.transaction(name).objectStore(name).getAll(); asked.onsuccess = () => done(asked.result); });
        const keys = await all("meta");
        return [(await all("typed")).length, (await all("waiting")).length, keys.filter((each) => each.key).length, (await caches.keys()).includes("lienthong-to-khai")];
    }"""
    assert ready.evaluate(found) == [0, 1, 0, False]
    line.mood = "up"
    _again(ready, line, "hoa.nguyen", embedded_desk)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


@pytest.mark.long
def test_leaving_without_a_line_locks_at_once_and_ends_the_session_when_it_is_back(ready, line):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    ready.goto(f"{line.url}/ho-so/cho-gui")
    ready.get_by_role("button", name="Khóa máy này").click()
    ready.get_by_text("đang khóa: người đã nhận đăng nhập thì tự gửi").wait_for()
    assert ready.evaluate("() => lienthongQuay.who()") is None
    line.begin()
    ready.goto(f"{line.url}/ho-so")
    ready.wait_for_url("**/dang-nhap")
    assert line.filed() == 0
    _again(ready, line, "hoa.nguyen", line.desk)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


# --- a machine that is not as it should be ---------------------------------------------------------


FULL = """() => {
    const real = {};
    for (const name of ['put', 'add']) {
        real[name] = IDBObjectStore.prototype[name];
        IDBObjectStore.prototype[name] = () => { throw new DOMException("full", "QuotaExceededError"); };
    }
    window.room = () => Object.assign(IDBObjectStore.prototype, real);
}"""


@pytest.mark.long
def test_a_full_disk_is_said_and_no_slip_is_given(ready, line):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    ready.evaluate(FULL)
    ready.get_by_role("button", name=FILE).click()
    ready.get_by_text("Mất kết nối nên chưa lưu được").wait_for()
    assert "/giay" not in ready.url
    ready.evaluate("window.room()")
    named(ready).press("End")
    named(ready).press("Space")
    ready.get_by_text("Chữ đã gõ được giữ").wait_for()
    ready.evaluate(FULL.replace("'put'", "'delete'"))  # there is room for typing, for no more
    ready.get_by_role("button", name=FILE).click()
    ready.get_by_text("Máy này không giữ được tờ khai").wait_for()
    assert "/giay" not in ready.url
    ready.evaluate("window.room()")
    hand_in(ready)
    reconnect(ready, line)
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


@pytest.mark.long
@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_is_wrong_all_along_spoils_nothing(browser, line, embedded_desk, days):
    with opened_page(browser, DESKTOP) as page:
        page.add_init_script(CLOCK.replace("{ms}", str(days * 86_400_000)))
        sign_in(page, line.url, embedded_desk)
        settled(page, line.url)
        line.stop()
        page.goto(f"{line.url}{FORM}")
        fill(page)
        hand_in(page)
        expect(page.locator("[data-slip='at']")).to_contain_text("ngày 01/03/2022")
        reconnect(page, line)
        until(page, ROWS, all_sent)
        assert line.filed() == 1


@pytest.mark.long
def test_a_clock_that_jumps_locks_and_loses_nothing(ready, line):
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    ready.goto(f"{line.url}{FORM}")
    named(ready).fill("Lê Thị Thảo")
    named(ready).press("Tab")
    ready.get_by_text("Chữ đã gõ được giữ").wait_for()
    typing = ready.url
    ready.add_init_script(CLOCK.replace("{ms}", str(40 * 3_600_000)))  # past the sign-in's end
    ready.goto(typing)
    ready.get_by_text("chưa ai đăng nhập ở máy này").wait_for()
    assert named(ready).input_value() == ""
    line.begin()
    ready.goto(typing)
    expect(named(ready)).to_have_value("Lê Thị Thảo")
    until(ready, ROWS, all_sent)
    assert line.filed() == 1


# --- the worker ------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_worker_whose_file_is_gone_goes_too(ready, line, embedded_desk):
    rules = embedded_desk.web.view_functions
    real = rules["intake.static"]

    def without(filename):
        return ("", 404) if filename == "offline-worker.js" else real(filename=filename)

    rules["intake.static"] = without
    gone = "() => navigator.serviceWorker.getRegistrations().then((all) => all.length)"
    ready.evaluate("() => { navigator.serviceWorker.register = async () => {}; }")
    # A site without the worker has no page that keeps forms either.
    ready.add_init_script(
        "navigator.locks.request = navigator.serviceWorker.register = async () => {};"
    )
    ready.goto(f"{line.url}/ho-so/cho-gui")
    until(ready, gone, lambda left: left == 0)
    assert (
        until(ready, "() => caches.keys().then((all) => all.join())", lambda left: left == "") == ""
    )
    rules["intake.static"] = real


OLD = """async () => {
    const forms = await caches.open("lienthong-to-khai");
    for (const each of await forms.keys()) {
        const text = await (await forms.match(each)).text();
        await forms.put(each, new Response(text, { headers: { "Content-Type": "text/html; charset=utf-8" } }));
    }
}"""


#: The worker that answers, once no other is on its way; empty until then.
AT_WORK = """() => navigator.serviceWorker.getRegistration('/ho-so').then((all) =>
    all.installing || all.waiting || all.active?.state !== 'activated' ? '' : all.active.scriptURL)"""


@pytest.mark.long
def test_a_newer_worker_and_a_server_in_trouble_take_no_form_away(ready, line):
    kept = ready.evaluate(KEPT)
    ready.evaluate(OLD)  # all of them have to be fetched anew
    line.mood = "no-blank"
    worker = ready.evaluate("document.body.dataset.worker") + "&newer"
    scope = "{ scope: '/ho-so', updateViaCache: 'none' }"
    ready.evaluate(f"navigator.serviceWorker.register('{worker}', {scope})")
    until(ready, AT_WORK, lambda address: address.endswith("&newer"))
    ready.goto(f"{line.url}{FORM}")
    ready.wait_for_load_state("networkidle")
    until(ready, AT_WORK, lambda address: not address.endswith("&newer") and address)
    assert set(kept) <= set(ready.evaluate(KEPT))
    line.stop()
    ready.goto(f"{line.url}{FORM}")
    fill(ready)
    hand_in(ready)
    fits(ready)  # with its styles and typefaces


@pytest.mark.long
def test_the_line_is_asked_first_and_no_old_page_is_shown(ready, line):
    ready.goto(f"{line.url}{FORM}")
    assert ready.locator("[data-blank].notice").count() == 0
    assert ready.locator("form.sign-out").count() == 1
    kept = ready.evaluate(KEPT)
    assert {"/ho-so/cho-gui", "/ho-so/cho-gui/giay", "/ho-so/moi", FORM} <= set(kept)
    text = ready.evaluate(
        "async () => Promise.all((await (await caches.open('lienthong-to-khai')).matchAll()).map((each) => each.text()))"
    )
    assert all("Nguyễn Thị Hoa" not in each for each in text)
