"""Chess positions as text: FEN, a board of letters, and the moves that lead there, each of them read back.

write_fen(position)           # 8/8/8/8/8/5k2/5q2/7K w - - 0 1
write_pgn(start, moves)       # 1. e4 e5 2. Nf3, behind a FEN header where the game was set up
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from modgap._errors import FileError

from ._chess_moves import KING, LETTERS, PAWN, Board, Move, Position, square_name, square_of, start_position


def write_fen(p: Position) -> str:
    """Forsyth-Edwards notation; counters of moves are ``0 1``, for they are not part of a position here."""
    rows = (p.squares[8 * rank : 8 * rank + 8] for rank in range(7, -1, -1))
    placed = "/".join(re.sub(r"\.+", lambda gap: str(len(gap[0])), row) for row in rows)
    passing = square_name(p.passing) if p.passing >= 0 else "-"
    return f"{placed} {'w' if p.turn == 1 else 'b'} {p.castling or '-'} {passing} 0 1"


def read_fen(text: str) -> Position:
    """Read what :func:`write_fen` wrote.

    Raises:
        FileError: if it is not the FEN of a board with one king of each side.
    """
    found = re.fullmatch(r"((?:[1-8PNBRQKpnbrqk]{1,8}/?){8}) ([wb]) (-|K?Q?k?q?) (-|[a-h][36]) \d+ \d+", text)
    rows = [re.sub(r"\d", lambda gap: "." * int(gap[0]), row) for row in found[1].split("/")] if found else []
    if found is None or len(rows) != 8 or any(len(row) != 8 for row in rows):
        raise FileError(
            f"{text!r:.100} is not a position in FEN; expected such as '8/8/8/8/8/5k2/5q2/7K w - - 0 1'"
        )
    position = Position(
        "".join(reversed(rows)),
        1 if found[2] == "w" else -1,
        found[3].strip("-"),
        square_of(found[4]) if found[4] != "-" else -1,
    )
    return _checked(position, text)


def caption(p: Position) -> str:
    """Side to move and, where there are any, rights to castle and a pawn that can be taken in passing."""
    words = [f"{'White' if p.turn == 1 else 'Black'} to move"]
    if p.castling:
        words.append(f"castling {p.castling}")
    if p.passing >= 0:
        words.append(f"en passant {square_name(p.passing)}")
    return ", ".join(words)


_CAPTION = re.compile(r"(White|Black) to move(?:, castling (K?Q?k?q?))?(?:, en passant ([a-h][36]))?")


def with_caption(squares: str, text: str) -> Position:
    """A position from its squares and its :func:`caption`.

    Raises:
        FileError: if the text is no such caption, or the kings are not one of each side.
    """
    found = _CAPTION.fullmatch(text)
    if found is None:
        raise FileError(f"{text!r:.80} does not say who is to move; expected such as 'White to move'")
    passing = square_of(found[3]) if found[3] else -1
    return _checked(Position(squares, 1 if found[1] == "White" else -1, found[2] or "", passing), text)


def write_ascii(p: Position) -> str:
    """Eight rows of letters and dots from the eighth rank down, and the caption below."""
    rows = (" ".join(p.squares[8 * rank : 8 * rank + 8]) for rank in range(7, -1, -1))
    return "\n".join((*rows, caption(p)))


def read_ascii(text: str) -> Position:
    """Read what :func:`write_ascii` wrote.

    Raises:
        FileError: if it is not such a board.
    """
    *rows, last = text.split("\n")
    if len(rows) != 8 or not all(
        re.fullmatch(r"[.PNBRQKpnbrqk](?: [.PNBRQKpnbrqk]){7}", row) for row in rows
    ):
        raise FileError(
            "the board is not eight rows of eight letters or dots, and a line that says who is to move"
        )
    return with_caption("".join(row.replace(" ", "") for row in reversed(rows)), last)


def _checked(p: Position, text: str) -> Position:
    if p.squares.count("K") != 1 or p.squares.count("k") != 1:
        raise FileError(f"{text!r:.100} does not have one king of each side")
    if set("Pp") & {*p.squares[:8], *p.squares[56:]}:
        raise FileError(f"{text!r:.100} has a pawn on the first or the last rank, where none can be")
    return p


def san(board: Board, move: Move, *, marks: bool) -> str:
    """A legal move in algebraic notation.

    Args:
        board: before the move.
        move: the move.
        marks: whether to put ``+`` behind a check and ``#`` behind a mate.
    """
    start, goal, promotion = move
    piece = abs(board.squares[start])
    takes = board.squares[goal] != 0 or (piece == PAWN and start % 8 != goal % 8)
    if piece == KING and abs(start - goal) == 2:
        text = "O-O" if goal > start else "O-O-O"
    elif piece == PAWN:
        text = ("abcdefgh"[start % 8] + "x" if takes else "") + square_name(goal)
        text += "=" + LETTERS[promotion] if promotion else ""
    else:
        text = LETTERS[piece] + _which(board, move) + ("x" if takes else "") + square_name(goal)
    if not marks:
        return text
    undo = board.push(move)
    check, over = board.in_check(), not board.any_move()
    board.pop(undo)
    return text + ("#" if check and over else "+" if check else "")


def _which(board: Board, move: Move) -> str:
    """File, rank or square of the piece that moves, where another of its kind could go there too."""
    start, goal, _ = move
    others = [
        m[0]
        for m in board.pseudo()
        if m[1] == goal
        and m[0] != start
        and board.squares[m[0]] == board.squares[start]
        and board.is_legal(m)
    ]
    if not others:
        return ""
    name = square_name(start)
    if all(s % 8 != start % 8 for s in others):
        return name[0]
    return name[1] if all(s // 8 != start // 8 for s in others) else name


def write_pgn(start: Position, moves: Sequence[Move]) -> str:
    """The moves of a game, without its result; checks and mates are marked only in games from the beginning.

    A game that was set up has the headers ``SetUp`` and ``FEN``. There a last move is no more than a move:
    whether it mates is what the reader is asked.
    """
    whole = start == start_position()
    board = Board.of(start)
    words = []
    number = 1
    for i, move in enumerate(moves):
        if board.turn == 1:
            words.append(f"{number}.")
        elif i == 0:
            words.append(f"{number}...")
        words.append(san(board, move, marks=whole))
        number += board.turn == -1
        board.push(move)
    body = " ".join(words)
    return body if whole else f'[SetUp "1"]\n[FEN "{write_fen(start)}"]\n\n{body}'


_HEADERS = re.compile(r'\[SetUp "1"\]\n\[FEN "([^"\n]{1,100})"\]\n\n')


def read_pgn(text: str) -> Position:
    """The position after the last move of what :func:`write_pgn` wrote.

    Raises:
        FileError: if a move is not legal, not clear, or not written as it should be.
    """
    header = _HEADERS.match(text)
    board = Board.of(read_fen(header[1]) if header else start_position())
    for word in (text[header.end() :] if header else text).split():
        if re.fullmatch(r"\d+\.(?:\.\.)?", word):
            continue
        meant = [m for m in board.moves() if san(board, m, marks=False) == word.rstrip("+#")]
        if len(meant) != 1:
            raise FileError(f"move {word!r:.20} is not legal there, or is not clear")
        board.push(meant[0])
    return board.position()
