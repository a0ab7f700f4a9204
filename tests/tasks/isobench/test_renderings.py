"""Every rendering is read back, at every level, size, style and layout; what is not ours is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest

from modgap._errors import FileError, InputError
from modgap.media import Image, Text
from modgap.tasks import load
from modgap.tasks.isobench._common import decimal, thousandths
from modgap.tasks.isobench._functions import Term, read_sum, write_latex, write_sympy

FUNCTIONS = ("parity", "convexity", "breakpoints")
GRAPHS = ("connectivity", "maxflow", "isomorphism")
LEVELS = ("published", "easy", "medium", "hard")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("task", FUNCTIONS + GRAPHS)
def test_pictures_are_read_back(task: str, level: str) -> None:
    loaded = load(f"isobench/{task}")
    module: Any = loaded.module
    for i in range(9):
        look: dict[str, object] = {
            "style": ("classic", "clean", "dark")[i % 3],
            "pixels": (256, 448, 640)[i // 3],
        }
        if task in GRAPHS:
            look["layout"] = "circle" if i % 4 == 3 else "scattered"
        dials, style = loaded.resolve({"level": level, **look})
        p = module.sample(np.random.default_rng([77, i]), dials)
        assert module.decode("image", module.render(p, "image", style)) == module.content(p), (i, look)


@pytest.mark.parametrize("task", FUNCTIONS)
def test_a_picture_is_not_taken_for_another_function(task: str) -> None:
    loaded = load(f"isobench/{task}")
    module: Any = loaded.module
    dials, style = loaded.resolve({"level": "hard"})
    ps = [module.sample(np.random.default_rng([78, i]), dials) for i in range(6)]
    seen = [module.decode("image", module.render(p, "image", style)) for p in ps]
    assert [[s == module.content(p) for p in ps] for s in seen] == np.eye(6, dtype=bool).tolist()
    assert seen[0] != "a function"


def test_a_picture_shows_that_a_function_is_neither() -> None:
    """The smallest asymmetry that is drawn is seen: the mirror image is told from the function."""
    module: Any = load("isobench/parity").module
    style = module.Style()
    found = 0
    for i in range(40):
        p = module.sample(np.random.default_rng([79, i]), module.LEVELS["hard"])
        f = p.function
        mirrored = type(f)(
            tuple(Term(t.coefficient * (-1) ** t.parameter, "power", t.parameter) for t in f.above), f.below
        )
        shown = module.decode("image", module.render(p, "image", style))
        assert shown == f
        if module.answer(p) == "even":
            assert shown == mirrored
        if module.answer(p) == "neither":
            found += 1
            assert shown != mirrored
    assert found > 5


@pytest.mark.parametrize("task", FUNCTIONS + GRAPHS)
def test_what_is_not_ours_is_refused(task: str) -> None:
    module: Any = load(f"isobench/{task}").module
    noise = Image.from_pil(PIL.Image.new("RGB", (300, 300), (1, 2, 3)))
    for name, modality in module.REPRESENTATIONS.items():
        for parts in (
            (),
            (Text("f(x) = import os"),),
            (noise,),
            (Text("[[0, 1], [1]]"), Text("")),
            (Text("9" * 9999),),
        ):
            if modality == "image" or parts != (noise,):
                with pytest.raises(FileError):
                    module.decode(name, parts)


def test_exact_decimals() -> None:
    for value in (0, 1, -1, 10, -2500, 123_456, 1000, -100, 21_510):
        assert thousandths(decimal(value)) == value
    assert [decimal(v) for v in (-2500, 40, 7000)] == ["-2.5", "0.04", "7"]


def test_sums_are_written_as_a_person_writes_them() -> None:
    terms = (
        Term(-1000, "power", 4),
        Term(2500, "abs"),
        Term(1000, "log"),
        Term(-300, "exp", -1000),
        Term(1000, "exp", 250),
        Term(-3000, "power", 1),
        Term(1000, "power", 0),
    )
    assert write_latex(terms) == r"-x^{4} + 2.5|x| + \log(x) - 0.3e^{-x} + e^{0.25x} - 3x + 1"
    assert write_sympy(terms) == "-x**4 + 2.5*Abs(x) + log(x) - 0.3*exp(-x) + exp(0.25*x) - 3*x + 1"
    assert read_sum(write_latex(terms)) == read_sum(write_sympy(terms)) == terms
    assert write_latex(()) == "0"
    with pytest.raises(FileError, match=r"term 'sin\(x\)' is not one that modgap writes"):
        read_sum("2x + sin(x)")


def test_a_story_lists_each_pair_once() -> None:
    module: Any = load("isobench/connectivity").module
    graph = ((0, 1, 1, 0), (1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0))
    p = module.ConnectivityProblem(graph, 0, 3, ("yes", "no"))
    (part,) = module.render(p, "story", module.Style())
    assert part.text == "There are 4 nodes, numbered 0 to 3. Node 0 is joined to nodes 1 and 2."
    assert module.answer(p) == "no"
    with pytest.raises(FileError, match="story cannot be read from ' Node 0 leads"):
        module.decode(
            "story", (Text("There are 2 nodes, numbered 0 to 1. Node 0 leads to node 1 with capacity 3."),)
        )
    with pytest.raises(FileError, match="story cannot be read from ' Node 9"):
        module.decode("story", (Text("There are 2 nodes, numbered 0 to 1. Node 9 is joined to node 1."),))


def test_mixed_styles_occur() -> None:
    task = load("isobench/connectivity")
    papers = set()
    for i in range(12):
        (part,) = task.problem(1, i, ["image"], style="mixed").representations[0].parts
        papers.add(part.to_pil().getpixel((0, 0)))  # type: ignore[union-attr]
    assert len(papers) == 3


@pytest.mark.parametrize("task", FUNCTIONS + GRAPHS)
def test_a_search_in_vain_names_the_dials(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = load(f"isobench/{task}").module
    monkeypatch.setattr(module, "_TRIES", 0)
    with pytest.raises(InputError, match=rf"task isobench/{task} found no .* in 0 tries with Dials\(.*; \w+"):
        module.sample(np.random.default_rng(0), module.LEVELS["hard"])
