"""The bundled model, loaded as users do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from modgap._errors import FileError, InputError
from modgap.media import Image, Text
from modgap.models import Query, bundled, load_model
from modgap.scenes import SceneSettings, draw_scene, sample_scene, write_story

INSTRUCTION = "Look at the scene and answer the question. Finish with one line: Answer: <option>\n\n"
installed = pytest.mark.skipif(
    not (bundled.FOLDER / "config.json").is_file(), reason="the bundled model has not been made"
)


def test_an_argument_is_refused() -> None:
    with pytest.raises(InputError, match="there is one bundled model; write 'bundled' without 'large'"):
        load_model("bundled:large")


def test_missing_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "FOLDER", tmp_path)
    with pytest.raises(
        FileError, match=r"the bundled model is not installed; .* python recipes/bundled_model\.py"
    ):
        load_model("bundled")


def make_queries() -> list[Query]:
    """Two questions on each of ten scenes, written and drawn."""
    queries: list[Query] = []
    for seed in range(10):
        scene = sample_scene(np.random.default_rng(seed), SceneSettings(max_objects=3, unique=True))
        for shown in (Text(write_story(scene)), Image.from_pil(draw_scene(scene))):
            for options in (("1", "2", "3", "4"), ("2", "3", "5")):
                block = f"\n\nQuestion: How many objects are there?\nOptions: {', '.join(options)}"
                queries.append(Query((Text(INSTRUCTION), shown, Text(block)), options))
    return queries


@installed
def test_it_answers_and_repeats_itself() -> None:
    queries = make_queries()
    one, other = (dict(load_model("bundled").reply(queries)) for _ in range(2))
    assert {i: (r.text, r.option_scores) for i, r in one.items()} == {
        i: (r.text, r.option_scores) for i, r in other.items()
    }
    for index, reply in one.items():
        assert reply.error is None
        assert reply.text in {f"Answer: {option}" for option in queries[index].options}


@installed
def test_prompts_are_shared_and_scores_are_those_of_single_prompts() -> None:
    queries = make_queries()
    model, apart = load_model("bundled"), load_model("bundled", share_prefix="off", batch_size=1)
    replies = dict(model.reply(queries))
    for index, reply in apart.reply(queries):
        assert reply.option_scores == pytest.approx(replies[index].option_scores, rel=1e-6, abs=1e-5)
    assert getattr(model, "notes", None) == []


@installed
def test_it_is_in_float32_on_the_cpu() -> None:
    fingerprint = load_model("bundled").fingerprint()
    assert (fingerprint["dtype"], fingerprint["device"], fingerprint["adapter"]) == ("float32", "cpu", None)


@installed
def test_generation_gives_a_final_line() -> None:
    for _, reply in load_model("bundled", answer="generate").reply(make_queries()[:4]):
        assert re.search(r"Answer: \S.*$", reply.text or "")


@installed
def test_it_and_its_variants_say_how_they_were_taught_to_describe() -> None:
    assert load_model("bundled").requests == bundled.REQUESTS
    sibling = bundled.FOLDER / "sibling"
    if sibling.is_dir():
        assert load_model(str(sibling)).requests == bundled.REQUESTS
