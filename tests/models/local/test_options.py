"""Options as token paths: worked by hand on small sequences of ids."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoProcessor

from modgap._errors import InputError
from modgap.models.local._options import END, OptionTokens, continuation
from modgap.models.local._prompt import PromptWriter


@pytest.fixture(scope="module")
def writer(tiny: Path) -> PromptWriter:
    return PromptWriter(AutoProcessor.from_pretrained(tiny, backend="pil"))


def test_single_tokens_need_no_row() -> None:
    made = continuation([5, 6], [[5, 6, 1], [5, 6, 2]])
    assert made.forced == (5, 6)
    assert made.targets == ((1,), (2,))
    assert made.rows == ()
    assert made.row_of == (-1, -1)
    assert made.longest == 3


def test_a_path_that_begins_another_is_not_read_twice() -> None:
    made = continuation([5], [[5, 1, 2, 3], [5, 1, 4], [5, 7]])
    assert made.targets == ((1, 2, 3), (1, 4), (7,))
    assert made.rows == ((1, 2),)
    assert made.row_of == (0, 0, -1)


def test_the_split_moves_back_when_an_option_merges_with_the_prefix() -> None:
    # 6 is ":" and 9 is ": yes": the prefix alone ends differently from the prefix with this option.
    made = continuation([5, 6], [[5, 9], [5, 6, 2]])
    assert made.forced == (5,)
    assert made.targets == ((9,), (6, 2))


def test_an_option_that_begins_another_is_scored_with_the_end_of_the_reply() -> None:
    made = continuation([5], [[5, 1], [5, 1, 2]])
    assert made.targets == ((1, END), (1, 2, END))
    assert made.rows == ((1, 2),)
    assert made.row_of == (0, 0)


def test_equal_options_are_equal() -> None:
    made = continuation([5], [[5, 1], [5, 1]])
    assert made.targets == ((1,), (1,))


def test_an_empty_option_is_refused() -> None:
    with pytest.raises(InputError, match="an option is empty; every option must be a text"):
        continuation([5], [[5], [5, 1]])


def test_a_space_joins_a_prompt_that_ends_in_a_word(writer: PromptWriter) -> None:
    made = OptionTokens(writer).of(
        "<|im_start|>User: Where?<end_of_utterance>\nAssistant:", "Answer:", ("left", "right")
    )
    (whole,) = writer.tokenize([" Answer: left"])
    assert [*made.forced, *made.targets[0]] == whole
    assert len(made.targets[0]) == 1


def test_no_space_after_a_line_break(writer: PromptWriter) -> None:
    made = OptionTokens(writer).of("<|im_start|>assistant\n", "Answer:", ("left",))
    (whole,) = writer.tokenize(["Answer: left"])
    assert [*made.forced, *made.targets[0]] == whole


def test_without_prefix_the_option_follows_the_prompt(writer: PromptWriter) -> None:
    made = OptionTokens(writer).of("Assistant:", "", ("left", "right"))
    assert made.forced == ()
    assert list(made.targets) == [tuple(ids) for ids in writer.tokenize([" left", " right"])]


def test_the_prompt_keeps_its_tokens_where_the_tokenizer_would_merge(writer: PromptWriter) -> None:
    before, whole = writer.tokenize(["x ", "x left"])
    assert whole[: len(before)] != before  # written as one, the space belongs to the word
    made = OptionTokens(writer).of("x ", "", ("left",))
    assert list(made.targets[0]) == writer.tokenize(["left"])[0]


def test_options_with_control_tokens_are_refused(writer: PromptWriter) -> None:
    with pytest.raises(InputError, match="contains '<image>', a control token of this model"):
        OptionTokens(writer).of("Assistant:", "Answer:", ("left", "<image>"))
