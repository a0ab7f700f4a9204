"""The training forward of the bundled model equals the plain forward of the library, question by question."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import bundled_batch as batches  # noqa: E402
import bundled_parts as parts  # noqa: E402

TEXT = "Look at it.\n\n- large solid red circle at x 21, y 40\nQuestion: is it left? Answer: right below"


@pytest.fixture(scope="module")
def tokenizer():
    return parts.build_tokenizer([TEXT] * 40, 400)


@pytest.fixture(scope="module")
def model(tokenizer):
    return parts.build_model(tokenizer, parts.MODEL_SIZES["tiny"], seed=0).eval()


@pytest.mark.parametrize("with_picture", [False, True])
def test_shared_head_equals_one_question_at_a_time(model, tokenizer, with_picture):
    rng = np.random.default_rng(0)
    batcher = batches.Batcher(tokenizer, parts.MODEL_SIZES["tiny"].image_tokens)
    turns = (
        batches.Turn("\n\nQuestion: is it", " Answer: left"),
        batches.Turn("\n\nQuestion: red circle", " Answer: right below"),
    )
    examples = [
        batches.Example(
            "Look at it.\n\n",
            "" if with_picture else "- large red\n" * (i + 1),
            rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) if with_picture else None,
            turns,
        )
        for i in range(2)
    ]
    with torch.no_grad():
        together, _, where = batches.token_losses(model, batcher(examples))
        apart = []
        for example in examples:
            for turn in example.turns:
                one = batcher([batches.Example(example.instruction, example.scene, example.picture, (turn,))])
                pixels = {} if one.pixels is None else {"pixel_values": one.pixels}
                logits = model(input_ids=one.ids, **pixels).logits[0, :-1]
                losses = torch.nn.functional.cross_entropy(logits, one.ids[0, 1:], reduction="none")
                apart.append(losses[one.weight[0, 1:] > 0])
    assert torch.allclose(together, torch.cat(apart), atol=1e-5)
    assert sorted({tuple(w) for w in where.tolist()}) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_tokenizer_gives_every_digit_its_own_piece(tokenizer):
    pieces = tokenizer.convert_ids_to_tokens(tokenizer("x 21, y 4099")["input_ids"])
    assert [p.lstrip("Ġ") for p in pieces if p.lstrip("Ġ").isdigit()] == ["2", "1", "4", "0", "9", "9"]


def test_pictures_become_what_the_processor_makes_of_them(tokenizer):
    import PIL.Image

    size = parts.MODEL_SIZES["tiny"]
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    batch = batches.Batcher(tokenizer, size.image_tokens)(
        [batches.Example("a", "", pixels, (batches.Turn("b", "c"),))]
    )
    processor = parts.build_processor(tokenizer, size)
    expected = processor(text=["<image>"], images=[[PIL.Image.fromarray(pixels)]], return_tensors="pt")
    assert torch.allclose(batch.pixels, expected["pixel_values"], atol=1e-6)
