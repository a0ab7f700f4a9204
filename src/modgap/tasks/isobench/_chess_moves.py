"""Chess positions and all their legal moves.

    board = Board.of(position)
    board.moves()                       # legal moves as (from, to, promotion)
    undo = board.push(move); board.pop(undo)

Squares count from a1 = 0 along the ranks to h8 = 63. Pieces are 1 to 6 for a white pawn, knight, bishop,
rook, queen, king; negative for black; 0 for an empty square. All rules are here but those about repetition
and fifty moves, which depend on more than the position.
"""

from __future__ import annotations

from dataclasses import dataclass

Move = tuple[int, int, int]
"""From, to, and the piece a pawn becomes (2 to 5), else 0."""

LETTERS = ".PNBRQKkqrbnp"
"""The letter of a piece, at the index of the piece; negative indices give black ones."""

PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING = range(1, 7)

_STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
_JUMPS = ((1, 2), (2, 1), (-1, 2), (-2, 1), (1, -2), (2, -1), (-1, -2), (-2, -1))


def _to(square: int, step: tuple[int, int], times: int = 1) -> int | None:
    file, rank = square % 8 + step[0] * times, square // 8 + step[1] * times
    return rank * 8 + file if 0 <= file < 8 and 0 <= rank < 8 else None


def _ray(square: int, step: tuple[int, int]) -> tuple[int, ...]:
    found = (_to(square, step, n) for n in range(1, 8))
    return tuple(s for s in found if s is not None)


def _leaps(steps: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(t for step in steps if (t := _to(s, step)) is not None) for s in range(64))


_ALL_RAYS = tuple(tuple(_ray(s, step) for step in _STEPS) for s in range(64))
_RAYS = {
    ROOK: tuple(tuple(filter(None, rays[:4])) for rays in _ALL_RAYS),
    BISHOP: tuple(tuple(filter(None, rays[4:])) for rays in _ALL_RAYS),
    QUEEN: tuple(tuple(filter(None, rays)) for rays in _ALL_RAYS),
}
KNIGHT_MOVES = _leaps(_JUMPS)
KING_MOVES = _leaps(_STEPS)
PAWN_CAPTURES = {side: _leaps(((-1, side), (1, side))) for side in (1, -1)}
"""Side (1 white, -1 black) → square → where a pawn there captures."""

ALIGNED = tuple(tuple(any(b in ray for ray in _ALL_RAYS[a]) or a == b for b in range(64)) for a in range(64))
"""Whether two squares are on one rank, file or diagonal."""

# The right to castle: bit, square of the king, where it goes, the rook, where that goes, what must be empty.
_CASTLES = {
    1: ((1, 4, 6, 7, 5, (5, 6)), (2, 4, 2, 0, 3, (1, 2, 3))),
    -1: ((4, 60, 62, 63, 61, (61, 62)), (8, 60, 58, 56, 59, (57, 58, 59))),
}
_LOSES_RIGHT = {0: 2, 4: 3, 7: 1, 56: 8, 60: 12, 63: 4}


@dataclass(frozen=True)
class Position:
    """A chess position.

    Args:
        squares: 64 letters as in FEN, ``.`` for an empty square, from a1 along the ranks to h8.
        turn: side to move, 1 for White and -1 for Black.
        castling: rights as in FEN, a part of ``KQkq`` in this order; empty for none.
        passing: square behind a pawn that has just moved two steps and could be taken in passing, else -1.
    """

    squares: str
    turn: int
    castling: str = ""
    passing: int = -1


