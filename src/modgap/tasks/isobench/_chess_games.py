"""Moves that lead to a position: taken back from it, or played from the beginning of a game.

start, moves = history(board, rng, 4)     # up to four moves before a position
start, moves = game(rng, last=True)       # a whole game that ends in mate
"""

from __future__ import annotations

import numpy as np

from ._chess_moves import KING, PAWN, QUEEN, Board, Move, Position, start_position
from ._chess_search import VALUES, mates
from ._chess_seeds import is_sound
from ._common import pick, shuffled

Line = tuple[Position, tuple[Move, ...]]
"""Where moves begin, and the moves."""

_LONGEST = 140  # plies of a game; the published ones have 6 to 172
_GREED = 0.7  # share of moves that take the most that can be taken (our choice: such games end in mate)


def history(board: Board, rng: np.random.Generator, plies: int) -> Line | None:
    """Moves that lead to a position.

    Args:
        board: the position, without rights to castle.
        rng: where all randomness comes from.
        plies: how many, fewer where no more can be taken back.

    Returns:
        Where they begin and the moves; ``None`` if not even one can be taken back.
    """
    moves: list[Move] = []
    at = board
    for _ in range(plies):
        before = _taken_back(at, rng)
        if before is None:
            break
        at, move = before
        moves.insert(0, move)
    return (at.position(), tuple(moves)) if moves else None


def _taken_back(board: Board, rng: np.random.Generator) -> tuple[Board, Move] | None:
    """A position from which a move leads to this one, and the move."""
    side = -board.turn
    squares = board.squares
    came = [move for move in Board(squares, side).pseudo() if not squares[move[1]]]
    ways = [(goal, start) for start, goal, _ in came if abs(squares[start]) != PAWN]
    for goal, piece in enumerate(squares):
        if piece == PAWN * side:
            ways.append((goal - 8 * side, goal))
            if goal // 8 == (3 if side == 1 else 4) and not squares[goal - 8 * side]:
                ways.append((goal - 16 * side, goal))
            ways += [(goal - 8 * side + d, goal) for d in (-1, 1) if 0 <= goal % 8 + d < 8]
    wanted = board.position()
    for start, goal in shuffled(rng, ways):
        if squares[start]:
            continue
        earlier = list(squares)
        earlier[start], earlier[goal] = squares[goal], 0
        pawn = abs(squares[goal]) == PAWN
        if (start - goal) % 8 if pawn else rng.random() < 0.2:
            earlier[goal] = pick(rng, range(PAWN, KING)) * board.turn
        before = Board(earlier, side)
        if not is_sound(before):
            continue
        undo = before.push((start, goal, 0))
        same = before.position() == wanted
        before.pop(undo)
        if same:
            return before, (start, goal, 0)
    return None


def game(rng: np.random.Generator, *, last: bool) -> Line:
    """A game of players who take what they can and see mates in one; ``last`` is its last move, the mate."""
    while True:
        board = Board.of(start_position())
        moves: list[Move] = []
        for _ in range(_LONGEST):
            mate = mates(board, 1)
            if mate:
                return start_position(), tuple([*moves, mate[0]] if last else moves)
            move = _played(board, rng)
            if move is None:
                break
            board.push(move)
            moves.append(move)


def _played(board: Board, rng: np.random.Generator) -> Move | None:
    """A move of a greedy player, or ``None`` if there is none."""
    greedy = rng.random() < _GREED
    best: tuple[int, float, Move] | None = None
    for move in board.pseudo():
        gain = (
            VALUES[abs(board.squares[move[1]])] + (VALUES[QUEEN] if move[2] == QUEEN else 0) if greedy else 0
        )
        rank = (gain, rng.random())
        if (best is None or rank > best[:2]) and board.is_legal(move):
            best = (*rank, move)
    return best[2] if best else None
