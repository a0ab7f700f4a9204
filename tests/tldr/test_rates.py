"""Rates: corrected intervals cover the truth in simulations; counting is by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from modgap._errors import InputError
from modgap.cli.tldr import app
from modgap.scenes import write_caption
from modgap.tasks.scenes import LEVELS, sample_world
from modgap.tldr import Example, TypedSpan
from modgap.tldr._rates import Counts, count_units, estimate
from modgap.tldr._rates_captions import draw_labelled, read_any
from modgap.tldr._rates_law import compare_laws
from modgap.tldr._rates_report import coverage, rate_report
from modgap.tldr._scores import Item, TokenScores
from modgap.tldr.annotate._words import words as split

RATE, RECALL, ALARMS = 0.08, 0.6, 0.03


def simulated(rng: np.random.Generator, n: int, *, recall: float = RECALL, spread: float = 20) -> Counts:
    """Captions of 20 to 60 words whose rates differ, flagged by a detector that misses and invents."""
    total = rng.integers(20, 61, n)
    wrong = rng.binomial(total, rng.beta(RATE * spread, (1 - RATE) * spread, n))
    both = rng.binomial(wrong, recall)
    alarms = rng.binomial(total - wrong, ALARMS)
    as_float = [part.astype(float) for part in (total, both + alarms, wrong, both)]
    return Counts(*as_float, np.arange(n))


def test_corrected_intervals_cover_the_truth_and_the_naive_one_does_not() -> None:
    """95 % intervals over 100 simulated studies; 0.88 is 3 standard errors below 0.95."""
    hits = {"naive": 0, "labelled": 0, "rogan_gladen": 0, "powered": 0}
    widths = {"labelled": 0.0, "powered": 0.0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = estimate(simulated(rng, 600), simulated(rng, 120), rng, draws=200)
        for name in hits:
            one = getattr(found, name)
            hits[name] += one.low <= 100 * RATE <= one.high
        for name in widths:
            one = getattr(found, name)
            widths[name] += one.high - one.low
    for name in ("labelled", "rogan_gladen", "powered"):
        assert hits[name] >= 88, hits
    assert hits["naive"] < 75
    assert widths["powered"] < 0.9 * widths["labelled"]


def test_a_detector_that_knows_nothing_costs_nothing_and_gives_no_rogan_gladen() -> None:
    rng = np.random.default_rng(0)
    mine, theirs = simulated(rng, 800, recall=ALARMS), simulated(rng, 100, recall=ALARMS)
    found = estimate(mine, theirs, rng)
    assert np.isnan(found.rogan_gladen.rate)
    assert found.powered.rate == pytest.approx(found.labelled.rate, abs=1.0)
    silent = Counts(mine.total, mine.flagged * 0, None, None, mine.group)
    quiet = Counts(theirs.total, theirs.flagged * 0, theirs.wrong, theirs.flagged * 0, theirs.group)
    found = estimate(silent, quiet, rng)
    assert found.weight == 0 and found.powered == found.labelled and found.naive.rate == 0


def test_macro_is_the_mean_of_captions_and_micro_that_of_words() -> None:
    counts = Counts(*(np.array(x, dtype=float) for x in ([10, 90], [5, 0], [5, 0], [5, 0])), np.arange(2))
    rng = np.random.default_rng(0)
    assert estimate(counts, counts, rng, mean="micro").labelled.rate == pytest.approx(5)
    assert estimate(counts, counts, rng, mean="macro").labelled.rate == pytest.approx(25)
    with pytest.raises(InputError, match="captions of fewer than two pictures have no interval"):
        estimate(Counts(*(c[:1] for c in (counts.total, counts.flagged)), None, None, np.zeros(1, int)),
                 counts, rng)  # fmt: skip
    with pytest.raises(InputError, match="the labelled captions have no labels"):
        estimate(counts, Counts(counts.total, counts.flagged, None, None, counts.group), rng)


def test_units_are_counted_as_they_stand() -> None:
    text = "Two red cats. One dog!"
    words = split(text)
    scores = TokenScores(np.array(words), np.array([0.9, 0.1, 0.1, 0.1, 0.8]))
    spans = [TypedSpan(4, 7, "attribute"), TypedSpan(18, 21, "object"), TypedSpan(14, 17, "unread", 0.0)]
    spans.sort()
    rows = {}
    for unit in ("words", "sentences", "captions"):
        c = count_units([text], [scores], 0.5, unit, spans=[spans])
        assert c.wrong is not None and c.both is not None
        rows[unit] = [float(x[0]) for x in (c.total, c.flagged, c.wrong, c.both)]
    assert rows == {"words": [4, 2, 2, 1], "sentences": [2, 2, 2, 2], "captions": [1, 1, 1, 1]}
    empty = count_units([""], [TokenScores(np.zeros((0, 2), int), np.zeros(0))], 0.5, "sentences")
    assert empty.total[0] == 0
    with pytest.raises(InputError, match="unit 'token' is not one of words, sentences, captions"):
        count_units([text], [scores], 0.5, "token")


class Capital:
    """Flags words in capitals."""

    name = "capital"

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        found = []
        for item in items:
            spans = split(item.caption)
            bad = np.array([float(item.caption[a:b].isupper()) for a, b in spans])
            found.append(TokenScores(np.array(spans).reshape(len(spans), 2), bad))
        return found


def captions(n: int) -> list[Example]:
    rng = np.random.default_rng(0)
    found = []
    for i in range(n):
        wrong = rng.random(12) < 0.1
        text = " ".join("NO" if w else "yes" for w in wrong)
        spans = tuple(TypedSpan(a, b, "x") for (a, b), w in zip(split(text), wrong, strict=True) if w)
        found.append(Example(f"{i}", f"{i}", "", text, spans, "own"))
    return found


def test_a_perfect_detector_gives_the_exact_rate_by_every_way() -> None:
    about, marked = draw_labelled(captions(200), 50, seed=1)
    assert len(about) == 150 and len(marked) == 50
    report = rate_report(Capital(), about, marked, threshold=0.5, known=True)
    assert (report.recall, report.false_alarms, report.mean_words) == (1, 0, 12)
    for found in report.rates:
        exact = report.exact[f"{found.unit}, {found.mean}"]
        assert found.naive.rate == pytest.approx(exact) == pytest.approx(found.rogan_gladen.rate)
        assert found.powered.low <= exact <= found.powered.high
    with pytest.raises(InputError, match="among the labelled and the others"):
        rate_report(Capital(), about, about, threshold=0.5)
    with pytest.raises(InputError, match="199 labelled of 200 pictures is not accepted"):
        draw_labelled(captions(200), 199, seed=0)


def test_refusals_empty_captions_and_coverage_stand_beside_the_rates() -> None:
    about, marked = draw_labelled(captions(60), 30, seed=1)
    said = [Example("r", "r", "", "I'm sorry, but I cannot see it.", (), "own"),
            Example("e", "e", "", " ", (), "own")]  # fmt: skip
    report = rate_report(Capital(), [*about, *said], [*marked, replace(said[1], group="l")])
    assert report.labelled == len(marked) and 0 < report.threshold < 1  # the best F1, of those with words
    assert report.refused == pytest.approx(1 / 32) == pytest.approx(report.empty)
    assert report.exact == {} and report.coverage is None
    scene = sample_world(np.random.default_rng(0), LEVELS["plain"])
    caption = write_caption(scene, np.random.default_rng(0), "dense")
    assert coverage(caption.text, scene) == 1 and coverage("Hello.", scene) == 0


def test_captions_of_any_model_are_read_from_lines(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"caption": "Two cats."}\n{"caption": "A dog.", "prompt": "What?"}\n')
    one, other = read_any(tmp_path / "c.jsonl")
    assert (one.response, other.prompt, one.image) == ("Two cats.", "What?", None)
    assert one.group != other.group


def test_the_form_that_made_the_models_has_the_smallest_error_on_those_left_out() -> None:
    rates = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
    log = compare_laws(rates, 0.2 - 0.15 * np.log(rates))
    assert log[0].form == "log" and log[0].left_out_error < 1e-9 and log[0].b == pytest.approx(0.15)
    assert compare_laws(rates, 0.9 - rates)[0].form == "linear"
    assert compare_laws(rates, 1 - rates)[0].left_out_error < 1e-9
    flat = {fit.form: fit for fit in compare_laws(rates, np.full(6, 0.5))}
    assert flat["mean"].left_out_error == pytest.approx(0) and np.isnan(flat["mean"].r)
    with pytest.raises(InputError, match="3 rates and 3 accuracies; give as many of both, of 4 models"):
        compare_laws([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="divide what is in percent by 100"):
        compare_laws([0.1, 0.2, 0.3, 5], [0.1, 0.2, 0.3, 0.4])


def test_the_verb_law_reads_a_summary_and_refuses_others(tmp_path: Path) -> None:
    models = {
        f"m{i}": {"false_word_rate": 0.1 * (i + 1), "accuracy/count": 0.95 - 0.15 * i} for i in range(5)
    }
    (tmp_path / "s.json").write_text(json.dumps(models))
    result = CliRunner().invoke(app, ["law", str(tmp_path / "s.json")])
    assert result.exit_code == 0 and "linear" in result.output.splitlines()[3]
    (tmp_path / "s.json").write_text("[1]")
    result = CliRunner().invoke(app, ["law", str(tmp_path / "s.json")])
    assert "expected JSON of models, each with false_word_rate" in str(result.exception)
