"""Figures and export on simulated annotators whose truth is known; agreement on published examples."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from modgap._errors import FileError
from modgap.cli.tldr import app
from modgap.tldr import read_examples
from modgap.tldr.annotate import Mark, agreement, export, krippendorff_alpha, report
from modgap.tldr.annotate._work import Step

THREE, CAT = Mark(0, 5, "counting"), Mark(50, 53, "object", "horse")


def simulate(
    store, name: str, seed: int, *, done: int | None = None, ratio: float = 0.5, p_flag: float = 0.5
):
    """An annotator who takes 20 s on average, and ``ratio`` of it with flags.

    They find "Three" where it is flagged, else with chance ``p_flag``, and never "cat".
    """
    rng = np.random.default_rng(seed)
    store.enrol(name)
    for work in store.all_work(name)[:done]:
        item = store.items[work.item_id]
        seconds = rng.gamma(4, 5) * (ratio if work.with_flags else 1)
        found = (THREE,) if item.flags and (work.with_flags or rng.random() < p_flag) else ()
        head = 0
        if found:
            head = store.edit(Step(name, work.position, 0, "a", round(500 * seconds)), found)
        store.finish(Step(name, work.position, head, "b", round(1000 * seconds)))
    return store.all_work(name)


def test_seconds_by_arm(make_store):
    store = make_store(200)
    simulate(store, "anna", 1)
    simulate(store, "ben", 2)
    found = report(store.all_work(), store.items)
    shown, hidden = found.arms
    assert (shown.n, hidden.n) == (200, 200)
    # Gamma(4) with a mean of 20 s and 10 s: the standard error of 200 captions is 0.7 s and 0.35 s.
    assert hidden.seconds == pytest.approx(20, abs=2.5)
    assert shown.seconds == pytest.approx(10, abs=1.3)
    assert found.difference == pytest.approx(shown.seconds - hidden.seconds)
    for arm, error in ((shown, 0.35), (hidden, 0.7)):
        assert arm.interval.low < arm.seconds < arm.interval.high
        assert arm.interval.high - arm.interval.low == pytest.approx(4 * error, rel=0.35)
    assert found.difference_interval.high < 0
    assert report(store.all_work(), store.items) == found


def test_intervals_cover(make_store):
    """95 % intervals of a difference of 0 hold it in about 95 % of 100 simulated studies of 30 captions."""
    store = make_store(30)
    held = 0
    for seed in range(100):
        name = f"p{seed}"
        found = report(simulate(store, name, seed, ratio=1.0), store.items)
        held += found.difference_interval.low <= 0 <= found.difference_interval.high
    assert 85 <= held <= 99  # Binomial(100, 0.93): percentile intervals of 15 and 15 are a little short


def test_who_did_more_counts_no_more(make_store):
    store = make_store(8)
    for name, seconds in (("anna", 10), ("ben", 100)):
        store.enrol(name)
        for work in store.all_work(name)[: None if name == "anna" else 4]:
            extra = 1 if work.with_flags else 0
            store.finish(Step(name, work.position, 0, "b", 1000 * (seconds + extra)))
    found = report(store.all_work(), store.items)
    assert found.progress == {"anna": (8, 8), "ben": (4, 8)}
    assert [arm.seconds for arm in found.arms] == [56, 55]
    assert found.difference == 1
    assert found.difference_interval is None  # nothing varies: no interval is claimed


def test_recall_of_known_errors(make_store):
    store = make_store(80)
    simulate(store, "anna", 1, p_flag=0.0)
    found = {(row.with_flags, row.flagged): row for row in report(store.all_work(), store.items).recall}
    # 40 captions have a known error, 20 of them where the flag is; arms halve the captions with flags.
    assert found[True, None].n + found[False, None].n == 40
    assert found[True, True].found == found[True, True].n > 5
    assert found[True, False].found == 0 < found[True, False].n
    assert found[False, None].found == 0
    assert 0 < found[True, True].interval.low < 1 == found[True, True].interval.high


def test_marks_outside_flags_are_counted(make_store):
    store = make_store(4)
    store.enrol("anna")
    for work in store.all_work("anna"):
        head = store.edit(Step("anna", work.position, 0, "a", 0), (THREE, CAT))
        store.finish(Step("anna", work.position, head, "b", 1000))
    shown, hidden = report(store.all_work(), store.items).arms
    # Half of the captions flag "Three": one mark outside with a flag, two without.
    assert shown.marks == hidden.marks == 2
    assert (shown.outside * shown.n + hidden.outside * hidden.n) == 2 * 1 + 2 * 2
    assert (shown.clean, hidden.clean) == (0, 0)


def test_nothing_done_yet(make_store):
    store = make_store(4)
    assert report([], store.items).arms[0].seconds is None
    store.enrol("anna")
    found = report(store.all_work(), store.items)
    assert found.progress == {"anna": (0, 4)}
    assert (found.difference, found.recall, found.agreement.alpha) == (None, (), None)


def test_krippendorff_alpha_of_the_published_example():
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve
    # units, missing values; nominal alpha is 0.743.
    observers = [
        "1 2 3 3 2 1 4 1 2 * * *",
        "1 2 3 3 2 2 4 1 2 5 * 3",
        "* 3 3 3 2 3 4 2 2 5 1 *",
        "1 2 3 3 2 4 4 1 2 5 1 *",
    ]
    units = [[v for v in unit if v != "*"] for unit in zip(*(o.split() for o in observers), strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.0005)
    # The same page, section B: two observers, binary, ten units; alpha is 0.095.
    pairs = list(zip([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0], strict=True))
    assert krippendorff_alpha(pairs) == pytest.approx(0.095, abs=0.0005)
    assert krippendorff_alpha([[1, 1], [1]]) is None
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[1, 1], [2, 2]]) == 1


def test_agreement_on_words(make_store):
    store = make_store(2)
    for name, marks in (("anna", (THREE, CAT)), ("ben", (THREE,)), ("cleo", (Mark(0, 11, "other"),))):
        store.enrol(name)
        for work in store.all_work(name):
            head = store.edit(Step(name, work.position, 0, "a", 0), marks)
            if name != "cleo" or work.item_id == "c0":
                store.finish(Step(name, work.position, head, "b", 0))
    found = agreement(store.all_work(), store.items)
    # 12 words a caption. Anna marks 1 and 12, Ben 1: 11 of 12 alike, chance (2·1 + 10·11) / 144.
    anna_ben, anna_cleo, _ = found.pairs
    assert (anna_ben.first, anna_ben.second, anna_ben.words) == ("anna", "ben", 24)
    assert anna_ben.kappa.kappa == pytest.approx((11 / 12 - 112 / 144) / (1 - 112 / 144))
    assert anna_cleo.words == 12  # only what both have done
    assert found.words == 24
    assert 0 < found.alpha_types < found.alpha < 1  # Cleo marks "Three" too, but as another type


@pytest.mark.parametrize("parquet", [False, True])
def test_export(make_store, tmp_path, parquet):
    store = make_store(8)
    simulate(store, "anna", 1, done=6)
    simulate(store, "ben", 2, done=2)
    out = tmp_path / "out"
    assert export(store.all_work(), store.items, out, parquet=parquet) == 8
    lines = [json.loads(row) for row in (out / "annotations.jsonl").read_text().splitlines()]
    examples = {example.example_id: example for example in read_examples(out)}
    assert len(lines) == len(examples) == 8
    for row in lines:
        work = next(w for w in store.all_work(row["annotator"]) if w.item_id == row["id"])
        assert (row["flags_shown"], row["seconds"]) == (work.with_flags, work.first_ms / 1000)
        assert [(s["start"], s["end"], s["type"]) for s in row["spans"]] == [
            (m.start, m.end, m.type) for m in work.marks
        ]
        assert all(s["text"] == row["caption"][s["start"] : s["end"]] for s in row["spans"])
        example = examples[f"{row['id']}/{row['annotator']}"]
        assert [(s.start, s.end, s.type) for s in example.spans] == [(0, 5, "counting")] * len(work.marks)
        assert example.group == store.items[row["id"]].image.name  # captions of one picture stay together
        assert example.image.data == store.items[row["id"]].image.read_bytes()
    assert "annotators" in json.loads((out / "manifest.json").read_text())
    with pytest.raises(FileError, match="not empty; choose another folder"):
        export(store.all_work(), store.items, out)


def test_export_needs_something_done(make_store, tmp_path):
    store = make_store(2)
    store.enrol("anna")
    with pytest.raises(FileError, match="no caption is done yet; say so with the key n on its page"):
        export(store.all_work(), store.items, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_report_that_is_printed(make_store, tmp_path):
    store = make_store(40)
    simulate(store, "anna", 1)
    simulate(store, "ben", 2)
    folder, out = str(store.path.parent), tmp_path / "out"
    done = CliRunner().invoke(app, ["annotate", folder, "--report", "--export", str(out)])
    assert done.exit_code == 0, done.output
    printed = " ".join(done.output.split())
    assert "80 captions done: " in printed and (out / "data").is_dir()
    assert "anna 40 40" in printed
    assert "flags captions seconds 95 % median marks outside flags no marks" in printed
    assert "seconds with flags minus without: -" in printed and ", within annotators" in printed
    assert "not flagged shown 0 " in printed
    assert "anna – ben 480 " in printed
    assert "Krippendorff's alpha of 480 words: " in printed


def test_the_report_without_a_study(make_folder):
    done = CliRunner().invoke(app, ["annotate", str(make_folder(2)), "--report"])
    assert isinstance(done.exception, FileError)
    assert "is not there; nobody has annotated in" in str(done.exception)
