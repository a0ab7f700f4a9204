"""The move that mates fastest, by force, in a chess position: there is only one.

    "... Which move, in UCI notation?"   e7e8q

Exhaustive search has shown that the move mates at once, or that every reply to it can be mated at once, and
that no other move does. At level ``hard`` the move gives no check, so trying out checks does not find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.media import Part
from modgap.media.drawing import Drawing
from modgap.tasks._answers import READERS
from modgap.tasks._problem import Answer
from modgap.tasks._settings import setting

from . import _chess, _chess_games, _chess_seeds, _speech
from ._chess import REPRESENTATIONS as REPRESENTATIONS
from ._chess import Game
from ._chess_moves import Board, Move, Position, uci
from ._chess_search import keys, mates
from ._common import INSTRUCTION as INSTRUCTION
from ._common import Style as Style
from ._common import between, own_rng, pick
from ._transcripts import POSITION

SPOKEN = _speech.BOARD
TRANSCRIPT = POSITION
CHANCE = None
"""An open question; a random legal move is right about once in thirty problems."""

_TRIES = 60


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "positions from whole games that end with a mate in one")
    moves: int = setting(1, "moves until mate, exactly", low=1, high=2)
    quiet: bool = setting(False, "the first of two moves gives no check")
    min_checks: int = setting(2, "fewest moves that give check, right or wrong", low=0, high=4)
    changes: int = setting(5, "pieces that are moved, added or left out in a known position", low=1, high=6)
    min_pieces: int = setting(9, "fewest pieces, kings included", low=7, high=10)
    max_pieces: int = setting(13, "most pieces", low=10, high=16)
    plies: int = setting(
        4, "most moves that lead to the position, in the text that lists them", low=1, high=8
    )

    def __post_init__(self) -> None:
        if self.quiet and self.moves == 1:
            raise InputError("quiet is not accepted with moves 1, for a mate gives check; give moves 2")


LEVELS: dict[str, Dials] = {
    "published": Dials(True),
    "easy": Dials(False, 1, False, 0, 4, 7, 10, 2),
    "medium": Dials(),
    "hard": Dials(False, 2, True, 1, 2, 9, 14, 6),
}


@dataclass(frozen=True)
class PuzzleProblem:
    """Which move mates fastest at the end of ``game``."""

    game: Game


def solve(board: Board) -> tuple[list[Move], int]:
    """Moves that mate fastest, and in how many moves; none and 0 where it takes more than two."""
    found = mates(board)
    if found:
        return found, 1
    found = keys(board)
    return found, 2 if found else 0


def sample(rng: np.random.Generator, dials: Dials) -> PuzzleProblem:
    """Draw a problem."""
    rng = own_rng(rng, "puzzle")
    if dials.published:
        return PuzzleProblem(_played(rng))
    known = [
        c
        for c in _chess_seeds.seeds()
        if (c.result, c.moves) == ("key", dials.moves) and not (dials.quiet and c.check)
    ]
    for _ in range(_TRIES):
        board = _chess_seeds.varied(
            pick(rng, known),
            rng,
            turn=pick(rng, (1, -1)),
            changes=dials.changes,
            pieces=between(rng, dials.min_pieces, dials.max_pieces),
        )
        if board is None or _checks(board) < dials.min_checks:
            continue
        line = _chess_games.history(board, rng, between(rng, 1, dials.plies))
        if line:
            return PuzzleProblem(Game(*line))
    raise InputError(
        f"task isobench/puzzle found no position in {_TRIES} tries with {dials}; lower changes or "
        "min_checks, or widen the range of pieces"
    )


def _played(rng: np.random.Generator) -> Game:
    """A whole game up to where a single move mates."""
    while True:
        game = Game(*_chess_games.game(rng, last=False))
        if len(mates(game.board(), 2)) == 1:
            return game


def _checks(board: Board) -> int:
    """How many legal moves give check."""
    found = 0
    for move in board.moves():
        undo = board.push(move)
        found += board.in_check()
        board.pop(undo)
    return found


def question(p: PuzzleProblem) -> str:
    """What is asked."""
    return (
        "In this chess position the side to move can force mate, and a single first move does so fastest. "
        "Which move is it, in UCI notation such as e2e4 or e7e8q?"
    )


def options(p: PuzzleProblem) -> tuple[str, ...]:
    """None: the question is open."""
    return ()


def answer(p: PuzzleProblem) -> str:
    """The move in UCI notation."""
    found, _ = solve(p.game.board())
    return uci(found[0])


def difficulty(p: PuzzleProblem) -> dict[str, float | int | str]:
    """Moves until mate, legal moves, moves that give check, and pieces."""
    board = p.game.board()
    return {
        "moves_to_mate": 1 if mates(board, 1) else 2,
        "legal_moves": len(board.moves()),
        "checks": _checks(board),
        "pieces": _chess.pieces(board.squares),
    }


def group(p: PuzzleProblem) -> str:
    """A hash of the position."""
    return _chess.group(p.game, "puzzle")


def content(p: PuzzleProblem) -> Position:
    """The position."""
    return p.game.board().position()


def drawing(p: PuzzleProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    return _chess.drawing(p.game, style)


def render(p: PuzzleProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The position in one representation."""
    return _chess.render(p.game, representation, style)


def decode(representation: str, parts: tuple[Part, ...]) -> Position:
    """The position, read back."""
    return _chess.decode(representation, parts)


def parse(text: str, options: Sequence[str]) -> Answer:
    """The move that a reply gives, with both squares however it is written."""
    return READERS["puzzle"](text, options)
