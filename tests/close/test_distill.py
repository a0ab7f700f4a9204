"""Self-distillation on the bundled model, a few steps of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from modgap._errors import InputError
from modgap.close._distill import _loss, _own_answers, distill
from modgap.close._loop import Plan, _distilled
from modgap.models import load_model, local
from modgap.models.local._batches import grouped
from modgap.models.local._model import LocalModel
from modgap.steering._sweep import query_of
from modgap.tasks import load_suite


@pytest.fixture(scope="module")
def model() -> LocalModel:
    loaded = load_model("bundled")
    assert isinstance(loaded, LocalModel)
    return loaded


def test_the_loss_is_that_of_the_scores(model: LocalModel) -> None:
    problems = list(load_suite("scenes", tasks=("count", "relation"), level="plain").problems(3, 7))
    targets = _own_answers(model, problems)
    assert torch.allclose(targets.sum(dim=1), torch.ones(len(problems)), atol=1e-5)
    jobs = [model._job(i, query_of(problem, "image")) for i, problem in enumerate(problems)]
    for job, ids in zip(jobs, model._writer.tokenize([j.prompt.text for j in jobs]), strict=True):
        job.raw.extend(ids)
    groups = grouped(jobs, share=True)
    order = [job.index for group in groups for job in group.jobs]
    with torch.no_grad():
        loss = float(_loss(model, None, groups, targets[order]))
    replies = dict(model.reply([query_of(problem, "image") for problem in problems]))
    by_hand = []
    for number in range(len(problems)):
        chances = torch.tensor(replies[number].option_scores or ()).log_softmax(dim=0)
        by_hand.append(-float((targets[number, : len(chances)] * chances).sum()))
    assert loss == pytest.approx(sum(by_hand) / len(by_hand), abs=1e-3)


def test_a_few_steps_change_a_copy(model: LocalModel, tmp_path: Path) -> None:
    problems = list(load_suite("scenes", tasks=("count",), level="plain").problems(12, 9))
    before = {name: value.clone() for name, value in model.pretrained.model.state_dict().items()}
    result = distill(model, problems, seconds=2.0)
    assert result.steps >= 1
    after = model.pretrained.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    folder = result.save(tmp_path / "model")
    again = local.load(str(folder), dtype="float32")
    query = query_of(problems[0], "image")
    ((_, one),) = result.model.reply([query])
    ((_, two),) = again.reply([query])
    assert one.option_scores == pytest.approx(two.option_scores, abs=1e-4)
    ((_, plain),) = model.reply([query])
    assert plain.option_scores != one.option_scores


def test_it_is_trained_once_a_folder_and_known_by_its_weights(model: LocalModel, tmp_path: Path) -> None:
    """Records of a loop that goes on must be those of the very weights that win."""
    problems = list(load_suite("scenes", tasks=("count",), level="plain").problems(4, 9))
    told: list[str] = []
    first, again = (
        _distilled(model, problems, Plan(), told.append, 0.1, tmp_path / "trained").model.fingerprint()
        for _ in range(2)
    )
    assert first == again
    assert first["weights"] != model.fingerprint()["weights"]
    assert "was trained before" in told[-1]


def test_both_forms_are_needed(model: LocalModel) -> None:
    problems = list(load_suite("scenes", tasks=("count",), level="plain").problems(2, 9, ("image",)))
    with pytest.raises(InputError, match="text form and a picture"):
        distill(model, problems, seconds=1.0)
