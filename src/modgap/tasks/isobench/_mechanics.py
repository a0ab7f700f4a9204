"""Forces on a block and pairs of bar magnets: drawn at random, written and read back.

forces = one_line(rng, 7, "left", 1, 2)       # net force of 7 newtons to the left
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from modgap._errors import FileError

from ._common import between

Forces = tuple[tuple[str, tuple[int, ...]], ...]
"""Direction and newtons, in the order of ``WAYS``; directions without force are absent."""

Magnets = tuple[tuple[str, str, int], ...]
"""One or two pairs: poles of both magnets from left to right, and their distance in centimetres."""

WAYS = ("right", "left", "up", "down")
AGAINST = {"right": "left", "left": "right", "up": "down", "down": "up"}
TOWARDS = {"right": "to the right", "left": "to the left", "up": "upwards", "down": "downwards"}
LARGEST = 99

HYPOTENUSES: dict[int, tuple[tuple[int, int], ...]] = {
    c: legs
    for c in range(10, LARGEST)
    if (legs := tuple((a, b) for a in range(3, c) for b in range(a + 1, c) if a * a + b * b == c * c))
}
"""Two-digit whole numbers that are the length of a sum of whole perpendicular parts → those parts."""


def net(forces: Forces) -> tuple[int, int]:
    """Newtons to the right and upwards."""
    total = dict.fromkeys(WAYS, 0) | {way: sum(sizes) for way, sizes in forces}
    return total["right"] - total["left"], total["up"] - total["down"]


def in_order(forces: Mapping[str, Sequence[int]]) -> Forces:
    """Forces in the order of ``WAYS``."""
    return tuple((way, tuple(forces[way])) for way in WAYS if forces.get(way))


def one_line(
    rng: np.random.Generator, newtons: int, way: str, forth: int, back: int
) -> dict[str, tuple[int, ...]] | None:
    """Forces along one line with a given net force.

    Args:
        rng: where all randomness comes from.
        newtons: of the net force, 1 or more.
        way: its direction.
        forth: forces in this direction, 1 or 2.
        back: forces in the other, 0 to 2.

    Returns:
        Direction → newtons, or ``None`` if the draw did not fit.
    """
    against = 0 if back == 0 else between(rng, back, LARGEST - newtons)
    found: dict[str, tuple[int, ...]] = {}
    for direction, total, count in ((way, newtons + against, forth), (AGAINST[way], against, back)):
        if count > total:
            return None
        if count:
            first = between(rng, 1, total - 1) if count == 2 else total
            found[direction] = (first, total - first) if count == 2 else (first,)
    return found


def write_forces(forces: Forces) -> str:
    """A sentence that names every force."""
    each = [f"{size} newtons {TOWARDS[way]}" for way, sizes in forces for size in sizes]
    return f"These forces act on a block: {', '.join(each)}."


def write_force_table(forces: Forces) -> str:
    """One line for each force."""
    return "\n".join(["direction newtons", *(f"{way} {size}" for way, sizes in forces for size in sizes)])


def write_magnets(magnets: Magnets) -> str:
    """Sentences that name the poles from left to right and the distance."""
    sentences = []
    for number, (left, right, distance) in enumerate(magnets, 1):
        name = f"Pair {number}" if len(magnets) > 1 else "A pair"
        poles = " and ".join(f"{pair[0]} on the left, {pair[1]} on the right" for pair in (left, right))
        sentences.append(f"{name} of bar magnets, from left to right: poles {poles}, {distance} cm apart.")
    return " ".join(sentences)


def write_magnet_table(magnets: Magnets) -> str:
    """One line for each pair."""
    rows = (
        f"{number} {left} {right} {distance}" for number, (left, right, distance) in enumerate(magnets, 1)
    )
    return "\n".join(["pair left right cm", *rows])


_FORCE = re.compile(r"(\d{1,2}) newtons (to the right|to the left|upwards|downwards)")
_PAIR = re.compile(
    r"(?:A pair|Pair [12]) of bar magnets, from left to right: poles ([NS]) on the left, ([NS]) on the right "
    r"and ([NS]) on the left, ([NS]) on the right, (\d{1,2}) cm apart\."
)


def read_forces_written(text: str) -> Forces:
    """Read what :func:`write_forces` or :func:`write_force_table` wrote.

    Raises:
        FileError: if it is neither.
    """
    found: dict[str, list[int]] = {}
    if text.startswith("direction newtons\n"):
        rows = [line.split(" ") for line in text.split("\n")[1:]]
        if all(len(row) == 2 and row[0] in WAYS and re.fullmatch(r"[0-9]{1,2}", row[1]) for row in rows):
            for way, size in rows:
                found.setdefault(way, []).append(int(size))
    else:
        meaning = {phrase: way for way, phrase in TOWARDS.items()}
        for match in _FORCE.finditer(text):
            found.setdefault(meaning[match[2]], []).append(int(match[1]))
    forces = in_order(found)
    if not forces or text not in (write_forces(forces), write_force_table(forces)):
        raise FileError(f"{text!r:.80} does not name forces as modgap writes them")
    return forces


def read_magnets_written(text: str) -> Magnets:
    """Read what :func:`write_magnets` or :func:`write_magnet_table` wrote.

    Raises:
        FileError: if it is neither.
    """
    magnets: Magnets = tuple((m[1] + m[2], m[3] + m[4], int(m[5])) for m in _PAIR.finditer(text))
    if not magnets:
        rows = re.findall(r"\n[12] ([NS]{2}) ([NS]{2}) (\d{1,2})", text)
        magnets = tuple((left, right, int(distance)) for left, right, distance in rows)
    if not magnets or text not in (write_magnets(magnets), write_magnet_table(magnets)):
        raise FileError(f"{text!r:.80} does not describe magnets as modgap writes it")
    return magnets
