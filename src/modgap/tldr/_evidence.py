"""Why a word was flagged: the kind of error, where in the picture the evidence is, and what would fit better.

    for found in evidence(detector, item, [(17, 20)]):
        found.type, found.heat, found.suggestion

The heat map is by occlusion, so that it works for every detector: a window is covered with the commonest
colour of the picture, and how far the word's score (log-odds of "wrong") moves is laid on its cells, in
either direction: without the thing it is about a wrong word may become right, or more wrong. Kind and
suggestions come from a list of words, see ``_word_kinds.py``; of the words that could stand there the one
with the lowest score is suggested. A caption is cut after its last flagged word: what follows cannot change
its score, since detectors read causally.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image

from modgap._errors import InputError
from modgap.media import Image

from ._scores import Detector, Item, TokenScores, words
from ._word_kinds import alternatives, kind_of

if TYPE_CHECKING:
    from jaxtyping import Float

GRID = 8
"""Rows and columns of the heat map (our choice)."""
WINDOW = 2
"""Cells that are covered at a time, in each direction: a quarter of the side (our choice)."""
_EDGE = 1e-9


@dataclass(frozen=True)
class Evidence:
    """What speaks against a span of a caption.

    Args:
        start, end: characters of the span.
        type: the kind of error, as in the data; empty if it has no word with content.
        score: of the span, that of its worst word.
        heat: how far the log-odds of "wrong" move when that part of the picture is covered, (rows, columns);
            for detectors without probabilities, how far the score does. ``None`` without a picture.
        suggestion: the caption's word that fits best in its place; empty if none is known.
        suggested_score: its score there.
    """

    start: int
    end: int
    type: str
    score: float
    heat: Float[np.ndarray, "rows columns"] | None
    suggestion: str = ""
    suggested_score: float | None = None

    def peak(self) -> tuple[float, float] | None:
        """Where the heat is highest, as fractions of width and height, 0 to 1; ``None`` without heat."""
        if self.heat is None:
            return None
        row, column = np.unravel_index(int(np.argmax(self.heat)), self.heat.shape)
        return (float(column) + 0.5) / self.heat.shape[1], (float(row) + 0.5) / self.heat.shape[0]


def evidence(
    detector: Detector, item: Item, spans: Sequence[tuple[int, int]], *, grid: int = GRID
) -> list[Evidence]:
    """Evidence for each of some spans of one caption.

    Args:
        detector: any.
        item: the caption with its picture.
        spans: start and end of each, on words.
        grid: rows and columns of the heat maps, 2 to 32; ``(grid + 1) ** 2`` pictures are read.

    Raises:
        InputError: if the grid is not accepted, or a span holds no word.
    """
    if not 2 <= grid <= 32:
        raise InputError(f"grid {grid} is not accepted; give 2 to 32")
    if not spans:
        return []
    text = item.caption
    cut = replace(item, caption=text[: max(end for _, end in spans)])
    windows = [] if item.image is None else list(_covered(item.image, grid))
    seen = [cut, *(replace(cut, image=image) for _, image in windows)]
    others = [
        (index, other, text[:start] + other)
        for index, (start, end) in enumerate(spans)
        for other in alternatives(text, start, end)
    ]
    scored = detector.score([*seen, *(replace(item, caption=head) for _, _, head in others)])
    whole, covered, replaced = scored[0], scored[1 : len(seen)], scored[len(seen) :]
    scale = _log_odds if _are_probabilities(scored) else float
    found = []
    for index, (start, end) in enumerate(spans):
        bad = _worst(whole, cut.caption, start, end)
        heat = None
        if windows:
            moved = [abs(scale(bad) - scale(_worst(one, cut.caption, start, end))) for one in covered]
            heat = _heat([place for place, _ in windows], moved, grid)
        best = min(
            (
                (_worst(one, head, start, len(head)), other)
                for (owner, other, head), one in zip(others, replaced, strict=True)
                if owner == index
            ),
            default=None,
        )
        one = Evidence(start, end, kind_of(text, start, end), bad, heat)
        found.append(one if best is None else replace(one, suggestion=best[1], suggested_score=best[0]))
    return found


def draw_heat(image: Image, heat: Float[np.ndarray, "rows columns"]) -> PIL.Image.Image:
    """The picture in grey with its heat in red; the highest is as red as it gets.

    Args:
        image: the picture.
        heat: of one span.
    """
    picture = image.to_pil().convert("RGB")
    share = np.clip(heat, 0, None) / max(float(heat.max()), _EDGE)
    grey = np.asarray(picture.convert("L"), dtype=np.float64)[..., None].repeat(3, axis=2)
    size = PIL.Image.fromarray((255 * share).astype(np.uint8)).resize(
        picture.size, PIL.Image.Resampling.BICUBIC
    )
    weight = np.asarray(size, dtype=np.float64)[..., None] / 255 * 0.7
    return PIL.Image.fromarray(
        (grey * (1 - weight) + np.array([230.0, 30.0, 30.0]) * weight).astype(np.uint8)
    )


def _worst(scores: TokenScores, caption: str, start: int, end: int) -> float:
    inside = [word.bad for word in words(scores, caption) if word.start < end and word.end > start]
    if not inside:
        raise InputError(f"characters {start} to {end} of the caption hold no word; give spans on words")
    return max(inside)


def _covered(image: Image, grid: int) -> list[tuple[tuple[int, int], Image]]:
    """The picture with each window covered; row and column of its first cell.

    Windows hang over the sides, so that every cell is under as many.
    """
    picture = image.to_pil().convert("RGB")
    pixels = np.asarray(picture)
    colors, counts = np.unique(pixels.reshape(-1, 3) // 8, axis=0, return_counts=True)
    near = (pixels // 8 == colors[counts.argmax()]).all(axis=2)
    red, green, blue = (int(x) for x in np.median(pixels[near], axis=0))
    width, height = picture.size
    found = []
    for row in range(1 - WINDOW, grid):
        for column in range(1 - WINDOW, grid):
            now = picture.copy()
            now.paste(
                (red, green, blue),
                (
                    max(column, 0) * width // grid,
                    max(row, 0) * height // grid,
                    (column + WINDOW) * width // grid,
                    (row + WINDOW) * height // grid,
                ),
            )
            found.append(((row, column), Image.from_pil(now)))
    return found


def _heat(places: Sequence[tuple[int, int]], moved: Sequence[float], grid: int) -> np.ndarray:
    """The mean of the windows over each cell."""
    total = np.zeros((grid, grid))
    for (row, column), value in zip(places, moved, strict=True):
        total[max(row, 0) : row + WINDOW, max(column, 0) : column + WINDOW] += value
    return total / WINDOW**2


def _are_probabilities(scored: Sequence[TokenScores]) -> bool:
    return all(one.bad.min() >= 0 and one.bad.max() <= 1 for one in scored)


def _log_odds(p: float) -> float:
    p = min(max(p, _EDGE), 1 - _EDGE)
    return float(np.log(p) - np.log1p(-p))
