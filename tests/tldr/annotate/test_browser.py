"""A caption as a person annotates it, in headless Chromium: by keyboard, by mouse, while the server dies."""

from __future__ import annotations

import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from modgap.tldr.annotate import Store, read_items

LEFT, RIGHT, DOWN, UP = Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_UP


class Page:
    """What a person does with a page, and what they see."""

    def __init__(self, browser, server, name: str) -> None:
        self.browser, self.server, self.name = browser, server, name
        browser.get_log("browser")
        browser.delete_all_cookies()
        browser.get(server.address)
        browser.find_element(By.NAME, "name").send_keys(name, Keys.ENTER)
        self.wait(lambda: browser.find_elements(By.ID, "continue"))
        self.find("#continue").click()
        self.wait(lambda: browser.find_elements(By.CSS_SELECTOR, ".caption.active"))

    def open(self, number: int = 1) -> None:
        self.browser.get(f"{self.server.address}caption/{number}")

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def shift(self, *keys: str) -> None:
        chain = ActionChains(self.browser).key_down(Keys.SHIFT)
        for key in keys:
            chain = chain.send_keys(key)
        chain.key_up(Keys.SHIFT).perform()

    def find(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def marks(self) -> list[str]:
        """Marked words with their type and correction, as the list below the caption says."""
        script = """return [...document.querySelectorAll('#marks li')].map(li =>
          [li.querySelector('q').textContent, li.querySelector('.what span').textContent,
           li.querySelector('input').value].join('|'))"""
        return self.browser.execute_script(script)

    def chosen(self) -> str:
        script = """return [...document.querySelectorAll('[aria-selected=true]')]
          .map(w => w.textContent).join(' ')"""
        return self.browser.execute_script(script)

    def wait(self, condition) -> None:
        WebDriverWait(self.browser, 10, 0.02).until(lambda _: condition())

    def settle(self) -> None:
        self.wait(lambda: self.text("#saved") == "Saved")

    def stored(self) -> list[tuple[int, int, str, str]]:
        self.settle()
        store = Store(self.server.folder, read_items(self.server.folder))
        number = int(self.browser.current_url.rpartition("/")[2])
        work = store.work(self.name, number - 1)
        store.close()
        return [(mark.start, mark.end, mark.type, mark.truth) for mark in work.marks]


@pytest.fixture
def page(browser, four_captions, request):
    """The first caption of an annotator of this test."""
    browser.set_window_size(1280, 900)
    return Page(browser, four_captions, request.node.name[:40])


def flagged(page) -> int:
    """Open the first caption that has a flag."""
    for number in range(1, 5):
        page.open(number)
        if page.browser.find_elements(By.CSS_SELECTOR, ".word.flag"):
            return number
    raise AssertionError("no caption has a flag")


def test_by_keyboard_alone(page):
    page.press(RIGHT, RIGHT)
    assert page.chosen() == "dogs"
    page.press("1")
    assert page.marks() == ["dogs|counting|"]
    page.shift(LEFT)  # from inside a mark, all of it is extended
    assert page.chosen() == "brown dogs"
    page.press("2")
    assert page.marks() == ["brown dogs|colour|"]
    page.press("e", "grey cats", Keys.ENTER)
    assert page.marks() == ["brown dogs|colour|grey cats"]
    page.press("+", "-", "-")
    assert page.marks() == ["brown|colour|grey cats"]
    page.press(Keys.END, " ")  # the last type again
    assert page.marks() == ["brown|colour|grey cats", "cat|colour|"]
    assert page.stored() == [(6, 11, "colour", "grey cats"), (50, 53, "colour", "")]
    page.press("x", Keys.HOME)
    assert page.marks() == ["brown|colour|grey cats"]
    page.press("u", "u")
    assert page.marks() == ["brown|colour|grey cats"]
    page.press("u", "u", "u", "u")  # three changes of length, and the correction in one step
    assert page.marks() == ["brown dogs|colour|"]
    page.press("r", "u", "u", "u")
    assert page.marks() == []
    page.press("r")
    assert page.marks() == ["dogs|counting|"]
    assert page.stored() == [(12, 16, "counting", "")]
    page.browser.refresh()
    assert page.marks() == ["dogs|counting|"]
    page.press("r")  # the future outlives the page
    assert page.marks() == ["brown dogs|colour|"]
    assert page.browser.get_log("browser") == []


@pytest.fixture
def narrow(page):
    """The page, 400 pixels wide."""
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield page
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_lines_home_end_and_the_edges(narrow):
    page = narrow
    page.press(LEFT, UP)
    assert page.chosen() == "Three"
    page.press(Keys.END, RIGHT, DOWN)
    assert page.chosen() == "cat"
    page.press(Keys.HOME, DOWN)
    below = page.chosen()
    page.press(UP)
    assert below != "Three" and page.chosen() == "Three"
    page.shift(RIGHT, RIGHT)
    assert page.chosen() == "Three brown dogs"
    page.press(Keys.ESCAPE)
    assert page.chosen() == "dogs"


def test_done_goes_on_and_comes_back(page):
    assert page.text("#done-text") == "Done: nothing is wrong"
    for number in range(2, 5):
        page.press("n")
        page.wait(lambda number=number: page.browser.current_url.endswith(f"/{number}"))
        page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, ".caption.active"))
    page.press("p")
    page.wait(lambda: page.browser.current_url.endswith("/3"))
    assert page.find("#is-done").is_displayed()
    page.find("#skip").click()
    page.wait(lambda: page.browser.current_url.endswith("/4"))
    page.press("1")
    assert page.text("#done-text") == "Done: 1 error"
    page.find("#done").click()
    page.wait(lambda: "All 4 captions are done. Thank you." in page.browser.page_source)
    assert page.text("ol.captions li:last-child").split() == ["4", "done", "1", "marked"]


