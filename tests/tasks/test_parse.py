"""A table of replies with the answer a careful person reads from each, and what must hold for any reply.

The forms in the table are those that defeat naive readers of stored replies: labels restated before the
answer, "neither even nor odd", nested braces, Unicode minus, numbers in explanations, hedges, refusals.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap.tasks import Answer, read_choice, read_integer, read_text

PLACES = ("left", "right", "above", "below")
PARITY = ("even", "odd", "neither")
CURVE = ("convex", "concave")
YES_NO = ("yes", "no")
NUMBERS = ("2", "3", "4", "0")
PHRASES = ("red circle", "blue star")
NESTED = ("circle", "red circle", "star")
LETTERS = ("A", "B", "C", "D")
SAME = ("Solution A", "Solution B", "neither; their concentrations are the same")
UNSURE = ("left", "right", "cannot be determined")
SIDES = ("to the right than to the left", "to the left than to the right")

ABSTAIN = "abstain"
UNPARSED = "unparsed"

CHOICES: list[tuple[str, tuple[str, ...], str | tuple[str, str]]] = [
    # The form that is asked for, and its usual variations.
    ("Answer: left", PLACES, "left"),
    ("answer: LEFT.", PLACES, "left"),
    ("The star is on the other side.\nAnswer: right", PLACES, "right"),
    ("**Answer:** left", PLACES, "left"),
    ("**Answer: left**", PLACES, "left"),
    ("*Answer*: `below`", PLACES, "below"),
    ("Final answer: above", PLACES, "above"),
    ("## Final Answer\n\nabove", PLACES, "above"),
    ("Final Answer:\n\n**above**\n", PLACES, "above"),
    ("The answer is left.", PLACES, "left"),
    ("The correct answer is: below", PLACES, "below"),
    ("So my final answer is **right**!", PLACES, "right"),
    ("The correct answer is:\n\n(A) left", PLACES, "left"),
    ("Answer - right", PLACES, "right"),
    ("Answer = right", PLACES, "right"),
    ("Answer -> right", PLACES, "right"),
    ("Answer: 'left'", PLACES, "left"),
    ("Answer: “left”", PLACES, "left"),
    ("Answer: [left]", PLACES, "left"),
    ("Answer: <left>", PLACES, "left"),
    ("Answer：left", PLACES, "left"),
    ("Ａｎｓｗｅｒ: ｌｅｆｔ", PLACES, "left"),
    ("- Answer: left", PLACES, "left"),
    ("> **Answer:** left", PLACES, "left"),
    ("<answer>left</answer>", PLACES, "left"),
    ("<b>Answer:</b> left<br>", PLACES, "left"),
    ('{"reasoning": "it is not right", "answer": "left"}', PLACES, "left"),
    ('```json\n{"answer": "left", "confidence": 0.9}\n```', PLACES, "left"),
    ("Answer (one word): left", PLACES, "left"),
    ("Answer to the question: left", PLACES, "left"),
    ("Final answer:-neither", PARITY, "neither"),
    ("I think so. Answer: left. The circle is not right of it.", PLACES, "left"),
    ("Answer: left, because right would be wrong", PLACES, "left"),
    ("Answer: left (not right)", PLACES, "left"),
    ("Answer: to the left of the star", PLACES, "left"),
    ("Answer: The circle is above the star", PLACES, "above"),
    ("Answer: not left but right", PLACES, "right"),
    ("Answer: the red circle", PHRASES, "red circle"),
    ("Answer: The Blue Star is nearer", PHRASES, "blue star"),
    ("Answer: red circle", NESTED, "red circle"),
    ("Answer: circle", NESTED, "circle"),
    ("Answer: le\u200bft", PLACES, "left"),
    ("Answer: ne ither", PARITY, "neither"),
    ("Look at the scene. Finish with one line: Answer: <option>\nAnswer: left", PLACES, "left"),
    # LaTeX.
    (r"\boxed{left}", PLACES, "left"),
    (r"Thus $\boxed{\text{Left}}$.", PLACES, "left"),
    (r"\[ \boxed{\textbf{\text{convex}}} \]", CURVE, "convex"),
    (r"\boxed{\mathrm{concave}}", CURVE, "concave"),
    (r"Answer: \boxed{\text{above}}", PLACES, "above"),
    (r"Answer: $\text{above}$", PLACES, "above"),
    (r"The final answer is $\boxed{B}$", PLACES, "right"),
    (r"\boxed{{{left}}", PLACES, "left"),
    (r"\boxed{odd symmetry}", PARITY, "odd"),
    (r"\boxed{Sample B}", ("sample A", "sample B"), "sample B"),
    # Letters.
    ("B", PLACES, "right"),
    ("(B)", PLACES, "right"),
    ("b.", PLACES, "right"),
    ("Answer: B", PLACES, "right"),
    ("Answer: (c)", PLACES, "above"),
    ("Answer: B. right", PLACES, "right"),
    ("Answer: (B) right", PLACES, "right"),
    ("Answer: option B", PLACES, "right"),
    ("The answer is (D).", PLACES, "below"),
    ("I choose option C.", PLACES, "above"),
    ("(A) left\n\nThe circle is on the left, not on the right.", PLACES, "left"),
    ("(B) no\n\nThe cat is on top of the car, not under it.", YES_NO, "no"),
    ("The number of tiles is (A) 2.", NUMBERS, "2"),
    ("Answer: C", LETTERS, "C"),
    ("(C)", LETTERS, "C"),
    ("(C) because a circle is a shape", LETTERS, "C"),
    ("A circle is red.", LETTERS, UNPARSED),
    ("Answer: A", ("D", "C", "B"), "A"),  # options are letters: A is none of them, and no index
    ("Answer: E", PLACES, "E"),
    # Phrases and bare lines.
    ("left", PLACES, "left"),
    ("Left.", PLACES, "left"),
    ("  **Left**  ", PLACES, "left"),
    ("Direction: left", PLACES, "left"),
    ("Yes.", YES_NO, "yes"),
    ("Yes, there is a red circle next to the star.", YES_NO, "yes"),
    ("No. There is no red circle, although there is a red star.", YES_NO, "no"),
    ("No\n\nThere is a circle, but it is blue.", YES_NO, "no"),
    ("Answer: true", YES_NO, "yes"),
    ("Answer: False", YES_NO, "no"),
    ("Answer: yes", ("true", "false"), "true"),
    ("I would choose left.", PLACES, "left"),
    ("The circle is on the left, so I'll go with left", PLACES, "left"),
    ("White wins.\n\nThe queen on g7 gives mate and black cannot move.", ("white", "black", "draw"), "white"),
    ("convex\n\nReasoning: a chord lies above the curve, and it is not concave.", CURVE, "convex"),
    ("First I look at both.\nThe circle has x = 20, the star 60.\nleft", PLACES, "left"),
    # One option in the last sentence or in a short reply.
    ("The circle is on the left side of the star.", PLACES, "left"),
    ("It is not left but right.", PLACES, "right"),
    ("It isn't on the right; it is on the left.", PLACES, "left"),
    ("On the left rather than on the right.", PLACES, "left"),
    ("The function is neither even nor odd.", PARITY, "neither"),
    ("It is not convex but concave.", CURVE, "concave"),
    ("Even powers add up, so the function is odd.", PARITY, "odd"),
    ("An even function mirrors, an odd one turns. Therefore the function is odd.", PARITY, "odd"),
    ("The circle is above. Hope this helps!", PLACES, "above"),
    ("not left", PLACES, UNPARSED),
    ("Answer: not left", PLACES, UNPARSED),
    ("The circle is not on the left.", PLACES, UNPARSED),
    ("The seven nodes know nothing.", (*YES_NO, "even"), UNPARSED),
    ("notable", YES_NO, UNPARSED),
    ("Answer: 10", NUMBERS, "10"),
    # The open domain: an explicit value that is no option stays what it is.
    ("Answer: diagonal", PLACES, "diagonal"),
    ("Answer: Top-Left", PLACES, "top-left"),
    ("Answer: 7", NUMBERS, "7"),
    ("Answer: -3", NUMBERS, "-3"),
    ("Answer: purple", ("red", "blue"), "purple"),
    ("Answer: neithre", PARITY, "neithre"),
    ("Answer: none", PLACES, "none"),
    # Numbers as options.
    ("Answer: three", NUMBERS, "3"),
    ("Answer: 3 red circles", NUMBERS, "3"),
    ("Answer: 2 + 1 = 3", NUMBERS, "3"),
    ("There are two circles.", NUMBERS, "2"),
    ("**4**", NUMBERS, "4"),
    ("There are no red circles. Answer: 0", NUMBERS, "0"),
    ("Answer: 3.0", NUMBERS, "3"),
    # Several statements.
    ("Answer: left\nWait, I mixed them up.\nAnswer: right", PLACES, ("right", "conflicting")),
    ("The answer is left. Let me check again. Answer: right", PLACES, ("right", "conflicting")),
    (r"The answer is 11. \boxed{10}", ("10", "11"), ("10", "conflicting")),
    ("Answer: left\nAnswer: left", PLACES, "left"),
    ("left\n\nNo: the star is there.\n\nright", PLACES, ("right", "conflicting")),
    ("Answer: B. left", PLACES, ("left", "conflicting")),
    ("If the answer is left, x is smaller. It is not. Answer: right", PLACES, "right"),
    # Hedges, refusals, clarifications, echoes.
    ("Answer: left or right", PLACES, UNPARSED),
    ("Answer: left/right", PLACES, UNPARSED),
    ("Answer: both convex and concave", CURVE, UNPARSED),
    ("left, right, above or below", PLACES, UNPARSED),
    ("It could be left or above.", PLACES, UNPARSED),
    ("Answer: cannot determine", PLACES, ABSTAIN),
    ("Answer: It cannot be determined from the picture.", PLACES, ABSTAIN),
    ("Answer: It cannot be determined", UNSURE, "cannot be determined"),
    ("Answer: unknown", PLACES, ABSTAIN),
    ("Answer: N/A", PLACES, ABSTAIN),
    ("I am unable to determine where the circle is.", PLACES, ABSTAIN),
    ("I'm sorry, but I can't help with that.", PLACES, ABSTAIN),
    ("I can’t see the image you’re referring to. Please upload it.", PLACES, ABSTAIN),
    ("No image was provided, so I cannot say whether it is left.", PLACES, ABSTAIN),
    ("There is not enough information.", PLACES, ABSTAIN),
    ("Could you please clarify which circle you mean?", PLACES, ABSTAIN),
    ("I don't see any red circle.", YES_NO, UNPARSED),
    ("Which two nodes?", YES_NO, UNPARSED),
    (
        "Where is the red circle relative to the blue star?\nOptions: left, right, above, below",
        PLACES,
        UNPARSED,
    ),
    ("Is it on the left?", PLACES, UNPARSED),
    ("Answer: <option>", PLACES, UNPARSED),
    ("Answer:", PLACES, UNPARSED),
    ("", PLACES, UNPARSED),
    ("   \n\t ", PLACES, UNPARSED),
    ("...", PLACES, UNPARSED),
    ("If it were on the left, x would be smaller.", PLACES, UNPARSED),
    # Reasoning that is thought, not said.
    ("<think>The answer is left. Answer: left</think>\nAnswer: right", PLACES, "right"),
    ("<think>It looks left. Answer: left", PLACES, UNPARSED),
    ("It looks left. Answer: left</think>\n\nright", PLACES, "right"),
    # Options that contain words like "same" or "neither", or each other.
    ("Answer: neither; their concentrations are the same", SAME, SAME[2]),
    ("Answer: Solution B", SAME, "Solution B"),
    ("Solution A has more particles per volume.", SAME, "Solution A"),
    ("To the left than to the right.", SIDES, SIDES[1]),
    ("Al^3+ is reduced.\nAnswer: Al (3+)", ("Fe", "Al (3+)"), "Al (3+)"),
]

INTEGERS: list[tuple[str, str | tuple[str, str]]] = [
    ("Answer: 5", "5"),
    ("Answer: **12**", "12"),
    ("Answer: −4", "-4"),
    ("Answer: minus four", "-4"),
    ("Answer: +7", "7"),
    ("Answer: 007", "7"),
    ("Answer: 1,234", "1234"),
    ("Answer: twenty", "20"),
    ("Answer: 3 + 9 = 12", "12"),
    ("Answer: 12 = 3 + 9", UNPARSED),
    ("Answer: 3 (2 red and 1 blue)", "3"),
    ("Answer: 3 breakpoints (at x = -6.7, 2.57, and 5.99)", "3"),
    ("Answer: 2 breakpoints at x = -3.22 and x = 7.49.", "2"),
    ("Answer: The maximum flow from source 0 to sink 2 is 5.", "5"),
    ("Answer: 2 red circles and 1 blue circle", UNPARSED),
    ("Answer: between 3 and 4", UNPARSED),
    ("Answer: 3 or 4", UNPARSED),
    ("Answer: 3.5", "3.5"),
    ("Answer: 5.0", "5"),
    ("Answer: unknown", ABSTAIN),
    (r"\boxed{10}", "10"),
    (r"so $x = \boxed{\text{10}}$ and nothing else", "10"),
    ("3", "3"),
    ("Three.", "3"),
    ("4\n\nThe corners are at x = -6, -3, 0 and 6.", "4"),
    ("2 breakpoints.\n\nThe slope changes at x = 2.5 and x = 7.", "2"),
    ("Maximum flow value: 6\n\nThe edge from 0 to 1 carries 2.", "6"),
    ("There are three red circles.", "3"),
    ("I see the red one.", UNPARSED),
    ("The edge from node 0 to node 2 carries something.", UNPARSED),
    ("The total is 4 + 6 = 10", "10"),
    ("It is even in seven cases out of ten", UNPARSED),
    ("I cannot count them; there is no image attached.", ABSTAIN),
    ("Answer: " + "9" * 300, "9" * 300),
]

TEXTS: list[tuple[str, str | tuple[str, str]]] = [
    ("Answer: Paris", "Paris"),
    ("Answer: **New  York**.", "New York"),
    ('Answer: "fern"', "fern"),
    ("fern", "fern"),
    (
        "The word is written in black on white, and I had to look at it twice before I could make it out.",
        UNPARSED,
    ),
    ("One line.\nAnother line.", UNPARSED),
    ("Answer: cannot be determined", ABSTAIN),
    ("", UNPARSED),
]


def _expected(value: str | tuple[str, str]) -> Answer:
    if isinstance(value, tuple):
        return Answer(value[0], "conflicting")
    if value in (ABSTAIN, UNPARSED):
        return Answer(None, "abstain" if value == ABSTAIN else "unparsed")
    return Answer(value, "answer")


def test_the_table_is_large_enough() -> None:
    assert len(CHOICES) + len(INTEGERS) + len(TEXTS) >= 120


@pytest.mark.parametrize(("reply", "options", "expected"), CHOICES)
def test_choice(reply: str, options: tuple[str, ...], expected: str | tuple[str, str]) -> None:
    assert read_choice(reply, options) == _expected(expected)


@pytest.mark.parametrize(("reply", "expected"), INTEGERS)
def test_integer(reply: str, expected: str | tuple[str, str]) -> None:
    assert read_integer(reply) == _expected(expected)


@pytest.mark.parametrize(("reply", "expected"), TEXTS)
def test_text(reply: str, expected: str | tuple[str, str]) -> None:
    assert read_text(reply) == _expected(expected)


NOISE = st.text(
    st.one_of(st.characters(), st.sampled_from(list("{}\\$*_<>()[]\n\r:=.,'\"AB01 ")), st.just("\u0301")),
    max_size=300,
)
PIECES = st.lists(
    st.one_of(
        NOISE,
        st.sampled_from(
            ["Answer: ", "\\boxed{", "the answer is ", "<think>", "left", "not ", "(B)", "**", "$", "}"]
        ),
    ),
    max_size=20,
).map("".join)


@given(PIECES)
def test_no_reply_crashes_a_reader(reply: str) -> None:
    for answer in (read_choice(reply, PLACES), read_integer(reply), read_text(reply)):
        assert (answer.value is None) == (answer.status in ("abstain", "unparsed"))


@given(st.lists(st.text(max_size=20), max_size=6).map(tuple), PIECES)
def test_no_options_crash_a_reader(options: tuple[str, ...], reply: str) -> None:
    answer = read_choice(reply, options)
    assert (answer.value is None) == (answer.status in ("abstain", "unparsed"))


@given(st.sampled_from(PLACES), NOISE)
def test_a_final_line_wins_over_anything_before_it(option: str, before: str) -> None:
    answer = read_choice(f"{before.replace('<', '')}\nAnswer: {option}", PLACES)
    assert answer.value == option
    assert answer.status in ("answer", "conflicting")


@pytest.mark.parametrize(
    "unit",
    (
        *(
            "a",
            " ",
            "\n",
            "*",
            "1*",
            "{",
            "\\boxed{",
            "\\boxed{}",
            "Answer: ",
            "the answer is ",
            "(",
            "-",
            "> ",
            "~",
        ),
        *(
            "__",
            "e\u0301\u0323",
            "\u0323\u0301",
            "\ufdfa",
            "not ",
            "left, ",
            "<think>",
            "</think>",
            "<b",
            "9",
        ),
        *("1,000", "no ", "so ", "Answer:\n", '"answer": "', "the final "),
    ),
)
def test_ten_megabytes_are_read_in_linear_time(unit: str) -> None:
    reply = unit * (10_000_000 // len(unit))
    for read in (lambda r: read_choice(r, PLACES), read_integer, read_text):
        start = time.process_time()
        read(reply)
        # A quadratic step over the 200,000 characters that are looked at would take minutes.
        assert time.process_time() - start < 3


def test_the_end_of_a_very_long_reply_is_read() -> None:
    assert read_choice("the circle " * 1_000_000 + "\nAnswer: left", PLACES) == Answer("left", "answer")


STORED = os.environ.get("MODGAP_STORED_REPLIES", "")


@pytest.mark.skipif(not STORED, reason="MODGAP_STORED_REPLIES does not name a folder of stored replies")
def test_stored_replies_of_real_models_are_read_as_people_read_them() -> None:
    """Replies of a commercial model to BLINK: the letter it gave is stored beside each reply."""
    read = agreed = 0
    for name in ("Counting", "Spatial_Relation", "Object_Localization"):
        with gzip.open(Path(STORED) / "blink_outputs" / "gpt4o" / f"{name}.json.gz") as file:
            splits = json.load(file)
        for record in (record for split in splits.values() for record in split):
            answer = read_choice(record["full_prediction"], LETTERS)
            read += answer.value is not None
            agreed += answer.value == record["prediction"].strip("()")
    assert read >= 750  # of 773; the others name a box in prose
    assert agreed >= read - 1
