"""Checked against scipy, closed forms, and simulation; each test names its source."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import scipy.stats

from modgap._errors import InputError
from modgap.evaluate._agreement import cohen_kappa
from modgap.evaluate._statistics import (
    constant_interval,
    design_effect,
    group_codes,
    holm,
    mcnemar_exact,
    minimum_detectable_gap,
    paired_bootstrap,
    resample_totals,
    sign_flip_test,
    wilson,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (1, 3), (402, 512), (7, 75)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_equals_scipy(k, n, level):
    expected = scipy.stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert wilson(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_accepts_shares():
    low, high = wilson(10.5, 20)
    assert wilson(10, 20).low < low < 0.525 < high < wilson(11, 20).high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson(11, 10), "k = 11 successes of n = 10; k must lie between 0 and n"),
        (lambda: wilson(1, 10, 95), "level 95 is not a confidence level; give one between 0 and 1"),
        (lambda: mcnemar_exact(-1, 2), "both must be 0 or more"),
        (lambda: holm([0.1, 1.2]), "1.2 is not a p-value"),
        (lambda: paired_bootstrap([], rng()), "at least one pair is needed"),
        (lambda: paired_bootstrap([0, 1], rng(), ["a"]), "2 differences but 1 groups"),
        (lambda: cohen_kappa(["a"], []), "1 and 0 answers"),
        (lambda: minimum_detectable_gap(0, 0.1), "n must be above 0"),
    ],
)
def test_what_is_not_accepted_is_said(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 5), (12, 3), (298, 21), (388, 30), (3, 900)])
def test_mcnemar_is_the_binomial_test(b, c):
    expected = scipy.stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("b", "c", "same"), [(12, 3, 40), (4, 4, 0), (0, 9, 100), (1, 0, 5)])
def test_sign_flip_is_mcnemar_for_right_or_wrong(b, c, same):
    assert sign_flip_test([1] * b + [-1] * c + [0] * same, rng()) == pytest.approx(mcnemar_exact(b, c))


def test_sign_flip_is_exact_for_shares():
    # Source: full enumeration of the 2^11 sign patterns.
    sums = np.array([1 / 3, 2 / 3, 1, 1, -1 / 3, 0.5, 2, -0.5, 1 / 6, 1, -1])
    totals = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=len(sums))]
    expected = np.mean(np.array(totals) >= abs(sums.sum()) - 1e-9)
    assert sign_flip_test(sums, rng()) == pytest.approx(expected, abs=1e-12)


def test_sign_flip_of_many_problems_is_close_to_normal():
    # Long distributions are convolved by Fourier transform. Source: normal limit of the sum of random signs.
    sums = rng(1).choice([-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1], size=5000) + 0.0
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert sign_flip_test(sums, rng()) == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), rel=0.02)


def test_sign_flip_draws_where_totals_have_no_common_step():
    sums = rng(2).normal(0.15, 1, size=200)
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert sign_flip_test(sums, rng()) == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), abs=0.01)


def test_bootstrap_equals_scipy():
    values = rng(3).choice([-1.0, 0.0, 1.0], p=[0.05, 0.7, 0.25], size=300)
    expected = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=rng(4), batch=500
    ).confidence_interval
    assert paired_bootstrap(values, rng(5)) == pytest.approx((expected.low, expected.high), abs=0.006)


def test_both_ways_to_resample_have_the_same_distribution():
    # 16 distinct rows of 64 are indexed, of 256 counted. Source: mean and variance of sums drawn with
    # replacement.
    base = np.column_stack([np.arange(16) % 5, np.arange(16) % 3, np.ones(16)])
    for copies in (4, 16):
        rows = np.repeat(base, copies, axis=0)
        totals = resample_totals(rows, rng(6), 20_000)
        assert totals.mean(axis=0) == pytest.approx(rows.sum(axis=0), rel=0.01)
        assert totals.var(axis=0) == pytest.approx(len(rows) * rows.var(axis=0), rel=0.05, abs=1e-9)


def test_strata_keep_their_size():
    rows = np.array([[1.0, 0.0]] * 30 + [[0.0, 1.0]] * 50)
    totals = resample_totals(rows, rng(), 100, strata=[0] * 30 + [1] * 50)
    assert np.array_equal(totals, np.tile([30.0, 50.0], (100, 1)))


def test_whole_groups_are_resampled():
    # Four equal differences in each group carry the information of one: the interval doubles in width.
    one_each = rng(7).choice([0.0, 1.0], p=[0.6, 0.4], size=400)
    repeated = np.repeat(one_each, 4)
    groups = [f"scene-{i}" for i in np.repeat(np.arange(400), 4)]
    clustered = paired_bootstrap(repeated, rng(), groups)
    assert clustered == pytest.approx(paired_bootstrap(one_each, rng()), abs=0.004)
    independent = paired_bootstrap(repeated, rng())
    assert (clustered.high - clustered.low) / (independent.high - independent.low) == pytest.approx(
        2, abs=0.1
    )
    assert design_effect(repeated, groups) == pytest.approx(4)
    assert design_effect(repeated, list(range(1600))) == 1.0


def test_equal_differences_do_not_claim_certainty():
    # Source: Clopper–Pearson bound for zero events, from scipy.
    share = scipy.stats.binomtest(0, 512).proportion_ci(0.95, method="exact").high
    assert paired_bootstrap([0.0] * 512, rng()) == pytest.approx((-share, share))
    low, high = paired_bootstrap([1.0] * 512, rng())
    assert (low, high) == pytest.approx((1 - 2 * share, 1.0))
    # Groups that all balance to the same mean are constant as well.
    assert paired_bootstrap([1, -1] * 20, rng(), [i // 2 for i in range(40)]) == constant_interval(0.0, 20)


@pytest.mark.parametrize(("only_text", "only_image"), [(0.0, 0.0), (0.05, 0.01), (0.25, 0.05), (0.3, 0.3)])
def test_bootstrap_covers_the_truth(only_text, only_image):
    # 300 simulated runs of 200 problems: 95 % ± 3 standard errors of the simulation, from above unlimited.
    source, hits = rng(8), 0
    for _ in range(300):
        values = source.choice(
            [1.0, -1.0, 0.0], p=[only_text, only_image, 1 - only_text - only_image], size=200
        )
        low, high = paired_bootstrap(values, source, draws=1000)
        hits += low - 1e-12 <= only_text - only_image <= high + 1e-12
    assert hits / 300 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_bootstrap_is_fast_and_repeatable():
    # A guard at ten times what was measured (0.7 s on one core); benchmarks/statistics_speed.py measures.
    values = rng().uniform(-1, 1, 10_000)
    start = time.perf_counter()
    first = paired_bootstrap(values, rng(9))
    assert time.perf_counter() - start < 7
    assert first == paired_bootstrap(values, rng(9))


def test_holm_adjusts_step_by_step():
    # Worked by hand: 4 × .01; then max(.04, 3 × .013) = .04; 2 × .03 = .06; 1 × .9.
    assert holm([0.03, 0.01, 0.9, 0.013]) == pytest.approx([0.06, 0.04, 0.9, 0.04])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_holm_rejects_what_the_definition_rejects():
    # Source: Holm's rule itself: the i-th smallest of m is compared with alpha / (m − i), stopping at the
    # first failure.
    source = rng(10)
    for _ in range(50):
        values = source.uniform(0, 0.05, size=6).tolist()
        rejected = set()
        for rank, index in enumerate(sorted(range(6), key=values.__getitem__)):
            if values[index] > 0.05 / (6 - rank):
                break
            rejected.add(index)
        assert {i for i, p in enumerate(holm(values)) if p <= 0.05} == rejected


def test_kappa_of_a_published_table():
    # Source: the 2 × 2 table 20, 5, 10, 15 of 50 (a textbook example): observed .7, chance .5, kappa .4.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx((0.7, 0.5, 0.4))


def test_a_missing_answer_agrees_with_nothing():
    assert cohen_kappa([None, "a", "b"], [None, "a", None]).observed == pytest.approx(1 / 3)
    assert cohen_kappa(["a", "a"], ["a", "a"]).kappa is None


@pytest.mark.parametrize(("n", "discordance"), [(200, 0.1), (512, 0.2), (1000, 0.4), (300, 0.0)])
def test_detectable_gap_has_the_power_it_says(n, discordance):
    # Source: simulation of the exact test; it is conservative, so its power lies a little under the 80 % of
    # the
    # closed form. Where discordance is 0 the gap itself is the discordance.
    gap = minimum_detectable_gap(n, discordance)
    spread = max(discordance, gap)
    counts = rng(11).multinomial(n, [(spread + gap) / 2, (spread - gap) / 2, 1 - spread], size=2000)
    power = np.mean([mcnemar_exact(int(b), int(c)) <= 0.05 for b, c, _ in counts])
    assert 0.70 <= power <= 0.86


def test_detectable_gap_solves_its_equation():
    # Source: the equation in the docstring, with quantiles from scipy.
    a, b = scipy.stats.norm.ppf([0.975, 0.8])
    gap = minimum_detectable_gap(512, 0.2)
    assert np.sqrt(512) * gap == pytest.approx(a * np.sqrt(0.2) + b * np.sqrt(0.2 - gap**2))
    assert minimum_detectable_gap(2, 0.5) == 1.0
    assert minimum_detectable_gap(2048, 0.2) < gap / 1.9


def test_groups_are_numbered_by_first_appearance():
    assert group_codes(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]
