"""The loop: measure, name the cause, try what could help, keep what does, score it once on other problems.

Three sets of problems that share nothing: *choose* (a treatment may look at it: steering picks its cell
there), *judge* (all treatments are compared with the model as it is; what helps under tests adjusted for
their number, and harms no task, may win), *test* (the winner is scored once, beside the model as it is, and
once more on pictures that are drawn otherwise). Nothing that is claimed was chosen on what it is claimed for.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import InputError
from modgap.evaluate import Run, run_config
from modgap.evaluate._config import MeasureConfig
from modgap.evaluate._decompose import Decomposition, decompose
from modgap.evaluate._pairing import collect
from modgap.evaluate._statistics import group_codes, holm, paired_bootstrap, sign_flip_test
from modgap.models import Model, load_model
from modgap.models.local._model import LocalModel
from modgap.tasks import Problem, load_suite

from ._treatments import Treatment, prompt, steered, trained

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
    """

    n: int = 60
    seed: int = 0
    suite: str = "scenes"
    dials: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"level": "plain"})
    tasks: tuple[str, ...] = ()
    minutes: float = 5.0
    train: bool = True
    backbone: str = ""

    def __post_init__(self) -> None:
        if self.n < 20:
            raise InputError(f"n is {self.n}: give at least 20 problems of each task, or nothing can be told")
        if not self.minutes > 0:
            raise InputError(f"a budget of {self.minutes} minutes leaves no time: give more than 0")


