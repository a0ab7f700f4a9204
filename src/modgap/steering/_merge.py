"""Several concepts over all blocks as one vector, with weights in closed form from first-order effects.

Let ``s_i`` be the first-order effects of every pair of concept and block on the margin of question ``i``
(:func:`modgap.steering.slopes`). The weights maximise

    g · w − ½ wᵀ (H + λ I) w        with g = mean s_i, H = mean s_i s_iᵀ:      w = (H + λ I)⁻¹ g

which is ridge regression of 1 on ``s_i``: every margin is to rise by one nat, evenly. A pair that helps some
questions and hurts others is expensive in ``H``, and pairs that say the same share their weight. λ is chosen
by five folds of questions that took no part in ``g`` and ``H``. The result is one vector, added at all blocks
together; how far to go is for exact runs to say, since first order holds for small steps only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from modgap._errors import InputError
from modgap.evaluate._statistics import group_codes, paired_bootstrap, sign_flip_test
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change
from modgap.models.local._vector import SteeringVector
from modgap.tasks import Problem

from ._extract import random_like
from ._first_order import Slopes, slopes
from ._select import folds_of
from ._sweep import query_of

if TYPE_CHECKING:
    from jaxtyping import Float

RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""λ in multiples of the mean of the diagonal of H."""
STRENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Merged:
    """A vector for all blocks together.

    Args:
        vector: what is added to the output of every block at strength 1.
        weights: (concept, block) → weight of the concept's own direction there.
        positions: where it was made for.
        ridge: λ, in multiples of the mean of the diagonal of H.
        expected_nats: mean first-order gain of margin on questions that took no part in the weights.
        conflict: cosine of the effects of the two concepts that agree least, over questions, each at its
            block of largest weight; ``None`` for a single concept.
    """

    vector: SteeringVector
    weights: dict[tuple[str, int], float]
    positions: str
    ridge: float
    expected_nats: float
    conflict: float | None

    def changes(self, strength: float = 1.0) -> tuple[Change, ...]:
        """One change for each block, for :func:`steering` or :meth:`LocalModel.with_changes`."""
        return tuple(
            Change(direction, block, strength, self.positions)  # type: ignore[arg-type]
            for block, direction in enumerate(self.vector.directions)
            if bool(direction.any())
        )


def merge(
    found: Slopes,
    vectors: Sequence[SteeringVector],
    *,
    positions: str = "image",
    groups: Sequence[str] = (),
    seed: int = 0,
) -> Merged:
    """Weigh every pair of vector and block.

    Args:
        found: slopes of the questions that the weights are to help.
        vectors: of concepts, each with a name of its own.
        positions: one of those the slopes were read at.
        groups: of the questions; those of a group are in one fold. By default each is its own.
        seed: of the folds.

    Raises:
        InputError: no vector, two of one name, positions without slopes, or too few questions.
    """
    names = [vector.concept for vector in vectors]
    if not vectors or len(set(names)) < len(names):
        raise InputError(f"vectors to merge are named {names}: give at least one, each with its own name")
    pairs = [(v, block) for v in vectors for block in range(len(v.directions))]
    effects = np.stack([found.gain(Change(v.directions[b], b, 1.0, positions)) for v, b in pairs], axis=1)  # type: ignore[arg-type]
    folds = folds_of(group_codes(groups or [str(i) for i in range(len(effects))]), seed)
    scored = []
    for ridge in RIDGES:
        gains = np.zeros(len(effects))
        for fold in range(int(folds.max()) + 1):
            weights = weigh(effects[folds != fold], ridge)
            gains[folds == fold] = effects[folds == fold] @ weights
        scored.append((float((gains - gains**2 / 2).mean()), ridge, float(gains.mean())))
    _, ridge, expected = max(scored)
    weights = weigh(effects, ridge)
    directions = torch.zeros_like(vectors[0].directions)
    for (v, block), weight in zip(pairs, weights.tolist(), strict=True):
        directions[block] += weight * v.directions[block]
    return Merged(
        SteeringVector(" + ".join(names), "merged", directions, {"ridge": ridge, "positions": positions}),
        {(v.concept, block): w for (v, block), w in zip(pairs, weights.tolist(), strict=True)},
        positions,
        ridge,
        expected,
        _conflict(effects, weights, len(vectors)),
    )


def weigh(effects: Float[np.ndarray, "question pair"], ridge: float) -> Float[np.ndarray, " pair"]:
    """The closed form; ``ridge`` in multiples of the mean of the diagonal of H."""
    h = effects.T @ effects / len(effects)
    scale = max(float(np.trace(h)) / len(h), 1e-12)
    weights: np.ndarray = np.linalg.solve(h + ridge * scale * np.eye(len(h)), effects.mean(axis=0))
    return weights


