"""Who wins a chess position with best play: White, Black, or nobody.

    "... Who wins?"   options draw, black, white

The game is over on the board, or its end cannot be averted and is at most two moves away; exhaustive search
says which. At the levels of our own neither material, nor who moved last, nor whether a king is in check says
who wins: results are drawn first, and these three independently of them as far as the rules of chess allow.
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
from ._chess_moves import Board, Position
from ._chess_search import judge, material
from ._chess_seeds import Cell
from ._common import INSTRUCTION as INSTRUCTION
from ._common import Style as Style
from ._common import between, own_rng, pick, shuffled
from ._transcripts import POSITION

CHANCE = 1 / 3
SPOKEN = _speech.BOARD
TRANSCRIPT = POSITION
LABELS = ("white", "black", "draw")
_PUBLISHED = (127, 115, 15)  # White, Black, Draw in the published set
_TRIES = 60


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(
        False, "whole games, won by White, Black and nobody as often as in the published set"
    )
    deepest: int = setting(1, "most moves until the game is over; 0: it is over", low=0, high=2)
    changes: int = setting(5, "pieces that are moved, added or left out in a known position", low=1, high=6)
    min_pieces: int = setting(9, "fewest pieces, kings included", low=7, high=10)
    max_pieces: int = setting(12, "most pieces", low=10, high=16)
    plies: int = setting(
        4, "most moves that lead to the position, in the text that lists them", low=1, high=8
    )


LEVELS: dict[str, Dials] = {
    "published": Dials(True),
    "easy": Dials(False, 0, 4, 7, 10, 2),
    "medium": Dials(),
    "hard": Dials(False, 2, 3, 9, 13, 6),
}


@dataclass(frozen=True)
class WinnerProblem:
    """Who wins at the end of ``game``."""

    game: Game
    choices: tuple[str, ...]


def sample(rng: np.random.Generator, dials: Dials) -> WinnerProblem:
    """Draw a problem; the three answers are equally likely, but for level ``published``."""
    rng = own_rng(rng, "winner")
    weights = np.array(_PUBLISHED if dials.published else (1, 1, 1))
    label = LABELS[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))]
    if dials.published and label != "draw":
        return WinnerProblem(_won(rng, label), shuffled(rng, LABELS))
    result, turn = "draw", pick(rng, (1, -1))
    if label != "draw":
        winner = 1 if label == "white" else -1
        result = "win" if dials.deepest and rng.random() < 0.5 else "loss"
        turn = winner if result == "win" else -winner
    return WinnerProblem(_composed(rng, dials, result, turn), shuffled(rng, LABELS))


def _won(rng: np.random.Generator, label: str) -> Game:
    """A whole game that a side wins."""
    last = rng.random() < 0.5  # many published games end before the mate
    while True:
        game = Game(*_chess_games.game(rng, last=last))
        if _winner(game.board()) == label:
            return game


def _composed(rng: np.random.Generator, dials: Dials, result: str, turn: int) -> Game:
    """A position with a result for the side to move, and a few moves that lead there."""
    known = [c for c in _chess_seeds.seeds() if c.result == result and c.moves <= dials.deepest]
    balance = pick(rng, sorted({c.balance for c in known}))
    check = pick(rng, sorted({c.check for c in known if c.balance == balance}))
    cells = [c for c in known if (c.balance, c.check) == (balance, check)]
    for _ in range(_TRIES):
        pieces = between(rng, dials.min_pieces, dials.max_pieces)  # alike for every result
        cell: Cell = pick(rng, cells)
        board = _chess_seeds.varied(cell, rng, turn=turn, changes=dials.changes, pieces=pieces)
        line = board and _chess_games.history(board, rng, between(rng, 1, dials.plies))
        if line:
            return Game(*line)
    raise InputError(
        f"task isobench/winner found no position in {_TRIES} tries with {dials}; lower changes or widen the "
        "range of pieces"
    )


def _winner(board: Board) -> str:
    """``white``, ``black`` or ``draw`` by exhaustive search."""
    verdict = judge(board)
    if verdict is None:
        raise ValueError("a position of this task has an exact result")
    if verdict.result == "draw":
        return "draw"
    return "white" if (verdict.result == "win") == (board.turn == 1) else "black"


def question(p: WinnerProblem) -> str:
    """What is asked."""
    return (
        "In this chess position the game may be over, or its end may be near. With best play by both sides, "
        "is the result a win for white, a win for black, or a draw: who wins?"
    )


def options(p: WinnerProblem) -> tuple[str, ...]:
    """The three words."""
    return p.choices


def answer(p: WinnerProblem) -> str:
    """The winner, or ``draw``."""
    return _winner(p.game.board())


def difficulty(p: WinnerProblem) -> dict[str, float | int | str]:
    """Moves until the game is over, pieces, and whether whoever has more material wins."""
    board = p.game.board()
    verdict = judge(board)
    ahead = material(board) * board.turn
    richer = "white" if ahead > 0 else "black" if ahead < 0 else "draw"
    return {
        "moves_to_end": verdict.moves if verdict else -1,
        "pieces": _chess.pieces(board.squares),
        "material_tells": int(richer == _winner(board)),
    }


def group(p: WinnerProblem) -> str:
    """A hash of the position."""
    return _chess.group(p.game, "winner")


def content(p: WinnerProblem) -> Position:
    """The position."""
    return p.game.board().position()


def drawing(p: WinnerProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    return _chess.drawing(p.game, style)


def render(p: WinnerProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The position in one representation."""
    return _chess.render(p.game, representation, style)


def decode(representation: str, parts: tuple[Part, ...]) -> Position:
    """The position, read back."""
    return _chess.decode(representation, parts)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return READERS["winner"](text, options)
