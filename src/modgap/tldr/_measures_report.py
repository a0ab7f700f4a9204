"""One detector held against labelled captions: every figure with its interval, and controls.

    report = evaluate_detector(detector, examples, tune=validation)
    for figure in report.figures: ...

Sentence and response accuracy are as published: a sentence, or a response, is right if no token in it is
flagged, and the share whose verdict agrees with the labels is reported; beside it, what saying "all right"
everywhere has. A flag needs a threshold. It is chosen on other captions (``tune``), never on these.

*Controls.* The same captions with no picture, with the picture of another group, and with a picture blurred
until little is left. The gain of grounding is the AP with the picture less the AP with the control, on the
same draws of groups. A detector that reads only text gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import PIL.ImageFilter

from modgap._errors import InputError
from modgap.evaluate._statistics import DRAWS, group_codes, percentile_interval, resample_totals
from modgap.media import Image

from ._blind import average_precision
from ._example import Example
from ._labels import token_labels
from ._measures import (
    CalibrationError,
    Figure,
    OperatingPoint,
    Pool,
    at_false_flags,
    best_threshold,
    calibration_of,
    draw_areas,
    interval_of,
    pool_words,
    ranked,
)
from ._scores import Detector, Item, TokenScores
from ._sentences import sentences

if TYPE_CHECKING:
    from jaxtyping import Float

FALSE_FLAGS = (1.0, 5.0, 20.0)
"""Right words flagged, of 1,000 words, at which recall is reported."""
CONTROLS = ("blind", "swapped", "blurred")
ERRING = "AP among words that err somewhere"


@dataclass(frozen=True)
class Control:
    """AP with the picture taken away.

    Args:
        name: one of ``CONTROLS``.
        ap: of wrong words under the control.
        gain: AP with the picture less that, as a fraction, with a paired interval.
        erring: AP under the control among words whose spelling is wrong somewhere.
        responses: AUROC of responses under the control; of twins text alone has 0.5.
    """

    name: str
    ap: Figure
    gain: Figure
    erring: Figure
    responses: Figure


@dataclass(frozen=True)
class TypeFigures:
    """One type of error: captions of the groups that have it.

    Args:
        type: of the error.
        ap: of wrong words, beside their prevalence.
        response: accuracy of responses, beside that of "all right".
    """

    type: str
    ap: Figure
    response: Figure


@dataclass(frozen=True)
class DetectorReport:
    """What was found of a detector.

    Args:
        detector: its name.
        captions: that were scored.
        groups: of them, which are what is resampled.
        threshold: above which a token is flagged.
        figures: in the order of a table.
        points: recall and precision at fixed numbers of false flags.
        types: figures of each type of error.
        controls: with the picture taken away; a control that the detector refuses is missing.
        calibration: if its scores are probabilities.
    """

    detector: str
    captions: int
    groups: int
    threshold: float
    figures: tuple[Figure, ...]
    points: tuple[OperatingPoint, ...]
    types: tuple[TypeFigures, ...]
    controls: tuple[Control, ...]
    calibration: CalibrationError | None


def evaluate_detector(
    detector: Detector,
    examples: Sequence[Example],
    *,
    tune: Sequence[Example] = (),
    threshold: float | None = None,
    controls: Sequence[str] = CONTROLS,
    seed: int = 0,
) -> DetectorReport:
    """Score labelled captions and hold the scores against the labels.

    Args:
        detector: what is evaluated.
        examples: labelled, some wrong and some right.
        tune: other labelled captions, on which the threshold with the highest F1 of words is chosen.
        threshold: a token is flagged above it; excludes ``tune``.
        controls: which of ``CONTROLS``; none without pictures.
        seed: of the bootstrap.

    Raises:
        InputError: if there is neither ``tune`` nor a threshold, a control has another name, or nothing is
            wrong or nothing right.
    """
    if (threshold is None) is not bool(tune):
        raise InputError("a flag needs a threshold: give captions to choose one with, or one, not both")
    for name in controls:
        if name not in CONTROLS:
            raise InputError(f"control {name!r} is not one of {', '.join(CONTROLS)}")
    if threshold is None:
        threshold = best_threshold(pool_words(tune, detector.score(items_of(tune))))
    scores = detector.score(items_of(examples))
    pool, tokens = pool_words(examples, scores), pool_words(examples, scores, unit="token")
    by_caption = _by_caption(examples, scores, threshold)
    codes = np.array(group_codes([example.group for example in examples]))
    rng = np.random.default_rng(seed)
    ap, area = ranked(pool, np.random.default_rng(seed))
    token_ap, _ = ranked(tokens, np.random.default_rng(seed))
    figures = (
        ap,
        _erring(pool, seed),
        area,
        replace(token_ap, name="AP of wrong tokens"),
        _worst_tokens(examples, scores),
        *_agreement(by_caption, codes, rng),
    )
    return DetectorReport(
        detector.name,
        len(examples),
        pool.groups,
        threshold,
        figures,
        tuple(at_false_flags(pool, k) for k in FALSE_FLAGS),
        _types(examples, pool, by_caption, codes, rng),
        tuple(_controls(detector, examples, controls, pool, seed)),
        calibration_of(tokens),
    )


def items_of(examples: Sequence[Example]) -> list[Item]:
    """What a detector is shown of examples."""
    return [Item(example.image, example.response, example.prompt) for example in examples]


def _erring(pool: Pool, seed: int) -> Figure:
    """AP among words whose spelling is wrong somewhere; ``nan`` if all of them are wrong."""
    part = pool.that_err()
    if part.wrong.all():
        nan = float("nan")
        return Figure(ERRING, nan, nan, nan, len(part.wrong))
    return replace(ranked(part, np.random.default_rng(seed))[0], name=ERRING)


_COLUMNS = (
    "captions", "tokens agree", "tokens right", "sentences agree", "sentences right",
    "response agrees", "response right", "flagged words and wrong", "flagged words", "wrong words",
    "characters of both", "characters of either",
)  # fmt: skip
_BY_NAME = {name: column for column, name in enumerate(_COLUMNS)}


def _by_caption(
    examples: Sequence[Example], scores: Sequence[TokenScores], threshold: float
) -> Float[np.ndarray, "captions columns"]:
    """What is summed: shares of each caption as published, and counts of words and characters."""
    table = np.zeros((len(examples), len(_COLUMNS)))
    for row, example, one in zip(table, examples, scores, strict=True):
        labels, weights = token_labels(one.offsets, example.spans)
        counts = weights > 0
        wrong, flagged = (labels == 0)[counts], (one.bad > threshold)[counts]
        offsets = one.offsets[counts]
        n = max(len(wrong), 1)
        verdicts = []
        for start, end in sentences(example.response):
            inside = (offsets[:, 0] < end) & (offsets[:, 1] > start)
            if inside.any():
                verdicts.append((wrong[inside].any(), flagged[inside].any()))
        agree = np.mean([w == f for w, f in verdicts]) if verdicts else 1.0
        right = np.mean([not w for w, _ in verdicts]) if verdicts else 1.0
        pool = pool_words([example], [one])
        flags = pool.bad > threshold
        both, either = _characters(offsets, wrong, flagged)
        row[:] = (
            1, (wrong == flagged).sum() / n, (~wrong).sum() / n, agree, right,
            wrong.any() == flagged.any(), not wrong.any(), (flags & pool.wrong).sum(), flags.sum(),
            pool.wrong.sum(), both, either,
        )  # fmt: skip
    return table


def _characters(offsets: np.ndarray, wrong: np.ndarray, flagged: np.ndarray) -> tuple[int, int]:
    lengths = offsets[:, 1] - offsets[:, 0]
    return int(lengths[wrong & flagged].sum()), int(lengths[wrong | flagged].sum())


def _agreement(table: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> list[Figure]:
    """Figures at the threshold: ratios of sums, resampled by group."""
    sums = np.zeros((int(codes.max()) + 1, table.shape[1]))
    np.add.at(sums, codes, table)
    drawn, seen = resample_totals(sums, rng, DRAWS), table.sum(axis=0)

    def ratio(name: str, above: str, below: tuple[str, ...], times: float, base: str | None) -> Figure:
        columns = [_BY_NAME[b] for b in below]
        with np.errstate(invalid="ignore", divide="ignore"):
            values = times * drawn[:, _BY_NAME[above]] / drawn[:, columns].sum(axis=1)
            value = times * seen[_BY_NAME[above]] / seen[columns].sum()
        baseline = None if base is None else float(seen[_BY_NAME[base]] / seen[0])
        return Figure(name, float(value), *interval_of(values), len(table), baseline)

    hit, flags, wrong = "flagged words and wrong", "flagged words", "wrong words"
    return [
        ratio("precision of words", hit, (flags,), 1, None),
        ratio("recall of words", hit, (wrong,), 1, None),
        ratio("F1 of words", hit, (flags, wrong), 2, None),
        ratio("IoU of characters", "characters of both", ("characters of either",), 1, None),
        ratio("accuracy of tokens", "tokens agree", ("captions",), 1, "tokens right"),
        ratio("accuracy of sentences", "sentences agree", ("captions",), 1, "sentences right"),
        ratio("accuracy of responses", "response agrees", ("captions",), 1, "response right"),
    ]


def _worst_tokens(examples: Sequence[Example], scores: Sequence[TokenScores]) -> Figure:
    """AUROC of responses by their worst token; by no threshold."""
    bad = np.array([one.bad.max(initial=-np.inf) for one in scores])
    wrong = np.array([example.is_wrong for example in examples])
    codes = np.array(group_codes([example.group for example in examples]))
    pool = Pool(bad, wrong, np.arange(len(bad)), codes, int(codes.max()) + 1)
    if wrong.all() or not wrong.any():
        nan = float("nan")
        return Figure("AUROC of responses", nan, nan, nan, len(bad), 0.5)
    _, area = ranked(pool, np.random.default_rng(0))
    return replace(area, name="AUROC of responses")


def _types(
    examples: Sequence[Example], pool: Pool, table: np.ndarray, codes: np.ndarray, rng: np.random.Generator
) -> tuple[TypeFigures, ...]:
    groups: dict[str, set[int]] = {}
    for example, code in zip(examples, codes, strict=True):
        for type_ in example.types:
            groups.setdefault(type_, set()).add(int(code))
    found = []
    for type_, members in sorted(groups.items()):
        chosen = np.isin(codes, sorted(members))
        kept = np.isin(pool.group, sorted(members))
        part = pool.only(kept)
        if part.wrong.all() or not part.wrong.any():
            continue
        ap, _ = ranked(part, rng)
        response = _agreement(table[chosen], np.unique(codes[chosen], return_inverse=True)[1], rng)[-1]
        found.append(TypeFigures(type_, ap, response))
    return tuple(found)


def _controls(
    detector: Detector, examples: Sequence[Example], names: Sequence[str], pool: Pool, seed: int
) -> list[Control]:
    if any(example.image is None for example in examples):
        return []
    full, _ = draw_areas(pool, np.random.default_rng(seed))
    value = average_precision(pool.wrong, pool.bad)
    found = []
    for name in names:
        try:
            scores = detector.score(items_of(control_of(examples, name)))
        except InputError:  # a detector that compares with the picture has no score without one
            continue
        other = pool_words(examples, scores)
        drawn, _ = draw_areas(other, np.random.default_rng(seed))
        ap = average_precision(other.wrong, other.bad)
        gains = full[:, 0] - drawn[:, 0]
        found.append(
            Control(
                name,
                Figure("AP of wrong words", ap, *interval_of(drawn[:, 0]), len(other.wrong)),
                Figure("gain", value - ap, *percentile_interval(gains[np.isfinite(gains)]), len(other.wrong)),
                _erring(other, seed),
                _worst_tokens(examples, scores),
            )
        )
    return found


def control_of(examples: Sequence[Example], name: str) -> list[Example]:
    """The same captions with another picture or none.

    Args:
        examples: with pictures.
        name: ``blind``; ``swapped``, the first picture of the next group; or ``blurred``, by a sixth of the
            longer side.

    Raises:
        InputError: if there is a single group, so that there is no other picture.
    """
    if name == "blind":
        return [replace(example, image=None) for example in examples]
    if name == "blurred":
        blurred = {e.image: _blurred(e.image) for e in examples if e.image is not None}
        return [replace(e, image=e.image and blurred[e.image]) for e in examples]
    firsts: dict[str, Image | None] = {}
    for example in examples:
        firsts.setdefault(example.group, example.image)
    names = list(firsts)
    if len(names) < 2:
        raise InputError("pictures of one group cannot be swapped with those of another; give two groups")
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    return [replace(example, image=firsts[following[example.group]]) for example in examples]


def _blurred(image: Image) -> Image:
    picture = image.to_pil()
    return Image.from_pil(picture.filter(PIL.ImageFilter.GaussianBlur(max(picture.size) / 6)))
