"""The words of a prompt: fixed, the same for every modality, complete in every wording."""

from __future__ import annotations

import pytest

from modgap._errors import UnknownName
from modgap.evaluate import INSTRUCTIONS, WORDINGS, build_parts, instruction_for, question_block
from modgap.media import Image, Text
from modgap.tasks import Problem, Representation

PICTURE = Image(b"not looked at", "image/png")
WRITTEN = Representation("list", "text", (Text("a red circle"),))
DRAWN = Representation("image", "image", (PICTURE,))


def problem(**changes: object) -> Problem:
    known = {"answer": "left", "options": ("left", "right"), "representations": (WRITTEN, DRAWN)}
    return Problem(**{"problem_id": "p", "task": "t/t", "question": "Where?", **known, **changes})


def test_the_plain_wording_is_the_one_the_bundled_model_was_trained_on() -> None:
    # The bundled model reads exactly these words: changing one means a new PROMPT_VERSION and a new model.
    before, shown, after = build_parts(problem(), WRITTEN)
    assert before == Text(
        "Look at the scene and answer the question. Finish with one line: Answer: <option>\n\n"
    )
    assert shown == Text("a red circle")
    assert after == Text("\n\nQuestion: Where?\nOptions: left, right")
    assert INSTRUCTIONS["plain"] == before.text


def test_an_open_question_shows_no_options_and_asks_for_an_answer() -> None:
    before, _, after = build_parts(problem(options=()), WRITTEN)
    assert before.text.endswith("Finish with one line: Answer: <your answer>\n\n")
    assert after == Text("\n\nQuestion: Where?")


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_is_the_same_for_every_modality(wording: str) -> None:
    written = build_parts(problem(), WRITTEN, wording)
    drawn = build_parts(problem(), DRAWN, wording)
    assert (written[0], written[-1]) == (drawn[0], drawn[-1])
    assert drawn[1] is PICTURE


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_carries_the_same_information(wording: str) -> None:
    closed, opened = instruction_for(problem(), wording), instruction_for(problem(options=()), wording)
    assert "Answer: <option>" in closed
    assert "Answer: <your answer>" in opened
    for needed in ("scene", "question", "line"):
        assert needed in closed.lower()
    assert closed.endswith("\n\n")
    after = build_parts(problem(), WRITTEN, wording)[-1]
    assert after == Text(question_block("Where?", ("left", "right")))


def test_there_are_three_different_wordings() -> None:
    assert len(set(INSTRUCTIONS.values())) >= 3
    assert tuple(INSTRUCTIONS) == WORDINGS


def test_an_unknown_wording_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="'plian' is not one of plain, polite, terse; did you mean 'plain'"):
        build_parts(problem(), WRITTEN, "plian")


def test_an_own_instruction_replaces_the_opening_and_still_asks_for_the_last_line() -> None:
    own = problem(instruction="Read the circuit.\n")
    assert instruction_for(own) == "Read the circuit. Finish with one line: Answer: <option>\n\n"
    assert "Last line" in instruction_for(own, "terse")


def test_an_own_instruction_that_asks_for_an_answer_line_is_left_alone() -> None:
    own = problem(instruction="Is the function even? End with `answer: even` or `answer: odd`.")
    assert instruction_for(own) == own.instruction + "\n\n"


def test_options_with_commas_are_listed_one_a_line() -> None:
    assert question_block("Q?", ("a, b", "c")) == "\n\nQuestion: Q?\nOptions:\n- a, b\n- c"
