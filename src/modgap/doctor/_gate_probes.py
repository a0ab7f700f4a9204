"""What linear probes read from the states of pictures, in them and carried over from words.

Choices (a block, a penalty) are made on validation scenes and reported on others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from modgap.evaluate import INSTRUCTIONS
from modgap.evaluate._probes import fit_probe
from modgap.scenes import COLORS, FILLS, SHAPES, SIZES, Scene

from ._gate import Gate, percent, scenes_of

ATTRIBUTES = {"color": COLORS, "shape": SHAPES, "size": SIZES, "fill": FILLS}
PROBE_SCENES = (1500, 300)
"""Scenes to train probes and to choose among them (our choice: about 600 objects in every ninth)."""


def probes(folder: Path, n: int, seed: int) -> Iterator[Gate]:
    """The gates of what is read from states; needs ``text_backbone`` in the folder."""
    from modgap.models.local._load import LoadOptions, load_pretrained

    from ._states import image_states, word_states

    train, chosen = PROBE_SCENES
    scenes = scenes_of(seed, 1, train + chosen + n)
    parts = (slice(0, train), slice(train, train + chosen), slice(train + chosen, None))
    instruction = INSTRUCTIONS["plain"]
    pretrained = load_pretrained(str(folder), LoadOptions(dtype="float32", device="cpu"))
    seen = image_states(pretrained, scenes, instruction)
    for name in ("shape", "color"):
        yield _read_out(seen, scenes, parts, name)
    yield _place(seen, scenes, parts)
    written = word_states(folder / "text_backbone", scenes[: train + chosen], instruction)
    yield _transfers([_transfer(seen, written, scenes, (train, chosen), name) for name in ATTRIBUTES])


def _ninth(scene: Scene, index: int) -> int:
    thing = scene.objects[index]
    return thing.y * 3 // 100 * 3 + thing.x * 3 // 100


def _positions(ninth: int, side: int) -> list[int]:
    """Image positions that a ninth of the picture overlaps, of ``side`` × ``side``."""

    def span(third: int) -> range:
        return range(third * side // 3, -(-(third + 1) * side // 3))

    return [row * side + column for row in span(ninth // 3) for column in span(ninth % 3)]


def _cells(
    seen: np.ndarray, scenes: list[Scene], part: slice, ninth: int, name: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """States over one ninth and what stands there: a value of an attribute, or whether anything does."""
    side = round(seen.shape[1] ** 0.5)
    rows, labels = [], []
    for row, scene in enumerate(scenes[part], start=part.start):
        here = [thing for i, thing in enumerate(scene.objects) if _ninth(scene, i) == ninth]
        if name is None:
            rows.append(row)
            labels.append(int(bool(here)))
        elif here:
            rows.append(row)
            labels.append(ATTRIBUTES[name].index(getattr(here[0], name)))
    states = seen[rows][:, _positions(ninth, side)].reshape(len(rows), -1)
    return states, np.array(labels)


def _best_block(
    seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice], name: str | None, classes: int
) -> tuple[int, np.ndarray]:
    """The block whose states a linear probe reads best on validation scenes, and its hits on test scenes."""
    train, validation, test = parts
    best: tuple[float, int, list[np.ndarray]] = (-1.0, 0, [])
    for block in range(len(seen)):
        score, hits = 0.0, []
        for ninth in range(9):
            states = [_cells(seen[block], scenes, part, ninth, name) for part in (train, validation, test)]
            probe = fit_probe(*states[0], classes, states[1])
            score += probe.accuracy(*states[1])
            hits.append(np.stack([probe.scores(states[2][0]).argmax(1), states[2][1]]))
        if score > best[0]:
            best = (score, block, hits)
    return best[1], np.concatenate(best[2], axis=1)


def _read_out(seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice], name: str) -> Gate:
    block, found = _best_block(seen[::2], scenes, parts, name, len(ATTRIBUTES[name]))
    right = found[0] == found[1]
    return percent(
        f"probe: {name}",
        "90 % or more",
        int(right.sum()),
        right.size,
        90,
        f"after block {2 * block}; chance {100 / len(ATTRIBUTES[name]):.0f} %",
    )


def _place(seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice]) -> Gate:
    block, found = _best_block(seen[::2], scenes, parts, None, 2)
    right = found[0] == found[1]
    return percent(
        "probe: place",
        "90 % or more",
        int(right.sum()),
        right.size,
        90,
        f"a ninth is occupied, after block {2 * block}; always no: {100 * (1 - found[1].mean()):.0f} %",
    )


def _transfers(found: Sequence[Gate]) -> Gate:
    """Concepts whose probe, trained on words, reads pictures better than always saying the same."""
    above = [gate for gate in found if gate.passed]
    said = "; ".join(
        f"{gate.name} {gate.found:.1f} % ({gate.low:.1f} to {gate.high:.1f}), {gate.note}" for gate in found
    )
    share = float(len(above))
    return Gate("words → pictures", "two of four", share, share, share, found[0].n, "", share >= 2, said)


def _transfer(
    seen: np.ndarray, written: list[np.ndarray], scenes: list[Scene], sizes: tuple[int, int], name: str
) -> Gate:
    """A probe trained on words of the text backbone, read on pictures; the block is chosen on validation."""
    train, chosen = sizes
    values = ATTRIBUTES[name]
    side = round(seen.shape[2] ** 0.5)
    labels = np.array([values.index(getattr(o, name)) for scene in scenes for o in scene.objects])
    owner = np.array([row for row, scene in enumerate(scenes) for _ in scene.objects])
    places = [_positions(_ninth(scene, i), side) for scene in scenes for i in range(len(scene.objects))]
    split = int((owner < train).sum())
    words = int((owner < train + chosen).sum())
    best: tuple[float, int, np.ndarray, float] = (-1.0, 0, np.empty(0), 0.0)
    rng = np.random.default_rng(0)
    for block in range(len(seen)):
        states = np.stack(
            [seen[block, row, where].mean(axis=0) for row, where in zip(owner, places, strict=True)]
        )
        mean = states[:words].mean(axis=0)
        held = (written[block][split:], labels[split:words])
        probe = fit_probe(written[block][:split], labels[:split], len(values), held)
        score = probe.accuracy(states[split:words], labels[split:words], mean=mean)
        if score > best[0]:
            right = probe.scores(states[words:], mean=mean).argmax(axis=1) == labels[words:]
            shuffled = fit_probe(written[block][:split], rng.permutation(labels[:split]), len(values), held)
            control = shuffled.accuracy(states[words:], labels[words:], mean=mean)
            best = (score, block, right, control)
    _, block, right, control = best
    chance = 100 * max(np.bincount(labels[words:])) / len(labels[words:])
    gate = percent(
        name,
        f"above {chance:.0f} %",
        int(right.sum()),
        right.size,
        0,
        f"most frequent {chance:.0f} %, shuffled labels {100 * control:.0f} %, after block {block}",
    )
    return Gate(**{**gate.__dict__, "passed": gate.low > chance})
