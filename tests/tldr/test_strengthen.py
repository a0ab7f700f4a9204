"""Rescaling: PEFT's own result is the reference at τ = 1, the model itself at 0."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.conftest import build_tiny

from modgap._errors import FileError, InputError, ModelError
from modgap.media import Image
from modgap.models import local
from modgap.models.local._load import Pretrained
from modgap.tldr import Example, TypedSpan, _strengthen_sweep
from modgap.tldr._directions import largest, split_directions, steered
from modgap.tldr._network import LoraSettings, add_lora
from modgap.tldr._reading import Reader
from modgap.tldr._scores import Item
from modgap.tldr._strengthen import (
    load_update,
    random_update,
    save_strengthened,
    scaled,
    shares,
)
from modgap.tldr._strengthen_controls import caption_loss, fine_tune, shuffle_labels
from modgap.tldr._strengthen_measure import Row, State, at_equal_length
from modgap.tldr._strengthen_sweep import choose, strengthen


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    tiny = build_tiny(tmp_path_factory.mktemp("tiny"))
    wrapped = add_lora(local.load(str(tiny)).pretrained, LoraSettings(rank=2))
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.copy_(0.1 * torch.randn(value.shape, generator=rng))
    adapter = tmp_path_factory.mktemp("adapter")
    wrapped.save_pretrained(str(adapter))
    return tiny, adapter


def states(pretrained: Pretrained) -> torch.Tensor:
    ids = torch.arange(4, 20)[None]
    with torch.inference_mode():
        out: torch.Tensor = pretrained.model(input_ids=ids, attention_mask=ids * 0 + 1).logits
    return out


def test_tau_1_is_the_adapted_model_0_the_model_and_a_half_between(folders: tuple[Path, Path]) -> None:
    tiny, adapter = folders
    pretrained = local.load(str(tiny)).pretrained
    before = {name: value.clone() for name, value in pretrained.model.state_dict().items()}
    plain = states(pretrained)
    update = load_update(pretrained, adapter)
    assert torch.equal(states(pretrained), plain)
    adapted = states(local.load(str(tiny), adapter=str(adapter)).pretrained)
    with scaled(pretrained, update, {"all": 1.0}):
        torch.testing.assert_close(states(pretrained), adapted, atol=1e-4, rtol=1e-4)
    with scaled(pretrained, update, {"all": 0.0}):
        assert torch.equal(states(pretrained), plain)
    with scaled(pretrained, update, {"decoder": 0.5}):
        name = next(n for n in update.deltas if "q_proj" in n)
        weights = dict(pretrained.model.named_parameters())
        torch.testing.assert_close(weights[name], before[name] + 0.5 * update.deltas[name])
        other = next(n for n, groups in update.groups.items() if groups == ("connector",))
        assert torch.equal(weights[other], before[other])
    after = pretrained.model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(after[n], before[n]) for n in before)


def test_all_directions_at_a_strength_are_the_rescaled_model(folders: tuple[Path, Path]) -> None:
    tiny, adapter = folders
    pretrained = local.load(str(tiny)).pretrained
    update = load_update(pretrained, adapter)
    plain = states(pretrained)
    found = split_directions(update)
    assert len(found) == 2 * len(update.deltas)  # of rank 2
    assert [one.size for one in found] == sorted((one.size for one in found), reverse=True)
    assert np.sqrt(sum(one.size**2 for one in found)) == pytest.approx(update.norm, rel=1e-4)
    with scaled(pretrained, update, {"all": 0.5}):
        rescaled = states(pretrained)
    assert not torch.allclose(rescaled, plain, atol=1e-3)
    with steered(pretrained, found, [0.5] * len(found)):
        torch.testing.assert_close(states(pretrained), rescaled, atol=1e-4, rtol=1e-4)
    assert torch.equal(states(pretrained), plain)


def test_each_direction_has_a_strength_of_its_own_and_parts_make_the_whole(
    folders: tuple[Path, Path],
) -> None:
    tiny, adapter = folders
    pretrained = local.load(str(tiny)).pretrained
    update = load_update(pretrained, adapter)
    found = split_directions(update)
    one = found[0]
    layer = dict(pretrained.model.named_modules())[one.layer.removesuffix(".weight")]
    with torch.no_grad(), steered(pretrained, found[:1], [2.0]):
        after = layer(one.condition[None])
    with torch.no_grad():
        change = after - layer(one.condition[None])
    torch.testing.assert_close(change[0], 2 * one.size * one.direction, atol=1e-4, rtol=1e-4)
    top, rest = largest(update, 3)
    assert re.fullmatch(r"3 directions \(\d+ % of the squared norm\)", top.name)
    with update.applied(pretrained, {"decoder": 0.25}):
        whole = states(pretrained)
    with top.applied(pretrained, {"decoder": 0.25}), rest.applied(pretrained, {"decoder": 0.25}):
        torch.testing.assert_close(states(pretrained), whole, atol=1e-4, rtol=1e-4)
    with pytest.raises(InputError, match=r"0 directions of \d+ is not accepted; give 1 to"):
        largest(update, 0)
    with pytest.raises(InputError, match=r"1 strengths for 2 directions: give one for each"):
        steered(pretrained, found[:2], [1.0]).__enter__()


def test_groups_are_by_block_and_the_narrower_counts(folders: tuple[Path, Path]) -> None:
    tiny, adapter = folders
    pretrained = local.load(str(tiny)).pretrained
    update = load_update(pretrained, adapter)
    assert {g for groups in update.groups.values() for g in groups} == {
        "connector",
        "decoder",
        "early",
        "middle",
    }
    name = next(n for n, groups in update.groups.items() if "middle" in groups)
    weight = dict(pretrained.model.named_parameters())[name].clone()
    with scaled(pretrained, update, {"all": 1.0, "decoder": 0.5, "middle": 0.25}):
        moved = dict(pretrained.model.named_parameters())[name]
        torch.testing.assert_close(moved, weight + 0.25 * update.deltas[name])
    with pytest.raises(InputError, match="group 'lat' is not one of all, vision, connector"):
        shares({"lat": 1.0})
    with pytest.raises(InputError, match="0 is the model, 1 the detector; give −1 to 2"):
        shares({"all": 9.0})


def test_a_random_change_has_the_norm_of_every_matrix(folders: tuple[Path, Path]) -> None:
    tiny, adapter = folders
    update = load_update(local.load(str(tiny)).pretrained, adapter)
    noise = random_update(update, 0)
    for name, delta in update.deltas.items():
        assert float(noise.deltas[name].norm()) == pytest.approx(float(delta.norm()), rel=1e-5)
    assert noise.norm == pytest.approx(update.norm)


def test_what_is_written_is_a_plain_model(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tiny, adapter = folders
    pretrained = local.load(str(tiny)).pretrained
    update = load_update(pretrained, adapter)
    save_strengthened(pretrained, update, {"all": 0.5}, tmp_path / "new", "# card\n")
    written = local.load(str(tmp_path / "new")).pretrained
    with scaled(pretrained, update, {"all": 0.5}):
        torch.testing.assert_close(states(written), states(pretrained))
    with pytest.raises(FileError, match="not empty; choose another folder"):
        save_strengthened(pretrained, update, {"all": 0.5}, tmp_path / "new", "")
    with pytest.raises(FileError, match=r"not an adapter, adapter_config\.json is missing"):
        load_update(pretrained, tmp_path)


def test_a_change_of_another_model_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tiny, adapter = folders
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).write_bytes((adapter / name).read_bytes())
    text = (tmp_path / "adapter_config.json").read_text()
    (tmp_path / "adapter_config.json").write_text(text.replace('"use_dora": false', '"use_dora": true'))
    with pytest.raises(ModelError, match="not linear in its strength; LoRA is, without DoRA"):
        load_update(local.load(str(tiny)).pretrained, tmp_path)


def row(tau: float, accuracy: float, false: float, words: float = 80, unread: float = 0) -> Row:
    none = (0.0, 0.0, 0.0)
    change = (100 * (accuracy - 0.8), 0.0, 0.0)
    return Row("d", {"all": tau}, accuracy, change, false, none, none, words, none, unread, 10, 10)


def test_the_choice_is_the_fewest_false_words_that_cost_nothing_else() -> None:
    base = row(0, 0.8, 8)
    assert choose([base, row(0.1, 0.8, 7), row(0.25, 0.795, 6), row(0.5, 0.7, 2)]) == {"all": 0.25}
    assert choose([base, row(0.1, 0.8, 7, words=60), row(0.25, 0.8, 7, unread=0.1)]) == {}
    assert choose([base, row(0.1, 0.9, 8.5)]) == {}
    assert np.isclose(base.false_per_100, 8)


def test_shuffled_labels_are_as_many_at_other_words() -> None:
    text = "one two three four five six"
    example = Example("a", "a", "", text, (TypedSpan(0, 3, "x"), TypedSpan(4, 7, "y")), "own")
    places = set()
    for seed in range(20):
        (moved,) = shuffle_labels([example], np.random.default_rng(seed))
        assert len(moved.spans) == 2 and moved.response == text
        places.update(text[span.start : span.end] for span in moved.spans)
    assert places == set(text.split())
    (clean,) = shuffle_labels([replace(example, spans=())], np.random.default_rng(0))
    assert clean.spans == ()


def test_fine_tuning_makes_the_true_captions_likelier(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tiny, _ = folders
    grey = Image.from_pil(PIL.Image.new("RGB", (48, 48)))
    texts = ("Look at the scene.", "The answer is right, and above.")
    gold = [Example(t, t, "Describe.", t, (), "own", image=grey) for t in texts]
    pretrained = local.load(str(tiny)).pretrained
    reader = Reader(pretrained)
    with torch.no_grad():
        before = float(caption_loss(pretrained, reader, gold))
        alone = [float(caption_loss(pretrained, reader, [one])) for one in gold]
        lengths = [len(reader.encode(reader.prompt(Item(grey, t)), t).ids) - 1 for t in texts]
    assert before == pytest.approx(
        float(np.average(alone, weights=lengths)), rel=1e-4
    )  # padding counts nothing
    fine_tune(gold, str(tiny), tmp_path / "sft", lora=LoraSettings(2, 4.0), steps=8, learning_rate=1e-2)
    update = load_update(pretrained, tmp_path / "sft")
    with scaled(pretrained, update, {"all": 1.0}), torch.no_grad():
        assert float(caption_loss(pretrained, reader, gold)) < before - 0.1
    with pytest.raises(InputError, match="no captions without an error in the split train"):
        fine_tune([], str(tiny), tmp_path / "none")


def state(*wrong: list[int]) -> State:
    of_scenes = tuple(np.array(one, dtype=float) for one in wrong)
    return State(np.zeros(1), np.zeros((len(wrong), 7)), of_scenes)


def test_at_equal_length_both_captions_are_cut_to_the_shorter() -> None:
    base = state([0, 1, 0, 1], [0, 0, 1], [1, 1])
    short = state([0, 1], [0, 1, 1, 1, 1], [])  # of 2, 3 and 0 words: wrong 1 and 2, against 1 and 1
    found, low, high = at_equal_length(short, base, 0)
    assert found == pytest.approx(100 * (3 - 2) / 5)
    assert low <= found <= high
    assert at_equal_length(base, base, 0) == (0, 0, 0)


def test_rivals_have_their_own_strength_and_are_held_against_the_change(
    monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, Path]
) -> None:
    """A scripted world: the change helps at 0.5, its rival more and at 0.1, noise does nothing."""
    strength: dict[str, float] = {}

    class Scripted:
        def __init__(self, name: str, wrong: dict[float, int]) -> None:
            self.name, self.wrong = name, wrong

        @contextmanager
        def applied(self, pretrained: Pretrained, taus: Mapping[str, float]) -> Iterator[None]:
            strength["wrong"] = self.wrong[taus["all"]]
            yield
            strength.clear()

    def measured(model: object, problems: object, scenes: int, seed: int, judge: object) -> State:
        wrong = [1] * strength.get("wrong", 6) + [0] * 4
        table = np.tile([10.0, sum(wrong), 10, 0, 50, 1, 0], (scenes, 1))
        return State(np.ones(4), table, (np.array((wrong + [0] * 10)[:10], dtype=float),) * scenes)

    monkeypatch.setattr(_strengthen_sweep, "measure_state", measured)
    change = Scripted("change", {0.1: 6, 0.5: 4})
    rival = Scripted("sft", {0.1: 2, 0.5: 7})
    noise = Scripted("random", {0.5: 6})
    model = local.load(str(folders[0]))
    found = strengthen(
        model, change, [noise], rivals=[rival], taus=[0.1, 0.5], problems=1, scenes=3, test_scenes=5
    )
    assert found.chosen == {"all": 0.5}
    assert [(row.name, row.taus, row.scenes) for row in found.test] == [
        ("model", {}, 5),
        ("change", {"all": 0.5}, 5),
        ("sft", {"all": 0.1}, 5),
        ("random", {"all": 0.5}, 5),
    ]
    assert [row.behind for row in found.test] == [None, None, (-20, -20, -20), (20, 20, 20)]
    assert found.test[1].equal_change == (-20, -20, -20)
