"""The configuration of a measurement: same names everywhere, all mistakes at once, TOML."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from modgap._errors import FileError, InputError
from modgap.evaluate import MeasureConfig, measure, read_config
from modgap.evaluate._config import _MODEL_OPTIONS, OPERATIONAL

FIELDS = {field.name: field for field in dataclasses.fields(MeasureConfig)}


def test_python_arguments_are_the_fields_with_the_same_defaults() -> None:
    arguments = dict(inspect.signature(measure).parameters)
    arguments.pop("listener")
    assert list(arguments) == list(FIELDS)
    config = MeasureConfig()
    for name, argument in arguments.items():
        default = {} if argument.default is None and name in ("set", "option") else argument.default
        assert default == getattr(config, name), name


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        MeasureConfig(n=0, samples=0, modalities=("vidoe",), wording="plian", temperature=-1, name="a/b")
    for part in (
        "n 0 is too small; give 1 or more",
        "samples 0 is too small",
        "modality 'vidoe' is not one of text, image, audio, video; did you mean 'video'?",
        "wording 'plian' is not one of plain, polite, terse",
        "temperature -1 is not between 0 and 100",
        "name 'a/b' is not a plain folder name",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": -1}, "seed -1 is negative"),
        ({"top_p": 0.0}, "top_p 0.0 is not above 0"),
        ({"budget": 0}, "budget 0 is too small"),
        ({"strategy": "isocombo"}, r"strategy 'isocombo' is not one of .*did you mean 'isocombination'"),
        ({"answer": "score"}, "answer 'score' is not one of auto, options, generate"),
        ({"engine": "rya"}, "engine 'rya' is not one of local, ray; did you mean 'ray'"),
        ({"engine": "ray", "workers": 0}, "workers 0 is too small; give 1 or more"),
        ({"engine": "ray", "gpus_per_worker": -1}, "gpus_per_worker -1 is neither a part of one GPU"),
        ({"engine": "ray", "gpus_per_worker": float("nan")}, "gpus_per_worker nan is neither"),
        ({"workers": 2}, "workers is for the engine 'ray'; add --engine ray, or leave it out"),
        ({"gpus_per_worker": 1}, "gpus_per_worker is for the engine 'ray'"),
        ({"name": ".."}, "not a plain folder name"),
        ({"option": {"dtype": "float32"}}, "option dtype: has a name of its own"),
        ({"temperature": float("nan")}, "temperature nan"),
    ],
)
def test_one_mistake(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        MeasureConfig(**changes)


def test_model_options_are_those_given() -> None:
    assert MeasureConfig().model_options() == {}
    config = MeasureConfig(dtype="float32", concurrency=4, option={"timeout": 3})
    assert config.model_options() == {"dtype": "float32", "concurrency": 4, "timeout": 3}


def test_every_field_is_of_the_task_or_the_model_or_operational() -> None:
    parts = [set(MeasureConfig().task_part()), set(_MODEL_OPTIONS), OPERATIONAL, {"model", "suite"}]
    assert set.union(*parts) == set(FIELDS)


def test_toml_keys_are_the_fields(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    settings = 'model = "random"\nn = 3\nmodalities = ["text"]\ntemperature = 1\n'
    path.write_text(settings + '[set]\nlevel = "hard"\n')
    assert read_config(path) == {
        "model": "random",
        "n": 3,
        "modalities": ("text",),
        "temperature": 1.0,
        "set": {"level": "hard"},
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("n = 'a'", r"run.toml: Expected `int \| null`, got `str`"),
        ("modle = 'a'", "run.toml: key 'modle' is not one of model, .*did you mean 'model'"),
        ("n = ", "run.toml: not a TOML file"),
        ("n = 0", "run.toml: n 0 is too small"),
    ],
)
def test_a_bad_toml_file_is_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(content)
    with pytest.raises(FileError, match=said) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)


def test_a_missing_toml_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot be read .No such file.*expected a TOML file"):
        read_config(tmp_path / "run.toml")
