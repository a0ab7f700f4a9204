"""The loop: measure, name the cause, try what could help, keep what does, score it once on other problems.

Three sets of problems that share nothing: *choose* (a treatment may look at it: steering picks its cell
there), *judge* (all treatments are compared with the model as it is; what helps under tests adjusted for
their number, and harms no task, may win), *test* (the winner is scored once, beside the model as it is, and
once more on pictures that are drawn otherwise). Nothing that is claimed was chosen on what it is claimed for.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgap._errors import InputError
from modgap.evaluate import Run, run_config
from modgap.evaluate._config import MeasureConfig
from modgap.evaluate._decompose import Decomposition, decompose
from modgap.evaluate._statistics import holm
from modgap.media import Modality
from modgap.models import Model, load_model
from modgap.models.local._model import LocalModel
from modgap.tasks import Problem, load_suite

from ._changes import Change, Scored, differences, pooled_difference, scores_of
from ._distill import alike, distill
from ._plan import Plan
from ._rescaled import rescaled
from ._treatments import Treatment, prompt, steered, weights

Say = Callable[[str], None]

STRATEGIES = ("direct", "oracle_transcript", "extract_then_answer", "isoscratchpad")
"""What the *judge* set is asked with: it splits the errors into causes, and two treatments come with it."""

PROMPTS = {
    "extract_then_answer": "the picture is transcribed word for word, then the question is answered from it",
    "isoscratchpad": "the picture is described, then the question is answered from the description",
}
ELSEWHERE: dict[str, Any] = {"style": "mixed", "background": "mixed"}
"""Dials of pictures that are drawn otherwise, where the suite has them."""

CHOOSE, JUDGE, TEST, OTHER, LEARN = 1, 2, 3, 4, 5
"""Which set a seed belongs to; the seed of problems is 1000 × the seed + this."""


@dataclass(frozen=True)
class Tried:
    """A treatment on the *judge* set.

    Args:
        name, kind, what, calls: of the treatment.
        pooled: over all tasks.
        tasks: each task.
        text: over all tasks in words, where the model itself was changed.
        p_holm: of ``pooled``, adjusted over all treatments.
        harms: tasks, or ``words``, that get clearly worse.
        seconds: that asking took.
    """

    name: str
    kind: str
    what: str
    calls: int
    pooled: Change
    tasks: tuple[Change, ...]
    text: Change | None
    p_holm: float
    harms: tuple[str, ...]
    seconds: float

    @property
    def helps(self) -> bool:
        """Whether it may win."""
        return self.p_holm < 0.05 and self.pooled.low_points > 0 and not self.harms


@dataclass(frozen=True)
class Closed:
    """Everything that came out.

    Args:
        model: name of it.
        gap: before, on the *test* set: words less pictures, pooled first.
        causes: errors in parts, pooled first.
        tried: all treatments, the best first.
        winner: name of the one that was scored on the *test* set; ``None`` if nothing helped.
        after: the winner on the *test* set, pooled first; empty without a winner.
        elsewhere: likewise on pictures that are drawn otherwise; empty where the suite has no such dials.
        lines: of code that apply the winner.
        folder: where everything is.
        seconds: of the whole.
    """

    model: str
    gap: tuple[Change, ...]
    causes: tuple[Decomposition, ...]
    tried: tuple[Tried, ...]
    winner: str | None
    after: tuple[Change, ...]
    elsewhere: tuple[Change, ...]
    lines: tuple[str, ...]
    folder: Path
    seconds: float

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.winner is None:
            nothing = "Nothing that was tried helps beyond what a search finds by chance"
            best = max(self.tried, key=lambda one: one.pooled.points, default=None)
            return f"{nothing}; the best, {best.name}: {best.pooled.said}." if best else f"{nothing}."
        pooled = self.after[0]
        said = pooled.said
        if pooled.low_points > 0:
            return (
                f"{self.winner} closes part of the gap: {said} on problems that took no part in choosing it."
            )
        return f"{self.winner} was chosen, but on other problems it does not clearly help: {said}."


def close(
    model: str | Model,
    out: Path,
    plan: Plan | None = None,
    *,
    listener: Say | None = None,
    treatments: Callable[[Model, Plan, Say, float, Path], Sequence[Treatment]] | None = None,
) -> Closed:
    """Run the loop.

    Args:
        model: what :func:`modgap.models.load_model` takes, or a model.
        out: folder for the runs, the winner and the report.
        plan: how much is done.
        listener: told what is going on.
        treatments: makes what is tried from model, plan, listener, the seconds that are left and ``out``; by
            default :func:`offered`.

    Raises:
        InputError: a suite without both words and pictures, or a plan that cannot work.
    """
    plan, say, began = plan or Plan(), listener or (lambda text: None), time.monotonic()
    loaded = load_model(model) if isinstance(model, str) else model
    strategies = _strategies(loaded)
    say("measuring: words, pictures, transcripts")
    judge = _measure(loaded, plan, JUDGE, out / "judge", strategy=",".join(strategies))
    causes = decompose(judge)
    base = scores_of(judge, "direct", "image")
    written = scores_of(judge, "direct", "text")
    left = 60 * plan.minutes - 3 * (time.monotonic() - began)
    found = [prompt(loaded, name, name, PROMPTS[name]) for name in PROMPTS if name in strategies]
    made = (treatments or offered)(loaded, plan, say, left, out)
    tried, models = [], {}
    for treatment in [*found, *made]:
        start = time.monotonic()
        words = None
        if treatment.kind == "prompt":
            scores = scores_of(judge, treatment.strategy, "image")
        else:
            say(f"judging {treatment.name}")
            shown: tuple[Modality, ...] = ("text", "image") if treatment.words else ("image",)
            run = _measure(treatment.model, plan, JUDGE, out / _folder(treatment.name), modalities=shown)
            scores = scores_of(run, "direct", "image")
            words = pooled_difference(written, scores_of(run, "direct", "text"))
        models[treatment.name] = treatment
        tried.append(_tried(treatment, base, scores, words, time.monotonic() - start))
    adjusted = holm([one.pooled.p for one in tried])
    tried = [dataclasses.replace(one, p_holm=p) for one, p in zip(tried, adjusted, strict=True)]
    tried.sort(key=lambda one: (-one.helps, -one.pooled.points))
    winner = tried[0].name if tried and tried[0].helps else None
    say("testing" + (f" {winner}" if winner else ""))
    after, elsewhere, lines = _test(loaded, models.get(winner or ""), plan, out)
    before = _measure(loaded, plan, TEST, out / "test")
    closed = Closed(
        model=loaded.name,
        gap=tuple(differences(scores_of(before, "direct", "image"), scores_of(before, "direct", "text"))),
        causes=causes,
        tried=tuple(tried),
        winner=winner,
        after=after,
        elsewhere=elsewhere,
        lines=lines,
        folder=out,
        seconds=time.monotonic() - began,
    )
    from ._report import write

    write(closed, plan)
    return closed


def offered(model: Model, plan: Plan, say: Say, left: float, out: Path) -> list[Treatment]:
    """What is tried beside other ways of asking: steering, rescaling, and training where there is time."""
    if not isinstance(model, LocalModel) or plan.suite != "scenes":
        return []
    suite = load_suite(plan.suite, tasks=plan.tasks or None, **plan.dials)
    seed = 1000 * plan.seed
    blocks = len(model.pretrained.anatomy.blocks)
    choose = list(suite.problems(max(20, plan.n // 2), seed + CHOOSE, ("image",)))
    found = steered(
        model,
        plan.backbone or str(model.pretrained.folder),
        choose,
        blocks=range(0, blocks, max(1, blocks // 8)),
        strengths=(0.5, 1.0, 2.0),
        positions=("image", "text"),
        say=say,
    )
    if plan.detector:
        made = rescaled(model, plan.detector, suite, choose, out / "rescaled", say)
        found += [] if made is None else [made]
    if plan.train and left <= 30:
        say("no time is left to train; a larger --budget has some")
    elif plan.train:
        problems = suite.problems(1_000_000, seed + LEARN)  # drawn as they are needed
        found.append(_distilled(model, problems, plan, say, min(left, 30 * plan.minutes), out / "trained"))
    return found


def _distilled(
    model: LocalModel, problems: Iterable[Problem], plan: Plan, say: Say, seconds: float, folder: Path
) -> Treatment:
    """Trained once, and read from its folder: its runs are known by its weights, also when they go on."""
    about = folder / "training.txt"  # written last, so a folder that has it is whole
    if about.is_file():
        say(f"{folder} was trained before; to train again, give another folder")
    else:
        result = distill(model, problems, seconds=seconds, seed=plan.seed, listener=say)
        result.save(folder)
        result.model.close()
        about.write_text(
            f"low-rank training on its own answers in words: {result.steps} steps, {result.seconds:.0f} s, "
            f"{result.questions:,} questions seen {result.epochs:.1f} times",
            encoding="utf-8",
        )
    return weights(alike(model, folder), "self-distillation", about.read_text(encoding="utf-8"))


def _folder(treatment: str) -> str:
    """Of a treatment's run: its name, so that other treatments in a loop that goes on do not meet it."""
    return "treatment-" + "".join(c if c.isalnum() else "-" for c in treatment)


