"""Questions as pictures, speech and films of their own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modgap._errors import InputError, UnknownName
from modgap.cli._group import app
from modgap.media import Image, Text
from modgap.media.drawing import draw_page
from modgap.tasks import load_suite
from modgap.tasks._omnify import QUESTION, Omnified, written

QUESTIONS = [
    {
        "question": "How many legs has a dog?",
        "answer": "4",
        "options": ["2", "4"],
        "representations": {"text": "A dog."},
    },
    {
        "question": "<script>alert(1)</script>?",
        "answer": "no",
        "options": ["yes", "no"],
        "representations": {"text": "x"},
    },
    {
        "question": "What is 龍?",
        "answer": "dragon",
        "options": ["dragon", "cat"],
        "representations": {"text": "y"},
    },
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, QUESTIONS)))
    return path


def test_every_rendering_has_the_same_words(file: Path) -> None:
    suite = Omnified(load_suite(str(file)), ("image",))
    first, second = suite.problems(None)
    text, page = first.representations
    assert text.parts == (Text("A dog.\n\nHow many legs has a dog?\n\n- 2\n- 4"),)
    assert first.question == second.question == QUESTION
    (picture,) = page.parts
    assert isinstance(picture, Image)
    assert picture.data == Image.from_pil(draw_page(text.parts[0].text).paint()).data  # type: ignore[union-attr]
    lines = [stroke.text for stroke in draw_page(written(load_first(file))).strokes]  # type: ignore[union-attr]
    assert lines == ["A dog.", "How many legs has a dog?", "- 2", "- 4"]
    assert "the font has no CJK" in suite.left_out[0]


def load_first(file: Path):  # type: ignore[no-untyped-def]
    return next(iter(load_suite(str(file)).problems(1)))


def test_long_lines_are_broken_and_long_texts_refused() -> None:
    page = draw_page("word " * 60 + "x" * 200)
    assert page.width % 2 == page.height % 2 == 0
    assert len(page.strokes) > 5
    assert "".join(s.text for s in page.strokes).replace(" ", "") == "word" * 60 + "x" * 200  # type: ignore[union-attr]
    margin = page.paint().crop((460, 0, 480, page.height)).convert("L").getextrema()
    assert margin == (255, 255)  # nothing is cut off
    with pytest.raises(InputError, match="a page has 60"):
        draw_page("a\n" * 61)
    with pytest.raises(InputError, match="no text"):
        draw_page(" \n ")


def test_speech_and_film(file: Path) -> None:
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("av")
    (problem, *_) = Omnified(load_suite(str(file)), ("audio", "video")).problems(1)
    assert [r.modality for r in problem.representations] == ["text", "audio", "video"]


def test_the_verb(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "omni"
    result = CliRunner().invoke(app, ["omnify", str(file), "--out", str(out), "--no-parquet"])
    assert result.exit_code == 0, result.output
    problems = list(load_suite(str(out)).problems(None))
    assert len(problems) == 2
    assert load_suite(str(out)).representations == {"text": "text", "page": "image"}
    result = CliRunner().invoke(
        app, ["measure", "--model", "oracle", "--suite", str(out), "--out", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    with pytest.raises(UnknownName, match="rendering"):
        Omnified(load_suite(str(file)), ("smell",))
    with pytest.raises(InputError, match="nothing to render"):
        Omnified(load_suite(str(file)), ())
