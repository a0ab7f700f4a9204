"""Several strategies in one run, as the report and the terminal show them."""

from __future__ import annotations

import pytest

from modgap.cli._table import print_summary
from modgap.models import Reply
from modgap.report import write_report

WAYS = ["direct", "isocombination", "oracle_transcript", "swapped_image", "transcript_only"]


def answer(number, representation, query):
    """Right in words; of pictures a third are seen; transcripts are <b>half right</b>."""
    if not query.options:
        return Reply(query.truth if number % 2 else "<b>a blur</b>")
    seen = [part for part in query.parts if part.modality == "text"][1:-1]
    words = any("object" in part.text for part in seen)
    right = words or (number % 3 == 0 and query.strategy != "swapped_image" and not seen)
    wrong = next(option for option in query.options if option != query.truth)
    return Reply(f"Answer: {query.truth if right else wrong}")


@pytest.fixture
def run(make_run):
    return make_run(40, ["list", "image"], answer=answer, strategy=WAYS)


def test_the_report_shows_gains_and_causes(run):
    html = write_report(run.folder).read_text("utf-8")
    assert "Other ways of asking, in pictures</h2>" in html
    assert "Where errors in pictures come from</h2>" in html
    assert '<th scope="row">isocombination</th><td>All problems</td>' in html
    assert 'swapped_image <span class="sub">control</span>' in html
    # Replies of strategies are told apart, and what was written first is shown, escaped.
    assert "image · transcript_only" in html
    assert "<pre>&lt;b&gt;a blur&lt;/b&gt;</pre>" in html and "<b>a blur</b>" not in html
    # The tags of a card are those of asking directly.
    assert "right only in words" in html


def test_a_run_of_direct_alone_shows_neither(make_run):
    html = write_report(make_run(6).folder).read_text("utf-8")
    assert "Other ways of asking" not in html and "come from</h2>" not in html


def test_the_terminal_shows_them_too(run, capsys):
    print_summary(run)
    shown = capsys.readouterr().out
    for expected in ("image: strategy", "gap closed", "oracle_transcript", "perception", "reasoning"):
        assert expected in shown
    row = next(line for line in shown.splitlines() if line.strip().startswith("isocombination"))
    assert "100.0 %" in row and "100 % (100 to 100)" in row


def test_a_run_without_transcripts_leaves_two_parts_together(make_run, capsys):
    run = make_run(12, ["list", "image"], answer=answer, strategy=["direct", "swapped_image"])
    print_summary(run)
    shown = capsys.readouterr().out
    assert "unsplit" in shown and "access" not in shown.split("points of error")[0]
    html = write_report(run.folder).read_text("utf-8")
    assert '<th class="n">Perception or access</th>' in html and '<th class="n">Access</th>' not in html
