"""Where the errors about pictures come from: perception, access, reasoning or format.

    for cause in decompose(run):
        print(cause.task, cause.gap, cause.perception, cause.access, cause.cause)

Of each problem, o is the score with a perfect transcript (``oracle_transcript``), t that with the model's own
(``transcript_only``), i that of asking directly about the picture, and f the share of these direct replies
that hold no answer. Then

    reasoning  = 1 − o               the question is missed even when everything is written down
    format     = f · o               nothing could be read from the reply, or it was declined
    perception = (1 − f) · (o − t)   what the model's own transcript loses
    access     = (1 − f) · t − i     the transcript would do, the picture does not

and exactly, problem by problem, reasoning + format + perception + access = 1 − i, the error, and format +
perception + access = o − i, the gap. A part can be negative: a model that answers from the picture what it
cannot write down has negative access. What is unusual: these are differences of scores, not a sorting of
problems. Sorting would count every chance miss as a cause.

What it does not say: a transcript is one way to look at what was perceived. A model that sees and cannot
write is counted under perception, unless a probe of its states says otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modgap.evaluate._gains import DIRECT, by_strategy
from modgap.evaluate._pairing import Asked
from modgap.evaluate._record import Record
from modgap.evaluate._statistics import (
    DRAWS,
    Floats,
    group_codes,
    holm,
    paired_bootstrap,
    sign_flip_test,
)
from modgap.media import MODALITIES, Modality

if TYPE_CHECKING:
    from modgap.evaluate._run import Run

PARTS = ("perception", "access", "format", "reasoning")
_TRANSCRIPTS = ("transcript_only", "extract_then_answer", "isoscratchpad")
"""Strategies whose answers come from the model's own transcript; the first that was run is taken."""


@dataclass(frozen=True)
class Share:
    """One part of an error, in points of accuracy.

    Args:
        points: 100 × its mean over problems.
        low_points: lower end of its bootstrap interval over groups.
        high_points: upper end.
        p_value: exact sign-flip test over groups.
        p_holm: the same, adjusted over the parts of all tasks of a modality; for ``pooled`` over its own.
            That of the error and of the gap, which are sums of parts, is not adjusted.
    """

    points: float
    low_points: float
    high_points: float
    p_value: float
    p_holm: float

    @property
    def claimed(self) -> bool:
        """Whether it can be claimed: the interval excludes 0 and the adjusted p is below 0.05."""
        return (self.low_points > 0 or self.high_points < 0) and self.p_holm < 0.05


@dataclass(frozen=True)
class Decomposition:
    """The error in one modality, for one task or all together, in its parts.

    Args:
        task: full task name, or ``pooled``.
        modality: what was shown.
        n: problems with every score.
        groups: independent groups among them.
        error: 1 − i; the sum of all parts.
        gap: o − i; the sum of all parts but reasoning.
        perception: what the transcript loses; ``None`` if no transcript was asked for.
        access: what the picture does not give though the transcript would; ``None`` likewise.
        unsplit: perception and access together, where they cannot be told apart.
        format: replies without an answer.
        reasoning: missed even when written down.
        reference: where o comes from: ``oracle_transcript``, or ``text`` for the mean over text forms.
        transcript: the strategy that t comes from, or ``None``.
        transcript_score: mean exact score of the transcripts, 0 to 1, where the task can score them.
    """

    task: str
    modality: Modality
    n: int
    groups: int
    error: Share
    gap: Share
    perception: Share | None
    access: Share | None
    unsplit: Share | None
    format: Share
    reasoning: Share
    reference: str
    transcript: str | None
    transcript_score: float | None

    @property
    def cause(self) -> str | None:
        """The largest part above 0 that can be claimed, ``None`` if there is none."""
        parts = {name: getattr(self, name) for name in PARTS}
        claimed = {name: part for name, part in parts.items() if part and part.claimed and part.points > 0}
        return max(claimed, key=lambda name: claimed[name].points) if claimed else None


def decompose(
    run: Run, *, level: float = 0.95, draws: int = DRAWS, rng: np.random.Generator | None = None
) -> tuple[Decomposition, ...]:
    """Split the errors of a run, for each modality other than text: all tasks together, then each task.

    The run should have the strategies ``direct``, ``oracle_transcript`` and ``transcript_only``. Without the
    second, the mean over text forms stands in for it; without a transcript, perception and access stay
    together in ``unsplit``.

    Args:
        run: a run folder.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap; ``None`` is a fixed seed.

    Returns:
        The decompositions; empty where no problem has every score.
    """
    return decompose_records(run.records(), level=level, draws=draws, rng=rng)


