"""What the two chess tasks share: representations, drawing and reading back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modgap.media import Modality, Part, Text
from modgap.media.drawing import Drawing, draw_board, read_board

from ._chess_moves import Board, Move, Position
from ._chess_text import (
    caption,
    read_ascii,
    read_fen,
    read_pgn,
    with_caption,
    write_ascii,
    write_fen,
    write_pgn,
)
from ._common import Style, identity_of, only_picture, only_text, style_of

REPRESENTATIONS: dict[str, Modality] = {"fen": "text", "pgn": "text", "ascii": "text", "image": "image"}
_READERS = {"fen": read_fen, "pgn": read_pgn, "ascii": read_ascii}


@dataclass(frozen=True)
class Game:
    """Moves from a position; what is asked is about where they end."""

    start: Position
    moves: tuple[Move, ...]

    def board(self) -> Board:
        """The board at the end."""
        board = Board.of(self.start)
        for move in self.moves:
            board.push(move)
        return board


def render(game: Game, representation: str, style: Style) -> tuple[Part, ...]:
    """The end of a game in one representation."""
    if representation == "pgn":
        return (Text(write_pgn(game.start, game.moves)),)
    position = game.board().position()
    if representation == "image":
        return (drawing(game, style).image(),)
    return (Text(write_fen(position) if representation == "fen" else write_ascii(position)),)


def drawing(game: Game, style: Style) -> Drawing:
    """The picture of the end of a game as strokes."""
    position = game.board().position()
    look = style_of(style.style, identity_of(position))
    return draw_board(position.squares, caption(position), pixels=style.pixels, style=look)


def decode(representation: str, parts: tuple[Part, ...]) -> Position:
    """The position, read back from one representation.

    Raises:
        FileError: if it is not what modgap writes or draws.
    """
    if representation == "image":
        return with_caption(*read_board(only_picture(parts).to_pil()))
    return _READERS[representation](only_text(parts))


def group(game: Game, task: str) -> str:
    """A hash of the position."""
    return f"{task}-{identity_of(game.board().position())}"


def pieces(squares: Sequence[int]) -> int:
    """How many there are, kings included."""
    return 64 - squares.count(0)