@dataclass(frozen=True)
class Change:
    """After minus before, paired by problem.

    Args:
        task: full name, or ``pooled``.
        n: problems.
        before, after: accuracy on pictures, 0 to 1.
        points: 100 × the mean difference; with its 95 % interval over scenes.
        p: exact sign-flip test over scenes.
    """

    task: str
    n: int
    before: float
    after: float
    points: float
    low_points: float
    high_points: float
    p: float

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low_points > 0 or self.high_points < 0


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
            return "Nothing that was tried helps beyond what a search finds by chance."
        pooled = self.after[0]
        said = f"{pooled.points:+.1f} points ({pooled.low_points:+.1f} to {pooled.high_points:+.1f})"
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
    base = _scores(judge, "direct", "image")
    written = _scores(judge, "direct", "text")
    left = 60 * plan.minutes - 3 * (time.monotonic() - began)
    found = [prompt(loaded, name, name, PROMPTS[name]) for name in PROMPTS if name in strategies]
    made = (treatments or offered)(loaded, plan, say, left, out)
    tried, models = [], {}
    for number, treatment in enumerate([*found, *made]):
        start = time.monotonic()
        words = None
        if treatment.kind == "prompt":
            scores = _scores(judge, treatment.strategy, "image")
        else:
            say(f"judging {treatment.name}")
            run = _measure(treatment.model, plan, JUDGE, out / f"treatment-{number}")
            scores = _scores(run, "direct", "image")
            words = _pooled(written, _scores(run, "direct", "text"))
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
        gap=tuple(_differences(_scores(before, "direct", "image"), _scores(before, "direct", "text"))),
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
    """What is tried beside other ways of asking: steering, and training where it may be and there is time."""
    if not isinstance(model, LocalModel) or plan.suite != "scenes":
        return []
    suite = load_suite(plan.suite, tasks=plan.tasks or None, **plan.dials)
    seed = 1000 * plan.seed
    blocks = len(model.pretrained.anatomy.blocks)
    found = steered(
        model,
        plan.backbone or str(model.pretrained.folder),
        list(suite.problems(max(20, plan.n // 2), seed + CHOOSE, ("image",))),
        blocks=range(0, blocks, max(1, blocks // 4)),
        strengths=(0.5, 1.0, 2.0),
        positions=("image", "text"),
        seed=plan.seed,
        say=say,
    )
    if plan.train and left > 30:
        problems = list(suite.problems(6 * plan.n, seed + LEARN))
        found.append(_distilled(model, problems, plan, say, min(left, 30 * plan.minutes), out / "trained"))
    return found


def _distilled(
    model: LocalModel, problems: Sequence[Problem], plan: Plan, say: Say, seconds: float, folder: Path
) -> Treatment:
    """Trained once, and read from its folder: its runs are known by its weights, also when they go on."""
    from ._distill import alike, distill

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
    return trained(alike(model, folder), about.read_text(encoding="utf-8"))


def dry_run(model: str, plan: Plan) -> list[tuple[str, int, str]]:
    """What would be done: (step, calls to the model, note)."""
    suite = load_suite(plan.suite, tasks=plan.tasks or None, **plan.dials)
    tasks, forms = len(suite.tasks), list(suite.representations.values())
    text, image = forms.count("text"), forms.count("image")
    each = plan.n * tasks
    return [
        ("measure in words and pictures", each * (text + image), "judge set"),
        ("transcripts and answers from them", each * image * 5, "three strategies; two calls for most"),
        (
            "steering",
            max(20, plan.n // 2) * tasks * 5 * 24,
            "choose set; passes over part of the blocks only",
        ),
        ("judge each treatment", each * (text + image) * 7, "up to six ways of steering, and training"),
        ("training", 0, f"at most {plan.minutes / 2:g} minutes" if plan.train else "not allowed"),
        ("test", each * (text + image) * 2 + 2 * each, "test set, and pictures drawn otherwise"),
    ]


def _strategies(model: Model) -> tuple[str, ...]:
    return STRATEGIES if "image" in model.modalities else ("direct",)


def _measure(
    model: Model, plan: Plan, which: int, out: Path, *, strategy: str = "direct", **dials: Any
) -> Run:
    config = MeasureConfig(
        model=model.name,
        suite=plan.suite,
        n=plan.n,
        seed=1000 * plan.seed + which,
        modalities=("image",) if dials else ("text", "image"),
        tasks=plan.tasks,
        set={**plan.dials, **dials},
        strategy=strategy,
        out=str(out.parent),
        name=out.name,
    )
    return run_config(config, model=model)


Scored = dict[str, dict[str, tuple[str, float]]]
"""Task → problem → (group, score)."""


def _scores(run: Run, strategy: str, modality: str) -> Scored:
    records = [r for r in run.records() if r.strategy == strategy and r.modality == modality]
    forms = sorted({record.representation for record in records})
    found: Scored = {}
    for task, problems in collect(records).items():
        for name, asked in problems.items():
            score = asked.score(forms)
            if score is not None:
                found.setdefault(task, {})[name] = (asked.group, score)
    return found


def _differences(before: Scored, after: Scored) -> list[Change]:
    rows: dict[str, list[tuple[str, float, float]]] = {"pooled": []}
    for task in before:
        for name, (group, score) in before[task].items():
            if name in after.get(task, {}):
                row = (group, score, after[task][name][1])
                rows["pooled"].append(row)
                rows.setdefault(task, []).append(row)
    return [_change(task, of_task) for task, of_task in rows.items() if of_task]


def _change(task: str, rows: Sequence[tuple[str, float, float]]) -> Change:
    groups = [group for group, _, _ in rows]
    first, second = (np.array([row[k] for row in rows]) for k in (1, 2))
    rng = np.random.default_rng(0)
    low, high = paired_bootstrap(second - first, rng, groups)
    p = sign_flip_test(np.bincount(group_codes(groups), weights=second - first), rng)
    mean = 100 * float((second - first).mean())
    return Change(task, len(rows), float(first.mean()), float(second.mean()), mean, 100 * low, 100 * high, p)


def _pooled(before: Scored, after: Scored) -> Change | None:
    found = _differences(before, after)
    return found[0] if found else None


def _tried(treatment: Treatment, base: Scored, scores: Scored, words: Change | None, seconds: float) -> Tried:
    found = _differences(base, scores)
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
    after = _measure(winner.model, plan, TEST, out / "test-after", strategy=winner.strategy)
    found = _differences(_scores(before, "direct", "image"), _scores(after, winner.strategy, "image"))
    elsewhere: list[Change] = []
    if plan.suite == "scenes":
        first = _measure(model, plan, OTHER, out / "elsewhere", **ELSEWHERE)
        second = _measure(
            winner.model,
            plan,
            OTHER,
            out / "elsewhere-after",
            strategy=winner.strategy,
            **ELSEWHERE,
        )
        elsewhere = _differences(_scores(first, "direct", "image"), _scores(second, winner.strategy, "image"))
    return tuple(found), tuple(elsewhere), winner.export(out / "winner")
