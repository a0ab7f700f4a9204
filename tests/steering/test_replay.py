"""The sweep engine against the plain way: one hooked reading for each change, on every family."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import PIL.Image
import pytest
import torch

from modgap._errors import InputError
from modgap.media import Image, Text
from modgap.models import Query, load_model, local
from modgap.models.local._anatomy import at_block
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, mask_of, steering
from modgap.steering import Patch, back_patch, published_text, replay
from modgap.steering._study import problems_of
from modgap.steering._sweep import cells_of, query_of

from .tiny_families import families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


SEES = [name for name in families.BUILDERS if name != "qwen2-audio"]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LocalModel]:
    @cache
    def load(name: str) -> LocalModel:
        return local.load(str(families.build(name, tmp_path_factory.mktemp("families") / name)))

    return load


def queries() -> list[Query]:
    rng = np.random.default_rng(0)
    shown = [
        Image.from_pil(PIL.Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)))
        for _ in range(2)
    ]
    options = (("left", "right"), ("north", "south-east"), ("left", "north"))
    return [
        Query((Text("Look. "), shown[scene], Text(f" what is {10**number}?")), options[number])
        for scene in range(2)
        for number in range(3)
    ]


def hooked(model: LocalModel, asked: list[Query], change: Change) -> list[tuple[float, ...]]:
    with steering(model, change):
        replies = dict(model.reply(asked))
    return [replies[i].option_scores or () for i in range(len(asked))]


@pytest.mark.parametrize("name", SEES)
def test_the_same_scores_as_with_a_hook(name: str, family: Callable[[str], LocalModel]) -> None:
    model, asked = family(name), queries()
    width = int(model.pretrained.model.config.get_text_config().hidden_size)
    rng = torch.Generator().manual_seed(0)
    places = ("text",) if name == "mllama" else ("image", "text", "both")
    changes = [
        Change(torch.randn(width, generator=rng), block, strength, place)  # type: ignore[arg-type]
        for place in places
        for block in (0, 2)
        for strength in (0.3, 1.0)
    ]
    found = replay(model, asked, changes, tokens=200)
    plain = dict(model.reply(asked))
    for i in range(len(asked)):
        n = len(asked[i].options)
        assert np.allclose(found.base[i, :n], plain[i].option_scores, atol=2e-4)
        assert np.isneginf(found.base[i, n:]).all()
    for number, change in enumerate(changes):
        for i, scores in enumerate(hooked(model, asked, change)):
            assert np.allclose(found.changed[number, i, : len(scores)], scores, atol=2e-4), (change, i)
    assert all("forward" not in vars(block) for block in model.pretrained.anatomy.blocks)


def test_on_the_bundled_model() -> None:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    asked = [query_of(p, "image") for p in problems_of(("count", "relation"), 6, 3, level="plain")]
    changes = [Change(torch.randn(128), block, 2.0, "image") for block in (0, 7)]
    found = replay(model, asked, changes)
    for number, change in enumerate(changes):
        for i, scores in enumerate(hooked(model, asked, change)):
            assert np.allclose(found.changed[number, i, : len(scores)], scores, atol=1e-4)


def test_a_beginning_that_does_not_change_is_not_read_again(family: Callable[[str], LocalModel]) -> None:
    """Only the last word is changed: what stands before it comes from the cache, with the same result."""
    model, asked = family("idefics3"), queries()

    def late(kinds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros_like(ids, dtype=torch.bool)
        mask[:, -3:] = True
        return mask

    read: list[int] = []
    handle = model.pretrained.anatomy.blocks[2].register_forward_pre_hook(
        lambda module, args: read.append(args[0].shape[1])
    )
    replay(model, asked, [Change(torch.ones(32), 1, 1.0, late), Change(torch.ones(32), 1, 1.0, "both")])
    handle.remove()
    whole, *_ = read
    assert max(read) == whole
    assert min(read) < whole / 2


def test_the_last_token_of_the_prompt_is_left_out(family: Callable[[str], LocalModel]) -> None:
    """As released: all of the text but the token before the reply, alone or with questions side by side."""
    bundled = load_model("bundled")
    assert isinstance(bundled, LocalModel)
    asked = [query_of(p, "image") for p in problems_of(("count", "relation"), 3, 3, level="plain")]
    for model, query in ((bundled, asked[0]), (family("paligemma"), queries()[0])):
        read = model._writer.read([model._writer.write(query.parts)])
        kinds, ids = model.pretrained.anatomy.token_map(read), read["input_ids"]
        text, without = (mask_of(p, kinds, ids)[0] for p in ("text", published_text(model)))
        assert (text & ~without).nonzero().flatten().tolist() == [ids.shape[1] - 1]
    change = Change(torch.randn(128), 3, 2.0, published_text(bundled))
    found = replay(bundled, asked, [change])
    for i, scores in enumerate(hooked(bundled, asked, change)):
        assert np.allclose(found.changed[0, i, : len(scores)], scores, atol=1e-4)


def test_the_question_alone_is_read_again(family: Callable[[str], LocalModel]) -> None:
    """What comes after the last picture is changed; what stands before it comes from the cache."""
    model, asked = family("idefics3-tiles"), queries()
    change = Change(torch.randn(32, generator=torch.Generator().manual_seed(0)), 0, 1.0, "question")
    read: list[int] = []
    handle = model.pretrained.anatomy.blocks[2].register_forward_pre_hook(
        lambda module, args: read.append(args[0].shape[1])
    )
    found = replay(model, asked, [change], tokens=400)
    handle.remove()
    assert min(read) < max(read)
    for i, scores in enumerate(hooked(model, asked, change)):
        assert np.allclose(found.changed[0, i, : len(scores)], scores, atol=2e-4)


def test_text_that_all_prompts_begin_with_is_read_once() -> None:
    """The instruction before the pictures: where it is changed, one row is enough."""
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    asked = [query_of(p, "image") for p in problems_of(("count", "relation"), 3, 3, level="plain")]
    changes = [Change(torch.randn(128), 5, strength, "text") for strength in (0.5, 1.0)]
    read: list[torch.Size] = []
    handle = model.pretrained.anatomy.blocks[6].register_forward_pre_hook(
        lambda module, args: read.append(args[0].shape)
    )
    found = replay(model, asked, changes)
    handle.remove()
    whole, _, beginning, rest = read[-4:]  # the second is passed by
    assert beginning[0] == len(changes)
    assert rest[0] == len(changes) * whole[0]
    assert 1 + beginning[1] + rest[1] == whole[1]  # the token that begins every text is never changed
    assert whole[0] > 1
    for number, change in enumerate(changes):
        for i, scores in enumerate(hooked(model, asked, change)):
            assert np.allclose(found.changed[number, i, : len(scores)], scores, atol=1e-4)


def test_little_of_the_last_block_is_computed(family: Callable[[str], LocalModel]) -> None:
    model, asked = family("idefics3"), queries()
    widths: list[int] = []
    last = model.pretrained.anatomy.blocks[-1]
    handle = last.mlp.gate_proj.register_forward_pre_hook(
        lambda module, args: widths.append(args[0].shape[1])
    )
    replay(model, asked, [Change(torch.ones(32), 0, 1.0, "image")])
    handle.remove()
    assert min(widths) < max(widths) / 2
    assert len(set(widths)) == 2  # as it is, and under the change


def test_states_of_a_later_block_in_an_earlier_one(family: Callable[[str], LocalModel]) -> None:
    model, asked = family("idefics3"), queries()
    dict(model.reply(asked))  # the first reply also tries out whether prompts can be shared
    blocks = model.pretrained.anatomy.blocks
    late: list[torch.Tensor] = []
    with at_block(blocks[2], lambda states: late.append(states.clone())):
        dict(model.reply(asked))
    passes = iter(late)
    with at_block(blocks[0], lambda states: next(passes)):
        replies = dict(model.reply(asked))
    everywhere = Patch(2, 0, lambda kinds, ids: torch.ones_like(ids, dtype=torch.bool))
    found = replay(model, asked, [everywhere, Patch(2, 0)])
    for i, reply in replies.items():
        scores = reply.option_scores or ()
        assert np.allclose(found.changed[0, i, : len(scores)], scores, atol=2e-4)
    assert not np.allclose(found.changed[1], found.base)
    assert not np.allclose(found.changed[1], found.changed[0])
    with pytest.raises(InputError, match="block 7 does not exist"):
        replay(model, asked, [Patch(7, 0)])


def test_back_patching_is_counted_on_other_scenes() -> None:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    problems = problems_of(("count", "relation"), 8, 3, level="plain")
    found = back_patch(model, problems, blocks=(0, 4, 7))
    assert [one.task for one in found] == ["scenes/count", "scenes/relation"]
    for one in found:
        assert one.n == 8
        assert one.interval[0] <= one.gain_points <= one.interval[1]
        assert one.gain_points <= max(one.best_points, 0.0) + 1e-9  # it may choose nothing
    with pytest.raises(InputError, match="two or more"):
        back_patch(model, problems, blocks=(3,))


def test_a_forward_that_others_put_there_stays(family: Callable[[str], LocalModel]) -> None:
    """As accelerate does when it spreads a model over devices."""
    model, asked = family("idefics3"), queries()
    block = model.pretrained.anatomy.blocks[0]
    block.forward = own = block.forward
    try:
        replay(model, asked, [Change(torch.ones(32), 1, 1.0)])
        assert vars(block)["forward"] is own
    finally:
        del block.forward


def test_wrong_use(family: Callable[[str], LocalModel]) -> None:
    model, asked = family("idefics3"), queries()
    with pytest.raises(InputError, match="phase 'prefill'"):
        replay(model, asked, [Change(torch.ones(32), 0, 1.0, phase="decode")])
    with pytest.raises(InputError, match="block 9 does not exist"):
        replay(model, asked, [Change(torch.ones(32), 9, 1.0)])
    with pytest.raises(InputError, match="stand nowhere"):
        replay(model, [Query((Text("words"),), ("left", "right"))], [Change(torch.ones(32), 0, 1.0)])
    with pytest.raises(InputError, match="with options"):
        replay(model, [Query((Text("words"),))], [])


def test_cells_are_every_combination() -> None:
    from modgap.steering import SteeringVector

    vectors = [SteeringVector(name, "meanshift", torch.ones(3, 4)) for name in ("a", "b")]
    cells = cells_of(vectors, blocks=(0, 2), strengths=(1.0, 2.0), positions=("image", "text"))
    assert len(cells) == 16
    assert len({cell for cell, _ in cells}) == 16
