"""Circuits, blocks and magnets: what is not such a picture is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import PIL.Image
import pytest

from modgap._errors import FileError, UnknownName
from modgap.media.drawing import (
    Edge,
    Plan,
    draw_circuit,
    draw_forces,
    draw_magnets,
    has_block,
    is_circuit,
    read_circuit,
    read_forces,
    read_magnets,
)

PLAN = Plan(
    frozenset(
        {
            Edge((0, 0), (1, 0), "resistor", "R1", 12),
            Edge((0, 0), (0, 1)),
            Edge((1, 0), (1, 1)),
            Edge((0, 1), (1, 1), "battery", "", 6),
        }
    ),
    {(0, 0): "A", (1, 0): "B"},
)


@pytest.mark.parametrize("style", ["classic", "clean", "dark"])
def test_pictures_are_told_apart_and_read_back(style: str) -> None:
    circuit = draw_circuit(PLAN, pixels=300, style=style).paint()
    block = draw_forces({"up": (5,), "left": (7, 60)}, pixels=300, style=style).paint()
    magnets = draw_magnets((("NS", "SN", 9),), pixels=300, style=style).paint()
    assert [is_circuit(p) for p in (circuit, block, magnets)] == [True, False, False]
    assert [has_block(p) for p in (circuit, block, magnets)] == [False, True, False]
    assert read_circuit(circuit) == PLAN
    assert read_forces(block) == {"left": (7, 60), "up": (5,)}
    assert read_magnets(magnets) == (("NS", "SN", 9),)


@pytest.mark.parametrize("read", [read_circuit, read_forces, read_magnets])
def test_other_pictures_are_refused(read: Callable[[PIL.Image.Image], Any]) -> None:
    for picture in (
        PIL.Image.new("RGB", (300, 300), (1, 2, 3)),
        PIL.Image.new("RGB", (300, 300), (255, 255, 255)),
        PIL.Image.new("RGB", (40, 40), (255, 255, 255)),
        draw_forces({"up": (5,)}, pixels=300, style="dark").paint().resize((300, 200)),
    ):
        with pytest.raises(FileError):
            read(picture)


@pytest.mark.parametrize("draw", [draw_circuit, draw_forces, draw_magnets])
def test_unknown_styles_are_named(draw: Callable[..., object]) -> None:
    with pytest.raises(UnknownName, match="style 'neon' is not one of classic, clean, dark"):
        draw(PLAN, pixels=300, style="neon")
