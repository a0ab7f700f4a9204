"""A run as a log of inspect-ai (``.eval``), which its viewer opens: ``inspect view --log-dir FOLDER``.

    write_inspect(open_run("runs/x"), Path("runs/x/x.eval"))

The file is a zip of JSON: ``_journal/start.json``, ``samples/<id>_epoch_<n>.json``, ``summaries.json`` and
``header.json``, as inspect-ai writes it (format 2). One sample is one problem in one representation; samples
of a problem share ``metadata.problem_id``, by which they are paired. A score is ``C``, ``I``, or ``N`` where
the reply states no answer; a call that failed is a sample with an error and no score. What is kept is the
question as it is put directly, with its media inside: a strategy of several questions is not replayed.
"""

from __future__ import annotations

import base64
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import RunError
from modgap.evaluate._prompts import WORDINGS, build_parts
from modgap.evaluate._record import Outcome, Record
from modgap.evaluate._run import Run
from modgap.media import Part, Text
from modgap.tasks import Problem

VERSION = 2
"""Of the format of the log."""

SCORER = "outcome"
_VALUES: dict[Outcome, str] = {"correct": "C", "wrong": "I", "unparsed": "N", "refused": "N"}
_FORMATS = {  # those that the format knows; FLAC and WebM are none of them, and players look at the bytes
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "wav",
    "video/mp4": "mp4",
    "video/webm": "mp4",
}
_UNSAFE = re.compile(r"[^\w.:,=+ -]")
_SHORT = 1000  # characters of a text in summaries, as there
_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same run gives the same bytes


def write_inspect(run: Run, path: Path) -> Path:
    """Write the latest record of every sample of a run.

    Args:
        run: an opened run; problems are read one at a time, with their media.
        path: the file; it is replaced when the new one is complete.

    Returns:
        The path.

    Raises:
        RunError: if the run is damaged, or the file cannot be written.
        FileError: if a file of media is missing.
    """
    records = run.records()
    asked: dict[str, list[Record]] = {}
    for record in records:
        asked.setdefault(record.problem_id, []).append(record)
    start = {"version": VERSION, "eval": _spec(run, records), "plan": _plan(run)}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    summaries = []
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as log:
            _add(log, "_journal/start.json", start)
            for problem in run.problems(only=asked):
                for record in asked[problem.problem_id]:
                    sample = _sample(problem, record, run)
                    _add(log, f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample)
                    summaries.append(_summary(sample))
            _add(log, "summaries.json", summaries)
            _add(log, "header.json", start | _end(run, records))
        partial.replace(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); choose another with --out") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _add(log: zipfile.ZipFile, name: str, value: object) -> None:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    log.writestr(info, msgspec.json.encode(value))


def _spec(run: Run, records: list[Record]) -> dict[str, Any]:
    """What was asked of whom."""
    info = run.info
    return {
        "eval_id": info.fingerprint[:22],
        "run_id": info.fingerprint[:22],
        "task_id": info.suite.name,
        "created": info.created,
        "task": info.suite.name,
        "task_args": info.config,
        "dataset": {"name": info.suite.name, "samples": len({_id(r) for r in records}), "shuffled": False},
        "model": info.model.name,
        "model_args": info.model.fingerprint,
        "config": {"epochs": max((r.sample for r in records), default=0) + 1},
        "packages": info.versions,
        "metadata": {"run": run.name, "notes": list(info.notes)},
        "scorers": [{"name": SCORER}],
    }


def _plan(run: Run) -> dict[str, Any]:
    strategies = str(run.info.config.get("strategy", "direct")).split(",")
    return {"name": "plan", "steps": [{"solver": strategy.strip(), "params": {}} for strategy in strategies]}


def _id(record: Record) -> str:
    """Of a sample: the problem, how it was shown and, where it was not put directly, how it was put.

    It is part of the name of a file in the log, and the id of a problem is anybody's text: separators of
    folders and what else a name should not hold are written as in a web address (``%2F``).
    """
    way = "" if record.strategy == "direct" else f":{record.strategy}"
    return _UNSAFE.sub(_escaped, f"{record.problem_id}:{record.representation}{way}")


def _escaped(character: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in character[0].encode("utf-8", "surrogatepass"))


