"""Whatever comes from outside: replies, captions, run folders, vectors, parquet, results.

Damage of any kind is an answer or one clear error, never a crash, a hang or code that runs.

The same examples in every run (``derandomize``), so that a failure is found again.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import modgap
from modgap._errors import ModgapError
from modgap.evaluate import open_run, summarize
from modgap.report import report_of
from modgap.report._index import find
from modgap.scenes import read_caption, sample_scene, write_caption
from modgap.scenes._sample import SceneSettings
from modgap.tasks import load, load_suite, names, write_suite

FUZZ = settings(
    derandomize=True, deadline=None, max_examples=40, suppress_health_check=[*HealthCheck], database=None
)
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        (
            *(
                "Answer:",
                "answer is ",
                "\\boxed{",
                "}",
                "**",
                "<think>",
                "</think>",
                "not ",
                "(A)",
                "yes",
                "no",
            ),
            *(
                "even",
                "odd",
                "convex",
                "1/0",
                "٣",
                "½",
                "1e999",
                "-0",
                "Qh5#",
                "e2e4",
                "\n\n",
                "{",
                "[",
                "\x00",
            ),
            *("the ", "two red stars", "left of", "There is a ", ".", ", "),
        )
    ),
)
REPLIES = st.lists(PIECES, max_size=14).map("".join)


class Trap:
    """Unpickling this would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A way of damaging a file: bytes changed, cut off, doubled, or replaced by something else."""
    kind = draw(st.sampled_from(["bytes", "cut", "double", "other", "values"]))
    at = draw(st.floats(0, 1))
    new = draw(st.binary(min_size=1, max_size=8))
    word = draw(st.sampled_from(["null", "[]", '"x"', "-1", "1e400", '{"a":1}', "NaN", '"../../etc/passwd"']))

    def damage(data: bytes) -> bytes:
        place = int(at * len(data))
        match kind:
            case "bytes":
                return data[:place] + new + data[place + len(new) :]
            case "cut":
                return data[:place]
            case "double":
                return data[:place] + data
            case "other":
                return new
            case _:  # another value where a value of JSON begins
                colon = data.find(b":", place)
                ends = [end for end in (data.find(b",", colon), data.find(b"}", colon)) if end > 0]
                return (
                    data if colon < 0 or not ends else data[: colon + 1] + word.encode() + data[min(ends) :]
                )

    return damage


def survives(action: Callable[[], Any]) -> None:
    """It works, or raises what modgap raises on purpose, with words; and soon."""
    began = time.process_time()
    try:
        action()
    except ModgapError as error:
        assert str(error).strip()
    assert time.process_time() - began < 20  # a hang, not a slow machine


TASKS = [load(name) for name in names()]


@FUZZ
@given(REPLIES, st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=5, unique=True))
@example("(" * 20_000, ["a", "b"])
@example("\\boxed{" * 5_000, ["a", "b"])
@example("not " * 20_000 + "even", ["a", "b"])
def test_replies(reply: str, options: list[str]) -> None:
    for task in TASKS:
        began = time.process_time()
        answer = task.parse(reply, options)
        assert answer.status != "answer" or answer.value is not None, task.name
        assert time.process_time() - began < 20, task.name


@FUZZ
@given(st.integers(0, 50), REPLIES, st.floats(0, 1))
@example(0, "a red " * 5_000, 0.5)
def test_captions(seed: int, inserted: str, at: float) -> None:
    rng = np.random.default_rng(seed)
    scene = sample_scene(rng, SceneSettings())
    text = write_caption(scene, rng).text
    place = int(at * len(text))
    changed = text[:place] + inserted + text[place:]
    reading = read_caption(changed, scene)
    for start, end in reading.unread:
        assert 0 <= start <= end <= len(changed)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = modgap.measure(
        "random", "scenes", n=2, tasks=("count", "existence"), out=tmp_path_factory.mktemp("runs"), name="run"
    )
    return Path(run.folder)


@settings(FUZZ, max_examples=30)
@given(st.sampled_from(["run.json", "problems.jsonl", "records.jsonl", "media"]), damages())
def test_run_folders(
    run_folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str, damage: Any
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "run"
    shutil.copytree(run_folder, folder)
    path = folder / name if name != "media" else next((folder / "media").iterdir())
    path.write_bytes(damage(path.read_bytes()))

    def read() -> None:
        run = open_run(folder)
        summarize(run.records(), run.problems(media=False))
        list(run.problems())

    survives(read)
    survives(lambda: report_of(folder))
    assert len(find(folder)) == 1  # the list of `modgap view` says what is wrong and goes on
    shutil.rmtree(folder)


@FUZZ
@given(damages())
@example(lambda data: b"[" * 200_000)
def test_results(tmp_path_factory: pytest.TempPathFactory, damage: Any) -> None:
    folder = tmp_path_factory.mktemp("results")
    rows = [{"task": "count", "gain": 1.5, "curve": [0.1, None]}, {"task": "<script>"}]
    (folder / "findings.json").write_bytes(damage(json.dumps({"findings": rows, "n": 3}).encode()))
    survives(lambda: report_of(folder))


@FUZZ
@given(st.sampled_from(["vector.safetensors", "vector.json"]), damages())
def test_vectors(tmp_path_factory: pytest.TempPathFactory, name: str, damage: Any) -> None:
    torch = pytest.importorskip("torch")
    from modgap.steering import SteeringVector, load_vector

    folder = tmp_path_factory.mktemp("vectors")
    SteeringVector("spatial", "meanshift", torch.ones(3, 4), {"sentences": 4}).save(folder)
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    survives(lambda: load_vector(folder))


@FUZZ
@given(damages())
def test_parquet(parquet: bytes, tmp_path_factory: pytest.TempPathFactory, damage: Any) -> None:
    path = tmp_path_factory.mktemp("parquet") / "mine.parquet"
    path.write_bytes(damage(parquet))
    survives(lambda: list(load_suite(str(path)).problems(None)))


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("suite")
    suite = load_suite("scenes", tasks=("count",))
    write_suite(suite.problems(2), folder, suite=suite)
    return next(folder.rglob("*.parquet")).read_bytes()


def test_nothing_is_unpickled(tmp_path: Path, run_folder: Path) -> None:
    """A pickle in the place of any file that is read is refused, and what it would do is not done."""
    from modgap.steering import load_vector
    from modgap.steering._sweep import load_sweep

    trap = tmp_path / "trap"
    bad = pickle.dumps(Trap(trap))
    with pytest.raises(FileExistsError):  # it does work
        trap.mkdir()
        pickle.loads(bad)
    trap.rmdir()
    for name in ("vector.safetensors", "sweep.npz", "mine.parquet", "mine.jsonl", "run.json"):
        (tmp_path / name).write_bytes(bad)
    (tmp_path / "vector.json").write_text("{}")
    np.savez(tmp_path / "sweep.npz", right=np.array([Trap(trap)], dtype=object))
    (tmp_path / "sweep.json").write_text('{"cells": [], "tasks": [], "groups": [], "problem_ids": []}')
    for read in (
        lambda: load_vector(tmp_path),
        lambda: load_sweep(tmp_path),
        lambda: list(load_suite(str(tmp_path / "mine.parquet")).problems(None)),
        lambda: list(load_suite(str(tmp_path / "mine.jsonl")).problems(None)),
        lambda: open_run(tmp_path),
    ):
        with pytest.raises(ModgapError):
            read()
    assert not trap.exists()