def test_flags(page):
    flagged(page)
    assert page.text("#hint").startswith("1 flag of a detector.")
    page.press(Keys.END, "f")
    assert page.chosen() == "Three"
    assert page.find("#say").get_attribute("textContent") == "Flag: Three, counting"
    page.press("4", "u", " ")  # the space bar takes the type of the flag, not the last one
    assert page.marks() == ["Three|counting|"]
    page.press(" ")
    assert page.marks() == []
    word = page.find("#w0")
    assert word.get_attribute("aria-label") == "Three, flagged"
    page.press("2")
    assert word.get_attribute("aria-label") == "Three, marked as wrong, colour, flagged"


def test_by_mouse_alone(page):
    words = page.browser.find_elements(By.CSS_SELECTOR, ".word")
    chain = ActionChains(page.browser).move_to_element(words[6]).click_and_hold()
    chain.move_to_element(words[7]).move_to_element(words[8]).release().perform()
    assert page.chosen() == "red carpet left"
    page.find("#types button[data-type=place]").click()
    assert page.marks() == ["red carpet, left|place|"]
    words[11].click()
    page.find("#types button[data-type=other]").click()
    assert page.stored() == [(26, 42, "place", ""), (50, 53, "other", "")]
    page.find("#marks li:last-child .remove").click()
    assert page.marks() == ["red carpet, left|place|"]
    page.find("#undo").click()
    assert len(page.marks()) == 2
    page.find("#redo").click()
    page.find("#marks input").send_keys("blue")
    assert page.stored() == [(26, 42, "place", "blue")]


def test_typing_is_not_a_command(page):
    page.press("1", "e", "nx1 ue")
    assert page.marks() == ["Three|counting|nx1 ue"]
    assert page.stored() == [(0, 5, "counting", "nx1 ue")]
    page.press(Keys.ESCAPE, "u")
    assert page.marks() == ["Three|counting|"]


def test_a_killed_server_loses_nothing(browser, make_folder, serve):
    page = Page(browser, serve(make_folder(2), "--types", "counting,colour"), "anna")
    page.press("1")
    page.settle()
    page.server.kill()
    page.press(RIGHT, RIGHT, "2", "e", "cats", Keys.ENTER)
    page.wait(lambda: page.text("#saved").startswith("Not saved yet: the server does not answer."))
    page.press("u", "r")
    page.server.start()
    assert page.stored() == [(0, 5, "counting", ""), (12, 16, "colour", "cats")]
    page.browser.refresh()
    assert page.marks() == ["Three|counting|", "dogs|colour|cats"]


def test_two_tabs_do_not_overwrite_each_other(page):
    number = page.browser.current_url
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.browser.get(number)
    page.press("1")
    page.settle()
    page.browser.close()
    page.browser.switch_to.window(first)
    page.press(Keys.END, "2")
    page.wait(lambda: page.marks() == ["Three|counting|"])
    assert page.stored() == [(0, 5, "counting", "")]