def _sample(problem: Problem, record: Record, run: Run) -> dict[str, Any]:
    wording = str(run.info.config.get("wording", "plain"))
    shown = next(r for r in problem.representations if r.name == record.representation)
    parts = build_parts(problem, shown, wording if wording in WORDINGS else "plain")
    asked = {"role": "user", "content": [_content(part) for part in parts], "source": "input"}
    said = {
        "role": "assistant",
        "content": record.reply or "",
        "source": "generate",
        "model": run.info.model.name,
    }
    sample: dict[str, Any] = {
        "id": _id(record),
        "epoch": record.sample + 1,
        "uuid": record.key[:22],
        "input": [asked],
        "choices": list(problem.options) or None,
        "target": record.expected,
        "messages": [asked] if record.reply is None else [asked, said],
        "output": {"model": run.info.model.name, "choices": [], "completion": record.reply or ""},
        "scores": {},
        "metadata": {
            "problem_id": record.problem_id,
            "task": record.task,
            "group": record.group,
            "representation": record.representation,
            "modality": record.modality,
            "strategy": record.strategy,
            "outcome": record.outcome,
            **({} if record.transcript is None else {"transcript": record.transcript}),
        },
        "model_usage": _usage(record, run.info.model.name),
        "total_time": record.seconds,
        "working_time": record.seconds,
    }
    if record.reply is not None:
        sample["output"]["choices"] = [{"message": said, "stop_reason": "stop"}]
    if record.outcome == "error":
        said_why = record.error or "the call failed"
        sample["error"] = {"message": said_why, "traceback": "", "traceback_ansi": ""}
    else:
        sample["scores"] = {
            SCORER: {
                "value": _VALUES[record.outcome],
                "answer": record.answer,
                "explanation": record.outcome + (", statements disagree" if record.conflicting else ""),
            }
        }
    return sample


def _content(part: Part) -> dict[str, str]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    inside = f"data:{part.mime};base64,{base64.b64encode(part.data).decode()}"
    content = {"type": part.modality, part.modality: inside}
    return content if part.modality == "image" else content | {"format": _FORMATS[part.mime]}


def _usage(record: Record, model: str) -> dict[str, Any]:
    counts = {name: int((record.usage or {}).get(name, 0)) for name in ("input_tokens", "output_tokens")}
    return {model: counts | {"total_tokens": sum(counts.values())}} if any(counts.values()) else {}


def _summary(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample without its media and long texts, for lists."""
    texts = [part["text"] for part in sample["input"][0]["content"] if part["type"] == "text"]
    kept = ("id", "epoch", "uuid", "choices", "target", "scores", "model_usage", "total_time", "working_time")
    return {
        **{name: sample[name] for name in kept},
        "input": "".join(texts)[:_SHORT],
        "metadata": {k: v[:_SHORT] if isinstance(v, str) else v for k, v in sample["metadata"].items()},
        "error": sample["error"]["message"][:_SHORT] if "error" in sample else None,
        "completed": True,
    }


def _end(run: Run, records: list[Record]) -> dict[str, Any]:
    """Result and times; accuracies count a sample without an answer as wrong and leave out failed calls."""
    names = dict.fromkeys(r.representation for r in records)
    metrics = {"accuracy": _accuracy("accuracy", records)}
    for name in names:
        metrics[f"accuracy_{name}"] = _accuracy(
            f"accuracy_{name}", (r for r in records if r.representation == name)
        )
    failed = sum(r.outcome == "error" for r in records)
    finished = run.info.finished
    return {
        "status": "started" if finished is None else "success",
        "results": {
            "total_samples": len(records),
            "completed_samples": len(records) - failed,
            "scores": [
                {
                    "name": SCORER,
                    "scorer": SCORER,
                    "params": {},
                    "scored_samples": len(records) - failed,
                    "unscored_samples": failed,
                    "metrics": metrics,
                }
            ],
        },
        "stats": {"started_at": run.info.created, "completed_at": finished or ""},
    }


def _accuracy(name: str, records: Iterable[Record]) -> dict[str, Any]:
    scored = [r.outcome == "correct" for r in records if r.outcome != "error"]
    return {"name": name, "value": sum(scored) / len(scored) if scored else 0.0, "params": {}}
