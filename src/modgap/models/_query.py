"""What a model is asked and what it returns; the interface every model adapter implements.

Models know nothing of tasks: they see a :class:`Query` and return a :class:`Reply`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from modgap.media import Modality, Part

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]
AnswerMode = Literal["auto", "options", "generate"]


@dataclass(frozen=True)
class Sampling:
    """How a reply is drawn.

    Args:
        temperature: 0 is greedy.
        top_p: nucleus, 0 to 1.
        max_tokens: longest reply, in tokens of the model.
        seed: of the draw; sample ``i`` of a problem uses ``seed + i``.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int = 0


@dataclass(frozen=True)
class Query:
    """One call to a model.

    Args:
        parts: what is shown, in order: instruction, representation, question. Queries that begin with
            the same parts may share the work of reading them.
        options: the choices, when the answer is one of them; lets a local model score options.
        answer_prefix: text that the reply is made to begin with when options are scored, ``"Answer:"``.
        sampling: how the reply is drawn.
        problem_id: only for logs, replay and the baselines.
        representation: only for logs and replay.
        strategy: only for logs and replay.
        sample: 0-based index of the sample.
        truth: the right answer. Only the ``oracle`` baseline and simulated models may read it.
    """

    parts: tuple[Part, ...]
    options: tuple[str, ...] = ()
    answer_prefix: str = "Answer:"
    sampling: Sampling = field(default_factory=Sampling)
    problem_id: str = ""
    representation: str = ""
    strategy: str = "direct"
    sample: int = 0
    truth: str = ""


@dataclass(frozen=True)
class Reply:
    """What came back: a text, or an error, never both.

    Args:
        text: the reply; ``None`` when the call failed.
        error: why the call failed, in words; ``None`` when it did not.
        refused: the provider said that the model declined.
        seconds: wall time of this call, or this call's share of its batch.
        option_scores: log-probability of each option, natural logarithm, when options were scored.
        usage: ``input_tokens``, ``output_tokens``, and from a server perhaps ``reasoning_tokens`` and
            ``cost``, as the model or server counted them.
    """

    text: str | None
    error: str | None = None
    refused: bool = False
    seconds: float = 0.0
    option_scores: tuple[float, ...] | None = None
    usage: Mapping[str, float] | None = None


class Model(Protocol):
    """What a model adapter offers. One file per adapter under ``modgap/models/``.

    It may also have ``notes``, a list of what a reader of the run must know of the way it answered, in words,
    and ``requests``, the words in which it was taught to ``describe`` and to ``transcribe``.
    """

    @property
    def name(self) -> str:
        """Short name for folders and tables."""

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it can be shown. The runner skips the others and says so."""

    def fingerprint(self) -> dict[str, JSON]:
        """Everything that changes an output: weights, revision, adapter, dtype, kernel, template …"""

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Answer all queries.

        Args:
            queries: in any order; the model may batch, sort and share prefixes as it likes.

        Yields:
            (index into ``queries``, reply), each index exactly once, as soon as it is done. A query that
            fails yields a :class:`Reply` with ``error`` and does not stop the others.
        """

    def close(self) -> None:
        """Free what it holds (connections, memory)."""
