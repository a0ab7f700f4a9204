"""Errors split into causes: on models that fail in known ways, the planted sizes come back."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import modgap
from modgap.evaluate import Run, decompose
from modgap.evaluate._decompose import PARTS, Decomposition
from modgap.media import Text
from modgap.models import Query, Reply

STRATEGIES = ("direct", "oracle_transcript", "transcript_only")


def planted(fakes: ModuleType, rates: dict[str, float], seed: int) -> Any:
    """A model that fails each problem in at most one way, with these probabilities."""
    causes, odds = (*rates, None), [*rates.values(), 1 - sum(rates.values())]

    def answer(query: Query) -> Reply:
        number = int(query.problem_id.rpartition("-")[2])
        cause = causes[np.random.default_rng([seed, number]).choice(len(causes), p=odds)]
        truth = f"object {number} of {seed}"
        if not query.options:
            return Reply("a blur" if cause == "perception" else truth)
        pictured = any(not isinstance(part, Text) for part in query.parts)
        if pictured and cause == "format":
            return Reply("What a nice picture!")
        if pictured:
            fails = cause is not None
        else:
            fails = cause == "reasoning" or Text(truth) not in query.parts
        wrong = next(option for option in query.options if option != query.truth)
        return Reply(f"Answer: {wrong if fails else query.truth}")

    return fakes.FakeModel(answer)


def measured(fakes: ModuleType, out: Path, rates: dict[str, float], seed: int, n: int, **more: Any) -> Run:
    model = planted(fakes, rates, seed)
    name = f"{seed}-{'-'.join(rates)}-{n}"
    return modgap.measure(
        model, fakes.FakeSuite(), n=n, seed=seed, out=out, name=name, **{"strategy": STRATEGIES, **more}
    )


def parts_of(one: Decomposition) -> dict[str, float]:
    return {name: getattr(one, name).points for name in PARTS}


def test_planted_sizes_lie_in_their_intervals(fakes: ModuleType, tmp_path: Path) -> None:
    rates = {"perception": 0.2, "access": 0.15, "format": 0.1, "reasoning": 0.1}
    inside = dict.fromkeys(PARTS, 0)
    means: dict[str, list[float]] = {name: [] for name in PARTS}
    for seed in range(24):
        pooled, _ = decompose(measured(fakes, tmp_path, rates, seed, 120), draws=800)
        for name in PARTS:
            part = getattr(pooled, name)
            inside[name] += part.low_points <= 100 * rates[name] <= part.high_points
            means[name].append(part.points)
        assert sum(parts_of(pooled).values()) == pytest.approx(pooled.error.points)
        assert sum(parts_of(pooled).values()) - pooled.reasoning.points == pytest.approx(pooled.gap.points)
    # 95 % intervals: fewer than 20 of 24 inside would happen once in 150 times.
    assert min(inside.values()) >= 20
    for name in PARTS:
        assert abs(np.mean(means[name]) - 100 * rates[name]) < 2.5


@pytest.mark.parametrize("cause", PARTS)
def test_the_right_cause_is_named(fakes: ModuleType, tmp_path: Path, cause: str) -> None:
    for seed in range(20):
        pooled, task = decompose(measured(fakes, tmp_path, {cause: 0.5}, seed, 40), draws=300)
        assert (pooled.cause, task.cause) == (cause, cause)
        others = [points for name, points in parts_of(pooled).items() if name != cause]
        assert others == [0.0, 0.0, 0.0]


def test_nothing_is_named_where_nothing_fails(fakes: ModuleType, tmp_path: Path) -> None:
    pooled, _ = decompose(measured(fakes, tmp_path, {}, 0, 30))
    assert pooled.cause is None and pooled.error.points == 0
    assert pooled.perception is not None and pooled.perception.high_points > 0  # 30 problems prove little


def test_what_is_missing_is_left_together(fakes: ModuleType, tmp_path: Path) -> None:
    rates = {"perception": 0.2, "access": 0.2}
    run = measured(fakes, tmp_path, rates, 1, 60, strategy="direct")
    pooled, task = decompose(run)
    assert (pooled.perception, pooled.access, pooled.transcript) == (None, None, None)
    assert pooled.reference == "text" and pooled.unsplit is not None
    assert pooled.unsplit.points == pytest.approx(pooled.gap.points)
    assert (task.task, task.modality, task.n, task.groups) == ("fake/where", "image", 60, 30)
    assert pooled.cause is None


def test_negative_access_is_told(fakes: ModuleType, tmp_path: Path) -> None:
    def answer(query: Query) -> Reply:
        if not query.options:
            return Reply("a blur")
        seen = any(not isinstance(part, Text) for part in query.parts)
        known = seen or any("object" in part.text for part in query.parts if isinstance(part, Text))
        return Reply(f"Answer: {query.truth if known else 'nowhere'}")

    run = modgap.measure(
        fakes.FakeModel(answer), fakes.FakeSuite(), n=20, strategy=STRATEGIES, out=tmp_path, name="run"
    )
    pooled, _ = decompose(run)
    assert parts_of(pooled) == {"perception": 100.0, "access": -100.0, "format": 0.0, "reasoning": 0.0}
    assert pooled.gap.points == 0


def test_the_identity_holds_for_every_problem() -> None:
    for f, o, t, i in itertools.product((0.0, 0.5, 1.0), repeat=4):
        parts = (1 - o, f * o, (1 - f) * (o - t), (1 - f) * t - i)
        assert sum(parts) == pytest.approx(1 - i)
        assert sum(parts[1:]) == pytest.approx(o - i)


def test_a_run_in_words_alone_has_no_errors_to_split(fakes: ModuleType, tmp_path: Path) -> None:
    run = modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=4, modalities=["text"], out=tmp_path)
    assert decompose(run) == ()
