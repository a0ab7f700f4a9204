"""Stored results of the official IsoBench evaluation, read again.

    imported = import_isobench_eval(Path("isobench_results/gpt-5-nano"), Path("runs/gpt-5-nano"))

The folder holds one file of records for each task (``math_parity.json`` and so on, packed or not) and, if it
is there, ``evaluation_summary.json``, whose accuracies must come out exactly. There the labels of the data
are the only answers that can be read, and a reply that gives none is given the first; here the domain is
open and a reply without an answer has none. The two prompts of an item differ in wording, and pictures are
not stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from modgap._errors import FileError
from modgap.evaluate._import_run import Imported, Stored, missing_picture, read_json, write_imported
from modgap.media import Text
from modgap.tasks import AnswerKind, Problem, Representation, read_reply
from modgap.tasks._file_suite import hash_file

SUMMARY = "evaluation_summary"
SOURCE = "isobench-eval"

_SHORT = {
    "math_parity": "parity",
    "math_convexity": "convexity",
    "math_breakpoint": "breakpoints",
    "graph_connectivity": "connectivity",
    "graph_maxflow": "maxflow",
    "graph_isomorphism": "isomorphism",
    "chemistry": "chemistry",
    "physics": "physics",
    "winner_id": "winner",
}
"""Name there → name here; ``puzzle`` is not evaluated there."""

_ASKED = {
    "parity": ("Is the function even, odd or neither?", ("even", "odd", "neither")),
    "convexity": ("Is the function convex or concave?", ("convex", "concave")),
    "breakpoints": ("How many breakpoints does the function have?", ()),
    "connectivity": ("Are the two nodes connected by a path?", ("yes", "no")),
    "maxflow": ("What is the maximum flow from the source to the sink?", ()),
    "isomorphism": ("Are the two graphs isomorphic?", ("yes", "no")),
    "winner": ("Who wins the game?", ("white", "black", "draw")),
}
_CHANCE = {"breakpoints": 1 / 2, "maxflow": 1 / 25}
"""Of a guess among the labels that occur in the data."""

_SPELLED = {"true": "yes", "false": "no"}


class _Sample(msgspec.Struct):
    question: str | None = None


class _Evaluation(msgspec.Struct):
    choices: list[str | int]
    input_prompt: str
    model_response: str | None
    parsed_prediction: str | int | None
    ground_truth: str | int
    is_correct: bool


class _Record(msgspec.Struct):
    sample_index: int
    task_name: str
    modality: Literal["text", "image"]
    dataset_sample: _Sample
    evaluation: _Evaluation


class _Counts(msgspec.Struct):
    total: int
    correct: int


class _Task(msgspec.Struct):
    modality_breakdown: dict[str, _Counts]


class _Summary(msgspec.Struct):
    model_name: str
    task_summaries: dict[str, _Task]


def import_isobench_eval(source: Path, folder: Path) -> Imported:
    """Read stored results of one model into run folders.

    Args:
        source: folder with the files of one model.
        folder: of the run to be written; the official reading goes to a folder beside it.

    Returns:
        Both runs, and every reply with both readings.

    Raises:
        FileError: if the folder holds no results, or a file is not what it should be.
        RunError: if a run folder holds another run, or cannot be written.
    """
    files = _files(source)
    stored = [one for name, path in files.items() if name != SUMMARY for one in _stored(path, name)]
    model, notes = source.resolve().name, []
    if SUMMARY in files:
        summary = read_json(files[SUMMARY], _Summary)
        model = summary.model_name
        notes.append(_reproduced(summary, stored))
    notes.append("text and picture were asked in different words by the source; pictures are not stored")
    return write_imported(
        folder,
        stored,
        source=SOURCE,
        model=model,
        suite=SOURCE,
        settings={"sha256": {path.name: hash_file(path) for path in files.values()}},
        notes=notes,
    )


def _files(source: Path) -> dict[str, Path]:
    """Name of a task, or of the summary → its file."""
    known = (*_SHORT, SUMMARY)
    try:
        there = sorted(source.iterdir())
    except OSError as error:
        raise FileError(
            f"{source}: cannot be read ({error.strerror}); expected a folder of results"
        ) from error
    found = {path.name.split(".")[0]: path for path in there if path.name.endswith((".json", ".json.gz"))}
    files = {name: found[name] for name in known if name in found}
    if not set(files) - {SUMMARY}:
        raise FileError(
            f"{source}: holds no results of the official evaluation; expected files such as "
            "math_parity.json or math_parity.json.gz"
        )
    return files


def _stored(path: Path, name: str) -> Iterator[Stored]:
    records = read_json(path, list[_Record])
    short = _SHORT[name]
    by_item: dict[int, dict[str, _Record]] = {}
    for number, record in enumerate(records, 1):
        item = by_item.setdefault(record.sample_index, {})
        if record.task_name != name or record.modality in item:
            raise FileError(
                f"{path}: record {number} is of task {record.task_name!r}, item {record.sample_index}, "
                f"{record.modality}, which is not of this file or was there before"
            )
        item[record.modality] = record
    for index, item in by_item.items():
        problem = _problem(short, index, item, path)
        for modality, record in item.items():
            e = record.evaluation
            yield Stored(
                record_id=f"{short}-{modality}-{index}",
                problem=problem,
                representation=modality,
                reply=e.model_response,
                ours=None if e.model_response is None else read_reply(problem, e.model_response),
                official=_official(e.parsed_prediction, problem),
                credited=e.is_correct,
            )


def _problem(short: str, index: int, item: dict[str, _Record], path: Path) -> Problem:
    first = next(iter(item.values()))
    e = first.evaluation
    if any(record.evaluation.ground_truth != e.ground_truth for record in item.values()):
        raise FileError(f"{path}: item {index} has two right answers; expected the same for text and image")
    if short in _ASKED:
        question, options = _ASKED[short]
    else:
        question, options = first.dataset_sample.question or "(not stored)", tuple(map(str, e.choices))
    kind: AnswerKind = "choice" if options else "integer"
    answer = str(e.ground_truth) if short in ("chemistry", "physics") else str(e.ground_truth).lower()
    if options and answer not in options:
        raise FileError(f"{path}: item {index}: {answer!r} is not one of {', '.join(options)}")
    # The graph of a connectivity item is the first graph of the isomorphism item of the same number.
    graph = short in ("connectivity", "isomorphism")
    return Problem(
        problem_id=f"{short}-{index}",
        task=f"isobench/{short}",
        question=question,
        answer=answer,
        representations=tuple(_representation(record) for record in item.values()),
        options=options,
        answer_kind=kind,
        group=f"graph-{index}" if graph else f"{short}-{index}",
        chance=_CHANCE[short] if short in _CHANCE else 1 / len(options) if options else None,
    )


def _representation(record: _Record) -> Representation:
    asked = Text(record.evaluation.input_prompt)
    if record.modality == "image":
        return Representation("image", "image", (asked, missing_picture()))
    return Representation("text", "text", (asked,))


def _official(prediction: str | int | None, problem: Problem) -> str | None:
    """Their reading, spelled as ours; a call to their parser that failed is stored as -1."""
    parsed = str(prediction)
    if prediction is None or parsed.strip() == "-1":
        return None
    if parsed in problem.options:
        return parsed
    lowered = parsed.strip().lower()
    return _SPELLED.get(lowered, lowered)


def _reproduced(summary: _Summary, stored: list[Stored]) -> str:
    """Whether the records give the counts of the summary, exactly."""
    differing = []
    for name, task in summary.task_summaries.items():
        for modality, counts in task.modality_breakdown.items():
            mine = [
                one.credited
                for one in stored
                if one.problem.task == f"isobench/{_SHORT.get(name)}" and one.representation == modality
            ]
            if (len(mine), sum(mine)) != (counts.total, counts.correct):
                differing.append(
                    f"{name} {modality}: {sum(mine)}/{len(mine)}, not {counts.correct}/{counts.total}"
                )
    if differing:
        return f"the official summary does not follow from the records ({'; '.join(differing)})"
    return "the official reading reproduces every accuracy of the official summary exactly"
