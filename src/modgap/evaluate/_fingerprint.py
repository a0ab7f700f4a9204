"""Keys: a hash over everything that can change a reply.

Two samples have the same key only if nothing that reaches the model, and nothing in the model, differs. So a
stored record may stand in for asking again, and never for another weight, adapter, prompt or picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from modgap.evaluate._config import MeasureConfig
from modgap.evaluate._prompts import PROMPT_VERSION
from modgap.media import Part, Text
from modgap.models import JSON
from modgap.tasks import Problem

_encode = msgspec.json.Encoder(order="sorted").encode


def digest(value: object) -> str:
    """128 bits of SHA-256 over the JSON of ``value`` with sorted keys, in hexadecimal."""
    return hashlib.sha256(_encode(value)).hexdigest()[:32]


def problem_digest(problem: Problem) -> str:
    """Hash of all that a strategy may show of a problem, media by the hash of their bytes."""
    shown = [(r.name, r.modality, _named(r.parts)) for r in problem.representations]
    asked = (problem.problem_id, problem.task, problem.question, problem.options, problem.instruction)
    return digest((asked, problem.answer, problem.answer_kind, shown))


def parts_digest(parts: Sequence[Part], version: int) -> str:
    """Hash of what a query shows and of the ``version`` of the strategy that made it."""
    return digest((version, _named(parts)))


def _named(parts: Sequence[Part]) -> list[object]:
    return [p.text if isinstance(p, Text) else [p.file_name] for p in parts]


class KeyMaker:
    """Makes the keys of one run.

    Args:
        config: its configuration.
        fingerprint: what the model says about itself.
    """

    def __init__(self, config: MeasureConfig, fingerprint: Mapping[str, JSON]) -> None:
        self._common = digest(
            {
                "model": fingerprint,
                "options": config.model_part(),
                "sampling": config.sampling(),
                "wording": config.wording,
                "prompt_version": PROMPT_VERSION,
            }
        )

    @property
    def common(self) -> str:
        """The hash of what all samples of the run share."""
        return self._common

    def key(self, problem: str, representation: str, strategy: str, sample: int, first: str = "") -> str:
        """Key of one sample.

        Args:
            problem: what :func:`problem_digest` says of the problem.
            representation: name of the rendering.
            strategy: name of the strategy.
            sample: 0-based index.
            first: what :func:`parts_digest` says of the first query, of any strategy but ``direct``.
        """
        text = "\0".join(
            (self._common, problem, representation, strategy, str(sample), *filter(None, [first]))
        )
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def folder_name(model_name: str, suite_name: str, config: MeasureConfig, settings: Mapping[str, JSON]) -> str:
    """``<model>-<suite>-<hash>``: the hash tells apart task configurations, so that runs of different
    models on the same task configuration end alike."""
    short = digest({"config": config.task_part(), "suite": settings, "prompt_version": PROMPT_VERSION})[:8]
    return f"{_safe(model_name)}-{_safe(suite_name)}-{short}"


def _safe(name: str) -> str:
    """A name without characters that mean something to a file system or a shell."""
    last = name.rstrip("/").split("/")[-1]
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in last).strip(".-")[:60] or "unnamed"
