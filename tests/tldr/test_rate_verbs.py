"""The verbs evaluate, rates, correct, strengthen and demo, as a user calls them, on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.models.local.conftest import build_tiny
from typer.testing import CliRunner, Result

from modgap._errors import InputError, UnknownName
from modgap.cli.tldr import app
from modgap.models import local
from modgap.tldr import DataConfig, make_examples, write_examples
from modgap.tldr._directions import split_directions
from modgap.tldr._network import LoraSettings, add_lora
from modgap.tldr._strengthen import load_update


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    model = build_tiny(tmp_path_factory.mktemp("tiny"))
    config = json.loads((model / "config.json").read_text())
    config["text_config"]["max_position_embeddings"] = 2048
    (model / "config.json").write_text(json.dumps(config))
    data = tmp_path_factory.mktemp("data") / "data"
    examples = make_examples(DataConfig(n=16, level="plain", pixels=48, types=("attribute", "counting")))
    write_examples(examples, data, parquet=False)
    return str(model), data


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_evaluate_prints_every_figure_and_keeps_them(made: tuple[str, Path], tmp_path: Path) -> None:
    model, data = made
    out = tmp_path / "e.json"
    result = run("evaluate", "entropy,surprise", data, "--model", model, "--split", "all", "--threshold", 6,
                 "--out", out)  # fmt: skip
    assert result.exit_code == 0, result.exception
    for shown in ("AP of wrong words", "AP, counting", "gain over swapped", "knowing nothing", "of 1,000"):
        assert shown in result.output
    first, second = json.loads(out.read_text())
    assert (first["detector"], second["captions"], len(first["controls"])) == ("entropy", 16, 3)
    with pytest.raises(InputError, match="a threshold is chosen on the split validation"):
        raise run("evaluate", "entropy", data, "--split", "all").exception or AssertionError
    learned = run("evaluate", "probe", data, "--model", model, "--split", "all", "--threshold", 0.5)
    assert "probe learns from the split train; score another" in str(learned.exception)
    paired = run("evaluate", "entropy", data, "--model", model, "--split", "all", "--tune", data,
                 "--against", "surprise", "--no-controls", "--min-words", 5)  # fmt: skip
    assert paired.exit_code == 0, paired.exception
    assert "captions by their verdict: entropy against surprise, in pairs" in paired.output


def test_rates_and_corrections_of_a_data_set(made: tuple[str, Path], tmp_path: Path) -> None:
    model, data = made
    result = run("rates", "entropy", data, "--model", model, "--labelled", 2)
    assert result.exit_code == 0, result.exception
    assert "words, micro" in result.output and "captions of" in result.output
    result = run("correct", "entropy", data, "--model", model, "--eyes", model, "--threshold", 5, "-n", 3,
                 "--arms", "none,flags", "--out", tmp_path / "c")  # fmt: skip
    assert result.exit_code == 0, result.exception
    lines = [json.loads(line) for line in (tmp_path / "c" / "captions.jsonl").read_text().splitlines()]
    assert [line["arm"] for line in lines] == ["none"] * 3 + ["flags"] * 3
    assert all(line["outside"] == 0 for line in lines)
    with pytest.raises(UnknownName, match="arm 'flag' is not one of none, binary"):
        raise run("correct", "entropy", data, "--arms", "none,flag").exception or AssertionError
    with pytest.raises(UnknownName, match="form 'rewrite' is not one of redecode, instruction"):
        raise run("correct", "entropy", data, "--form", "rewrite").exception or AssertionError


def test_strengthen_tries_strengths_and_writes_only_what_is_better(
    made: tuple[str, Path], tmp_path: Path
) -> None:
    model, _ = made
    wrapped = add_lora(local.load(model).pretrained, LoraSettings(rank=1))
    with torch.no_grad():
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.fill_(0.01)
    wrapped.save_pretrained(str(tmp_path / "lora"))
    lora, new = tmp_path / "lora", tmp_path / "new"
    options = ("--taus", "0.5", "--problems", 1, "--scenes", 2, "--control", f"same={lora}",
               "--directions", 1, "--judge", "entropy", "--judge-threshold", 1)  # fmt: skip
    result = run("strengthen", lora, "--model", model, "--out", new, *options)
    assert result.exit_code == 0, result.exception
    pairs = split_directions(load_update(local.load(model).pretrained, lora))
    share, rest = round(100 * pairs[0].size ** 2 / sum(p.size**2 for p in pairs)), len(pairs) - 1
    found = json.loads((tmp_path / "new" / "strengthen.json").read_text())
    parts = (f"1 directions ({share} % of the squared norm)", f"the other {rest}")
    assert [row["name"] for row in found["test"]] == ["model", "lora", "same", "random", *parts]
    assert found["test"][2]["behind"] == [0, 0, 0]
    assert "judge" in result.output
    assert all(0 <= row["flagged_per_100"] <= 100 for row in found["test"])
    assert found["test"][0]["flagged_change"] == [0, 0, 0]
    assert (tmp_path / "new" / "config.json").exists() is bool(found["chosen"])
    judged = run("strengthen", lora, "--model", model, "--out", tmp_path / "n", "--judge", "entropy")
    assert "--judge entropy has no threshold of its own" in str(judged.exception)
    for taus, message in (("", "--taus is empty"), ("-5,0.1", "τ -5.0 is not accepted")):
        refused = run("strengthen", lora, "--model", model, "--out", tmp_path / "n", "--taus", taus)
        assert message in str(refused.exception)
    with pytest.raises(InputError, match="--taus 'x' are not numbers"):
        raise run("strengthen", tmp_path / "lora", "--out", tmp_path / "n", "--taus", "x").exception or (
            AssertionError
        )


@pytest.mark.slow
def test_the_demo_goes_through_every_step(tmp_path: Path) -> None:
    result = run("demo", "-n", 320, "--steps", 2, "--written", 8, "--scenes", 3, "--problems", 2, "--out",
                 tmp_path / "demo")  # fmt: skip
    assert result.exit_code == 0, result.exception
    report = (tmp_path / "demo" / "report.md").read_text()
    assert report.count("## ") == 7 and "AP of wrong words" in report
