"""How much the loop does, and what that costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modgap._errors import InputError
from modgap.tasks import load_suite


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Args:
        n: problems of each task in the *judge* and *test* sets.
        seed: of everything.
        suite: that is asked.
        dials: of the suite.
        tasks: of the suite; empty for all.
        minutes: about how long it may take; training gets what the rest leaves, at most half.
        train: whether training is allowed.
        backbone: text-only model that directions come from; empty for the model's own.
        detector: of the model's own errors, whose change of weights is tried as a treatment: a folder, or
            the name of one that ships; empty for none.
    """

    n: int = 60
    seed: int = 0
    suite: str = "scenes"
    dials: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"level": "plain"})
    tasks: tuple[str, ...] = ()
    minutes: float = 5.0
    train: bool = True
    backbone: str = ""
    detector: str = ""

    def __post_init__(self) -> None:
        if self.n < 20:
            raise InputError(f"n is {self.n}: give at least 20 problems of each task, or nothing can be told")
        if not self.minutes > 0:
            raise InputError(f"a budget of {self.minutes} minutes leaves no time: give more than 0")
        if self.detector:
            from modgap.tldr._detector_files import ADAPTER, shipped_or  # needs torch

            if not (shipped_or(self.detector) / ADAPTER).is_file():
                raise InputError(
                    f"detector {self.detector}: no adapter there; give a folder of `modgap tldr train`"
                )


def dry_run(plan: Plan) -> list[tuple[str, int, str]]:
    """What is done to a local model on the suite ``scenes``: (step, calls to the model, note)."""
    suite = load_suite(plan.suite, tasks=plan.tasks or None, **plan.dials)
    tasks, forms = len(suite.tasks), list(suite.representations.values())
    text, image = forms.count("text"), forms.count("image")
    each = plan.n * tasks
    return [
        ("measure in words and pictures", each * (text + image), "judge set"),
        ("transcripts and answers from them", each * image * 5, "three strategies; two calls for most"),
        ("steering", max(20, plan.n // 2) * tasks * 45, "choose set; passes over part of the blocks only"),
        ("rescaling", max(20, plan.n // 2) * tasks * 4 if plan.detector else 0, "choose set"),
        (
            "judge each treatment",
            each * (4 * text + 9 * image),
            "steering, back-patching, rescaling, training",
        ),
        ("training", 0, f"at most {plan.minutes / 2:g} minutes" if plan.train else "not allowed"),
        ("test", each * (text + 2 * image) + 2 * each, "test set, and pictures drawn otherwise"),
    ]
