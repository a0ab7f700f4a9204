"""τ-rescaling as a treatment: a little of the change of a detector given back to the model (TLDR, sec. 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from modgap.models.local._model import LocalModel
from modgap.steering._sweep import query_of
from modgap.tasks import Problem, Suite
from modgap.tldr._detector_files import shipped_or
from modgap.tldr._strengthen import Update, load_update, save_strengthened, scaled

from ._distill import alike
from ._treatments import Treatment, weights

TAUS = (0.1, 0.25, 0.5)
"""Strengths that are tried (the paper's best lie in this range)."""


def rescaled(
    model: LocalModel,
    detector: str,
    suite: Suite,
    problems: Sequence[Problem],
    folder: Path,
    say: Callable[[str], None],
) -> Treatment | None:
    """The strength that does best on these problems, if any beats the model as it is.

    Args:
        model: left as it is.
        detector: of this model: a folder that PEFT can load, or one that ships.
        suite: reads the replies.
        problems: to choose by, shown as pictures; nothing of what they show is reported as a gain.
        folder: for the changed model; one that is there was chosen by an earlier call and is taken as it is.
        say: told what is going on.
    """
    chosen = folder / "tau.txt"  # written last, so a folder that has it is whole
    if not chosen.is_file():
        update = load_update(model.pretrained, shipped_or(detector))
        say(f"rescaling: {len(TAUS)} strengths on {len(problems):,} questions")
        right = {tau: _right(model, update, tau, suite, problems) for tau in (0.0, *TAUS)}
        best = max(right, key=lambda tau: (right[tau], -tau))
        if best == 0:
            say("rescaling: no strength beats the model as it is")
            return None
        save_strengthened(model.pretrained, update, {"all": best}, folder, f"τ = {best:g} of {detector}\n")
        chosen.write_text(f"{best:g}", encoding="utf-8")
    tau = chosen.read_text(encoding="utf-8")
    what = f"weights + {tau} × the change of the detector {detector}"
    return weights(alike(model, folder), "TLDR rescaling", what)


def _right(model: LocalModel, update: Update, tau: float, suite: Suite, problems: Sequence[Problem]) -> float:
    queries = [query_of(problem, "image") for problem in problems]
    right = 0
    with scaled(model.pretrained, update, {"all": tau}):
        for index, reply in model.reply(queries):
            problem = problems[index]
            right += reply.text is not None and suite.parse(problem, reply.text).value == problem.answer
    return right / len(problems)