def test_time_stands_still_while_hidden_or_idle(page):
    """The clock of the page is moved by hand: 100 s with a key every 10 s, then 10 minutes of nothing."""
    page.browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "window.ahead = 0; const real = performance.now.bind(performance);"
                   "performance.now = () => real() + window.ahead;"},
    )  # fmt: skip
    hide = (
        "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    pass_by = "window.ahead += 1000 * arguments[0]"

    def clock() -> int:
        time.sleep(0.3)
        minutes, seconds = page.find("#clock").get_attribute("textContent").split(":")
        return 60 * int(minutes) + int(seconds)

    page.browser.refresh()
    begun = clock()
    for _ in range(10):
        page.browser.execute_script(pass_by, 10)
        page.press(RIGHT)
    assert 100 <= clock() - begun <= 110
    page.browser.execute_script(pass_by, 600)
    idle = clock()
    assert 155 <= idle - begun <= 170  # one idle minute counts, then time stands still
    assert "paused" in page.find("#clock").get_attribute("class")
    page.press(LEFT)
    assert "paused" not in page.find("#clock").get_attribute("class")
    page.browser.execute_script(hide, True)
    page.browser.execute_script(pass_by, 600)
    assert clock() - idle <= 3
    page.browser.execute_script(hide, False)
    page.browser.execute_script(pass_by, 5)
    assert 4 <= clock() - idle <= 12
    page.settle()
    before = clock()
    page.browser.execute_script("delete document.hidden")
    page.browser.refresh()
    assert -6 <= clock() - before <= 6  # it is kept, but for five seconds at most


def test_hostile_content_is_inert(browser, make_folder, serve, line):
    evil = "<img src=x onerror=document.title='hit'> </b><script>document.title='hit'</script>\u202e {{7*7}}"
    flags = [{"start": 0, "end": 40, "type": '"><b onclick=x>'}]
    server = serve(make_folder([line(0, caption=evil, spans=flags, known=[])]), "--flags", "with")
    (server.folder / "images" / "0.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>")
    page = Page(browser, server, "<script>document.title='hit'</script>")
    page.wait(lambda: page.find("#no-picture").is_displayed())
    assert browser.title == "Caption 1 · modgap"
    assert page.find("#caption").get_attribute("textContent").strip() == evil
    page.press("1", "e", "<script>document.title='hit'</script>", Keys.ENTER)
    assert browser.title == "Caption 1 · modgap"
    assert browser.execute_script("return document.scripts.length") == 1
    # The policy holds even where a page would let it in.
    browser.execute_script(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')"
    )
    time.sleep(0.2)
    assert browser.title == "Caption 1 · modgap"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(page, scheme):
    # WCAG 2.2, 1.4.3: contrast of at least 4.5 to 1; computed here from its definition of relative luminance.
    flagged(page)
    page.press("1", Keys.END)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},  # colours are not caught on their way
    ]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        found = page.browser.execute_script("""
            const over = (front, back) => front.map((c, i) => i < 3 ? c * front[3] + back[i] * (1 - front[3]) : 1);
            const parts = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
            const behind = (e) => e ? over(parts(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : [255, 255, 255, 1];
            const found = [];
            for (const e of document.querySelectorAll('body *')) {
              if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
              if (e.closest(':disabled, noscript')) continue;
              found.push([parts(getComputedStyle(e).color), behind(e), e.outerHTML.slice(0, 90)]);
              for (const pseudo of ['::after', '::before']) {
                const style = getComputedStyle(e, pseudo);
                if (style.content !== 'none') found.push([parts(style.color), over(parts(style.backgroundColor), behind(e)), e.outerHTML.slice(0, 90)]);
              }
            }
            return found;
        """)  # fmt: skip  # noqa: E501
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def luminance(colour) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in colour[:3])
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert len(found) > 30
    for front, back, where in found:
        lighter, darker = sorted((luminance(front), luminance(back)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{front} on {back}: {where}"


def test_a_narrow_window_needs_no_sideways_scrolling(narrow):
    for address in ("", "caption/1"):
        narrow.browser.get(narrow.server.address + address)
        assert narrow.browser.execute_script("return document.documentElement.scrollWidth") <= 400
    narrow.find("#w2").click()
    narrow.find("#types button").click()
    assert narrow.stored() == [(12, 16, "counting", "")]
    narrow.find("#done").click()
    narrow.wait(lambda: narrow.browser.current_url.endswith("/2"))


def test_a_screen_reader_is_told(page):
    """The tree that assistive technology reads has the words as options, their marks, and the last deed."""
    page.press("1", RIGHT)
    tree = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        (n.get("role", {}).get("value"), n.get("name", {}).get("value")) for n in tree if not n["ignored"]
    }
    assert ("listbox", "Caption, word by word") in named
    assert any(
        role == "option" and name.startswith("Three, marked as wrong, counting") for role, name in named
    )
    assert ("image", "The picture that the caption is about") in named
    assert ("group", "Mark the chosen words as wrong") in named
    assert page.find("#caption").get_attribute("aria-activedescendant") == "w1"
    assert page.find("#say").get_attribute("textContent") == "Marked: Three, counting"
    controls = [n for n in tree if n.get("role", {}).get("value") in ("button", "link", "textbox")]
    assert controls and all(n["ignored"] or n["name"]["value"] for n in controls)
