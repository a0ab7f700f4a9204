"""Runs can be left and gone on with, choose by validation, and end in files that can be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from modgap._errors import FileError, InputError, RunError, UnknownName
from modgap.fone import NumberModel, number_vectors
from modgap.fone._run_files import write_tensors
from modgap.fone.strata import load_arm, measure_strata
from modgap.fone.tasks import make_data, task_named
from modgap.fone.train import (
    BEST,
    LOG,
    NUMBER_MODEL,
    RESULT,
    RUN,
    TrainConfig,
    predict,
    rate_of_step,
    read_config,
    rows_of_step,
    train,
)

SHORT: dict[str, Any] = {
    "task": "add-3", "rows": 64, "size": "tiny", "steps": 6, "batch": 16, "every": 2, "validation": 20,
    "test": 20,
}  # fmt: skip


def without_times(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.mark.parametrize("arm", ["fone", "digits"])
def test_an_interrupted_run_ends_like_one_that_was_not(arm: str, tmp_path: Path) -> None:
    config = TrainConfig(arm=arm, **SHORT)
    whole = train(config, tmp_path / "whole")

    def stop(line: dict[str, Any]) -> None:
        if line["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "left", listener=stop)
    # A line that was written after the checkpoint is written again.
    with (tmp_path / "left" / LOG).open("a") as file:
        file.write('{"step": 4, "loss": 0}\n')
    again = train(config, tmp_path / "left")
    assert without_times(tmp_path / "left") == without_times(tmp_path / "whole")
    left, other = (load_file(tmp_path / name / BEST) for name in ("left", "whole"))
    assert left.keys() == other.keys()
    assert all(torch.equal(left[name], other[name]) for name in left)
    assert again["test"] == whole["test"]
    # An ended run is not run again.
    assert train(config, tmp_path / "left", listener=lambda _: pytest.fail("trained again")) == again


def test_a_run_says_what_it_was_and_what_came_out(tmp_path: Path) -> None:
    config = TrainConfig(arm="fone", unseen=(600, 699), seed=3, **SHORT)
    result = train(config, tmp_path / "run")
    assert read_config(tmp_path / "run") == config
    assert json.loads((tmp_path / "run" / RESULT).read_text()) == json.loads(json.dumps(result))
    assert [line["step"] for line in without_times(tmp_path / "run")] == [2, 4, 6]
    assert result["test"]["n"] == result["unseen"]["n"] == 20
    assert result["tokens_per_number"] == 1.0
    assert result["share_of_problems_seen"] == 64 / 501_501
    best = max(without_times(tmp_path / "run"), key=lambda line: (line["validation"], line["step"]))
    assert (result["best_step"], result["validation"]) == (best["step"], best["validation"])


def test_a_trained_arm_is_a_number_model_that_answers_in_text(tmp_path: Path) -> None:
    """Text, tokens and generation give what the arrays of the lab give."""
    train(TrainConfig(arm="fone", **SHORT), tmp_path / "run")
    arm = load_arm(tmp_path / "run")
    task = arm.task
    rows = make_data(task, rows=1, seed=0, validation=1, test=12).test
    expected = [str(v) for v in predict(arm, rows).values]
    model = NumberModel.from_pretrained(tmp_path / "run" / NUMBER_MODEL)
    logits = model(
        **{k: v for k, v in model.encode_text(task.prompts(rows.operands)).items() if "labels" not in k}
    )
    assert model.head is not None
    assert model.head(logits.states[:, -1]).numbers() == expected
    found = number_vectors(str(tmp_path / "run" / NUMBER_MODEL), most=200)
    assert found.vectors.shape == (200, 64)


@pytest.mark.parametrize("arm", ["fone", "slots"])
def test_a_few_rows_are_learned_by_heart(arm: str, tmp_path: Path) -> None:
    config = TrainConfig(
        task="add-3",
        arm=arm,
        rows=16,
        size="tiny",
        steps=60,
        batch=16,
        every=60,
        rate=1e-2,
        validation=5,
        test=5,
    )
    train(config, tmp_path / "run")
    rows = make_data(task_named("add-3"), rows=16, seed=0, validation=5, test=5).train
    found = predict(load_arm(tmp_path / "run"), rows)
    assert (found.values == rows.answers).mean() > 0.8


def test_strata_are_measured(tmp_path: Path) -> None:
    train(TrainConfig(arm="slots", **SHORT), tmp_path / "run")
    found = measure_strata(tmp_path / "run", np.random.default_rng(0), each=5)
    assert [(s.kind, s.name) for s in found][:5] == [
        *(("carries", str(n)) for n in range(4)),
        ("lengths", "1 and 1"),
    ]
    assert len(found) == 4 + 9
    assert {s.score.n for s in found} == {5}
    with pytest.raises(InputError, match="0 rows of each stratum: give 1 or more"):
        measure_strata(tmp_path / "run", np.random.default_rng(0), each=0)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="device 'cuda:99' is not to be had here; give cpu, cuda or cuda:N"):
        train(TrainConfig(arm="slots", **SHORT), tmp_path / "run", device="cuda:99")
    assert not (tmp_path / "run").exists()


def test_every_row_comes_once_in_an_epoch() -> None:
    steps = [rows_of_step(step, 50, 16, seed=1) for step in range(25)]
    whole = np.concatenate(steps)
    for epoch in range(8):
        assert sorted(whole[50 * epoch : 50 * (epoch + 1)].tolist()) == list(range(50))
    assert not np.array_equal(whole[:50], whole[50:100])
    assert sorted(rows_of_step(3, 5, 16, seed=0).tolist()) == [0, 1, 2, 3, 4]  # fewer rows than a batch


def test_the_rate_rises_and_falls_as_published() -> None:
    """A fifth of the steps up, then a half cosine; closed form."""
    config = TrainConfig(steps=100, rate=1.0)
    rates = [rate_of_step(step, config) for step in range(100)]
    assert rates[0] == 0.05
    assert rates[19] == rates[20] == 1.0
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001


def test_half_precision_trains_too(tmp_path: Path) -> None:
    result = train(TrainConfig(arm="fone", precision="bfloat16", **SHORT), tmp_path / "run")
    arm = load_arm(tmp_path / "run")
    assert {p.dtype for p in arm.parameters()} == {torch.float32}
    assert result["test"]["n"] == 20


def test_a_run_of_an_earlier_version_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    train(TrainConfig(arm="slots", **SHORT), tmp_path / "run")
    about = json.loads((tmp_path / "run" / RUN).read_text())
    (tmp_path / "run" / RUN).write_text(json.dumps(about | {"version": 1}))
    with pytest.raises(FileError, match=r"a run of version 1, and arms are those of version 2 here"):
        load_arm(tmp_path / "run")


def test_first_parameters_are_written_down_as_numbers() -> None:
    assert TrainConfig(arm="fone", size="tiny").init == 0.02
    assert TrainConfig(arm="digits", size="tiny").init == 0.125  # 1 / √64
    assert TrainConfig(arm="digits", size="tiny", init=0.3).init == 0.3


def test_mistakes_are_named(tmp_path: Path) -> None:
    train(TrainConfig(arm="slots", **SHORT), tmp_path / "run")
    with pytest.raises(
        RunError, match=r"belongs to another run \(seed 0 there and 1 here\): give another folder"
    ):
        train(TrainConfig(arm="slots", seed=1, **SHORT), tmp_path / "run")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="full is not empty and holds no FoNE run"):
        train(TrainConfig(arm="slots", **SHORT), tmp_path / "full")
    with pytest.raises(FileError, match=r"run\.json: missing: give the folder of a FoNE run"):
        read_config(tmp_path / "nowhere")
    arm = load_arm(tmp_path / "run")
    more = dict(arm.named_parameters()) | {"other.weight": torch.zeros(1)}
    write_tensors(tmp_path / "run" / BEST, more, {})
    with pytest.raises(FileError, match=r"best\.safetensors: other\.weight is not of this arm"):
        load_arm(tmp_path / "run")
    (tmp_path / "run" / BEST).write_bytes(b"no")
    with pytest.raises(FileError, match=r"best\.safetensors: missing or damaged"):
        load_arm(tmp_path / "run")
    for settings, message in (
        ({"arm": "digit"}, "arm 'digit' is not one of fone, .*did you mean 'digits'"),
        ({"task": "sum"}, "arithmetic task 'sum' is not one of add"),
        ({"size": "large"}, "size 'large' is not one of tiny"),
        ({"precision": "float"}, "precision 'float' is not one of float32"),
        ({"steps": 0}, "steps is 0: give 1 or more"),
        ({"rate": 0.0}, "rate 0.0, warmup 0.2, weight_decay 0.01 and clip 1.0 are not all in range"),
        ({"init": 0.0}, "init 0.0 is not positive: give a standard deviation, such as 0.02"),
        ({"seed": -1}, "seed -1 is negative: give 0 or more"),
    ):
        with pytest.raises((InputError, UnknownName), match=message):
            TrainConfig(**settings)
