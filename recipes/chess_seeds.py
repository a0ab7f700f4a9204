"""Write ``src/modgap/tasks/isobench/_chess_seeds.txt``: chess positions that problems are made from.

    python recipes/chess_seeds.py --seconds 60 --each 12 --seed 1

A walk over positions: pieces are moved, added and left out at random; positions whose result is not known yet
are kept for a while, others are filed under their cell, and the walk goes on from cells that are not full.
Lines that are there already are kept, so the file can be filled in several runs; it was filled in six of a
minute. One line is one seed: result, moves, balance of material, check (+ or -), FEN.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from modgap.tasks.isobench import _chess_seeds as seeds
from modgap.tasks.isobench._chess_games import history
from modgap.tasks.isobench._chess_moves import Board, Position
from modgap.tasks.isobench._chess_search import material, mates
from modgap.tasks.isobench._chess_text import read_fen, write_fen

DRAWS = [
    seeds.Cell("draw", moves, sign, check)
    for moves in (0, 1)
    for sign in (-1, 0, 1)
    for check in (True, False)
]
FEWEST, MOST = 7, 12  # pieces; draws by lack of material have fewer and need no seeds


def main() -> None:
    """Fill the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="processor time")
    parser.add_argument("--each", type=int, default=12, help="seeds of each cell")
    parser.add_argument("--seed", type=int, default=0, help="of the walk")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    found: dict[seeds.Cell, list[str]] = {}
    if seeds.SEEDS.exists():
        for cell, positions in seeds.seeds().items():
            found[cell] = [write_fen(p) for p in positions]
    until = time.process_time() + args.seconds
    while time.process_time() < until:
        walk(rng, found, args.each)
    lines = [
        f"{c.result} {c.moves} {c.balance} {'+' if c.check else '-'} {fen}"
        for c in sorted(found)
        for fen in found[c][: args.each]
    ]
    seeds.SEEDS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for cell in sorted(found):
        print(cell, len(found[cell]))


def walk(rng: np.random.Generator, found: dict[seeds.Cell, list[str]], each: int, steps: int = 300) -> None:
    """One walk, from a seed of any cell or from kings alone."""
    board = begin(rng, found)
    # Draws are rare: a walk that begins at one stays among them, with more or less for the side to move.
    drawn = (not board.any_move() and not board.in_check()) or seeds.cell_of(board, 1) in DRAWS
    towards = int(rng.integers(-1, 2))
    for _ in range(steps * 10 if drawn else steps):
        count = 64 - board.squares.count(0)
        new = seeds.changed(board, rng, 0.2 if count < MOST else 0.0, 0.1 if count > FEWEST else 0.0)
        if not seeds.is_sound(new):
            continue
        deep = not drawn and rng.random() < 0.15
        if drawn and len(new.moves()) > 3:
            continue
        cell = seeds.cell_of(new, 2 if deep else 1)
        if drawn and (
            cell not in DRAWS or (material(new) * towards < material(board) * towards and rng.random() < 0.8)
        ):
            continue
        if cell is None:
            if rng.random() < 0.15:
                board = new
            continue
        board = new
        keep(new, cell, found, each, rng)
        if cell.result == "win" and (cell.moves == 2 or len(mates(new, 2)) == 1):
            key = seeds.key_cell_of(new)
            if key is not None:
                keep(new, key, found, each, rng)


def begin(rng: np.random.Generator, found: dict[seeds.Cell, list[str]]) -> Board:
    """The seed of a random cell, or two kings."""
    if found and rng.random() < 0.8:
        cells = sorted(found)
        # Cells with few seeds are where walks begin most.
        weights = np.array([1 / (1 + len(found[cell])) for cell in cells])
        cell = cells[int(rng.choice(len(cells), p=weights / weights.sum()))]
        return Board.of(read_fen(found[cell][int(rng.integers(len(found[cell])))]))
    squares = ["."] * 64
    white, black = rng.choice(64, 2, replace=False)
    squares[white], squares[black] = "K", "k"
    return Board.of(Position("".join(squares), 1 if rng.random() < 0.5 else -1))


def keep(
    board: Board, cell: seeds.Cell, found: dict[seeds.Cell, list[str]], each: int, rng: np.random.Generator
) -> None:
    """File a position, if its cell has room and it is not there."""
    own = found.setdefault(cell, [])
    fen = write_fen(board.position())
    # Each has a move that may have led there: what gives check to a king must have come from somewhere.
    if fen not in own and 64 - board.squares.count(0) >= FEWEST and history(board, rng, 1):
        if len(own) < each:
            own.append(fen)
        elif rng.random() < 0.05:  # later positions are less alike
            own[int(rng.integers(each))] = fen
    if not own:
        del found[cell]


if __name__ == "__main__":
    main()
