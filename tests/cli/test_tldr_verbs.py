"""``modgap tldr train`` and ``detect``, as typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest
from tests.models.local.families import build
from typer.testing import CliRunner

from modgap.cli._group import app
from modgap.media import Image
from modgap.tldr import Example, TypedSpan, write_examples
from modgap.tldr.annotate import read_items

pytest.importorskip("peft")
RED = Image.from_pil(PIL.Image.new("RGB", (32, 32), (230, 20, 20)))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("llava", tmp_path_factory.mktemp("base") / "llava")


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captions")
    (folder / "red.png").write_bytes(RED.data)
    rows = [
        {"id": str(i), "image": "red.png", "caption": f"It is {c}."} for i, c in enumerate(("red", "blue"))
    ]
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "captions.jsonl"


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["tldr", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_train_then_detect_then_annotate(base: Path, captions: Path, tmp_path: Path) -> None:
    true = Example("0", "0", "Describe.", "It is red.", (), "test", image=RED)
    wrong = replace(true, example_id="1", response="It is blue.", spans=(TypedSpan(6, 10, "attribute"),))
    write_examples([true, wrong], tmp_path / "data", parquet=False)
    detector = tmp_path / "detector"
    typed = ("train", tmp_path / "data", "--model", base, "--out", detector, "--parts", "none", "--steps", 1)
    code, shown, told = run(*typed)
    assert code == 0
    assert shown.strip() == str(detector / "detector.json")
    assert "2 captions, " in told
    assert "step 1 of 1" in told
    code, _, told = run(*typed)
    assert code == 2
    assert "holds a detector; choose another folder" in told

    folder = tmp_path / "folder"
    folder.mkdir()
    scored = captions.with_name("scored.jsonl")
    assert run("detect", detector, captions, "--threshold", 0, "--out", scored)[0] == 0
    scored.rename(folder / "captions.jsonl")
    (folder / "red.png").write_bytes(RED.data)
    first, _ = read_items(folder)
    assert [(flag.start, flag.end) for flag in first.flags] == [(0, 9)]


def test_a_detector_without_training_prints_lines_and_takes_its_threshold_from_clean_captions(
    base: Path, captions: Path
) -> None:
    typed = ("detect", "contrast", captions, "--model", base)
    code, shown, _ = run(*typed)
    assert code == 0
    rows = [json.loads(line) for line in shown.splitlines()]
    assert [len(row["words"]) for row in rows] == [3, 3]
    assert [row["spans"] for row in rows] == [[], []]
    code, _, told = run(*typed, "--clean", captions, "--flagged", 0.6)
    assert code == 0
    assert f"from 1 captions of {captions}" in told
    code, _, told = run(*typed, "--clean", captions, "--threshold", 1)
    assert code == 2
    assert "--threshold and --clean exclude each other" in told


def test_a_caption_on_the_standard_input_is_judged_word_by_word(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(RED.data)
    typed = ["tldr", "detect", "bundled-causal", "--stream", str(tmp_path / "red.png"), "--threshold", "0"]
    done = CliRunner().invoke(app, typed, input="A red é circle")
    assert done.exit_code == 0, done.exception
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["word"], row["start"]) for row in rows] == [("A", 0), ("red", 2), ("é", 6), ("circle", 8)]
    assert all(row["flagged"] for row in rows)
    done = CliRunner().invoke(app, [*typed, "--on-flag", "stop"], input="A red circle")
    assert len(done.stdout.splitlines()) == 1
    for more, told in (
        (["--on-flag", "rewrite"], "--on-flag rewrite needs the model that writes: --writer MODEL"),
        (["--on-flag", "go"], "on-flag 'go' is not one of show, stop, rewrite"),
        (["captions.jsonl"], "give a file of captions, or a picture with --stream: one of them"),
    ):
        assert told in run(*typed[1:], *more)[2]


def test_a_dry_run_prints_the_cost_of_data_or_of_its_size(tmp_path: Path) -> None:
    code, shown, told = run("train", "--dry-run", "--size", "1000,4,50", "--captions", 32)
    assert code == 0, told
    assert "weights of the decoder" in shown
    assert "steps of 32 captions" in shown
    assert "125" in shown
    true = Example("0", "0", "Describe.", "It is red.", (), "test", image=RED)
    write_examples([true], tmp_path / "data", parquet=False)
    code, shown, told = run("train", tmp_path / "data", "--dry-run")
    assert code == 0, told
    assert "or --dry-run for the cost" in run("train", tmp_path / "data")[2]
    assert "one of them" in run("train", "--dry-run")[2]
    assert "such as 9647,9,136" in run("train", "--dry-run", "--size", "9,x")[2]
