"""When do directions from text help accuracy? Two settings with an error along a known direction.

    python recipes/steering_when.py fog       # weak pictures, one answer is right three times of four
    python recipes/steering_when.py light     # coloured light, in which too many answers are that colour

Concepts help the bundled model nowhere (``steering_matrix.py``), although words of colours move its answers
(``modgap steer dose``). Here a direction has something to correct. In *fog* pictures tell little and a value
is the answer to three quarters of the questions, which the model cannot know: a prior is missing. Under
*light* the pictures are off by one colour: a white balance is missing.

The directions of the words of a family, found in the text-only model, are added to or taken from the image
positions. Vector, sign, block and strength, or nothing, are chosen on validation and counted on other scenes.
Random directions as long as the words' are searched alike and as much. "constants" is a rival that looks at
no state: one number for each word of the family is added to the log-probabilities of the options, fitted on
validation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import PIL.Image
import torch

from modgap.evaluate._statistics import group_codes, holm, paired_bootstrap, sign_flip_test
from modgap.media import Image
from modgap.models import Query, load_model
from modgap.models.local._model import LocalModel
from modgap.steering import Change, SteeringVector, random_like, replay, text_model, value_vectors
from modgap.steering._dose import FAMILIES, VALUES, family_of
from modgap.steering._study import problems_of
from modgap.steering._sweep import query_of
from modgap.tasks import Problem

LIGHTS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
FOG, LIGHT = 0.8, 0.5
"""Share of the picture that is white, and of the light that is coloured."""
BLOCKS, STRENGTHS = (0, 2), (-4.0, 1.0, 2.0, 4.0, 8.0)
SIZES, SEEDS = {"validation": 150, "test": 400}, {"validation": 9000, "test": 9001}


@cache
def drawn_of(family: str, name: str) -> list[Problem]:
    """Questions whose options are all of the family."""
    task, words = FAMILIES[family]
    drawn = problems_of((task,), 20 * SIZES[name], SEEDS[name], level="plain")
    return [problem for problem in drawn if set(problem.options) <= set(words.values())]


def asked(setting: str, value: str, name: str) -> list[Problem]:
    """Questions of the family's task; in fog all offer the value, and it is right for three quarters."""
    family = family_of(value)
    words, drawn = FAMILIES[family][1], drawn_of(family, name)
    if setting == "light":
        return drawn[: SIZES[name]]
    drawn = [problem for problem in drawn if words[value] in problem.options]
    own = [problem for problem in drawn if problem.answer == words[value]][: SIZES[name] * 3 // 4]
    other = [problem for problem in drawn if problem.answer != words[value]][: len(own) // 3]
    return own + other


def shown(setting: str, value: str, problem: Problem) -> Query:
    """The question about the picture in fog or coloured light."""

    def change(image: Image) -> Image:
        pixels = np.asarray(image.to_pil().convert("RGB")).astype(float)
        if setting == "fog":
            pixels = (1 - FOG) * pixels + FOG * 255
        else:
            pixels = pixels * ((1 - LIGHT) + LIGHT * np.array(LIGHTS[value]))
        return Image.from_pil(PIL.Image.fromarray(pixels.round().astype(np.uint8)))

    query = query_of(problem, "image")
    return Query(tuple(change(p) if isinstance(p, Image) else p for p in query.parts), query.options)


def right(scores: np.ndarray, problems: Sequence[Problem]) -> np.ndarray:
    """Whether the answer is the likeliest option; scores end in (question, option)."""
    truth = np.array([problem.options.index(problem.answer) for problem in problems])
    found: np.ndarray = scores.argmax(axis=-1) == truth
    return found


def constants(
    scores: np.ndarray, problems: Sequence[Problem], words: Sequence[str]
) -> Callable[..., np.ndarray]:
    """What adds to the log-probability of each option the constant of its word, the likeliest ones."""

    def codes(some: Sequence[Problem]) -> np.ndarray:
        width = max(len(problem.options) for problem in some)
        found = np.zeros((len(some), width), dtype=np.int64)
        for row, problem in zip(found, some, strict=True):
            row[: len(problem.options)] = [words.index(option) for option in problem.options]
        return found

    at = torch.tensor(codes(problems))
    truth = torch.tensor([problem.options.index(problem.answer) for problem in problems])
    added = torch.zeros(len(words), requires_grad=True)
    optimizer = torch.optim.Adam([added], lr=0.05)
    for _ in range(400):
        loss = torch.nn.functional.cross_entropy(torch.tensor(scores).float() + added[at], truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return lambda other, some: other + added.detach().numpy()[codes(some)]


def study(
    model: LocalModel, setting: str, value: str, vectors: Sequence[SteeringVector]
) -> tuple[str, float]:
    """A line of the table without its last column, and the p-value of the gain beyond random directions."""
    first, second = (asked(setting, value, name) for name in SIZES)
    on, off = ([shown(setting, value, problem) for problem in some] for some in (first, second))
    arms = {"words": vectors, "random": [random_like(v, seed) for seed, v in enumerate(vectors)]}
    best: dict[str, tuple[str, Change] | None] = {}
    for arm, some in arms.items():
        cells = [
            (f"{s:+g} {v.concept}, block {block}", Change(v.directions[block], block, s, "image"))
            for v in some
            for block in BLOCKS
            for s in STRENGTHS
        ]
        swept = replay(model, on, [change for _, change in cells])
        found, before = right(swept.changed, first).mean(axis=1), right(swept.base, first).mean()
        best[arm] = cells[int(found.argmax())] if found.max() > before else None
    fitted = constants(swept.base, first, list(FAMILIES[family_of(value)][1].values()))
    test = replay(model, off, [cell[1] for cell in best.values() if cell is not None])
    plain, outcomes = right(test.base, second), iter(right(test.changed, second))
    after = {arm: plain if cell is None else next(outcomes) for arm, cell in best.items()}
    after["constants"] = right(fitted(test.base, second), second)
    groups = [problem.group or problem.problem_id for problem in second]
    rng = np.random.default_rng(0)
    gains = []
    for outcome in after.values():
        gain = outcome.astype(float) - plain
        low, high = paired_bootstrap(gain, rng, groups)
        gains.append(f"{100 * gain.mean():+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]")
    beyond = after["words"].astype(float) - after["random"]
    p = sign_flip_test(np.bincount(group_codes(groups), weights=beyond), rng)
    chosen = best["words"][0] if best["words"] else "nothing"
    begins = f"| {value} | {len(second)} | {100 * plain.mean():.1f} | {gains[0]} ({chosen})"
    return f"{begins} | {gains[1]} | {gains[2]} |", p if beyond.mean() > 0 else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("setting", choices=("fog", "light"))
    parser.add_argument("--values", help="default: those of steer dose in fog, four lights")
    args = parser.parse_args()
    values = args.values.split(",") if args.values else (VALUES if args.setting == "fog" else tuple(LIGHTS))
    torch.set_num_threads(1)
    model, text = load_model("bundled"), text_model("bundled")
    assert isinstance(model, LocalModel)
    vectors = {family: list(value_vectors(text, family).values()) for family in set(map(family_of, values))}
    found = [study(model, args.setting, value, vectors[family_of(value)]) for value in values]
    print(f"{args.setting}: gain of accuracy in points, 95 % intervals")
    print("| value | n | before | words | random | constants | p after Holm, words beyond random |")
    print("|---" * 7 + "|")
    for (line, _), p in zip(found, holm([p for _, p in found]), strict=True):
        print(f"{line} {'< 0.001' if p < 0.001 else f'{p:.3f}'} |")


if __name__ == "__main__":
    main()
