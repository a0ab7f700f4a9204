"""Transcripts: the truth in any form scores 1, mistakes cost what they should, hostile text costs nothing."""

from __future__ import annotations

import dataclasses
import time

import pytest

from modgap.media import Text
from modgap.scenes import write_caption
from modgap.tasks import (
    Problem,
    load,
    names,
    rewrite_transcript,
    transcript_form,
    transcript_request,
    transcript_score,
)
from modgap.tasks.isobench._transcript_chemistry import compare_shown, read_shown
from modgap.tasks.isobench._transcripts import read_graph, read_pair, read_position
from modgap.tasks.scenes._transcript import Prose, Seen, read

OWN = [name for name in names() if getattr(load(name).module, "TRANSCRIPT", None)]
HOSTILE = [
    "",
    "\0",
    "[" * 5000,
    "0-" * 5000,
    "x 1, y 1 " * 2000,
    "8/" * 5000,
    "$$f(x) = " * 1500,
    "1 & " * 3000,
]


def problem(task: str, index: int = 0) -> Problem:
    forms = [name for name, modality in load(task).representations.items() if modality == "text"]
    return load(task).problem(4, index, forms)


def written(p: Problem, form: str) -> str:
    (part,) = next(r.parts for r in p.representations if r.name == form)
    assert isinstance(part, Text)
    return part.text


def test_tasks_of_ours_are_scored() -> None:
    assert {name for name in names() if name.startswith("scenes/")} <= set(OWN)
    assert {"isobench/connectivity", "isobench/maxflow", "isobench/winner", "isobench/parity"} <= set(OWN)


@pytest.mark.parametrize("task", OWN)
def test_a_perfect_transcript_scores_1_and_is_rewritten_as_itself(task: str) -> None:
    for index in range(4):
        p = problem(task, index)
        form = transcript_form(p)
        assert form is not None and transcript_request(p)
        perfect = written(p, form.name)
        found = transcript_score(p, perfect)
        assert found is not None and set(found.values()) == {1.0}
        again = transcript_score(p, rewrite_transcript(p, f"\n{perfect}\n"))
        assert again is not None and again["exact"] == 1


@pytest.mark.parametrize("task", OWN)
def test_the_transcript_of_another_problem_does_not(task: str) -> None:
    scores = []
    for index in range(6):
        other = problem(task, index + 20)
        form = transcript_form(other)
        assert form is not None
        found = transcript_score(problem(task, index), written(other, form.name))
        assert found is not None and all(0 <= value <= 1 for value in found.values())
        scores.append(found)
    assert any(found["exact"] == 0 and found["score"] < 1 for found in scores)


@pytest.mark.parametrize("task", OWN)
def test_hostile_transcripts(task: str) -> None:
    p = problem(task)
    began = time.process_time()
    for text in [*HOSTILE, "9" * 60_000]:
        found = transcript_score(p, text)
        assert found is not None and found["exact"] == 0
        assert isinstance(rewrite_transcript(p, text), str)
    assert time.process_time() - began < 5  # a regex that backtracks would take minutes


@pytest.mark.parametrize("form", ["list", "json", "story"])
def test_scenes_are_read_in_every_form(form: str) -> None:
    for index in range(5):
        p = problem("scenes/relation", index)
        found = transcript_score(p, written(p, form))
        assert found is not None and found["exact"] == 1


def test_mistakes_in_a_scene_cost_what_they_should() -> None:
    p = problem("scenes/count", 1)
    lines = written(p, "list").splitlines()
    objects = [
        line for line in lines[1:] if " at x " in line and line.split()[1] in ("small", "medium", "large")
    ]
    n = len(objects)
    missing = transcript_score(p, "\n".join([lines[0], *objects[1:]]))
    assert missing is not None and missing["attributes"] == pytest.approx(2 * (n - 1) / (2 * n - 1))
    swap = {"small": "large", "medium": "large", "large": "small"}
    size = objects[0].split()[1]
    wrong = "\n".join([lines[0], objects[0].replace(size, swap[size], 1), *objects[1:]])
    found = transcript_score(p, wrong)
    assert found is not None
    assert found["attributes"] == pytest.approx(1 - 1 / (5 * n))
    assert (found["objects"], found["places"], found["exact"]) == (1.0, 1.0, 0.0)


def test_a_list_need_not_be_exact() -> None:
    text = (
        "Sure! I see:\n* A Large red CIRCLE (solid) at x = 12, y: 40\n* blue star at x 7, y 8\nThat is all."
    )
    assert read(text) == (
        Seen("circle", "red", "large", "solid", 12, 40),
        Seen("star", "blue", "", "", 7, 8),
    )
    p = problem("scenes/count")
    assert rewrite_transcript(p, text).splitlines()[1:] == [
        "- large solid red circle at x 12, y 40",
        "- blue star at x 7, y 8",
    ]


def test_prose_is_read_as_a_caption() -> None:
    import numpy as np

    from modgap.scenes import read_list

    p = problem("scenes/count", 2)
    scene = read_list(written(p, "list"))
    caption = write_caption(scene, np.random.default_rng(0), "dense").text
    assert read(caption) == Prose(caption)
    found = transcript_score(p, caption)
    assert found == {"score": 1.0, "words": 1.0, "read": 1.0, "exact": 0.0}
    colors = {o.color for o in scene.objects}
    absent = next(c for c in ("red", "blue", "green", "yellow", "purple") if c not in colors)
    lied = caption.replace(f" {scene.objects[0].color} ", f" {absent} ", 1)
    worse = transcript_score(p, lied)
    assert worse is not None and worse["words"] < 1
    assert rewrite_transcript(p, lied) == lied


