"""Keys: whatever can change a reply changes the key, and nothing else does."""

from __future__ import annotations

import dataclasses
import io
from types import ModuleType

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap.evaluate import MeasureConfig, _fingerprint
from modgap.evaluate._fingerprint import KeyMaker, folder_name, problem_digest
from modgap.media import Image, Text
from modgap.tasks import Problem, Representation

CHANGED = {
    "model": "other",
    "suite": "other",
    "n": 7,
    "seed": 1,
    "modalities": ("text",),
    "representations": ("list",),
    "tasks": ("count",),
    "set": {"level": "hard"},
    "strategy": "direct",
    "samples": 2,
    "temperature": 0.5,
    "top_p": 0.5,
    "max_tokens": 7,
    "wording": "terse",
    "answer": "generate",
    "batch_size": 2,
    "adapter": "a",
    "dtype": "float32",
    "device_map": "cpu",
    "load_in_4bit": True,
    "revision": "b",
    "trust_remote_code": True,
    "url": "http://x",
    "key_env": "K",
    "concurrency": 2,
    "budget": 9,
    "vector": "v",
    "block": 1,
    "strength": 2.0,
    "positions": "text",
    "phase": "both",
    "option": {"timeout": 3},
    "engine": "local",
    "workers": 3,
    "gpus_per_worker": 0.5,
    "name": "n",
    "out": "o",
}
IN_KEY = {
    *("seed", "temperature", "top_p", "max_tokens", "wording"),
    *("answer", "adapter", "dtype", "load_in_4bit", "revision", "trust_remote_code", "url"),
    *("vector", "block", "strength", "positions", "phase"),
}
"""Fields that reach the model by themselves. The others act through what is asked: they change the problems,
the representations or the samples, each of which is in the key, or the model's own fingerprint."""

IN_FOLDER = {
    *("n", "seed", "modalities", "representations", "tasks", "set", "samples", "temperature", "top_p"),
    *("max_tokens", "wording", "answer"),
}

BASE = MeasureConfig(engine="ray")
MODEL = {"weights": "w", "dtype": "float32", "template": None, "nested": {"layers": [1, 2]}}


def common(config: MeasureConfig = BASE, model: dict[str, object] = MODEL) -> str:
    return KeyMaker(config, model).common


def test_this_test_changes_every_field() -> None:
    assert set(CHANGED) == {field.name for field in dataclasses.fields(MeasureConfig)}


@pytest.mark.parametrize("name", CHANGED)
def test_each_field_in_turn(name: str) -> None:
    changed = dataclasses.replace(BASE, **{name: CHANGED[name]})
    assert (common(changed) != common()) == (name in IN_KEY)
    folders = {folder_name("m", "s", config, {}) for config in (BASE, changed)}
    assert (len(folders) == 2) == (name in IN_FOLDER)


@given(
    st.sampled_from(["weights", "dtype", "template", "nested", "new"]),
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5) | st.lists(st.integers(0, 3)),
)
def test_any_change_of_the_models_fingerprint_changes_the_key(name: str, value: object) -> None:
    changed = {**MODEL, name: value}
    assert (common(model=changed) == common()) == (changed == MODEL)


def test_the_order_of_a_fingerprint_does_not_matter() -> None:
    assert common(model=dict(reversed(MODEL.items()))) == common()


def test_the_version_of_the_prompt_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = common()
    monkeypatch.setattr(_fingerprint, "PROMPT_VERSION", _fingerprint.PROMPT_VERSION + 1)
    assert common() != before


def test_each_part_of_a_key_in_turn() -> None:
    keys = KeyMaker(BASE, MODEL)
    made = {
        keys.key("p", "image", "direct", 0),
        keys.key("q", "image", "direct", 0),
        keys.key("p", "list", "direct", 0),
        keys.key("p", "image", "other", 0),
        keys.key("p", "image", "direct", 1),
    }
    assert len(made) == 5


def recolored(problem: Problem, color: str) -> Problem:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), color).save(buffer, "PNG")
    drawn = Representation("image", "image", (Image(buffer.getvalue(), "image/png"),))
    return dataclasses.replace(problem, representations=(problem.representations[0], drawn))


def test_each_part_of_a_problem_in_turn(fakes: ModuleType) -> None:
    problem = fakes.make_problem(0)
    written, drawn = problem.representations
    variants = [
        problem,
        dataclasses.replace(problem, problem_id="other"),
        dataclasses.replace(problem, task="fake/other"),
        dataclasses.replace(problem, question="Where else?"),
        dataclasses.replace(problem, answer="right"),
        dataclasses.replace(problem, options=problem.options[::-1]),
        dataclasses.replace(problem, answer_kind="text"),
        dataclasses.replace(problem, instruction="Look."),
        dataclasses.replace(problem, representations=(written,)),
        dataclasses.replace(problem, representations=(drawn, written)),
        dataclasses.replace(
            problem, representations=(Representation("list", "text", (Text("moved"),)), drawn)
        ),
        dataclasses.replace(problem, representations=(Representation("note", "text", written.parts), drawn)),
        recolored(problem, "red"),
        recolored(problem, "blue"),
    ]
    assert len({problem_digest(variant) for variant in variants}) == len(variants)


def test_what_no_model_is_shown_is_not_in_the_key(fakes: ModuleType) -> None:
    problem = fakes.make_problem(0)
    other = dataclasses.replace(problem, difficulty={"objects": 9}, chance=0.9, group="g")
    assert problem_digest(other) == problem_digest(problem)


def test_a_text_is_not_taken_for_a_file_of_the_same_name(fakes: ModuleType) -> None:
    problem = fakes.make_problem(0)
    name = problem.representations[1].parts[0].file_name
    written = Representation("image", "image", (Text(name),))
    other = dataclasses.replace(problem, representations=(problem.representations[0], written))
    assert problem_digest(other) != problem_digest(problem)


def test_a_folder_name_is_safe_and_ends_alike_for_all_models() -> None:
    one = folder_name("org/Model-1:8b", "scenes", BASE, {"level": "easy"})
    other = folder_name("random", "scenes", BASE, {"level": "easy"})
    assert one.startswith("Model-1-8b-scenes-")
    assert one.rpartition("-")[2] == other.rpartition("-")[2]
    assert len(one.rpartition("-")[2]) == 8
    assert folder_name("random", "scenes", BASE, {"level": "hard"}) != other
    assert folder_name("../../etc", "..", BASE, {}).startswith("etc-unnamed-")
