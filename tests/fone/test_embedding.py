"""Features reach the model exactly, whatever the model is stored in, and text positions stay as they are."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError, UnknownName
from modgap.fone import Codec, FourierNumberEmbedding

quick = settings(deadline=None, max_examples=25)  # a busy machine is no failure
NUMBERS = ["0", "-0", "18", "999999", "-123.4567", "0.0001", None]


def features(codec: Codec, numbers: list[str | None]) -> torch.Tensor:
    return torch.from_numpy(codec.encode(numbers))


@quick
@given(st.lists(st.integers(-(10**60) + 1, 10**60 - 1), min_size=1, max_size=5))
def test_sixty_digits_come_back_from_a_padded_layer_in_any_precision(numbers: list[int]) -> None:
    """Section 8 of the facts: a published module cast to bfloat16 is right on 48 % of 3-digit integers."""
    codec = Codec(60)
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        layer = FourierNumberEmbedding(codec, 256, projection="pad").to(dtype)
        rows = layer(features(codec, [str(n) for n in numbers])).to(dtype)
        assert codec.decode(rows[:, : codec.width].double().numpy()) == [str(n) for n in numbers]


@pytest.mark.parametrize("projection", ["pad", "linear"])
def test_rows_of_no_number_are_exactly_zero(projection: str) -> None:
    codec = Codec(6, 4)
    layer = FourierNumberEmbedding(codec, 64, projection=projection)  # type: ignore[arg-type]
    rows = layer(features(codec, NUMBERS))
    assert rows.shape == (len(NUMBERS), 64)
    assert torch.count_nonzero(rows[-1]) == 0
    assert (rows[:-1].abs().sum(dim=1) > 0).all()  # zero is a number like any other


def test_nothing_that_the_phases_need_follows_the_precision_of_a_model() -> None:
    layer = FourierNumberEmbedding(Codec(6, 4), 64)
    assert not list(layer.buffers())
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_a_layer_in_half_precision_reads_features_in_full() -> None:
    """The product of float32 features and rounded weights; rounding the features too would differ."""
    codec = Codec(6, 4)
    layer = FourierNumberEmbedding(codec, 64).bfloat16()
    given_features = features(codec, NUMBERS)
    assert layer.weight is not None
    expected = given_features.double() @ layer.weight.double().T
    found = layer(given_features)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer(given_features), found)


def test_the_size_of_a_row_at_the_start_is_what_was_asked_for() -> None:
    codec = Codec(8, 4, "both")
    torch.manual_seed(0)
    layer = FourierNumberEmbedding(codec, 2000, rms=0.02)
    rows = layer(features(codec, [str(n * 37.25) for n in range(200)]))
    assert 0.018 < float(rows.detach().square().mean().sqrt()) < 0.022


def test_rows_are_as_long_as_their_features_if_nothing_else_is_asked_for() -> None:
    codec = Codec(8, 4, "both")
    torch.manual_seed(0)
    given_features = features(codec, [str(n * 37.25) for n in range(200)])
    rows = FourierNumberEmbedding(codec, 2000)(given_features).detach()
    assert torch.allclose(rows.norm(dim=1), given_features.norm(dim=1), rtol=0.1)


def test_gradients_reach_the_weights_and_copies_are_independent() -> None:
    layer = FourierNumberEmbedding(Codec(3), 8)
    other = copy.deepcopy(layer)
    layer(features(layer.codec, ["5", None])).sum().backward()
    assert layer.weight is not None
    assert layer.weight.grad is not None
    assert torch.count_nonzero(layer.weight.grad) > 0
    assert other.weight is not None
    assert other.weight.grad is None


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="the features have 120 columns and the model 64: use projection="):
        FourierNumberEmbedding(Codec(60, extras=()), 64, projection="pad")
    with pytest.raises(
        UnknownName, match="projection 'padded' is not one of linear, pad; did you mean 'pad'"
    ):
        FourierNumberEmbedding(Codec(6), 64, projection="padded")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"rms 0 is not positive: give the size of entries of a row"):
        FourierNumberEmbedding(Codec(6), 64, rms=0)
    layer = FourierNumberEmbedding(Codec(6), 64)
    with pytest.raises(InputError, match="features have 4 columns and this codec 17: encode them with"):
        layer(torch.zeros(2, 4))
    with pytest.raises(InputError, match=r"features are torch.bfloat16: keep them in torch.float32"):
        layer(torch.zeros(2, 17, dtype=torch.bfloat16))


BLOCKED = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Refuse())
"""


def test_numbers_need_no_torch_and_their_layers_say_what_to_install() -> None:
    code = BLOCKED + (
        "import modgap.fone\nassert modgap.fone.decode(modgap.fone.encode('-1.5')) == '-1.5'\n"
        "for name in modgap.fone._LAZY:\n"
        "    try: getattr(modgap.fone, name)\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.splitlines()) == {
        "number embeddings needs an optional dependency; install it with: pip install 'modgap[hf]'"
    }


def test_importing_numbers_loads_no_torch() -> None:
    code = (
        "import sys, modgap.fone\nprint('torch' in sys.modules, 'FourierNumberEmbedding' in dir(modgap.fone))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"
