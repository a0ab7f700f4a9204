"""One page for a folder of results that is no run: its figures as tables, its pictures, nothing left out.

Sweeps, doses, spectra, rates and trainings write JSON and pictures; this shows them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgap._errors import FileError
from modgap.evaluate._lines import replace_file
from modgap.report._render import render

RESULTS = (
    "findings.json",
    "dose.json",
    "spectrum.json",
    "modules.json",
    "evaluation.json",
    "rates.json",
    "strengthen.json",
    "arms.json",
    "merge.json",
    "result.json",
    "results.json",
)
"""Files that make a folder one of results."""

LOG_FILE = "log.jsonl"
"""Of a training: one line for each look at the validation rows, with its ``step``."""

RESULTS_FILE = "results.html"
MOST_ROWS = 200
"""Of one table; how many were left out is said."""
MOST_BYTES = 8 * 2**20
MOST_DEPTH = 4
PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Table:
    """Rows of one list or mapping.

    Args:
        title: where it stands in the file, such as ``findings.json: elsewhere``.
        columns: names.
        rows: of text.
        left_out: further rows that are not shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True)
class Curve:
    """How a figure of a training goes on, for a plot of 300 × 120.

    Args:
        name: of the figure.
        points: of an SVG polyline.
        first, last: step and value, as text.
        top: value at the upper end; the lower is 0.
    """

    name: str
    points: str
    first: tuple[str, str]
    last: tuple[str, str]
    top: str


def is_results(folder: Path) -> bool:
    """Whether a folder holds results of a verb other than ``measure`` and ``close``."""
    return any((folder / name).is_file() for name in (*RESULTS, LOG_FILE))


def write_results(folder: Path) -> Path:
    """Write ``results.html`` into a folder of results.

    Args:
        folder: with at least one of ``RESULTS``.

    Returns:
        Path of the page.

    Raises:
        FileError: nothing to show, a file that is no JSON, or the page cannot be written.
    """
    tables: list[Table] = []
    for path in sorted(folder.glob("*.json")):
        if path.name in RESULTS:
            tables += tables_of(path.name, _read(path))
    log = _read_log(folder / LOG_FILE) if (folder / LOG_FILE).is_file() else []
    tables += tables_of(LOG_FILE, log)
    pictures = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES]
    if not tables and not pictures:
        raise FileError(f"{folder}: no results to show; accepted are {', '.join(RESULTS)}")
    page = render(
        "results.html",
        pictures="'self' file:",
        title=f"modgap: {folder.resolve().name}",
        name=folder.resolve().name,
        tables=tables,
        images=pictures,
        curves=curves_of(log),
    )
    try:
        replace_file(folder / RESULTS_FILE, page.encode())
    except OSError as error:
        raise FileError(f"{folder / RESULTS_FILE}: cannot be written ({error.strerror})") from error
    return folder / RESULTS_FILE


def tables_of(title: str, value: Any, depth: int = 0) -> list[Table]:
    """A value of JSON as tables: lists of objects by column, the plain fields of an object by row.

    Args:
        title: of the first table.
        value: what JSON can hold.
        depth: of ``value`` in its file; below ``MOST_DEPTH`` values are written as text.
    """
    if isinstance(value, dict):
        plain = {key: item for key, item in value.items() if not _nested(item) or depth >= MOST_DEPTH}
        found = [Table(title, ("", "value"), tuple((k, show(v)) for k, v in plain.items()))] if plain else []
        for key, item in value.items():
            if key not in plain:
                found += tables_of(f"{title}: {key}", item, depth + 1)
        return found
    if not isinstance(value, list):
        return [Table(title, ("value",), ((show(value),),))]
    some = value[:MOST_ROWS]
    left = len(value) - len(some)
    if some and all(isinstance(row, dict) for row in some):
        columns = tuple(dict.fromkeys(key for row in some for key in row))
        rows = tuple(tuple(show(row.get(column)) for column in columns) for row in some)
        return [Table(title, columns, rows, left)]
    return [Table(title, ("value",), tuple((show(row),) for row in some), left)] if some else []


def curves_of(log: list[dict[str, Any]]) -> list[Curve]:
    """Loss and validation over steps, where there are two looks or more."""
    curves = []
    for name in ("validation", "loss"):
        rows = [(row["step"], row[name]) for row in log if "step" in row and name in row]
        spots = [(float(x), float(y)) for x, y in rows if _is_number(x) and _is_number(y)]
        if len(spots) < 2:
            continue
        right, top = max(x for x, _ in spots) or 1.0, max(y for _, y in spots) or 1.0
        points = " ".join(f"{300 * x / right:.1f},{120 - 110 * y / top:.1f}" for x, y in spots)
        first, last = ((show(x), show(y)) for x, y in (spots[0], spots[-1]))
        curves.append(Curve(name, points, first, last, show(top)))
    return curves


def show(value: Any) -> str:
    """A value in a cell: four digits, no quotes."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−")
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        shown = ", ".join(show(item) for item in value[:20])
        return shown + (f" … ({len(value):,})" if len(value) > 20 else "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:400]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e100


def _nested(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, list | dict) for item in value)


def _read_log(path: Path) -> list[dict[str, Any]]:
    rows = _read(path, lambda data: [json.loads(line) for line in data.splitlines()])
    return [row for row in rows if isinstance(row, dict)]


def _read(path: Path, decode: Callable[[bytes], Any] = json.loads) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileError(f"{path}: larger than {MOST_BYTES >> 20} MB, which is more than a page can show")
        return decode(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path}: not the JSON that was expected ({error})") from error
