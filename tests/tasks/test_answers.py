"""Replies written by hand, each with the answer a careful person reads from it, and what holds for any reply.

``replies/<task>.jsonl`` holds one object a line: task, reply, options where the item has any, value, status.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap.tasks import Answer
from modgap.tasks._answers import READERS, read_letter, read_maxflow, read_parity

REPLIES = Path(__file__).parent / "replies"
OPTIONS = ("Solution A", "Solution B", "neither; their concentrations are the same")
CANONICAL = {
    "parity": ("even", "odd", "neither"),
    "convexity": ("convex", "concave"),
    "connectivity": ("yes", "no"),
    "isomorphism": ("yes", "no"),
    "winner": ("white", "black", "draw"),
    "breakpoints": ("0", "1", "2", "7"),
    "maxflow": ("0", "3", "28", "1234"),
    "puzzle": ("e2e4", "e7e8q", "h7h8n"),
    "chemistry": ("A", "B", "C"),
    "physics": ("A", "B", "C"),
}


def _labelled(task: str) -> list[dict[str, Any]]:
    with (REPLIES / f"{task}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_the_labelled_set_is_large_and_has_every_task_and_status() -> None:
    rows = [row for task in READERS for row in _labelled(task)]
    assert len(rows) >= 300
    assert {row["status"] for row in rows} == {"answer", "conflicting", "abstain", "unparsed"}


@pytest.mark.parametrize("task", READERS)
def test_labelled_replies(task: str) -> None:
    wrong = []
    for row in _labelled(task):
        read = READERS[task](row["reply"], row.get("options", ()))
        if read != Answer(row["value"], row["status"]):
            wrong.append((row["reply"], row["value"], row["status"], read))
    assert not wrong


AROUND = (
    "{}\n\nI hope this helps! Let me know if you have any other questions.",
    "{}\n\nWould you like me to explain any step in more detail?",
    "{}\n\nNote: this is based on a visual inspection of the figure.",
    "Sure! Here's my analysis:\n\n{}",
    "Looking at the image, I'll work through this step by step.\n\n{}",
    "<think>Hmm. Maybe the first one? No.</think>\n{}",
)


@pytest.mark.parametrize("task", READERS)
def test_courtesies_and_thoughts_change_no_answer(task: str) -> None:
    for row in _labelled(task):
        for around in AROUND:
            reply = around.format(row["reply"])
            assert READERS[task](reply, row.get("options", ())).value == row["value"], reply


@pytest.mark.parametrize("task", READERS)
@pytest.mark.parametrize(
    "form",
    (
        "{}",
        "Answer: {}",
        "**Answer:** {}.",
        r"\boxed{{\text{{{}}}}}",
        '{{"answer": "{}"}}',
        "Final answer\n\n{}",
    ),
)
def test_a_canonical_value_is_read_back_in_every_form(task: str, form: str) -> None:
    for value in CANONICAL[task]:
        assert READERS[task](form.format(value), OPTIONS) == Answer(value, "answer")


def test_the_domain_of_numbers_is_open() -> None:
    assert read_maxflow("The maximum flow is 33.") == Answer("33", "answer")


def test_a_letter_beyond_the_options_stays_what_it_is() -> None:
    assert read_letter("Answer: E", OPTIONS) == Answer("E", "answer")


def test_without_options_only_letters_are_read() -> None:
    assert read_letter("The correct answer is (C) red.") == Answer("C", "answer")
    assert read_letter("It is red.") == Answer(None, "unparsed")


def test_the_end_of_a_very_long_reply_is_read() -> None:
    assert read_parity("f(x) is a function. " * 100_000 + "\nAnswer: odd") == Answer("odd", "answer")


PIECES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            [
                *(
                    "Answer: ",
                    "\\boxed{",
                    "}",
                    "the answer is ",
                    "**",
                    "$",
                    "\n\n",
                    ". ",
                    "; ",
                    "(B)",
                    "not ",
                    "if ",
                ),
                *(
                    "even",
                    "odd",
                    "neither ",
                    "convex ",
                    "no path ",
                    "connected ",
                    "isomorphic ",
                    "White wins ",
                ),
                *(
                    "e2e4 ",
                    "= 7",
                    "maximum flow is ",
                    "3 breakpoints",
                    "therefore ",
                    "wait, ",
                    "Conclusion: ",
                ),
                *("Solution A ", "same concentration", "pair 1 ", "stronger than ", '{"winner": "'),
            ]
        ),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=40, deadline=None)
@given(PIECES, st.lists(st.text(max_size=12), max_size=4))
def test_no_reply_crashes_a_reader(reply: str, options: list[str]) -> None:
    for task, read in READERS.items():
        answer = read(reply, options)
        assert (answer.value is None) == (answer.status in ("abstain", "unparsed")), task


@pytest.mark.parametrize("task", READERS)
def test_a_megabyte_is_read_in_linear_time(task: str) -> None:
    for unit in ("{", "not even or odd, white is = 1 + ", "Answer: ", "so it is? "):
        reply = unit * (1_000_000 // len(unit))
        start = time.process_time()
        READERS[task](reply, OPTIONS)
        # A quadratic step over the 200,000 characters that are looked at would take minutes.
        assert time.process_time() - start < 3
