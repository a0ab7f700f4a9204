"""A filtered state has nothing left in the band, and loses nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.fone import BandFilter, band_of, fourier_basis, random_band

N, WIDTH = 60, 100


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(N, WIDTH, generator=torch.Generator().manual_seed(0))


def components(states: torch.Tensor, rows: torch.Tensor) -> np.ndarray[Any, Any]:
    """Fourier coefficients of the logits of the numbers, shape (states, n)."""
    logits = states.double() @ rows.double().T
    return np.asarray(logits.numpy() @ fourier_basis(N).T)


def test_the_band_is_gone_and_the_state_moved_no_further_than_needed(rows: torch.Tensor) -> None:
    """The nearest state without the band, by the pseudo-inverse: h − A⁺A h with A = B F W."""
    band = band_of(N, shortest=5, longest=12)
    assert band == tuple(range(5, 13))
    states = torch.randn(7, WIDTH, generator=torch.Generator().manual_seed(1))
    cut = BandFilter(rows, band)
    filtered = cut(states)
    at = [i for k in band for i in (2 * k - 1, 2 * k)]
    assert np.abs(components(filtered, rows)[:, at]).max() < 1e-4
    matrix = fourier_basis(N)[at] @ rows.double().numpy()
    expected = states.double().numpy() - states.double().numpy() @ (np.linalg.pinv(matrix) @ matrix).T
    np.testing.assert_allclose(filtered.numpy(), expected, atol=1e-4)
    assert cut.rank == 16
    torch.testing.assert_close(cut(filtered), filtered)  # a projection


def test_the_shortest_period_has_a_cosine_only(rows: torch.Tensor) -> None:
    assert BandFilter(rows, [30]).rank == 1
    assert BandFilter(rows, [29, 30]).rank == 3
    states = torch.randn(3, WIDTH)
    assert np.abs(components(BandFilter(rows, [30])(states), rows)[:, 59]).max() < 1e-4


def test_a_control_has_the_same_size_and_none_of_the_band() -> None:
    band = band_of(N, shortest=2, longest=3)
    drawn = [random_band(N, band, np.random.default_rng(seed)) for seed in range(20)]
    for control in drawn:
        assert len(control) == len(band)
        assert not set(control) & set(band)
    assert len(set(drawn)) > 1
    assert random_band(N, band, np.random.default_rng(0)) == drawn[0]


def test_a_hook_filters_a_layer_and_the_positions_that_are_asked_for(make_llama: Any, tokenizer: Any) -> None:
    model = make_llama(len(tokenizer), width=64)
    rows = model.get_output_embeddings().weight[:N]
    ids = torch.tensor([[5, 6, 7, 8]])
    seen: list[torch.Tensor] = []
    module = model.model.layers[1].mlp
    with torch.no_grad():
        before = model(input_ids=ids).logits
        for positions in (slice(None), slice(-1, None)):
            cut = BandFilter(rows, [3, 4], positions=positions)
            handle = module.register_forward_hook(cut.hook)
            watch = module.register_forward_hook(lambda _, __, out: seen.append(out.clone()))
            after = model(input_ids=ids).logits
            handle.remove()
            watch.remove()
            kept = torch.isclose(cut(seen[-1]), seen[-1], atol=1e-5).all(dim=2)[0].tolist()
            assert kept == ([True] * 4 if positions == slice(None) else [False] * 3 + [True])
            assert torch.equal(after[0, 0], before[0, 0]) == (positions != slice(None))
            assert not torch.allclose(after[0, -1], before[0, -1])
        assert torch.equal(model(input_ids=ids).logits, before)


def test_outputs_of_several_parts_and_half_precision(rows: torch.Tensor) -> None:
    cut = BandFilter(rows, [3])
    states = torch.randn(2, 3, WIDTH, dtype=torch.bfloat16)
    found = cut.hook(None, None, (states, "rest"))
    assert found[1] == "rest"
    assert found[0].dtype == torch.bfloat16
    torch.testing.assert_close(found[0], cut(states))


def test_mistakes_are_named(rows: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"60 numbers have the components 1 to 30: \[31\] given"):
        BandFilter(rows, [3, 31])
    with pytest.raises(InputError, match="60 numbers have the components 1 to 30: none given"):
        BandFilter(rows, [])
    with pytest.raises(InputError, match="the band spans all 10 directions of a state, and nothing would be"):
        BandFilter(rows[:, :10], range(1, 20))
    with pytest.raises(InputError, match=r"no component of 60 numbers has a period from 2\.0 to 1"):
        band_of(N, longest=1)
    with pytest.raises(
        InputError, match="the band has 20 of 30 components: a control of the same size needs"
    ):
        random_band(N, range(1, 21), np.random.default_rng(0))
