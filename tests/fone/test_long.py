"""Numbers of every length, and maps over pairs of lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.fone._long import lengths_evenly, numbers_of_lengths
from modgap.fone._maps import plot_maps
from modgap.fone._strata_rows import carry_rows, length_rows, longest_carries
from modgap.fone.strata import load_arm, measure_strata
from modgap.fone.tasks import task_named
from modgap.fone.train import TrainConfig, train


def test_numbers_have_the_length_asked_for() -> None:
    rng = np.random.default_rng(0)
    for longest in (1, 5, 18, 19, 60):
        lengths = rng.integers(1, longest + 1, 2_000)
        found = numbers_of_lengths(rng, lengths).tolist()
        assert [len(str(x)) for x in found] == lengths.tolist()
        assert len({str(x)[0] for x, n in zip(found, lengths, strict=True) if n == longest}) > 5


def test_every_pair_of_lengths_comes_equally_often() -> None:
    """9,000 rows over 9 pairs: 1,000 each, within four standard deviations (126)."""
    rows = lengths_evenly(np.random.default_rng(1), 9_000, 3)
    lengths = np.vectorize(lambda x: len(str(x)))(rows)
    counts = np.bincount(3 * lengths[:, 0] + lengths[:, 1])
    counts = counts[counts > 0]
    assert len(counts) == 9
    assert np.abs(counts - 1_000).max() < 126


def test_sums_of_sixty_digits_are_exact() -> None:
    rows = length_rows(task_named("add-lengths-60"), np.random.default_rng(0), 2)[60, 60]
    assert [int(a) + int(b) for a, b in rows.operands] == rows.answers.tolist()
    assert all(len(str(a)) == 60 for a in rows.operands.ravel())


def test_long_numbers_have_one_chain_of_carries() -> None:
    found = carry_rows(task_named("add-lengths-20"), np.random.default_rng(0), 30)
    assert list(found) == list(range(21))
    for length, rows in found.items():
        assert set(longest_carries(rows.operands).tolist()) == {length}
        # One chain and no other carry: without it, the digits of the sum are sums of digits.
        sums = [int(a) + int(b) for a, b in rows.operands]
        taken = [
            sum(map(int, f"{a}{b}")) - sum(map(int, str(total)))
            for (a, b), total in zip(rows.operands, sums, strict=True)
        ]
        assert set(taken) == {9 * length}


def test_maps_go_beyond_what_was_trained_on(tmp_path: Path) -> None:
    shared = {"task": "add-lengths-5", "size": "tiny", "rows": 64, "steps": 1, "batch": 8}
    for arm in ("digits-reversed", "slots"):
        train(TrainConfig(arm=arm, validation=4, test=4, every=1, **shared), tmp_path / arm)  # type: ignore[arg-type]
    strata = measure_strata(tmp_path / "digits-reversed", np.random.default_rng(0), each=1, longest=6)
    assert len([s for s in strata if s.kind == "lengths"]) == 36
    plot_maps({"digits-reversed": strata}, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1_000
    with pytest.raises(InputError, match="this is arm 'slots' on 'add-lengths-5': leave out longest"):
        load_arm(tmp_path / "slots", longest=6)
    with pytest.raises(InputError, match="no run has pairs of lengths"):
        plot_maps({"x": []}, tmp_path / "map.png")
