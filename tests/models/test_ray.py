"""A model spread over two Ray workers: the same records as without, and what happens when workers end.

One cluster of two processors serves the whole file; only the run that is killed with its cluster has another.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import modgap
from modgap._errors import InputError, MissingExtra, ModelError
from modgap.evaluate import Run
from modgap.media import Text
from modgap.models import Query, Reply, bundled, load_model
from modgap.models._ray import RayModel, _model

pytestmark = pytest.mark.slow

if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed: pip install 'modgap[ray]' to run this", allow_module_level=True)

psutil = pytest.importorskip(
    "psutil", reason="psutil, which comes with accelerate, finds the workers to kill"
)

DEADLINE = 300.0
"""Seconds after which something that should have happened counts as not happening; all of it takes a few."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of this machine, small in memory; its workers take the number of threads from Ray."""
    import ray

    threads = os.environ.pop("OMP_NUM_THREADS", None)
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=80 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
    )
    # These classes are in no module that a worker could import.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    ray.shutdown()
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = threads


@dataclass
class Fake:
    """Answers with ``answer``, after ``pause`` seconds."""

    answer: Callable[[Query], str]
    pause: float = 0.0
    weights: object = "abc"
    name: str = "fake"
    modalities: frozenset[str] = frozenset({"text"})
    notes: tuple[str, ...] = ("all is well",)

    def fingerprint(self) -> dict[str, Any]:
        return {"weights": self.weights}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        for index, query in enumerate(queries):
            time.sleep(self.pause)
            yield index, Reply(self.answer(query))

    def close(self) -> None:
        pass


def queries(count: int) -> list[Query]:
    return [Query((Text(f"question {number}"),), problem_id=str(number)) for number in range(count)]


def ended(query: Query) -> str:
    """Number 5 ends the process it is asked in."""
    if query.problem_id == "5":
        os.kill(os.getpid(), signal.SIGKILL)
    return query.problem_id