def _conflict(effects: np.ndarray, weights: np.ndarray, vectors: int) -> float | None:
    if vectors < 2:
        return None
    by_vector = np.abs(weights).reshape(vectors, -1)
    at = by_vector.argmax(axis=1) + np.arange(vectors) * by_vector.shape[1]
    chosen = effects[:, at] * np.sign(weights[at])
    unit = chosen / np.maximum(np.linalg.norm(chosen, axis=0), 1e-12)
    return float((unit.T @ unit).min())


@dataclass(frozen=True)
class MergeTest:
    """A merged vector on scenes that took no part in it, beside one made of random directions alike.

    Args:
        merged: the vector.
        strength: chosen on validation scenes; 0 if the unchanged model was better.
        n: questions of the test.
        base: accuracy unchanged, 0 to 1.
        gain_points, interval: in percentage points; 95 %.
        control_points: of random directions of the same lengths, weighed and scaled in the same way.
        p: that it helps no more than nothing, or no more than the control, by sign flips of scenes.
    """

    merged: Merged
    strength: float
    n: int
    base: float
    gain_points: float
    interval: tuple[float, float]
    control_points: float
    p: float

    def as_json(self) -> dict[str, Any]:
        """Everything but the directions as JSON values."""
        about = asdict(self)
        merged = about.pop("merged")
        weights = {f"{concept}@{block}": w for (concept, block), w in self.merged.weights.items()}
        kept = {key: merged[key] for key in ("positions", "ridge", "expected_nats", "conflict")}
        return {**about, **kept, "weights": weights}


def judge_merged(
    model: LocalModel,
    vectors: Sequence[SteeringVector],
    sets: tuple[Sequence[Problem], Sequence[Problem], Sequence[Problem]],
    *,
    positions: str = "image",
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    listener: Callable[[str], None] | None = None,
) -> MergeTest:
    """Weigh on the first problems, choose a strength on the second, count on the third.

    Args:
        model: the multimodal model.
        vectors: to merge.
        sets: problems for the weights, for the strength and for the test, with no scene in common.
        positions: where it is added.
        strengths: multiples to choose among; the unchanged model is among them.
        seed: of folds, control, flips and bootstrap.
        listener: told what is going on.

    Raises:
        InputError: see :func:`merge`.
    """
    say = listener or (lambda text: None)
    weighing, choosing, testing = sets
    say(f"first-order effects on {len(weighing):,} questions")
    found = slopes(model, weighing, positions=(positions,))
    groups = [p.group or p.problem_id for p in weighing]
    before = outcomes(model, testing, ())
    results = []
    for arm in (vectors, [_named(random_like(v, seed + 1 + i), v) for i, v in enumerate(vectors)]):
        merged = merge(found, arm, positions=positions, groups=groups, seed=seed)
        say(f"{len(strengths)} strengths on {len(choosing):,} questions, the best on {len(testing):,}")
        scores = {0.0: outcomes(model, choosing, ()).mean()}
        scores |= {s: outcomes(model, choosing, merged.changes(s)).mean() for s in strengths}
        strength = max(scores, key=lambda s: (scores[s], -s))
        after = outcomes(model, testing, merged.changes(strength)) if strength else before
        results.append((merged, strength, after.astype(float)))
    (merged, strength, own), (*_, control) = results
    scenes = [p.group or p.problem_id for p in testing]
    codes, rng = group_codes(scenes), np.random.default_rng(seed)
    low, high = paired_bootstrap(own - before, rng, scenes)
    return MergeTest(
        merged,
        strength,
        len(testing),
        float(before.mean()),
        100 * float((own - before).mean()),
        (100 * low, 100 * high),
        100 * float((control - before).mean()),
        max(sign_flip_test(np.bincount(codes, weights=own - x), rng) for x in (before, control)),
    )


def _named(vector: SteeringVector, like: SteeringVector) -> SteeringVector:
    return SteeringVector(like.concept, vector.method, vector.directions, vector.facts)


def outcomes(
    model: LocalModel, problems: Sequence[Problem], changes: Sequence[Change]
) -> Float[np.ndarray, " question"]:
    """Whether each answer is right, under some changes together, exactly."""
    queries = [query_of(problem, "image") for problem in problems]
    replies = dict((model.with_changes(changes) if changes else model).reply(queries))
    return np.array(
        [
            float(np.argmax(replies[i].option_scores or [np.nan]) == p.options.index(p.answer))
            for i, p in enumerate(problems)
        ]
    )