def _strategies(model: Model) -> tuple[str, ...]:
    return STRATEGIES if "image" in model.modalities else ("direct",)


def _measure(
    model: Model,
    plan: Plan,
    which: int,
    out: Path,
    *,
    strategy: str = "direct",
    modalities: tuple[Modality, ...] = ("text", "image"),
    **dials: Any,
) -> Run:
    config = MeasureConfig(
        model=model.name,
        suite=plan.suite,
        n=plan.n,
        seed=1000 * plan.seed + which,
        modalities=modalities,
        tasks=plan.tasks,
        set={**plan.dials, **dials},
        strategy=strategy,
        out=str(out.parent),
        name=out.name,
    )
    return run_config(config, model=model)


def _tried(treatment: Treatment, base: Scored, scores: Scored, words: Change | None, seconds: float) -> Tried:
    found = differences(base, scores)
    if not found:
        raise InputError(f"{treatment.name}: no problem was answered both with and without it")
    pooled, *tasks = found
    harms = [change.task for change in tasks if change.points < 0 and change.clear and change.p < 0.05]
    if words is not None and words.points < 0 and words.clear and words.p < 0.05:
        harms.append("words")
    return Tried(
        treatment.name,
        treatment.kind,
        treatment.what,
        treatment.calls,
        pooled,
        tuple(tasks),
        words,
        1.0,
        tuple(harms),
        seconds,
    )


def _test(
    model: Model, winner: Treatment | None, plan: Plan, out: Path
) -> tuple[tuple[Change, ...], tuple[Change, ...], tuple[str, ...]]:
    """The winner once on the *test* set, and once on pictures that are drawn otherwise."""
    if winner is None:
        return (), (), ()
    before = _measure(model, plan, TEST, out / "test")
    image: tuple[Modality, ...] = ("image",)
    after = _measure(winner.model, plan, TEST, out / "test-after", strategy=winner.strategy, modalities=image)
    found = differences(scores_of(before, "direct", "image"), scores_of(after, winner.strategy, "image"))
    elsewhere: list[Change] = []
    if plan.suite == "scenes":
        first = _measure(model, plan, OTHER, out / "elsewhere", modalities=image, **ELSEWHERE)
        second = _measure(
            winner.model,
            plan,
            OTHER,
            out / "elsewhere-after",
            strategy=winner.strategy,
            modalities=image,
            **ELSEWHERE,
        )
        elsewhere = differences(
            scores_of(first, "direct", "image"), scores_of(second, winner.strategy, "image")
        )
    return tuple(found), tuple(elsewhere), winner.export(out / "winner")
