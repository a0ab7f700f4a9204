"""What strategies gain: paired differences, and the share of the gap that is closed."""

from __future__ import annotations

from modgap.evaluate import Record, gains

SIZES = {"t/a": 40, "t/b": 40}


def record(task: str, number: int, strategy: str, representation: str, right: bool) -> Record:
    return Record(
        key=f"{task}{number}{strategy}{representation}",
        problem_id=f"{task}-{number}",
        task=task,
        group=f"{task}-{number}",
        representation=representation,
        modality="text" if representation == "list" else "image",
        strategy=strategy,
        sample=0,
        reply="x",
        answer="x",
        expected="x",
        outcome="correct" if right else "wrong",
    )


def records(task: str, n: int, words: int, pictures: int, strategy: int, name: str = "iso") -> list[Record]:
    """``words``, ``pictures``, ``strategy``: how many of the first problems are right."""
    return [
        record(task, i, way, form, i < right)
        for i in range(n)
        for way, form, right in (
            ("direct", "list", words),
            ("direct", "image", pictures),
            (name, "image", strategy),
        )
    ]


def test_the_share_that_is_closed() -> None:
    pooled, a, b = gains(records("t/a", 40, 36, 16, 26) + records("t/b", 40, 20, 20, 10))
    assert (a.task, a.strategy, a.modality, a.n) == ("t/a", "iso", "image", 40)
    assert (a.text_accuracy, a.direct_accuracy, a.accuracy) == (0.9, 0.4, 0.65)
    assert a.gain_points == 25.0 and a.closed == 0.5
    assert a.closed_low is not None and a.closed_high is not None
    assert 0.2 < a.closed_low < 0.5 < a.closed_high < 0.8
    # No gap: nothing to close a share of; the loss is told all the same.
    assert (b.closed, b.gain_points) == (None, -25.0) and b.claimed
    assert (pooled.task, pooled.n, pooled.gain_points) == ("pooled", 80, 0.0) and not pooled.claimed
    # Two tasks are tested: the smaller p counts twice (Holm).
    assert a.p_holm == 2 * a.p_value and pooled.p_holm == pooled.p_value


def test_more_strategies_are_more_tests() -> None:
    found = gains(records("t/a", 40, 36, 16, 26) + records("t/a", 40, 36, 16, 18, "other"))
    assert [(one.strategy, one.task) for one in found] == [
        ("iso", "pooled"),
        ("iso", "t/a"),
        ("other", "pooled"),
        ("other", "t/a"),
    ]
    assert found[1].p_holm == 2 * found[1].p_value


def test_direct_alone_has_no_gains_and_words_are_not_needed() -> None:
    some = records("t/a", 10, 8, 4, 6)
    assert gains([r for r in some if r.strategy == "direct"]) == ()
    pooled, _ = gains([r for r in some if r.modality == "image"])
    assert (pooled.text_accuracy, pooled.closed, pooled.gain_points) == (None, None, 20.0)


def test_only_problems_asked_both_ways_count() -> None:
    some = records("t/a", 10, 8, 4, 6)
    kept = [r for r in some if not (r.strategy == "iso" and r.problem_id == "t/a-0")]
    pooled, _ = gains(kept)
    assert (pooled.n, pooled.direct_accuracy) == (9, 3 / 9)
