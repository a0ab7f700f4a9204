"""Problems of the suite ``isobench`` in the columns of the published set, with some of our own behind.

    write_isobench(load_suite("isobench").problems(100, seed=1), Path("mine"))

The folder has one parquet file for each published configuration; ``--suite isobench:mine`` and
``datasets.load_dataset`` read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modgap._errors import FileError, InputError
from modgap.media import Image, Text

from ._parquet import _pyarrow
from ._problem import Problem

_GRAPH = ("query_nodes_color", "adjacency_matrix", "query_node_1", "query_node_2", "label")
_FLOW = ("source_node", "source_node_color", "sink_node", "sink_node_color", "adjacency_matrix", "label")
_FORMULA = ("domain", "latex", "code", "label")
_CHESS = ("anl", "pgn", "fen", "label")
_SCIENCE = ("question", "choices", "label", "description")
_CONFIGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "parity": ("math_parity", _FORMULA),
    "convexity": ("math_convexity", _FORMULA),
    "breakpoints": ("math_breakpoint", _FORMULA),
    "connectivity": ("graph_connectivity", _GRAPH),
    "maxflow": ("graph_maxflow", _FLOW),
    "isomorphism": ("graph_isomorphism", ("adjacency_matrix_G", "adjacency_matrix_H", "label")),
    "chemistry": ("chemistry", _SCIENCE),
    "physics": ("physics", _SCIENCE),
    "winner": ("winner_id", _CHESS),
    "puzzle": ("puzzle", _CHESS),
}
_OWN = ("asked", "answer", "options", "difficulty", "group", "canary")
_NODES = re.compile(r"node (\d+) (?:and|to) node (\d+)\?")
_NUMBERS = ("query_node_1", "query_node_2", "source_node", "sink_node")


def write_isobench(problems: Iterable[Problem], folder: Path, canary: str) -> list[Path]:
    """Write problems; those of one task are held in memory until all are there.

    Args:
        problems: of the suite ``isobench``, with all their representations.
        folder: where to; made if it is not there, and must be empty if it is.
        canary: in every row.

    Returns:
        The files, one for each task.

    Raises:
        InputError: if a problem is not of the suite, or lacks a representation.
        FileError: if the folder is not empty or cannot be written.
        MissingExtra: if pyarrow is not installed.
    """
    pa = _pyarrow()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileError(f"{folder}: not empty; choose another folder, nothing is overwritten")
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error}); choose another folder") from error
    rows: dict[str, list[dict[str, Any]]] = {}
    for problem in problems:
        suite, _, short = problem.task.partition("/")
        if suite != "isobench" or short not in _CONFIGS:
            raise InputError(
                f"task {problem.task} has no published columns; format isobench is for the suite isobench"
            )
        rows.setdefault(short, []).append(_row(problem, short, canary))
    written = []
    try:
        for short, each in rows.items():
            path = folder / _CONFIGS[short][0] / "validation-00000-of-00001.parquet"
            path.parent.mkdir()
            pa.parquet.write_table(pa.Table.from_pylist(each, schema=_schema(pa, short, canary)), str(path))
            written.append(path)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error}); choose another folder") from error
    return written


def _row(problem: Problem, short: str, canary: str) -> dict[str, Any]:
    texts = {
        r.name: "".join(part.text for part in r.parts if isinstance(part, Text))
        for r in problem.representations
    }
    image = next((part for r in problem.representations for part in r.parts if isinstance(part, Image)), None)
    try:
        row = _COLUMNS[short](problem, texts)
    except KeyError as error:
        raise InputError(
            f"{problem.problem_id} lacks representation {error}; format isobench needs all of them"
        ) from error
    if image is None:
        raise InputError(f"{problem.problem_id} lacks a picture; format isobench needs all representations")
    return {
        "image": {"bytes": image.data, "path": image.file_name},
        **row,
        "id": problem.problem_id,
        "asked": problem.question,
        "answer": problem.answer,
        "options": list(problem.options),
        "difficulty": json.dumps(dict(problem.difficulty)),
        "group": problem.group,
        "canary": canary,
    }


def _formula(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    code, _, domain = texts["sympy"].partition("\n")
    latex = re.sub(r", \\quad [^$]*\$\$$", "$$", texts["latex"])
    return {"domain": domain, "latex": latex, "code": code, "label": problem.answer}


def _nodes(problem: Problem) -> tuple[int, int]:
    found = _NODES.search(problem.question)
    if found is None:
        raise InputError(f"{problem.problem_id}: its question names no two nodes: {problem.question!r:.100}")
    return int(found[1]), int(found[2])


def _connectivity(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    a, b = _nodes(problem)
    return {
        "adjacency_matrix": texts["list"],
        "query_node_1": a,
        "query_node_2": b,
        "label": problem.answer == "yes",
    }


def _maxflow(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    a, b = _nodes(problem)
    return {
        "adjacency_matrix": texts["list"].partition(":\n")[2],
        "source_node": a,
        "sink_node": b,
        "label": int(problem.answer),
    }


def _isomorphism(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    g, _, h = texts["list"].removeprefix("G:\n").partition("\n\nH:\n")
    return {"adjacency_matrix_G": g, "adjacency_matrix_H": h, "label": problem.answer == "yes"}


def _chess(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    label = problem.answer.capitalize() if problem.answer in ("white", "black", "draw") else problem.answer
    return {"anl": texts["ascii"], "pgn": texts["pgn"], "fen": texts["fen"], "label": label}


def _science(problem: Problem, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "question": problem.question,
        "choices": repr(list(problem.options)),
        "label": problem.options.index(problem.answer),
        "description": texts["description"],
    }


_COLUMNS = {
    "parity": _formula,
    "convexity": _formula,
    "breakpoints": lambda problem, texts: _formula(problem, texts) | {"label": int(problem.answer)},
    "connectivity": _connectivity,
    "maxflow": _maxflow,
    "isomorphism": _isomorphism,
    "chemistry": _science,
    "physics": _science,
    "winner": _chess,
    "puzzle": _chess,
}


def _schema(pa: Any, short: str, canary: str) -> Any:
    """Published columns in their order, then our own; what we do not have is null."""
    types = dict.fromkeys(_NUMBERS, pa.int64()) | {"options": pa.list_(pa.string())}
    if short in ("connectivity", "isomorphism"):
        types["label"] = pa.bool_()
    elif short in ("breakpoints", "maxflow", "chemistry", "physics"):
        types["label"] = pa.int64()
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = [("image", image)]
    columns += [(name, types.get(name, pa.string())) for name in (*_CONFIGS[short][1], "id", *_OWN)]
    plain = {"string": "string", "int64": "int64", "bool": "bool"}
    features: dict[str, Any] = {
        name: {"dtype": plain[str(kind)], "_type": "Value"} for name, kind in columns if str(kind) in plain
    }
    features["image"] = {"_type": "Image"}
    features["options"] = {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}
    ordered = {name: features[name] for name, _ in columns}
    metadata = {"huggingface": json.dumps({"info": {"features": ordered}}), "canary": canary}
    return pa.schema(columns, metadata=metadata)
