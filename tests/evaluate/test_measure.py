"""What is measured: choice of representations, resolved configuration, folders, objects instead of names."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import modgap
from modgap._errors import InputError, RunError, UnknownName


class Lines:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.total: int | None = None
        self.asked = self.kept = self.errors = 0

    def say(self, line: str) -> None:
        self.said.append(line)

    def begin(self, total: int | None) -> None:
        self.total = total

    def advance(self, *, asked: int, kept: int, errors: int) -> None:
        self.asked, self.kept, self.errors = self.asked + asked, self.kept + kept, self.errors + errors


def test_only_what_is_asked_for_is_rendered(fakes: ModuleType, tmp_path: Path) -> None:
    for settings, shown in (
        ({}, ("list", "image")),
        ({"modalities": ["image"]}, ("image",)),
        ({"representations": ["list"]}, ("list",)),
        ({"modalities": ["text", "image"], "representations": ["image"]}, ("image",)),
    ):
        suite = fakes.FakeSuite()
        run = modgap.measure(fakes.FakeModel(), suite, n=2, out=tmp_path, **settings)
        assert suite.asked == [shown]
        assert {record.representation for record in run.records()} == set(shown)
        assert tuple(run.info.suite.representations) == shown


def test_what_a_model_cannot_be_shown_is_left_out_with_a_line(fakes: ModuleType, tmp_path: Path) -> None:
    listener = Lines()
    model = fakes.FakeModel(modalities=frozenset({"text"}))
    run = modgap.measure(model, fakes.FakeSuite(), n=3, out=tmp_path, listener=listener)
    assert {record.representation for record in run.records()} == {"list"}
    assert listener.said == ["image is left out: model fake/model cannot be shown image"]
    assert run.info.notes == tuple(listener.said)
    assert (listener.total, listener.asked) == (3, 3)


def test_a_model_that_can_be_shown_nothing_of_it(fakes: ModuleType, tmp_path: Path) -> None:
    model = fakes.FakeModel(modalities=frozenset({"text"}))
    said = r"can be shown text, and the representations asked for are image \(image\); choose others"
    with pytest.raises(InputError, match=said):
        modgap.measure(model, fakes.FakeSuite(), modalities=["image"], out=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        (
            {"representations": ["lst"]},
            UnknownName,
            "representation 'lst' is not one of list, image; did you",
        ),
        (
            {"modalities": ["audio"]},
            InputError,
            r"nothing to show for modalities audio .* it has list \(text\)",
        ),
        ({"modalities": "text"}, InputError, r"modalities 'text' is a text; give a list of names"),
        ({"dtype": "float32"}, InputError, "dtype: not accepted beside a model that is loaded already"),
    ],
)
def test_what_is_not_accepted(
    fakes: ModuleType, tmp_path: Path, settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), out=tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


def test_progress_adds_up(fakes: ModuleType, tmp_path: Path) -> None:
    def half(query: Any) -> Any:
        return fakes.Reply(None, error="x") if query.representation == "image" else fakes.guess(query)

    first, second = Lines(), Lines()
    modgap.measure(fakes.FakeModel(half), fakes.FakeSuite(), n=5, samples=2, out=tmp_path, listener=first)
    assert (first.total, first.asked, first.kept, first.errors) == (20, 20, 0, 10)
    modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=5, samples=2, out=tmp_path, listener=second)
    assert (second.total, second.asked, second.kept, second.errors) == (20, 10, 10, 0)


def test_the_folder_says_what_was_asked_of_whom(fakes: ModuleType, tmp_path: Path) -> None:
    run = modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=2, seed=3, out=tmp_path, wording="terse")
    assert run.folder.parent == tmp_path
    assert run.name.startswith("model-fake-")
    info = run.info
    assert (info.config["n"], info.config["seed"], info.config["wording"]) == (2, 3, "terse")
    assert info.suite.settings == {"level": "easy"}
    assert info.model.name == "fake/model"
    assert info.model.fingerprint == fakes.FakeModel().fingerprint()
    assert info.model.modalities == ("text", "image")
    assert {"modgap", "python", "numpy", "pillow"} <= set(info.versions)
    assert info.finished is not None
    raw = msgspec.json.decode((run.folder / "run.json").read_bytes())
    assert set(raw) >= {"created", "config", "suite", "model", "fingerprint", "prompt_version", "versions"}


def test_models_share_the_hash_of_a_task_configuration(fakes: ModuleType, tmp_path: Path) -> None:
    names = [
        modgap.measure(model, fakes.FakeSuite(), n=n, out=tmp_path).name
        for model, n in ((fakes.FakeModel(), 1), (fakes.FakeModel(name="other"), 1), (fakes.FakeModel(), 2))
    ]
    hashes = [name.rpartition("-")[2] for name in names]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n": 3}, "n: 2 → 3"),
        ({"seed": 1}, "seed: 0 → 1"),
        ({"wording": "polite"}, 'wording: "plain" → "polite"'),
        ({"temperature": 0.5}, "temperature: 0.0 → 0.5"),
        ({"max_tokens": 9, "samples": 2}, "max_tokens: 512 → 9; samples: 1 → 2"),
        (
            {"modalities": ["text"]},
            r"modalities: \[\] → \[\"text\"\]; suite.representations.image: \"image\" → nothing",
        ),
    ],
)
def test_a_changed_configuration_is_named_and_nothing_is_written(
    fakes: ModuleType, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    run = modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=2, out=tmp_path, name="run")
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=rf"holds a run with other settings \({said}\); .*--name") as caught:
        modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), out=tmp_path, name="run", **{"n": 2, **settings})
    assert "\n" not in str(caught.value)
    after = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    before.pop(run.folder / "lock")
    after.pop(run.folder / "lock")
    assert after == before


def test_a_changed_model_or_suite_is_a_changed_configuration(fakes: ModuleType, tmp_path: Path) -> None:
    modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=2, out=tmp_path, name="run")
    model = fakes.FakeModel(settings={"weights": "abc", "nested": {"dtype": "bfloat16"}, "adapter": "a"})
    said = r'model.fingerprint.adapter: nothing → "a"; model.fingerprint.nested.dtype: "float32" → "bfloat16"'
    with pytest.raises(RunError, match=said):
        modgap.measure(model, fakes.FakeSuite(), n=2, out=tmp_path, name="run")
    suite = fakes.FakeSuite(settings_={"level": "hard"})
    with pytest.raises(RunError, match=r'suite.settings.level: "easy" → "hard"'):
        modgap.measure(fakes.FakeModel(), suite, n=2, out=tmp_path, name="run")


def test_a_model_given_as_an_object_is_not_closed(fakes: ModuleType, tmp_path: Path) -> None:
    model = fakes.FakeModel()
    modgap.measure(model, fakes.FakeSuite(), n=1, out=tmp_path)
    assert not model.closed
