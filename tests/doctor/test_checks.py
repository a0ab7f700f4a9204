"""The checks of any local model: a sound one passes, and a broken one fails where it is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from modgap._errors import FileError
from modgap.doctor import Check, check_model, checks
from modgap.models.local._anatomy import Anatomy
from modgap.models.local._model import LocalModel

NAMES = (
    "loads",
    "the same again",
    "batched = single",
    "options = written",
    "language part",
    "token map",
    "sees pictures",
    "hooks",
    "attention",
    "speed and memory",
)


def run() -> dict[str, Check]:
    return {check.name: check for check in check_model("bundled", dtype="float32", device="cpu")}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(checks, "SCENES", 2)
    yield


def test_the_bundled_model_keeps_every_contract(few: None) -> None:
    found = run()
    assert tuple(found) == NAMES
    assert {name for name, check in found.items() if check.verdict != "passed"} == set()
    assert "16 positions hold the picture" in found["token map"].found
    assert found["attention"].found == "no later word moves an earlier score: causal"


def test_positions_named_wrongly_are_found(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Anatomy.token_map

    def shifted(self: Anatomy, read: Any, response_from: list[int] | None = None) -> torch.Tensor:
        return honest(self, read, response_from).roll(40, dims=1)

    monkeypatch.setattr(Anatomy, "token_map", shifted)
    found = run()
    assert found["token map"].verdict == "FAILED"
    assert "16 of them elsewhere" in found["token map"].found
    assert "do not steer or judge" in found["token map"].meaning


def test_a_model_that_does_not_see_is_found(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = checks._with

    def blindfolded(query: Any, picture: Any) -> Any:
        return query if picture else inputs(query, picture)

    monkeypatch.setattr(checks, "_with", blindfolded)
    assert run()["sees pictures"].verdict == "FAILED"


def test_scores_that_depend_on_the_batch_are_found(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = LocalModel.reply

    def company(self: LocalModel, queries: Any) -> Any:
        from dataclasses import replace

        for index, reply in honest(self, queries):
            scores = reply.option_scores
            moved = (
                None if scores is None else tuple(s - 0.01 * len(queries) * i for i, s in enumerate(scores))
            )
            yield index, replace(reply, option_scores=moved)

    monkeypatch.setattr(LocalModel, "reply", company)
    found = run()["batched = single"]
    assert found.verdict == "FAILED"
    assert "batch_size=1" in found.meaning


def test_a_folder_without_a_model_is_an_error(tmp_path: Any) -> None:
    with pytest.raises(FileError, match=r"not a model folder, config\.json is missing"):
        next(check_model(str(tmp_path)))
