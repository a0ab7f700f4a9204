"""Strategies: found by listing the folder, and each a generator of queries."""

from __future__ import annotations

from types import ModuleType

import pytest

from modgap._errors import UnknownName
from modgap.evaluate import build_parts, strategies
from modgap.evaluate.strategies import Context
from modgap.models import Reply, Sampling


def test_a_file_is_a_strategy() -> None:
    assert strategies.names() == ("direct",)


def test_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="strategy 'dirct' is not one of direct; did you mean 'direct'"):
        strategies.load("dirct")


def test_direct_asks_once_and_returns_the_reply(fakes: ModuleType) -> None:
    problem = fakes.make_problem(3)
    representation = problem.representations[1]
    context = Context("direct", "terse", Sampling(temperature=0.7, max_tokens=9, seed=40), sample=2)
    asking = strategies.load("direct")(problem, representation, context)
    query = next(asking)
    assert query.parts == build_parts(problem, representation, "terse")
    assert query.sampling == Sampling(temperature=0.7, max_tokens=9, seed=42)
    assert (query.problem_id, query.representation, query.strategy, query.sample) == (
        problem.problem_id,
        "image",
        "direct",
        2,
    )
    assert (query.options, query.truth, query.answer_prefix) == (problem.options, problem.answer, "Answer:")
    reply = Reply("Answer: left")
    with pytest.raises(StopIteration) as end:
        asking.send(reply)
    assert end.value.value is reply