def workers_of(process: Any) -> list[Any]:
    """The processes of workers below a process."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ray::Worker" in " ".join(child.cmdline()):
                found.append(child)
    return found


def content(run: Run) -> dict[str, tuple[object, ...]]:
    """What must not depend on where a model runs."""
    return {
        record.key: (record.problem_id, record.representation, record.reply, record.answer, record.outcome)
        for record in run.records()
    }


def measure(out: Path, model: str = "bundled", **settings: Any) -> Run:
    settings = {"n": 2, "set": {"level": "plain"}, "name": "run"} | settings
    return modgap.measure(model, "scenes", out=out, **settings)


@pytest.mark.parametrize(
    ("model", "option"), [("random", {"largest": 3}), ("oracle", {"image_accuracy": 0.5})]
)
def test_the_same_records_as_without_ray(
    cluster: None, tmp_path: Path, model: str, option: dict[str, Any]
) -> None:
    alone = measure(tmp_path / "alone", model, option=option)
    spread = measure(tmp_path / "spread", model, option=option, engine="ray", workers=2)
    assert content(spread) == content(alone)
    assert {outcome for *_, outcome in content(spread).values()} <= {"correct", "wrong"}
    assert spread.info.fingerprint == alone.info.fingerprint


def test_runs_with_any_number_of_workers_go_on_with_each_other(cluster: None, tmp_path: Path) -> None:
    measure(tmp_path, "random", n=1)
    measure(tmp_path, "random", n=1, engine="ray", workers=1)
    run = measure(tmp_path, "random", n=1, engine="ray", workers=2)
    assert len((run.folder / "records.jsonl").read_bytes().splitlines()) == len(run.records()) > 0


def test_the_bundled_model_is_the_same_though_a_worker_is_killed_in_the_middle(
    cluster: None, tmp_path: Path
) -> None:
    if not (bundled.FOLDER / "config.json").is_file():
        pytest.skip("the bundled model has not been made")
    said: list[str] = []
    killed: list[int] = []

    def advance(*, asked: int, kept: int, errors: int) -> None:
        if asked and not killed:
            worker = workers_of(psutil.Process())[0]
            worker.kill()
            killed.append(worker.pid)

    listener = SimpleNamespace(say=said.append, begin=lambda total: None, advance=advance)
    spread = measure(tmp_path / "spread", n=4, engine="ray", workers=2, listener=listener)
    assert killed
    assert any("a worker ended and is replaced; what it was asked is asked again" in line for line in said)
    assert content(spread) == content(measure(tmp_path / "alone", n=4))
    records = (spread.folder / "records.jsonl").read_bytes().splitlines()
    assert len(records) == len(spread.records())  # nothing was written twice


def test_the_run_killed_with_its_cluster_goes_on(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("modgap")),
        "measure",
        "--model",
        "random",
        "--engine",
        "ray",
    ]
    command += ["--workers", "2", "--set", "level=plain", "-n", "100"]
    command += ["--no-report", "--name", "run", "--out", str(tmp_path)]
    records = tmp_path / "run" / "records.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE
    while not (records.exists() and records.read_bytes().count(b"\n")):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    kept = records.read_bytes().count(b"\n")
    _, alive = psutil.wait_procs(started, timeout=DEADLINE)
    assert not alive  # Ray ends with the process that started it, however that ended
    again = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    run = Run(tmp_path / "run")
    total = len(run.records())
    assert 0 < kept < total
    assert f"{total:,} samples, {kept:,} of them kept from before" in again.stderr
    assert content(run) == content(measure(tmp_path / "alone", "random", n=100))


def test_a_query_that_ends_workers_is_an_error_and_the_others_are_answered(cluster: None) -> None:
    model = RayModel(lambda: Fake(ended), workers=2)
    with contextlib.closing(model):
        replies = dict(model.reply(queries(24)))
        assert sorted(replies) == list(range(24))
        error = replies.pop(5).error
        assert error is not None
        assert error.startswith("two workers ended while they were asked this, the second this alone (")
        assert {index: reply.text for index, reply in replies.items()} == {
            index: str(index) for index in replies
        }
        assert dict(model.reply(queries(3)))[2].text == "2"
        assert model.notes == ["all is well"]  # said by every worker


def test_workers_that_never_stay_stop_the_run(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_model, "LOSSES", 2)
    model = RayModel(lambda: Fake(lambda query: os._exit(1)), workers=1)
    with contextlib.closing(model), pytest.raises(ModelError) as caught:
        list(model.reply(queries(9)))
    assert str(caught.value).startswith("3 workers ended one after the other without a reply (")
    assert "remove the cause, often too little memory, and run the same command again" in str(caught.value)


def test_who_stops_listening_may_ask_again(cluster: None) -> None:
    with contextlib.closing(RayModel(lambda: Fake(lambda query: query.problem_id, 0.01), workers=2)) as model:
        next(iter(model.reply(queries(40))))
        assert {index: reply.text for index, reply in model.reply(queries(5))} == {
            n: str(n) for n in range(5)
        }


def test_threads_are_limited_to_the_processors_of_a_worker(cluster: None) -> None:
    for workers, expected in ((1, "2"), (2, "1")):
        model = RayModel(lambda: Fake(lambda query: os.environ["OMP_NUM_THREADS"]), workers=workers)
        with contextlib.closing(model):
            assert dict(model.reply(queries(1)))[0].text == expected


def test_workers_that_hold_different_models_are_refused(cluster: None) -> None:
    def load() -> Fake:
        return Fake(lambda query: "", weights=os.getpid())

    with contextlib.closing(RayModel(load, workers=2)) as model, pytest.raises(ModelError) as caught:
        while model.loading:
            list(model.reply(queries(1)))
    assert "the workers do not hold the same model: weights " in str(caught.value)
    assert "install the same versions and the same weights on every machine" in str(caught.value)


def test_a_model_that_cannot_be_loaded_says_why(cluster: None) -> None:
    with pytest.raises(ModelError, match=r"model 'rndom' is not one of .*said by a worker on "):
        RayModel(lambda: load_model("rndom"), workers=1)


def test_a_model_that_cannot_go_on_says_why(cluster: None) -> None:
    def refuse(query: Query) -> str:
        raise ModelError("the key is wrong")

    model = RayModel(lambda: Fake(refuse), workers=1)
    with (
        contextlib.closing(model),
        pytest.raises(ModelError, match=r"the key is wrong \(said by a worker on "),
    ):
        list(model.reply(queries(1)))


def test_more_workers_than_have_room(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="workers 3 at 0 GPUs each: 1 machine with 2 processors and 0 GPUs has"
    ):
        measure(tmp_path, "random", engine="ray", workers=3)
    assert not list(tmp_path.iterdir())


def test_an_object_is_not_loaded_in_workers(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="engine 'ray' loads the model in every worker: give the name of a model"
    ):
        modgap.measure(load_model("random"), "scenes", engine="ray", out=tmp_path)


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"the engine 'ray' needs .* pip install 'modgap\[ray\]'"):
        measure(tmp_path, "random", engine="ray", workers=2)
