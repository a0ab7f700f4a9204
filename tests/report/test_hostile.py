"""Nothing that comes from outside becomes markup, code or a request."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from modgap.models import Reply
from modgap.report import write_report
from modgap.report._render import script_json, sentence

ATTACKS = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "<!--<script>",
    "{{ 7 * 7 }}{% raise %}",
    "javascript:document.title='owned'",
    "\u2028\u2029\u202eowned<svg onload=document.title='owned'>",
    "' onfocus=document.title='owned' autofocus '",
    "]]><style>body{display:none}</style>",
)


class Attributes(HTMLParser):
    """Collects every attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.seen += [(name, value or "") for name, value in attrs]


@pytest.fixture
def hostile(make_run, made):
    """A run in which every text from outside is an attack."""

    def make(number, names):
        attack = ATTACKS[number % len(ATTACKS)]
        return made.problem(
            number,
            names,
            task=f"made/{attack}",
            question=f"What? {attack}",
            answer=attack,
            options=(attack, f"no {attack}"),
            group=attack,
            difficulty={attack: number, "kind": attack},
        )

    def answer(number, representation, query):
        attack = ATTACKS[number % len(ATTACKS)]
        if number % 7 == 3:
            return Reply(None, error=attack)
        return Reply(f"{attack}\nAnswer: {query.truth if number % 2 else query.options[1]}")

    return make_run(
        2 * len(ATTACKS), make=make, answer=answer, name="<script>x</script> & '\"".replace("/", "∕")
    )


def test_scripts_of_a_page_are_only_ours(hostile):
    html = write_report(hostile.folder).read_text("utf-8")
    scripts = re.findall(r"<script[^>]*>", html)
    assert scripts == ['<script type="application/json" id="figures">', "<script>"]
    assert len(re.findall(r"<style", html)) == 1
    found = Attributes()
    found.feed(html)
    assert not [
        name for name, _ in found.seen if name.startswith("on") or name in ("style", "srcdoc", "formaction")
    ]
    links = [value for name, value in found.seen if name in ("href", "src")]
    assert links and all(link.startswith(("#", "data:image/png;base64,", "report_files/")) for link in links)
    assert "made/49" not in html  # templates inside a name are not templates


def test_nothing_hostile_runs(hostile, browser):
    browser.get(write_report(hostile.folder).as_uri())
    assert "owned" not in browser.title.replace("document.title='owned'", "")
    assert browser.execute_script("return document.querySelectorAll('article').length") == 18
    assert (
        browser.execute_script("return document.querySelectorAll('article script, article style').length")
        == 0
    )
    assert browser.execute_script("return document.querySelectorAll('img[src=x]').length") == 0
    assert browser.execute_script("return getComputedStyle(document.body).display") != "none"
    shown = browser.execute_script("return document.querySelector('#card-1 .question').textContent")
    assert shown == f"What? {ATTACKS[0]}"
    # Filters treat hostile names as names.
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element(By.NAME, "task")).select_by_value(f"made/{ATTACKS[1]}")
    assert browser.find_element(By.ID, "count").text == "2 of 18"
    figures = browser.execute_script(
        "return JSON.parse(document.getElementById('figures').textContent).tasks"
    )
    assert f"made/{ATTACKS[1]}" in figures
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("attack", [*ATTACKS, "plain", {"</script>": ["<!--", 1.5, None]}])
def test_json_in_a_script_element(attack):
    written = str(script_json(attack))
    assert json.loads(written) == attack
    assert not set("<>&\u2028\u2029") & set(written)


def test_a_verdict_is_escaped():
    assert sentence("a <b> (c <d>) 5 % n = 3") == (
        'a &lt;b&gt; <span class="aside">(c &lt;d&gt;)</span> 5\u00a0% n\u00a0=\u00a03'
    )