def decompose_records(
    records: Iterable[Record],
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> tuple[Decomposition, ...]:
    """:func:`decompose`, from records."""
    rng = np.random.default_rng(0) if rng is None else rng
    records = tuple(records)
    asked, forms = by_strategy(records)
    found: list[Decomposition] = []
    for modality in MODALITIES:
        if modality == "text" or modality not in forms or DIRECT not in asked:
            continue
        shown = forms[modality]
        transcript = next((name for name in _TRANSCRIPTS if name in asked), None)
        reference = "oracle_transcript" if "oracle_transcript" in asked else "text"
        quality = _quality(records, transcript, modality)
        silent = _silent(records, modality)
        tasks: dict[str, list[_Scores]] = {}
        for task, problems in asked[DIRECT].items():
            perfect = asked[reference].get(task, {}) if reference in asked else problems
            own = asked[transcript].get(task, {}) if transcript else None
            rows = _rows(
                problems, perfect, own, shown, shown if reference in asked else forms.get("text", ())
            )
            rows = [dataclasses.replace(row, silent=silent.get((task, row.name), 0.0)) for row in rows]
            if rows:
                tasks[task] = rows
        if not tasks:
            continue
        together = [row for rows in tasks.values() for row in rows]
        here = [
            _split(
                task,
                modality,
                rows,
                (reference, transcript, _mean(quality, task)),
                level=level,
                draws=draws,
                rng=rng,
            )
            for task, rows in {"pooled": together, **tasks}.items()
        ]
        found += [*_adjusted(here[:1]), *_adjusted(here[1:])]
    return tuple(found)


@dataclass(frozen=True)
class _Scores:
    """What one problem scored; see the module."""

    name: str
    group: str
    direct: float
    perfect: float
    own: float | None
    silent: float = 0.0


def _rows(
    direct: Mapping[str, Asked],
    perfect: Mapping[str, Asked],
    own: Mapping[str, Asked] | None,
    shown: Sequence[str],
    reference_forms: Sequence[str],
) -> list[_Scores]:
    rows = []
    for name in sorted(direct.keys() & perfect.keys()):
        i, o = direct[name].score(shown), perfect[name].score(reference_forms)
        t = own[name].score(shown) if own is not None and name in own else None
        if i is not None and o is not None and (own is None or t is not None):
            rows.append(_Scores(name, direct[name].group, i, o, t))
    return rows


def _silent(records: Iterable[Record], modality: Modality) -> dict[tuple[str, str], float]:
    """Share of the direct replies about each problem that hold no answer, over forms and samples."""
    counts: dict[tuple[str, str], list[int]] = {}
    for r in records:
        if r.strategy == DIRECT and r.modality == modality and r.outcome != "error":
            tally = counts.setdefault((r.task, r.problem_id), [0, 0])
            tally[0] += r.outcome in ("unparsed", "refused")
            tally[1] += 1
    return {place: silent / total for place, (silent, total) in counts.items()}


def _quality(
    records: Iterable[Record], transcript: str | None, modality: Modality
) -> list[tuple[str, float]]:
    return [
        (r.task, r.transcript_score["score"])
        for r in records
        if r.strategy == transcript and r.modality == modality and "score" in (r.transcript_score or {})
        if r.transcript_score is not None
    ]


def _mean(quality: Sequence[tuple[str, float]], task: str) -> float | None:
    mine = [score for name, score in quality if task in ("pooled", name)]
    return sum(mine) / len(mine) if mine else None


def _split(
    task: str,
    modality: Modality,
    rows: Sequence[_Scores],
    told: tuple[str, str | None, float | None],
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> Decomposition:
    groups = [row.group for row in rows]
    codes = group_codes(groups)

    def share(values: Floats, least: float = -1.0) -> Share:
        interval = paired_bootstrap(values, rng, groups, draws, level)
        p = sign_flip_test(np.bincount(codes, weights=values), rng)
        return Share(100 * float(values.mean()), 100 * max(interval.low, least), 100 * interval.high, p, p)

    i, o, f = (np.array([getattr(row, name) for row in rows]) for name in ("direct", "perfect", "silent"))
    reference, transcript, quality = told
    perception = access = unsplit = None
    if transcript is None:
        unsplit = share((1 - f) * o - i)
    else:
        t = np.array([row.own for row in rows], dtype=np.float64)
        perception, access = share((1 - f) * (o - t)), share((1 - f) * t - i)
    return Decomposition(
        task=task,
        modality=modality,
        n=len(rows),
        groups=int(codes.max()) + 1,
        error=share(1 - i, 0.0),
        gap=share(o - i),
        perception=perception,
        access=access,
        unsplit=unsplit,
        format=share(f * o, 0.0),
        reasoning=share(1 - o, 0.0),
        reference=reference,
        transcript=transcript,
        transcript_score=quality,
    )


def _adjusted(found: Sequence[Decomposition]) -> list[Decomposition]:
    """p-values adjusted over all parts of all of these."""
    places = [(k, name) for k, one in enumerate(found) for name in (*PARTS, "unsplit") if getattr(one, name)]
    p_holm = holm([getattr(found[k], name).p_value for k, name in places])
    changed: list[dict[str, Share]] = [{} for _ in found]
    for (k, name), p in zip(places, p_holm, strict=True):
        changed[k][name] = dataclasses.replace(getattr(found[k], name), p_holm=p)
    return [dataclasses.replace(one, **parts) for one, parts in zip(found, changed, strict=True)]  # type: ignore[arg-type]  # names checked by replace
