"""What can be tried, on the bundled model: each is chosen on its own problems and can be written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modgap.close import Patched
from modgap.close._rescaled import rescaled
from modgap.close._treatments import _merged, patched, steered
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import Patch, extract, load_concept, load_vector, merge, slopes, text_model
from modgap.steering._sweep import Cell, query_of, sweep
from modgap.tasks import Problem, load_suite

SUITE = load_suite("scenes", tasks=("relation",), level="plain")


@pytest.fixture(scope="module")
def model() -> LocalModel:
    loaded = load_model("bundled")
    assert isinstance(loaded, LocalModel)
    return loaded


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return list(SUITE.problems(12, 3))


def test_steering_is_chosen_on_its_own_problems(
    model: LocalModel, problems: list[Problem], tmp_path: Path
) -> None:
    found = steered(
        model,
        "bundled",
        problems,
        blocks=(0, 4),
        strengths=(0.5, 1.0),
        positions=("image",),
        say=lambda text: None,
    )
    assert len(found) <= 2  # one concept, and back-patching; nothing to merge
    for treatment in found:
        lines = treatment.export(tmp_path / treatment.name)
        assert treatment.model.fingerprint() != model.fingerprint()
        folder = tmp_path / treatment.name
        code = "\n".join(lines).replace('load_vector("', f'load_vector("{folder}/')
        exec(code, {"model": model})  # the lines work as they are written, in the folder


def test_concepts_are_merged_in_closed_form(model: LocalModel, tmp_path: Path) -> None:
    problems = list(load_suite("scenes", tasks=("relation", "count"), level="plain").problems(8, 3))
    vectors = [extract(text_model("bundled"), load_concept(name)) for name in ("spatial", "counting")]
    merged = merge(slopes(model, problems, positions=("image",)), vectors)
    found = _merged(model, merged, problems, lambda text: None)
    if found is not None:  # some strength is better than none on so few
        assert found.model.fingerprint() != model.fingerprint()
        assert any('load_vector("merged")' in line for line in found.export(tmp_path))
        assert load_vector(tmp_path / "merged").concept == "spatial + counting"


def test_a_back_patch_is_a_model(model: LocalModel, problems: list[Problem], tmp_path: Path) -> None:
    """Its answers are those of the sweep; questions in words are answered as ever."""
    changed = Patched(model, source=5, block=1)
    cell = Cell("back-patch", False, 1, 5.0, "image")
    swept = sweep(model, problems, [(cell, Patch(5, 1, "image"))])
    replies = dict(changed.reply([query_of(problem, "image") for problem in problems]))
    right = [
        SUITE.parse(problem, replies[i].text or "").value == problem.answer
        for i, problem in enumerate(problems)
    ]
    assert right == swept.right[0].tolist()
    words = [query_of(problem, "list") for problem in problems[:3]]
    own, changes = (dict(one.reply(words)) for one in (model, changed))
    assert [own[i].option_scores for i in range(3)] == [changes[i].option_scores for i in range(3)]
    assert changed.fingerprint()["back_patch"] == [5, 1]
    treatment = patched(model, 5, 1)
    assert "Patched(model, source=5, block=1)" in treatment.export(tmp_path)[1]
    assert json.loads((tmp_path / "back_patch.json").read_text())["source"] == 5


def test_rescaling_is_chosen_once_a_folder(
    model: LocalModel, problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chances = iter([0.5, 0.4, 0.7, 0.6])  # as it is, and at 0.1, 0.25 and 0.5
    monkeypatch.setattr("modgap.close._rescaled._right", lambda *given: next(chances))
    told: list[str] = []
    folder = tmp_path / "rescaled"
    first = rescaled(model, "bundled-causal", SUITE, problems, folder, told.append)
    again = rescaled(model, "bundled-causal", SUITE, problems, folder, told.append)
    assert first is not None
    assert again is not None
    assert first.what == "weights + 0.25 × the change of the detector bundled-causal"
    assert first.model.fingerprint()["weights"] == again.model.fingerprint()["weights"]
    assert first.model.fingerprint()["weights"] != model.fingerprint()["weights"]
    chances = iter([0.5, 0.4, 0.5, 0.4])
    assert rescaled(model, "bundled-causal", SUITE, problems, tmp_path / "none", told.append) is None
    assert "no strength beats" in told[-1]