GRAPH = ((0, 1, 0), (1, 0, 1), (0, 1, 0))


@pytest.mark.parametrize(
    "text",
    [
        "Here: [[0, 1, 0],\n [1, 0, 1], [0,1,0]]",
        "\\begin{bmatrix}\n0 & 1 & 0 \\\\\n1 & 0 & 1 \\\\\n0 & 1 & 0\n\\end{bmatrix}",
        "There are 3 nodes. Node 0 is joined to node 1. Node 1 is connected to nodes 0 and 2.",
        "Edges: 0-1, 1 — 2",
        "0 → 1\n1 to 2",
    ],
)
def test_graphs_in_any_manner(text: str) -> None:
    assert read_graph(text) == GRAPH


@pytest.mark.parametrize(
    "text",
    [
        "[[0, 7], [0, 0]]",
        "Node 0 leads to node 1 with capacity 7.",
        "0 -> 1: 7",
        "0 → 1 (capacity 7)",
    ],
)
def test_networks_in_any_manner(text: str) -> None:
    assert read_graph(text, network=True) == ((0, 7), (0, 0))


def test_two_graphs() -> None:
    assert read_pair("G: 0-1, 1-2\nH: 0-1, 1-2") == (GRAPH, GRAPH)
    rows = "[0, 1, 0]\n[1, 0, 1]\n[0, 1, 0]\n"
    assert read_pair(f"G:\n{rows}\nGraph H:\n{rows}") == (GRAPH, GRAPH)


def test_an_edge_more_costs_precision() -> None:
    p = problem("isobench/connectivity")
    truth = read_graph(written(p, "list"))
    n, edges = len(truth), sum(map(sum, truth)) // 2
    i, j = next((i, j) for i in range(n) for j in range(i) if not truth[i][j])
    text = f"There are {n} nodes. " + ", ".join(
        [f"{i}-{j}", *(f"{a}-{b}" for a in range(n) for b in range(a) if truth[a][b])]
    )
    found = transcript_score(p, text)
    assert found is not None and found["edges"] == pytest.approx(2 * edges / (2 * edges + 1))


def test_boards() -> None:
    p = problem("isobench/winner")
    position = read_position(f"The FEN is: {written(p, 'fen')}.")
    assert read_position(written(p, "ascii")).squares == position.squares
    moved = dataclasses.replace(position, turn=-position.turn)
    assert position.turn and moved != position
    placement = written(p, "fen").split()[0]
    found = transcript_score(p, placement)
    assert found is not None and (found["squares"], found["turn"], found["exact"]) == (1.0, 0.0, 0.0)
    # Who is to move is not in it, so it is not written again.
    assert rewrite_transcript(p, placement) == placement


def test_a_wrong_coefficient() -> None:
    p = problem("isobench/convexity", 1)
    text = written(p, "latex")
    body = text.split("= ", 1)[1].split(",")[0]
    terms = len(body.replace(" - ", " + ").split(" + "))
    digit = next(c for c in body if c.isdigit())
    wrong = text.replace(digit, "9" if digit != "9" else "8", 1)
    found = transcript_score(p, wrong)
    assert found is not None and found["coefficients"] == pytest.approx(1 - 1 / terms)
    assert found["curve"] < 1


def test_a_problem_without_words_or_of_a_file_has_no_score() -> None:
    p = load("scenes/count").problem(0, 0, ("image",))
    assert transcript_form(p) is None and transcript_score(p, "a red star") is None
    own = dataclasses.replace(problem("scenes/count"), task="mine/photos")
    assert transcript_score(own, "a red star") is None
    assert transcript_form(own) == own.representations[0] and transcript_request(own) is None
    assert rewrite_transcript(own, "a red star") == "a red star"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Cr + HNO3 -> Cr(NO3)3 + H2", 1.0),
        (
            "Shown:\n$2\\text{Cr} + 6\\text{HNO}_3 \\rightarrow 2\\text{Cr(NO}_3)_3 + 3\\text{H}_2$",
            1.0,
        ),
        ("Cr + HNO₃ → H₂ + Cr(NO₃)₃", 1.0),
        ("Cr + HNO3 -> Cr(NO3)2 + H2", 0.75),
        ("CCO", 0.0),
        ("A reaction is shown.", 0.0),
    ],
)
def test_reactions(text: str, score: float) -> None:
    p = next(
        p
        for p in (problem("isobench/chemistry", i) for i in range(99))
        if "Cr + HNO3" in written(p, "formula")
    )
    found = transcript_score(p, text)
    assert found is not None and found["score"] == pytest.approx(score)
    assert found["exact"] == float(score == 1)


def test_molecules_are_the_same_in_any_numbering() -> None:
    truth, again = read_shown("CC(=O)OC"), read_shown("The molecule is `COC(C)=O`.")
    assert compare_shown(truth, again) == {"score": 1.0, "parts": 1.0, "exact": 1.0}
    other = compare_shown(truth, read_shown("CC(=O)NC"))  # another element, which three atoms have to do with
    assert other["exact"] == 0 and other["parts"] == pytest.approx(2 / 5)
