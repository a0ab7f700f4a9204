"""A model spread over workers: starts them, keeps them busy, and outlives them.

A worker is lost when its process or its machine ends. It is replaced, and its piece is asked again query by
query; a query that ends a second worker while it is alone there is at fault and gets an error. What is sent
to a worker and what comes back are whole pieces: a loss costs at most the work on one piece.

Ray itself restarts nothing and repeats nothing here, so that every repetition is counted in one place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgap._errors import ModelError
from modgap.media import Modality
from modgap.models._query import JSON, Model, Query, Reply

from ._cluster import connect, machines, room, share
from ._pieces import Piece, cut
from ._worker import Facts, Failure, Worker

LOSSES = 8
"""Workers lost without a single reply between them before the run stops, or three for each worker if that is
more. One query at fault costs two; a machine of eight GPUs that fails costs eight at once."""

PATIENCE = 60.0
"""Seconds without any worker before the user is told what is waited for, and the machines are counted."""


@dataclass(frozen=True)
class _Lost:
    """A worker ended before it answered; why, in words of Ray."""

    why: str


class RayModel:
    """The same model in several Ray actors. One thread at a time may use it.

    Args:
        load: loads the model; runs in each worker, so it has to be picklable.
        workers: how many; by default one for each GPU, or one for each machine where there is none.
        gpus_per_worker: GPUs of each worker, below 1 to share one; by default 1, or 0 where there is none.
        say: told what a user should know.

    Raises:
        MissingExtra: if Ray is not installed.
        InputError: if the machines have no room for so many workers.
        ModelError: if there is no cluster, or the model cannot be loaded.
    """

    def __init__(
        self,
        load: Callable[[], Model],
        *,
        workers: int | None = None,
        gpus_per_worker: float | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._load = load
        self._say = say
        self._connected = connect()
        self._loading: dict[Any, Any] = {}  # reference to the facts → worker
        self._idle: list[Any] = []
        self._facts: Facts | None = None
        self._losses = 0
        self.notes: list[str] = []
        """Those of the model in any worker, each once."""
        try:
            self._share = share(machines(), workers, gpus_per_worker)
            for _ in range(self._share.workers):
                self._launch()
            while self._facts is None:
                self._take_in(self._next([]))
        except BaseException:
            self.close()
            raise

    @property
    def loading(self) -> int:
        """How many workers are still loading the model; the others answer meanwhile."""
        return len(self._loading)

    @property
    def name(self) -> str:
        """That of the model."""
        return self._known.name

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of the model."""
        return self._known.modalities

    def fingerprint(self) -> dict[str, JSON]:
        """That of the model and nothing else: the number of workers changes no reply."""
        return self._known.fingerprint

    @property
    def requests(self) -> dict[str, str]:
        """Those of the model."""
        return self._known.requests

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Answer all queries, a piece at a time at every worker; see :class:`modgap.models.Model`.

        Raises:
            ModelError: if the model cannot go on, or no worker stays.
        """
        pending = deque(cut(queries, self._share.workers))
        busy: dict[Any, tuple[Any, Piece]] = {}
        answered: list[tuple[int, Reply]] = []
        try:
            while pending or busy or answered:
                while pending and self._idle:
                    worker, piece = self._idle.pop(), pending.popleft()
                    busy[worker.ask.remote(piece.queries)] = (worker, piece)
                # Handed over only now, so that no worker waits while the asker is at it.
                yield from answered
                answered = []
                if not (pending or busy):
                    break
                reference = self._next(list(busy))
                if reference in self._loading:
                    self._take_in(reference)
                    continue
                worker, piece = busy[reference]
                result = self._result(reference)
                del busy[reference]
                if isinstance(result, _Lost):
                    self._replace(worker, result)
                    if piece.suspect:
                        answered = [(index, _fault(result)) for index in piece.indices]
                    else:
                        pending.extend(piece.singles())
                    continue
                self._idle.append(worker)
                self._losses = 0
                self.notes += [note for note in result.notes if note not in self.notes]
                answered = [(piece.indices[index], reply) for index, reply in result.replies]
        finally:
            # Who stops listening leaves workers at work; what they are asked next waits its turn there.
            self._idle += [worker for worker, _ in busy.values()]

    def close(self) -> None:
        """End the workers, and the cluster if it was started here. Closing twice is allowed."""
        import ray

        for worker in (*self._idle, *self._loading.values()):
            ray.kill(worker)
        self._idle, self._loading = [], {}
        if self._connected:
            self._connected = False
            ray.shutdown()

    @property
    def _known(self) -> Facts:
        if self._facts is None:
            raise ModelError("no worker has loaded the model")
        return self._facts

    def _launch(self) -> None:
        """Start a worker; it is idle once it has loaded the model."""
        import ray

        # With num_cpus Ray also sets OMP_NUM_THREADS, which bounds the threads of torch.
        actor = ray.remote(num_cpus=self._share.cpus, num_gpus=self._share.gpus)(Worker)
        worker = actor.remote(self._load, str(Path.cwd()))
        self._loading[worker.load.remote()] = worker

    def _take_in(self, reference: Any) -> None:
        """A worker that was loading is ready, or is lost."""
        worker = self._loading[reference]
        facts = self._result(reference)
        del self._loading[reference]
        if isinstance(facts, _Lost):
            self._replace(worker, facts)
            return
        self._idle.append(worker)
        if self._facts is None:
            self._facts = facts
        elif facts != self._facts:
            raise ModelError(
                f"the workers do not hold the same model: {_difference(self._facts, facts)}; "
                "install the same versions and the same weights on every machine"
            )

    def _replace(self, worker: Any, lost: _Lost) -> None:
        """Start another worker for one that is lost, unless none seems to stay."""
        import ray

        ray.kill(worker)  # it may only have been out of reach, and must not come back
        self._losses += 1
        if self._losses >= max(LOSSES, 3 * self._share.workers):
            raise ModelError(
                f"{self._losses} workers ended one after the other without a reply ({lost.why}); what is "
                "done is kept: remove the cause, often too little memory, and run the same command again"
            )
        self._say(f"a worker ended and is replaced; what it was asked is asked again ({lost.why})")
        self._launch()

    def _next(self, busy: list[Any]) -> Any:
        """Wait until a worker has done something; the reference to it."""
        import ray

        told = False
        while True:
            done, _ = ray.wait([*busy, *self._loading], num_returns=1, timeout=PATIENCE)
            if done:
                return done[0]
            if busy:
                continue
            need = f"{self._share.cpus} processors and {self._share.gpus:g} GPUs"
            if not room(machines(), self._share.cpus, self._share.gpus):
                raise ModelError(
                    f"no machine of the cluster has room for a worker any more, which takes {need}; "
                    "what is done is kept: add a machine and run the same command again"
                )
            if not told:
                self._say(f"waiting for a worker: the model is being loaded, or no {need} are free")
                told = True

    def _result(self, reference: Any) -> Any:
        """What a worker returned; :class:`_Lost` if it ended before.

        Raises:
            ModelError: if the model says that it cannot go on.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            result = ray.get(reference)
        except RayTaskError:
            raise  # a bug in a model, whose traceback this is
        except RayError as error:
            return _Lost(_last_line(error))
        if isinstance(result, Failure):
            raise ModelError(result.text)
        return result


def _fault(lost: _Lost) -> Reply:
    return Reply(None, f"two workers ended while they were asked this, the second this alone ({lost.why})")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip()[:160]


def _difference(one: Facts, other: Facts) -> str:
    """The first thing in which two workers differ, in words."""
    if one.version != other.version:
        return f"modgap {one.version} and {other.version}"
    for field in sorted({*one.fingerprint, *other.fingerprint}):
        ours, theirs = one.fingerprint.get(field), other.fingerprint.get(field)
        if ours != theirs:
            return f"{field} {ours!r} and {theirs!r}"
    return f"{one.name} and {other.name}"
