"""Exact results of chess positions: final ones, mates in one and two, losses and draws that nothing averts.

    judge(board)      # Verdict("win", 2): the side to move mates in two moves

Everything is exhaustive search; a position it cannot decide has no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._chess_moves import ALIGNED, BISHOP, KING, KNIGHT, KNIGHT_MOVES, PAWN, PAWN_CAPTURES, Board, Move

VALUES = (0, 1, 3, 3, 5, 9, 0)
"""Usual worth of pieces, for the difference in material."""


@dataclass(frozen=True)
class Verdict:
    """What happens with best play.

    Args:
        result: ``win``, ``loss`` or ``draw``, of the side to move.
        moves: of the winner until mate, or of the side to move until the game is drawn; 0 if it is over.
    """

    result: str
    moves: int


def material(board: Board) -> int:
    """Worth of the pieces of the side to move less that of the other, in pawns."""
    return board.turn * sum(VALUES[abs(p)] if p > 0 else -VALUES[abs(p)] for p in board.squares)


def is_dead(board: Board) -> bool:
    """Whether neither side can mate by any play: bare kings, one knight, or bishops of one colour only."""
    bishops = set()
    knights = 0
    for s, piece in enumerate(board.squares):
        size = abs(piece)
        if size == BISHOP:
            bishops.add((s + s // 8) % 2)
        elif size == KNIGHT:
            knights += 1
        elif size not in (0, KING):
            return False
    return (knights == 0 and len(bishops) <= 1) or (knights == 1 and not bishops)


def mates(board: Board, most: int = 64) -> list[Move]:
    """Moves that mate at once, up to ``most`` of them."""
    side = board.turn
    enemy = board.kings[-side]
    aligned, squares = ALIGNED[enemy], board.squares
    found = []
    for move in board.pseudo():
        start, goal, promotion = move
        piece = squares[start] * side
        if piece == PAWN:
            direct = bool(promotion) or enemy in PAWN_CAPTURES[side][goal] or goal == board.passing
        elif piece == KNIGHT:
            direct = enemy in KNIGHT_MOVES[goal]
        else:
            direct = (aligned[goal] and piece != KING) or (abs(start - goal) == 2 and piece == KING)
        if not direct and not aligned[start]:
            continue  # it can neither give check nor uncover one
        undo = board.push(move)
        if (
            board.attacked(enemy, side)
            and not board.attacked(board.kings[side], -side)
            and not board.any_move()
        ):
            found.append(move)
        board.pop(undo)
        if len(found) >= most:
            break
    return found


def keys(board: Board, most: int = 64) -> list[Move]:
    """Moves after which every reply can be mated at once, and there is a reply; up to ``most``."""
    found = []
    for move in board.moves():
        if is_key(board, move):
            found.append(move)
            if len(found) >= most:
                break
    return found


def is_key(board: Board, move: Move) -> bool:
    """Whether there are replies to a legal move, and each of them can be mated at once."""
    undo = board.push(move)
    lost = _is_lost(board)
    board.pop(undo)
    return lost


def _is_lost(board: Board) -> bool:
    """Whether the side to move has moves, and each of them can be mated at once."""
    some = False
    for move in board.pseudo():
        if not board.is_legal(move):
            continue
        some = True
        undo = board.push(move)
        mate = mates(board, 1)
        board.pop(undo)
        if not mate:
            return False
    return some


def judge(board: Board, depth: int = 2) -> Verdict | None:
    """The exact result, or ``None`` where a search of this depth does not settle it.

    Args:
        board: the position.
        depth: longest mate that is looked for, 1 or 2 moves.
    """
    if is_dead(board):
        return Verdict("draw", 0)
    legal = board.moves()
    if not legal:
        return Verdict("loss" if board.in_check() else "draw", 0)
    if mates(board, 1):
        return Verdict("win", 1)
    if _all_draw(board, legal):
        return Verdict("draw", 1)
    if _is_lost(board):
        return Verdict("loss", 1)
    return Verdict("win", 2) if depth > 1 and keys(board, 1) else None


def _all_draw(board: Board, legal: list[Move]) -> bool:
    for move in legal:
        undo = board.push(move)
        drawn = is_dead(board) or (not board.in_check() and not board.any_move())
        board.pop(undo)
        if not drawn:
            return False
    return True
