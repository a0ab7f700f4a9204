"""The checks of any local model: a sound one passes, and a broken one fails where it is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import PIL.Image
import pytest
import torch

from modgap._errors import FileError, InputError
from modgap.doctor import Check, check_model, checks
from modgap.media import Image
from modgap.models.local._anatomy import Anatomy, at_block
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
    return {check.name: check for check in check_model("bundled")}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(checks, "PROBLEMS", 2)
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
    grey = PIL.Image.new("RGB", (64, 64), (127, 127, 127))
    monkeypatch.setattr(Image, "to_pil", lambda self: grey)
    found = run()
    assert found["sees pictures"].verdict == "FAILED"
    assert "moves 0.0% of the probability between options, a blank one 0.0%" in found["sees pictures"].found


def test_a_hook_that_does_not_arrive_is_found(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def deaf(block: Any, change: Any) -> Iterator[None]:
        with at_block(block, lambda states: (change(states), None)[1]):
            yield

    monkeypatch.setattr(checks, "at_block", deaf)
    assert run()["hooks"].verdict == "FAILED"


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


def test_what_is_not_on_this_machine_is_an_error() -> None:
    with pytest.raises(InputError, match="random cannot be looked into; give a model folder, a hub id"):
        next(check_model("random"))
    with pytest.raises(InputError, match="model 'bundled' does not accept the option dtype"):
        next(check_model("bundled", dtype="float16"))


def test_a_folder_without_a_model_is_an_error(tmp_path: Any) -> None:
    with pytest.raises(FileError, match=r"not a model folder, config\.json is missing"):
        next(check_model(str(tmp_path)))
