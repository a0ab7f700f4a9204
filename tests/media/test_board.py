"""Chess boards are read back from their pixels, whatever stands on them."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from modgap._errors import FileError, UnknownName
from modgap.media.drawing import BOARD_LOOKS, draw_board, read_board


@pytest.mark.parametrize("style", BOARD_LOOKS)
@pytest.mark.parametrize("pixels", [256, 301, 448, 1024])
def test_any_squares_are_read_back(style: str, pixels: int) -> None:
    rng = np.random.default_rng(pixels)
    squares = "".join(rng.choice(list(".PNBRQKpnbrqk"), 64).tolist())
    picture = draw_board(squares, "Black to move, en passant d6", pixels=pixels, style=style).paint()
    assert picture.size == (pixels, pixels)
    assert read_board(picture) == (squares, "Black to move, en passant d6")


def test_what_is_not_a_board_is_refused() -> None:
    with pytest.raises(FileError, match="not a board that modgap drew"):
        read_board(PIL.Image.new("RGB", (300, 300), (1, 2, 3)))
    with pytest.raises(FileError, match="square a1 of the board cannot be read"):
        read_board(PIL.Image.new("RGB", (300, 300), BOARD_LOOKS["classic"].margin))
    picture = draw_board("." * 64, "White to move", pixels=300, style="clean").paint()
    picture.paste((0, 0, 0), (40, 280, 90, 298))
    with pytest.raises(FileError, match="line below the board cannot be read"):
        read_board(picture)
    with pytest.raises(UnknownName, match="style 'marble' is not one of classic, clean, dark"):
        draw_board("." * 64, "White to move", pixels=300, style="marble")
