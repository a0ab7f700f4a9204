"""Runs side by side: rows for a terminal, the sentence, the page, and the verb."""

from __future__ import annotations

import pytest

from modgap._errors import RunError
from modgap.evaluate import compare
from modgap.models import Reply
from modgap.report import difference_rows, gap_rows, write_comparison
from modgap.report._compare import verdict


@pytest.fixture
def runs(make_run):
    """A run that loses much in pictures, one that loses nothing, and a part of the first."""

    def always(number, representation, query):
        return Reply(f"Answer: {query.truth}")

    return [
        make_run(120, ["list", "image"], name="weak"),
        make_run(120, ["list", "image"], name="<b>strong", answer=always),
        make_run(60, ["list"], name="words"),
    ]


@pytest.fixture
def comparison(runs):
    return compare([(run.name, run.records()) for run in runs])


def test_rows(comparison):
    columns, rows = gap_rows(comparison)
    assert columns[:2] == ("run", "modality")
    assert [row[:2] for row in rows] == [("weak", "image"), ("<b>strong", "image")]  # one has words alone
    columns, rows = difference_rows(comparison, comparison.names[1])
    assert [row[:2] for row in rows] == [
        ("text", "all problems"),
        ("text", "where"),
        ("text", "which"),
        ("image", "all problems"),
        ("image", "where"),
        ("image", "which"),
        ("image", "gap"),
    ]
    image = dict(zip(columns, rows[3], strict=True))
    assert (
        image["this"] == "100.0\u00a0%" and image["difference"].endswith("*") and image["p"] == "<\u00a00.001"
    )


def test_the_sentence(comparison):
    # No difference in any of 30 scenes of two problems: 1 − 0.025^(1/30) = 0.116.
    assert verdict(comparison, "words") == (
        "words against weak: in words no difference that can be claimed "
        "(95 % interval −11.6 to 11.6, n = 60)."
    )
    text = verdict(comparison, comparison.names[1])
    # Of 115 without an error, 38 are wrong in pictures (every third) and 4 more hold no answer: 42 / 115.
    assert "in pictures 36.5 points more (95 % interval" in text
    assert "Its gap between words and pictures is" in text and "smaller" in text


def test_the_page(comparison, tmp_path, browser):
    browser.get_log("browser")
    browser.get(write_comparison(comparison, tmp_path / "side by side.html").as_uri())
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.querySelectorAll('main b, main script').length") == 0
    labels = browser.execute_script("return [...document.querySelectorAll('.label')].map(e => e.textContent)")
    assert labels == ["1 weak", f"2 {comparison.names[1]}"]
    # The better run lies lower: less gap.
    places = browser.execute_script(
        "return [...document.querySelectorAll('.field > svg')].map(e => e.getBoundingClientRect().top)"
    )
    assert places[0] < places[1]
    words = browser.execute_script("return document.querySelector('main').innerText")
    assert "no gap: not asked in both" in words


def test_a_file_that_cannot_be_written_is_said(comparison, tmp_path):
    with pytest.raises(RunError, match=r"x\.html: cannot be written \(.*\); choose another with --out"):
        write_comparison(comparison, tmp_path / "missing" / "x.html")


def test_the_verbs(runs, tmp_path):
    import subprocess
    import sys

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        main = "from modgap.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", main, *map(str, words)], capture_output=True, text=True, check=False
        )

    done = call("report", runs[0].folder)
    assert (done.returncode, done.stdout.strip()) == (0, str(runs[0].folder / "report.html"))
    done = call("compare", runs[0].folder, runs[1].folder, "--out", tmp_path / "x.html")
    assert done.returncode == 0, done.stderr
    assert "against weak, in points, on problems that both asked:" in done.stdout
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")
    done = call("compare", runs[0].folder)
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "modgap: compare: 1 run was given; give two or more run folders",
    )


def test_three_runs_draw_the_gap_of_each(runs, make_run, tmp_path):
    third = make_run(60, ["list", "image"], name="third")
    three = compare([(run.name, run.records()) for run in (*runs, third)])
    html = write_comparison(three, tmp_path / "three.html").read_text("utf-8")
    assert "The gap of every run, with its 95\u00a0% interval" in html
    assert html.count('aria-label="the gap of ') == 3
    assert 'colspan="7">no gap: not asked in both' in html
    two = compare([(run.name, run.records()) for run in (runs[0], third)])
    html = write_comparison(two, tmp_path / "two.html").read_text("utf-8")
    assert "The gap of every run" not in html and 'aria-label="the gap of' not in html
