"""Steering against a plain hook, on every family: padding, several pictures, decoding, and wrong use."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

import modgap
from modgap._errors import FileError, InputError, ModelError, UnknownName
from modgap.media import Image, Part, Text
from modgap.models import Query, local
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, added, mask_of, steering
from modgap.models.local._vector import SteeringVector, load_vector

from . import families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SEES = [name for name in families.BUILDERS if name != "qwen2-audio"]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LocalModel]:
    @cache
    def load(name: str) -> LocalModel:
        return local.load(str(families.build(name, tmp_path_factory.mktemp("families") / name)))

    return load


def picture(seed: int) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return Image.from_pil(PIL.Image.fromarray(pixels))


def width_of(model: LocalModel) -> int:
    return int(model.pretrained.model.config.get_text_config().hidden_size)


def reference(
    model: LocalModel, inputs: dict[str, torch.Tensor], wanted: torch.Tensor, step: torch.Tensor
) -> torch.Tensor:
    """Ten lines: add a vector to block 1 where ``wanted`` says so."""

    def hook(module: object, args: object, output: object) -> object:
        states = output[0] if isinstance(output, tuple) else output
        changed = states.clone()  # type: ignore[attr-defined]
        changed[wanted] += step
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    handle = model.pretrained.anatomy.blocks[1].register_forward_hook(hook)
    with torch.no_grad():
        logits: torch.Tensor = model.pretrained.model(**inputs).logits
    handle.remove()
    return logits


@pytest.mark.parametrize("positions", ["image", "text", "both"])
@pytest.mark.parametrize("name", SEES)
def test_the_same_as_a_plain_hook(name: str, positions: str, family: Callable[[str], LocalModel]) -> None:
    model = family(name)
    parts: list[list[Part]] = [[picture(0), Text(" look")], [picture(1), Text(" left, right, above, below")]]
    read = model._writer.read([model._writer.write(p) for p in parts])  # two lengths: padding on the left
    inputs = model.pretrained.inputs(read)
    ids, real = inputs["input_ids"], inputs["attention_mask"].bool()
    image = torch.isin(ids, torch.tensor(list(model.pretrained.anatomy.media_ids) or [-1]))
    special = torch.isin(ids, torch.tensor(sorted(model.pretrained.anatomy.special_ids))) & ~image
    wanted = {"image": image, "text": ~image & ~special & real, "both": (image | ~special) & real}[positions]
    direction = torch.randn(width_of(model), generator=torch.Generator().manual_seed(0))
    change = Change(direction, 1, 0.7, positions)  # type: ignore[arg-type]
    if name == "mllama" and positions == "image":
        with pytest.raises(InputError, match="pictures take no positions"), steering(model, change):
            pass
        return
    with torch.no_grad(), steering(model, change):
        found = model.pretrained.model(**inputs).logits
    expected = reference(model, inputs, wanted, 0.7 * direction)
    assert (found - expected)[real].abs().max() <= 1e-6
    with torch.no_grad():
        assert (found - model.pretrained.model(**inputs).logits)[real].abs().max() > 1e-3
    assert not model.pretrained.anatomy.blocks[1]._forward_hooks


def test_each_row_has_its_own_vector_and_strength(family: Callable[[str], LocalModel]) -> None:
    model = family("idefics3")
    inputs = model.pretrained.inputs(
        model._writer.read([model._writer.write([picture(0), Text(" look")])] * 2)
    )
    directions = torch.randn(2, width_of(model))
    strengths = torch.tensor([0.0, 2.0])
    with torch.no_grad(), steering(model, Change(directions, 0, strengths)):
        both = model.pretrained.model(**inputs).logits
    with torch.no_grad():
        plain = model.pretrained.model(**inputs).logits
    with torch.no_grad(), steering(model, Change(directions[1], 0, 2.0)):
        steered = model.pretrained.model(**inputs).logits
    assert torch.equal(both[0], plain[0])
    assert (both[1] - steered[1]).abs().max() <= 1e-6


@pytest.mark.parametrize("name", ["idefics3", "paligemma2"])
def test_phases_of_generation(name: str, family: Callable[[str], LocalModel]) -> None:
    model = family(name)
    inputs = model.pretrained.inputs(model._writer.read([model._writer.write([picture(0), Text(" look")])]))
    seen: dict[str, int] = {}
    for phase in ("prefill", "decode", "both"):
        places: list[int] = []

        def mask(kinds: torch.Tensor, ids: torch.Tensor, places: list[int] = places) -> torch.Tensor:
            places.append(ids.shape[1])
            return torch.ones_like(ids, dtype=torch.bool)

        change = Change(torch.zeros(width_of(model)), 0, 1.0, mask, phase)  # type: ignore[arg-type]
        with torch.no_grad(), steering(model, change):
            model.pretrained.model.generate(**inputs, max_new_tokens=4, min_new_tokens=4, do_sample=False)
        seen[phase] = sum(places)
    length = inputs["input_ids"].shape[1]
    assert seen == {"prefill": length, "decode": 3, "both": length + 3}


def test_scores_do_not_depend_on_what_is_shared(tiny: Path) -> None:
    queries = [
        Query((Text("Look: "), picture(0), Text(f" is it {w}?")), ("left", "right")) for w in ("a", "b")
    ]
    direction = torch.randn(width_of(local.load(str(tiny))), generator=torch.Generator().manual_seed(1))
    scores = []
    for share in ("auto", "off"):
        model = local.load(str(tiny), share_prefix=share)  # type: ignore[arg-type]
        with steering(model, Change(direction, 0, 1.0, "both")):
            replies = dict(model.reply(queries))
        scores.append([replies[i].option_scores for i in range(2)])
    assert np.allclose(scores[0], scores[1], atol=1e-4)


def test_the_question_is_the_text_after_the_last_picture() -> None:
    ids = torch.zeros(2, 8, dtype=torch.long)
    #                      pad  im  im text special im text text; and a row without a picture
    kinds = torch.tensor([[0, 3, 3, 2, 1, 3, 2, 2], [0, 0, 1, 2, 2, 1, 5, 5]])
    expected = [[6, 7], [3, 4, 6, 7]]
    assert [row.nonzero()[:, 0].tolist() for row in mask_of("question", kinds, ids)] == expected


def test_a_ratio_is_a_share_of_the_length_of_the_states() -> None:
    states = torch.randn(2, 5, 8)
    mask = torch.tensor([[True, True, False, False, False], [False, False, False, True, True]])
    new = added(Change(torch.randn(8), 0, 0.5, unit="ratio"), states, mask)
    length = (new - states).norm(dim=-1)
    for row in range(2):
        assert torch.allclose(length[row][mask[row]], 0.5 * states[row][mask[row]].norm(dim=-1).mean())
    assert torch.equal(new[~mask], states[~mask])


def test_a_vector_that_reaches_nothing_is_an_error(tiny: Path) -> None:
    model = local.load(str(tiny))
    change = Change(torch.ones(width_of(model)), 0, 1.0, "image")
    with pytest.raises(ModelError, match="changed no position"), steering(model, change):
        dict(model.reply([Query((Text("no picture"),), ("left", "right"))]))


def test_what_does_not_fit(tiny: Path) -> None:
    model = local.load(str(tiny))
    with (
        pytest.raises(InputError, match="block 9 does not exist"),
        steering(model, Change(torch.ones(32), 9, 1.0)),
    ):
        pass
    with pytest.raises(InputError, match="of another"), steering(model, Change(torch.ones(3), 0, 1.0)):
        pass
    with pytest.raises(UnknownName, match="positions"):
        Change(torch.ones(3), 0, 1.0, "images")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not finite"):
        Change(torch.ones(3), 0, float("nan"))


def test_a_vector_in_a_folder(tmp_path: Path) -> None:
    vector = SteeringVector("spatial", "meanshift", torch.randn(3, 4), {"model": "x"})
    again = load_vector(vector.save(tmp_path / "v"))
    assert (again.concept, again.method, again.facts) == ("spatial", "meanshift", {"model": "x"})
    assert torch.equal(again.directions, vector.directions)
    assert again.fingerprint == vector.fingerprint
    assert torch.allclose(vector.normed().directions.norm(dim=1), torch.ones(3))
    with pytest.raises(FileError, match="no steering vector"):
        load_vector(tmp_path / "nothing")
    about = json.loads((tmp_path / "v/vector.json").read_text())
    (tmp_path / "v/vector.json").write_text(json.dumps({**about, "sha256": "0"}))
    with pytest.raises(FileError, match="not those that were saved"):
        load_vector(tmp_path / "v")
    (tmp_path / "v/vector.safetensors").write_bytes(b"junk")
    with pytest.raises(FileError, match="damaged"):
        load_vector(tmp_path / "v")


def test_measure_with_a_vector(tiny: Path, tmp_path: Path) -> None:
    width = width_of(local.load(str(tiny)))
    blocks = len(local.load(str(tiny)).pretrained.anatomy.blocks)
    SteeringVector("c", "m", torch.randn(blocks, width)).save(tmp_path / "v")

    def run(**options: object) -> modgap.evaluate.Run:
        return modgap.measure(  # type: ignore[no-any-return]
            str(tiny), "scenes", n=2, tasks=("existence",), out=tmp_path / "runs", **options
        )

    plain = run()
    steered = run(vector=str(tmp_path / "v"), block=1, strength=5.0)
    assert plain.info.model.fingerprint["steering"] is None
    assert steered.info.model.fingerprint["steering"][0]["block"] == 1  # type: ignore[index]
    assert plain.folder != steered.folder
    with pytest.raises(InputError, match="give both"):
        run(block=1)
    with pytest.raises(InputError, match="block 99 is not in"):
        run(vector=str(tmp_path / "v"), block=99)
    with pytest.raises(InputError, match="give one of 0 to"):
        run(vector=str(tmp_path / "v"))
    SteeringVector("c", "merged", torch.randn(blocks, width)).save(tmp_path / "merged")
    everywhere = run(vector=str(tmp_path / "merged"))
    assert len(everywhere.info.model.fingerprint["steering"]) == blocks  # type: ignore[arg-type]
