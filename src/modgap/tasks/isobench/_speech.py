"""Formulas and boards in words, and back: ``x**3`` is ``x to the power of 3``, ``K`` ``White king on g1``."""

from __future__ import annotations

import re

from modgap._errors import FileError
from modgap.tasks._spoken import Spoken

from ._chess_moves import Position, square_name, square_of
from ._chess_text import caption, read_fen, with_caption, write_fen

_SAID = {
    "f(x) = ": "f of x equals ",
    "Piecewise(": "piecewise, begin ",
    "Abs(x)": "the absolute value of x",
    "log(x)": "the logarithm of x",
    "exp(": "e to the power of begin ",
    "**": " to the power of ",
    "*": " times ",
    ")/(": " end divided by begin ",
    "(": "begin ",
    ")": " end",
    " <= ": " is at most ",
    " >= ": " is at least ",
    " < ": " is less than ",
    " > ": " is more than ",
    " & ": " and also ",
    " + ": " plus ",
    " - ": " minus ",
    "-": "negative ",
    ", ": ", comma, ",
    "\n": ". Its domain: ",
}
"""SymPy → words; what is longer comes first where two begin alike."""

_WRITTEN = {words: text for text, words in _SAID.items()}


def _exchanged(text: str, words: dict[str, str]) -> str:
    one_of = "|".join(re.escape(key) for key in sorted(words, key=len, reverse=True))
    return re.sub(one_of, lambda found: words[found[0]], text)


FORMULA = Spoken("sympy", lambda text: _exchanged(text, _SAID), lambda script: _exchanged(script, _WRITTEN))

_PIECES = {"k": "king", "q": "queen", "r": "rook", "b": "bishop", "n": "knight", "p": "pawn"}
_ON = re.compile(r"(White|Black) (king|queen|rook|bishop|knight|pawn) on ([a-h][1-8])\.")
_CASTLING = {
    "K": "White may castle on the king's side.",
    "Q": "White may castle on the queen's side.",
    "k": "Black may castle on the king's side.",
    "q": "Black may castle on the queen's side.",
}
_PASSING = re.compile(r"A pawn can be taken in passing on ([a-h][36])\.")
_TO_MOVE = re.compile(r"(White|Black) to move\.$")


def say_board(fen: str) -> str:
    """A position as a list of pieces, rights, and the side to move."""
    p: Position = read_fen(fen)
    said = [
        f"{'White' if piece.isupper() else 'Black'} {_PIECES[piece.lower()]} on {square_name(i)}."
        for i, piece in enumerate(p.squares)
        if piece != "."
    ]
    said += [_CASTLING[right] for right in p.castling]
    if p.passing >= 0:
        said.append(f"A pawn can be taken in passing on {square_name(p.passing)}.")
    return " ".join((*said, f"{caption(p).split(' ')[0]} to move."))


def hear_board(script: str) -> str:
    """The inverse of :func:`say_board`.

    Raises:
        FileError: if it is anything else.
    """
    squares = ["."] * 64
    letters = {name: letter for letter, name in _PIECES.items()}
    for color, name, square in _ON.findall(script):
        squares[square_of(square)] = letters[name].upper() if color == "White" else letters[name]
    to_move = _TO_MOVE.search(script)
    if to_move is None:
        raise FileError("the words do not end with who is to move")
    passing = _PASSING.search(script)
    castling = "".join(right for right, words in _CASTLING.items() if words in script)
    words = f"{to_move[1]} to move" + (f", castling {castling}" if castling else "")
    return write_fen(
        with_caption("".join(squares), words + (f", en passant {passing[1]}" if passing else ""))
    )


BOARD = Spoken("fen", say_board, hear_board)

_TWO = re.compile(r"First graph: (.*) Second graph: (.*)", re.S)
_JOINED = re.compile(r"(?<=\. )([0-9]+) is joined to ([0-9]+)((?: and [0-9]+)*)\.")


def _say_graphs(story: str) -> str:
    first, second = story.removeprefix("G:\n").split("\n\nH:\n")
    return re.sub(r"Node (?=\d)|nodes? (?=\d)", "", f"First graph: {first} Second graph: {second}")


def _hear_graphs(script: str) -> str:
    found = _TWO.fullmatch(script)
    if found is None:
        raise FileError("the words do not tell of a first and a second graph")
    first, second = (
        _JOINED.sub(lambda m: f"Node {m[1]} is joined to node{'s' if m[3] else ''} {m[2]}{m[3]}.", graph)
        for graph in found.groups()
    )
    return f"G:\n{first}\n\nH:\n{second}"


GRAPH = Spoken("story")
GRAPHS = Spoken("story", _say_graphs, _hear_graphs)
DESCRIPTION = Spoken("description")

_PIECE = re.compile(r"\((?P<line>[^(),]+), \(x >=? (?P<a>-?[\d.]+)\) & \(x <= (?P<b>-?[\d.]+)\)\)")
_SPOKEN_PIECE = re.compile(r" From (?P<a>[^,]+?) to (?P<b>[^,]+), (?P<line>.+?)\.(?= From |$)")
_OPENING = "f of x is made of pieces."


def _say_pieces(text: str) -> str:
    """Every piece with its ends, which say the domain too."""
    said = [
        " From {} to {}, {}.".format(*(_exchanged(m[k], _SAID) for k in ("a", "b", "line")))
        for m in _PIECE.finditer(text)
    ]
    return _OPENING + "".join(said)


def _hear_pieces(script: str) -> str:
    found = [
        {k: _exchanged(m[k], _WRITTEN) for k in ("a", "b", "line")} for m in _SPOKEN_PIECE.finditer(script)
    ]
    if not found:
        raise FileError("the words do not tell of pieces from one place to another")
    pieces = ", ".join(
        f"({m['line']}, (x {'>' if number else '>='} {m['a']}) & (x <= {m['b']}))"
        for number, m in enumerate(found)
    )
    return f"f(x) = Piecewise({pieces})\n{found[0]['a']} <= x <= {found[-1]['b']}"


PIECES = Spoken("sympy", _say_pieces, _hear_pieces)