def square_name(square: int) -> str:
    """``e4`` for 28."""
    return "abcdefgh"[square % 8] + str(square // 8 + 1)


def square_of(name: str) -> int:
    """The inverse of :func:`square_name`."""
    return "abcdefgh".index(name[0]) + 8 * "12345678".index(name[1])


def uci(move: Move) -> str:
    """``e7e8q`` for a pawn that becomes a queen on e8."""
    return square_name(move[0]) + square_name(move[1]) + (LETTERS[-move[2]] if move[2] else "")


class Board:
    """A position that moves are made and taken back on."""

    __slots__ = ("castling", "kings", "passing", "squares", "turn")

    def __init__(self, squares: list[int], turn: int, castling: int = 0, passing: int = -1) -> None:
        self.squares = squares
        self.turn = turn
        self.castling = castling
        self.passing = passing
        self.kings = {1: squares.index(KING), -1: squares.index(-KING)}

    @classmethod
    def of(cls, position: Position) -> Board:
        """The board of a position; it must have one king of each side."""
        pieces = [LETTERS.index(c) for c in position.squares]
        squares = [p if p <= KING else p - 13 for p in pieces]
        rights = sum(1 << "KQkq".index(c) for c in position.castling)
        return cls(squares, position.turn, rights, position.passing)

    def position(self) -> Position:
        """The position on the board; ``passing`` only where a pawn can be taken there."""
        passing = self.passing
        if passing >= 0 and not any(
            m[1] == passing and abs(self.squares[m[0]]) == PAWN for m in self.moves()
        ):
            passing = -1
        rights = "".join(c for i, c in enumerate("KQkq") if self.castling >> i & 1)
        return Position("".join(LETTERS[p] for p in self.squares), self.turn, rights, passing)

    def attacked(self, square: int, by: int) -> bool:
        """Whether a side attacks a square."""
        squares = self.squares
        for s in KNIGHT_MOVES[square]:
            if squares[s] == KNIGHT * by:
                return True
        for s in PAWN_CAPTURES[-by][square]:
            if squares[s] == PAWN * by:
                return True
        king = self.kings[by]
        if king in KING_MOVES[square]:
            return True
        for slider in (ROOK, BISHOP):
            for ray in _RAYS[slider][square]:
                for s in ray:
                    piece = squares[s] * by
                    if piece:
                        if piece in (slider, QUEEN):
                            return True
                        break
        return False

    def in_check(self) -> bool:
        """Whether the side to move is in check."""
        return self.attacked(self.kings[self.turn], -self.turn)

    def pseudo(self) -> list[Move]:
        """Moves that may leave the own king attacked."""
        side, squares = self.turn, self.squares
        found: list[Move] = []
        for start, signed in enumerate(squares):
            piece = signed * side
            if piece <= 0:
                continue
            if piece == PAWN:
                self._pawn(start, found)
            elif piece in (KNIGHT, KING):
                table = KNIGHT_MOVES if piece == KNIGHT else KING_MOVES
                found += [(start, s, 0) for s in table[start] if squares[s] * side <= 0]
            else:
                for ray in _RAYS[piece][start]:
                    for s in ray:
                        if not squares[s]:
                            found.append((start, s, 0))
                            continue
                        if squares[s] * side < 0:
                            found.append((start, s, 0))
                        break
        if self.castling:
            self._castles(found)
        return found

    def _pawn(self, start: int, found: list[Move]) -> None:
        side, squares = self.turn, self.squares
        ahead = start + 8 * side
        targets = []
        if not squares[ahead]:
            targets.append(ahead)
            if start // 8 == (1 if side == 1 else 6) and not squares[ahead + 8 * side]:
                targets.append(ahead + 8 * side)
        targets += [s for s in PAWN_CAPTURES[side][start] if squares[s] * side < 0 or s == self.passing]
        for s in targets:
            if s // 8 in (0, 7):
                found += [(start, s, p) for p in (QUEEN, ROOK, BISHOP, KNIGHT)]
            else:
                found.append((start, s, 0))

    def _castles(self, found: list[Move]) -> None:
        for bit, king, goal, _, between, empty in _CASTLES[self.turn]:
            if not self.castling & bit or any(self.squares[s] for s in empty):
                continue
            if not any(self.attacked(s, -self.turn) for s in (king, between, goal)):
                found.append((king, goal, 0))

    def moves(self) -> list[Move]:
        """All legal moves."""
        return [move for move in self.pseudo() if self.is_legal(move)]

    def any_move(self) -> bool:
        """Whether there is a legal move."""
        return any(self.is_legal(move) for move in self.pseudo())

    def is_legal(self, move: Move) -> bool:
        """Whether a move of :meth:`pseudo` leaves the own king safe."""
        side = self.turn
        undo = self.push(move)
        safe = not self.attacked(self.kings[side], -side)
        self.pop(undo)
        return safe

    def push(self, move: Move) -> tuple[Move, int, int, int]:
        """Make a move; returns what :meth:`pop` needs."""
        start, goal, promotion = move
        squares, side = self.squares, self.turn
        piece, taken = squares[start], squares[goal]
        undo = (move, taken, self.castling, self.passing)
        squares[start], squares[goal] = 0, promotion * side or piece
        if piece == PAWN * side:
            if goal == self.passing:
                squares[goal - 8 * side] = 0
            self.passing = (start + goal) // 2 if abs(goal - start) == 16 else -1
        else:
            self.passing = -1
            if piece == KING * side:
                self.kings[side] = goal
                if abs(goal - start) == 2:
                    rook = next(c for c in _CASTLES[side] if c[2] == goal)
                    squares[rook[4]], squares[rook[3]] = squares[rook[3]], 0
        if self.castling:
            self.castling &= ~(_LOSES_RIGHT.get(start, 0) | _LOSES_RIGHT.get(goal, 0))
        self.turn = -side
        return undo

    def pop(self, undo: tuple[Move, int, int, int]) -> None:
        """Take a move back."""
        (start, goal, promotion), taken, self.castling, self.passing = undo
        side = self.turn = -self.turn
        squares = self.squares
        piece = PAWN * side if promotion else squares[goal]
        squares[start], squares[goal] = piece, taken
        if piece == KING * side:
            self.kings[side] = start
            if abs(goal - start) == 2:
                rook = next(c for c in _CASTLES[side] if c[2] == goal)
                squares[rook[3]], squares[rook[4]] = squares[rook[4]], 0
        elif piece == PAWN * side and goal == self.passing:
            squares[goal - 8 * side] = -PAWN * side


def start_position() -> Position:
    """Where games begin."""
    return Position("RNBQKBNR" + "P" * 8 + "." * 32 + "p" * 8 + "rnbqkbnr", 1, "KQkq")
