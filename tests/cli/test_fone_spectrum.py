"""``modgap fone spectrum``: a planted period is printed, drawn and stored."""

from __future__ import annotations

import json
import math
from pathlib import Path

import PIL.Image
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from typer.testing import CliRunner

from modgap.cli._group import app

NUMBERS = 120


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["fone", "spectrum", *arguments])
    return done.exit_code, done.stdout, done.stderr


def save_model(folder: Path, numbers: int) -> Path:
    """A model whose embeddings of numbers have period ten and noise."""
    words = {word: i for i, word in enumerate(["<pad>", "<unk>", *map(str, range(numbers)), ","])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        dtype="float32",
    )
    model = LlamaForCausalLM(config)
    rng = torch.Generator().manual_seed(0)
    angle = 2 * math.pi * torch.arange(numbers) / 10
    wave = torch.stack([angle.cos(), angle.sin()], dim=1) @ torch.randn(2, 32, generator=rng)
    with torch.no_grad():
        model.model.embed_tokens.weight[2 : 2 + numbers] = wave + torch.randn(numbers, 32, generator=rng)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
    return folder


def test_a_planted_period_is_printed_drawn_and_stored(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "planted", NUMBERS)
    code, shown, _ = run(str(folder), "--out", str(tmp_path / "out"))
    assert code == 0
    assert "token embeddings of planted: numbers 0 to 119, 32 columns" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert any(row[:2] == ["10", "12"] for row in rows)  # period and k
    # Modulo 10 is read; modulo 5 is not, because n and n + 5 are opposite each other on the circle.
    assert [row[0] for row in rows if "%" in row[1:] and row[-1] == "0.02"] == ["10"]
    assert "Periods that stand out: 10. A linear probe reads the number modulo" in shown
    stored = json.loads((tmp_path / "out" / "spectrum.json").read_text())
    assert stored["outlier_periods"] == [10]
    assert len(stored["components"]) == 60
    assert stored["source"] == "token embeddings of planted"
    with PIL.Image.open(tmp_path / "out" / "spectrum.png") as picture:
        assert picture.size == (1080, 780)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "planted", NUMBERS)
    for name in ("a", "b"):
        assert run(str(folder), "--out", str(tmp_path / name), "--picture", "svg")[0] == 0
    for name in ("spectrum.json", "spectrum.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert not (tmp_path / "a" / "spectrum.png").exists()


@pytest.mark.parametrize(
    ("numbers", "arguments", "message"),
    [
        (10, (), "single tokens for 0 to 9 only, and a spectrum needs 0 to 39 at least"),
        (50, ("--picture", "pgn"), "modgap: picture 'pgn' is not one of png, svg, none; did you mean 'png'?"),
        (50, ("--level", "0.001"), "level 0.001 cannot be reached with 199 permutations: give at least 999"),
        (50, ("--layer", "4"), "layer 4 does not exist: the model has the layers 0 to 1"),
    ],
)
def test_what_a_user_can_cause_is_one_line(
    tmp_path: Path, numbers: int, arguments: tuple[str, ...], message: str
) -> None:
    folder = save_model(tmp_path / "model", numbers)
    code, _, complaint = run(str(folder), "--out", str(tmp_path / "out"), *arguments)
    assert code == 2
    assert message in complaint
    assert complaint.count("\n") == 1
