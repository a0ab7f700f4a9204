"""Positions with a known result that new ones are made from: moved about, mirrored, checked again exactly.

    cell_of(board)                     # Cell("win", 2, -1, False)
    varied(cell, rng, turn=1, changes=3, pieces=10)      # a new position of a cell

``_chess_seeds.txt`` is written by ``recipes/chess_seeds.py``. A seed only says where to look: whatever is
drawn has been searched through again, and pieces that stand elsewhere make it a new problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ._chess_moves import BISHOP, KING, KING_MOVES, KNIGHT, PAWN, QUEEN, ROOK, Board, Move, Position
from ._chess_search import is_dead, is_key, judge, keys, material, mates
from ._chess_text import read_fen
from ._common import pick, shuffled

SEEDS = Path(__file__).with_name("_chess_seeds.txt")

_MOST = {PAWN: 8, KNIGHT: 2, BISHOP: 2, ROOK: 2, QUEEN: 2, KING: 1}
_NEW = (PAWN, PAWN, PAWN, KNIGHT, BISHOP, ROOK, QUEEN)
_TRIES = 80
_CHOICE = 3  # of this many seeds the one with the most fitting number of pieces is taken


@dataclass(frozen=True, order=True)
class Cell:
    """What a position has in common with its seed.

    Args:
        result: ``win``, ``loss`` or ``draw``, of the side to move; ``dead`` for a draw by lack of material;
            ``key`` for a win with a single first move.
        moves: until mate or draw.
        balance: 1 where the side to move has more material, -1 where it has less, else 0.
        check: whether the side to move is in check; of a ``key``, whether it gives check.
    """

    result: str
    moves: int
    balance: int
    check: bool


def balance(board: Board) -> int:
    """The sign of the difference in material, of the side to move."""
    difference = material(board)
    return (difference > 0) - (difference < 0)


def cell_of(board: Board, depth: int = 2) -> Cell | None:
    """The cell of a position by its result, or ``None`` if a search does not settle that."""
    verdict = judge(board, depth)
    if verdict is None:
        return None
    result = "dead" if is_dead(board) else verdict.result
    return Cell(result, verdict.moves, balance(board), board.in_check())


def key_cell_of(board: Board, depth: int = 2) -> Cell | None:
    """The cell of a position by the only move that wins fastest, or ``None`` if there is no such move."""
    found, moves = mates(board, 2), 1
    if not found and depth > 1:
        found, moves = keys(board, 2), 2
    if len(found) != 1:
        return None
    undo = board.push(found[0])
    check = board.in_check()
    board.pop(undo)
    return Cell("key", moves, balance(board), check)


def is_sound(board: Board) -> bool:
    """Whether the side not to move is safe, kings are apart, and pieces are as many as a game may leave."""
    counts: dict[int, int] = {}
    for square, piece in enumerate(board.squares):
        if piece:
            counts[piece] = counts.get(piece, 0) + 1
            if abs(piece) == PAWN and square // 8 in (0, 7):
                return False
    if any(count > _MOST[abs(piece)] for piece, count in counts.items()) or counts.get(KING) != 1:
        return False
    if board.kings[1] in KING_MOVES[board.kings[-1]]:
        return False
    return not board.attacked(board.kings[-board.turn], board.turn)


def changed(
    board: Board, rng: np.random.Generator, add: float, leave_out: float, *, even: bool = False
) -> Board:
    """A board with a small change; it need not be sound.

    Args:
        board: stays as it is.
        rng: where all randomness comes from.
        add: probability that a piece is added, 0 to 1.
        leave_out: probability that one is left out; otherwise one is moved elsewhere.
        even: whether a piece is added or left out on both sides, so that their difference stays.
    """
    squares = list(board.squares)
    men = shuffled(rng, [s for s in range(64) if squares[s]])
    spots = shuffled(rng, [s for s in range(64) if not squares[s]])
    roll = rng.random()
    if roll < add:
        piece = pick(rng, _NEW) * pick(rng, (1, -1))
        squares[spots[0]] = piece
        if even:
            squares[spots[1]] = -piece
    elif roll < add + leave_out:
        gone = next((s for s in men if abs(squares[s]) != KING), men[0])
        twin = next((s for s in men if squares[s] == -squares[gone]), None) if even else gone
        if twin is not None and abs(squares[gone]) != KING:
            squares[gone] = squares[twin] = 0
    else:
        squares[spots[0]], squares[men[0]] = squares[men[0]], 0
    return Board(squares, board.turn)


def turned(squares: list[int], mirror: bool, swap: bool) -> list[int]:
    """Files mirrored, and colours swapped with the board turned upside down."""
    if mirror:
        squares = [squares[s ^ 7] for s in range(64)]
    return [-squares[s ^ 56] for s in range(64)] if swap else squares


def _may_be(board: Board, cell: Cell, key: Move | None) -> bool:
    """Whether a short look leaves the cell possible; spares a long search.

    Args:
        board: a position.
        cell: what it may be.
        key: the first move of the position it was made from; it stays the first move.
    """
    if key is not None:
        return key in board.moves() and is_key(board, key)
    if cell.result == "key":
        return True
    return board.in_check() == cell.check and board.any_move() == (cell.moves > 0)


@cache
def seeds() -> dict[Cell, tuple[Position, ...]]:
    """Seeds by their cell."""
    found: dict[Cell, list[Position]] = {}
    for line in SEEDS.read_text(encoding="utf-8").splitlines():
        result, moves, sign, check, fen = line.split(" ", 4)
        found.setdefault(Cell(result, int(moves), int(sign), check == "+"), []).append(read_fen(fen))
    return {cell: tuple(found[cell]) for cell in sorted(found)}


def varied(cell: Cell, rng: np.random.Generator, *, turn: int, changes: int, pieces: int) -> Board | None:
    """A new position of a cell.

    Args:
        cell: one that has seeds.
        rng: where all randomness comes from.
        turn: side to move.
        changes: fewest pieces that are moved, added or left out; each keeps the cell.
        pieces: how many there are in the end, kings included; one more or less where sides are equal.

    Returns:
        The position, or ``None`` if none was found in a few tries.
    """
    some = shuffled(rng, seeds()[cell])[:_CHOICE]
    seed = min(some, key=lambda p: abs(64 - p.squares.count(".") - pieces))
    test = key_cell_of if cell.result == "key" else cell_of
    mirrored = turned(Board.of(seed).squares, rng.random() < 0.5, seed.turn != turn)
    board, done = Board(mirrored, turn), 0
    key = keys(board, 1)[0] if cell.result == "key" and cell.moves == 2 else None
    step = 1 if cell.balance else 2  # a single piece more would upset a balance
    for _ in range(_TRIES):
        missing = pieces - (64 - board.squares.count(0))
        if abs(missing) < step:
            if done >= changes:
                return board
            missing = 0
        new = changed(board, rng, 0.6 * (missing > 0), 0.6 * (missing < 0), even=step == 2)
        likely = balance(new) == cell.balance and is_sound(new) and _may_be(new, cell, key)
        if likely and test(new, cell.moves) == cell:
            board, done = new, done + 1
    return None
