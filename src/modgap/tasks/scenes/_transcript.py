"""Scenes as models write them down: read leniently, held against the scene that was shown.

A list need not be exact: a line that names a shape is an object, with whatever it says of size, fill, colour,
place and word. Prose without any place in numbers is held against the scene word by word as a caption
(:func:`modgap.scenes.read_caption`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from modgap._errors import FileError, ModgapError
from modgap.scenes import (
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    Scene,
    SceneObject,
    read_caption,
    read_json,
    read_list,
    read_story,
    write_list,
)
from modgap.tasks._transcript import UNREAD, Transcript, f1

REACH = 10
"""How far a place may be off along each axis, in percent of the picture (our choice: about the radius of a
medium object)."""

MOST_LINES = 60
"""Lines of a list that are read; a scene has up to 8 objects."""

_REQUEST = (
    "Write a list with one line for each object and nothing else, in this form, where x and y are whole "
    "percents of the width and the height:\n"
    "Objects (x from the left, y from the top):\n"
    '- <size> <fill> <color> <shape> at x <x>, y <y>, word "<word, if one is written on it>"\n'
    f"Sizes: {', '.join(SIZES)}. Fills: {', '.join(FILLS)}. Colors: {', '.join(COLORS)}. "
    f"Shapes: {', '.join(SHAPES)}."
)
_KINDS = {"size": SIZES, "fill": FILLS, "color": COLORS, "shape": SHAPES}
_PLACE = re.compile(r"\bx\W{0,3}(\d{1,2})\b[^\dxy]{0,6}\by\W{0,3}(\d{1,2})\b", re.ASCII)
_WORD = re.compile(r'"([a-z]{2,4})"', re.ASCII)
_TOKEN = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Seen:
    """An object as it was written down; what was left out is empty, or below 0 for a place."""

    shape: str
    color: str = ""
    size: str = ""
    fill: str = ""
    x: int = -1
    y: int = -1
    word: str = ""


@dataclass(frozen=True)
class Prose:
    """A description without places in numbers."""

    text: str


def read(text: str) -> tuple[Seen, ...] | Prose:
    """What a transcript says.

    Args:
        text: untrusted.

    Raises:
        FileError: if it names no object.
    """
    for exact in (read_list, read_json, read_story):
        try:
            return tuple(map(_seen, exact(text.strip()).objects))
        except ModgapError:
            continue
    lines = [line for line in text.lower().splitlines() if _PLACE.search(line)][:MOST_LINES]
    objects = tuple(found for line in lines if (found := _line(line)) is not None)
    if objects:
        return objects
    if any(shape in _TOKEN.findall(text.lower()) for shape in SHAPES):
        return Prose(text)
    raise FileError("the transcript names no object; expected a list such as write_list writes")


def _seen(o: SceneObject) -> Seen:
    return Seen(o.shape, o.color, o.size, o.fill, o.x, o.y, o.word)


def _line(line: str) -> Seen | None:
    tokens = _TOKEN.findall(line)
    found = {kind: next((t for t in tokens if t in names), "") for kind, names in _KINDS.items()}
    if not found["shape"]:
        return None
    place, word = _PLACE.search(line), _WORD.search(line)
    x, y = (int(place[1]), int(place[2])) if place else (-1, -1)
    return Seen(found["shape"], found["color"], found["size"], found["fill"], x, y, word[1] if word else "")


def write(found: tuple[Seen, ...] | Prose) -> str:
    """A transcript in the form of a list, without what was not said; prose as it is."""
    if isinstance(found, Prose):
        return found.text
    header = write_list(Scene((), ())).splitlines()[0]
    lines = []
    for o in found:
        look = " ".join(filter(None, (o.size, o.fill, o.color, o.shape)))
        place = f" at x {o.x}, y {o.y}" if o.x >= 0 else ""
        lines.append(f"- {look}{place}" + (f', word "{o.word}"' if o.word else ""))
    return "\n".join([header, *lines])


def compare(truth: Scene, found: tuple[Seen, ...] | Prose) -> dict[str, float]:
    """Score a transcript.

    Args:
        truth: the scene.
        found: what :func:`read` returned.

    Returns:
        Of a list: ``score`` and ``attributes`` (shared attributes of objects paired so that they share most,
        as an F1), ``objects`` (F1 of colour and shape), ``places`` (F1 of places within ``REACH``) and
        ``exact``.
        Of prose: ``score`` and ``words`` (share of its stating words that are true), ``read`` (share of its
        sentences that were understood) and ``exact``, which is 0: prose does not say all.
    """
    if isinstance(found, Prose):
        return _prose(truth, found)
    there = tuple(map(_seen, truth.objects))
    pairs = _paired(there, found)
    total = len(there) + len(found)
    if not total:
        return {"score": 1.0, "attributes": 1.0, "objects": 1.0, "places": 1.0, "exact": 1.0}
    shared = sum(_shared(there[i], found[j]) for i, j in pairs) / 5
    near = sum(_near(there[i], found[j]) for i, j in pairs)
    attributes, places = 2 * shared / total, 2 * near / total
    objects = f1(((o.color, o.shape) for o in there), ((o.color, o.shape) for o in found))
    exact = float(len(there) == len(found) == len(pairs) and attributes == 1 and places == 1)
    return {
        "score": attributes,
        "attributes": attributes,
        "objects": objects,
        "places": places,
        "exact": exact,
    }


def _shared(a: Seen, b: Seen) -> int:
    return sum((a.shape == b.shape, a.color == b.color, a.size == b.size, a.fill == b.fill, a.word == b.word))


def _near(a: Seen, b: Seen) -> bool:
    return b.x >= 0 and max(abs(a.x - b.x), abs(a.y - b.y)) <= REACH


def _paired(there: tuple[Seen, ...], found: tuple[Seen, ...]) -> list[tuple[int, int]]:
    """Pairs that share most, greedily: most attributes first, then nearness."""
    order = sorted(
        (-_shared(a, b) - _near(a, b), abs(a.x - b.x) + abs(a.y - b.y), i, j)
        for i, a in enumerate(there)
        for j, b in enumerate(found)
    )
    left, right, pairs = set(range(len(there))), set(range(len(found))), []
    for _, _, i, j in order:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((i, j))
    return pairs


def _prose(truth: Scene, found: Prose) -> dict[str, float]:
    try:
        reading = read_caption(found.text, truth)
    except ModgapError:
        return dict(UNREAD)
    rate = reading.word_error_rate
    if rate is None:
        return dict(UNREAD)
    unread = sum(end - start for start, end in reading.unread)
    return {
        "score": 1 - rate,
        "words": 1 - rate,
        "read": 1 - unread / max(len(found.text), 1),
        "exact": 0.0,
    }


TRANSCRIPT = Transcript("list", _REQUEST, read, write, compare)
