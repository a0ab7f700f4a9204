"""The contract that every family keeps; each is built tiny, with its own classes (``families.py``)."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import modgap
from modgap._errors import ModelError
from modgap.media import Audio, Image, Part, Text
from modgap.models import Query, local
from modgap.models.local._anatomy import TokenKind, at_block, positions_of
from modgap.models.local._model import LocalModel

from . import families

pytestmark = [
    # PaliGemma's processor makes an array of a tensor in a way numpy is about to drop.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SEES = [name for name in families.BUILDERS if name != "qwen2-audio"]
INSTEAD_OF_SHARING = {
    "paligemma": "the model takes token_type_ids for each token, so its attention may not be causal",
    "paligemma2": "the model takes token_type_ids for each token, so its attention may not be causal",
    "gemma3": "the model takes token_type_ids for each token, so its attention may not be causal",
    "qwen2-vl": "the model takes mm_token_type_ids for each token, so its attention may not be causal",
    "qwen2.5-vl": "the model takes mm_token_type_ids for each token, so its attention may not be causal",
    "qwen3-vl": "the model takes mm_token_type_ids for each token, so its attention may not be causal",
    "mllama": "the model takes cross_attention_mask for each token, so its attention may not be causal",
}
"""Families whose prompts are read one by one, and the reason that is noted."""


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LocalModel]:
    """Name → the tiny model, loaded as users do."""

    @cache
    def load(name: str) -> LocalModel:
        return local.load(str(families.build(name, tmp_path_factory.mktemp("families") / name)))

    return load


def sound(seed: int, seconds: float = 0.5, rate: int = 16_000) -> Audio:
    times = np.arange(round(seconds * rate)) / rate
    pressure = (8000 * np.sin(2 * np.pi * 200 * (seed + 1) * times)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(pressure.tobytes())
    return Audio(buffer.getvalue(), "audio/wav")


@pytest.fixture(scope="session")
def asked(picture: Callable[[int], Image]) -> Callable[[str], list[Query]]:
    """Name → questions about two scenes that begin alike, with options of one and of several tokens."""
    options = (("left", "right"), ("north", "south-east"), ("left", "north"))

    def make(name: str) -> list[Query]:
        def shown(scene: int) -> Part:
            return picture(scene) if name in SEES else sound(scene)

        return [
            Query((Text("Look. "), shown(scene), Text(f"Question: what is {10**number}?")), options[number])
            for scene in range(2)
            for number in range(3)
        ]

    return make


def read(model: LocalModel, *prompts: list[Part]) -> Any:
    return model.pretrained.inputs(model._writer.read([model._writer.write(parts) for parts in prompts]))


def logits(model: LocalModel, inputs: dict[str, Any]) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.pretrained.model(**inputs).logits
    return found


every_family = pytest.mark.parametrize("name", families.BUILDERS)
every_seeing_family = pytest.mark.parametrize("name", SEES)


def stepwise(model: LocalModel, query: Query) -> list[float]:
    """Scores by the definition: the whole text so far, read anew for every token of the option, all alone."""
    tokenizer = model.pretrained.tokenizer
    inputs = read(model, list(query.parts))
    ids = inputs["input_ids"]
    scores: list[float] = []
    for option in query.options:
        opening = tokenizer(" Answer:", add_special_tokens=False)["input_ids"]
        path = tokenizer(f" Answer: {option}", add_special_tokens=False)["input_ids"]
        total = 0.0
        for step in range(len(opening), len(path)):
            total += float(_next(model, inputs, ids, path[:step]).double().log_softmax(dim=-1)[path[step]])
        scores.append(total)
    return scores


def _next(model: LocalModel, inputs: dict[str, Any], ids: torch.Tensor, path: list[int]) -> torch.Tensor:
    """Logits after a prompt and some tokens of a reply, from one pass without a cache."""
    more = torch.tensor([path], dtype=torch.long)
    longer: dict[str, Any] = {**inputs, "input_ids": torch.cat([ids, more], dim=1)}
    for key, value in inputs.items():
        if key == "input_ids" or getattr(value, "shape", ())[:2] != ids.shape:
            continue
        if key.startswith(("pixel_", "image_")):
            continue
        if key == "cross_attention_mask":  # a reply sees the pictures that the end of the prompt sees
            extra = value[:, -1:].expand(-1, len(path), *value.shape[2:])
        elif key == "token_type_ids" and model.pretrained.model.config.model_type == "paligemma":
            extra = torch.ones_like(more)  # a reply is read causally
        elif key == "attention_mask":
            extra = torch.ones_like(more)
        else:
            extra = torch.zeros_like(more)
        longer[key] = torch.cat([value, extra], dim=1)
    return logits(model, longer)[0, -1]


@every_family
def test_scores_equal_reading_token_by_token(
    name: str, family: Callable[[str], LocalModel], asked: Callable[[str], list[Query]]
) -> None:
    model, queries = family(name), asked(name)
    for index, reply in model.reply(queries):
        assert reply.error is None
        np.testing.assert_allclose(reply.option_scores, stepwise(model, queries[index]), rtol=1e-5, atol=1e-4)
    reason = INSTEAD_OF_SHARING.get(name)
    expected = [] if reason is None else [f"prompts are read one by one, nothing is shared: {reason}"]
    assert model.notes == expected


@every_family
def test_a_batch_gives_what_each_question_alone_gives(
    name: str, family: Callable[[str], LocalModel], asked: Callable[[str], list[Query]]
) -> None:
    model, queries = family(name), asked(name)
    together = dict(model.reply(queries))
    for index, query in enumerate(queries):
        ((_, alone),) = model.reply([query])
        np.testing.assert_allclose(together[index].option_scores, alone.option_scores, rtol=1e-5, atol=1e-4)


@every_family
def test_the_likeliest_token_is_the_one_generated(
    name: str, family: Callable[[str], LocalModel], asked: Callable[[str], list[Query]]
) -> None:
    model = family(name)
    tokenizer = model.pretrained.tokenizer
    inputs = read(model, list(asked(name)[0].parts))
    with torch.inference_mode():
        written = model.pretrained.model.generate(**inputs, max_new_tokens=3, do_sample=False)
    path: list[int] = []
    for token in written[0, inputs["input_ids"].shape[1] :].tolist():
        assert int(_next(model, inputs, inputs["input_ids"], path).argmax()) == token
        path.append(token)
        if token == tokenizer.eos_token_id:
            break


@every_family
def test_the_map_says_what_stands_where(
    name: str, family: Callable[[str], LocalModel], picture: Callable[[int], Image]
) -> None:
    model = family(name)
    parts = model.pretrained.anatomy
    one: Part = picture(0) if name in SEES else sound(0)
    other: Part = picture(1) if name in SEES else sound(1)
    # Rows of different length: the shorter is padded on the left.
    short: list[Part] = [one, other, Text("a")]
    long: list[Part] = [Text("some words before "), other, Text(" b "), one, Text(" and many words after")]
    inputs = read(model, short, long)
    kinds = parts.token_map(inputs)
    assert kinds.shape == inputs["input_ids"].shape
    assert bool((positions_of(kinds, TokenKind.PADDING) == (inputs["attention_mask"] == 0)).all())
    kind = TokenKind.IMAGE if name in SEES else TokenKind.AUDIO
    there = positions_of(kinds, kind)
    processor = model.pretrained.processor
    if name == "mllama":  # pictures come in from the side
        assert not bool(there.any())
        assert parts.cross_attention == (1,)
        return
    config = model.pretrained.model.config
    token = config.image_token_id if name == "gemma3" else getattr(processor, f"{kind.name.lower()}_token_id")
    assert bool((there == (inputs["input_ids"] == token)).all())
    # Both rows show the same two pictures, in the other order.
    assert int(there[0].sum()) == int(there[1].sum()) > 0
    text = model.pretrained.tokenizer.decode(inputs["input_ids"][1][positions_of(kinds, TokenKind.TEXT)[1]])
    assert "some words before" in text
    assert "and many words after" in text
    marked = parts.token_map(inputs, response_from=[kinds.shape[1] - 2] * 2)
    assert set(marked[:, -2:].flatten().tolist()) <= {TokenKind.RESPONSE, TokenKind.SPECIAL}
    assert bool((marked[:, :-2] == kinds[:, :-2]).all())


@every_family
def test_the_language_part_alone_gives_what_the_whole_gives_for_text(
    name: str, family: Callable[[str], LocalModel]
) -> None:
    model = family(name)
    tokenizer = model.pretrained.tokenizer
    batch = tokenizer(
        ["Look at the scene", "left"], padding=True, return_tensors="pt", return_token_type_ids=False
    )
    with torch.inference_mode():
        whole = model.pretrained.model(**model.pretrained.anatomy.causal(batch)).logits
        alone = model.pretrained.anatomy.backbone()(batch["input_ids"], batch["attention_mask"])
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(alone[real], whole[real], rtol=1e-5, atol=1e-4)


@every_family
def test_a_hook_changes_the_positions_meant_and_what_comes_after(
    name: str, family: Callable[[str], LocalModel], picture: Callable[[int], Image]
) -> None:
    model = family(name)
    parts = model.pretrained.anatomy
    assert len(parts.blocks) == families.TEXT["num_hidden_layers"]
    shown: Part = picture(0) if name in SEES else sound(0)
    inputs = read(model, [Text("before "), shown, Text(" after")])
    kinds = parts.token_map(inputs)
    wanted = positions_of(kinds, TokenKind.TEXT if name == "mllama" else TokenKind.IMAGE, TokenKind.AUDIO)
    vector = torch.linspace(-1, 1, families.TEXT["hidden_size"])
    seen: dict[str, torch.Tensor] = {}

    def keep(label: str) -> Callable[[torch.Tensor], None]:
        def see(states: torch.Tensor) -> None:
            seen[label] = states.clone()

        return see

    plain = logits(model, inputs)
    with at_block(parts.blocks[1], keep("plain")):
        logits(model, inputs)
    with (
        at_block(parts.blocks[1], lambda states: states + wanted[..., None] * vector),
        at_block(parts.blocks[1], keep("steered")),
    ):
        steered = logits(model, inputs)
    moved = seen["steered"] - seen["plain"]
    torch.testing.assert_close(moved, wanted[..., None] * vector, rtol=1e-6, atol=1e-6)
    first = int(wanted[0].nonzero()[0])
    assert not torch.allclose(steered[0, -1], plain[0, -1], atol=1e-4)
    if name not in ("paligemma", "paligemma2"):  # nothing before the first changed position can know of it
        torch.testing.assert_close(steered[0, :first], plain[0, :first])
    torch.testing.assert_close(logits(model, inputs), plain)  # the hook is gone


def test_a_hook_that_returns_another_shape_is_an_error(family: Callable[[str], LocalModel]) -> None:
    model = family("llava")
    inputs = read(model, [Text("words")])
    with (
        at_block(model.pretrained.anatomy.blocks[0], lambda states: states[0]),
        pytest.raises(ModelError, match=r"a hook returned states of shape \(\d+, 32\) for \(1, \d+, 32\)"),
    ):
        logits(model, inputs)


def test_a_block_that_returns_a_tuple_is_hooked_as_well() -> None:
    class Old(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, str]:
            return x, "cache"

    block = Old()
    with at_block(block, lambda states: states + 1):
        states, rest = block(torch.zeros(1, 2, 3))
    assert float(states.sum()) == 6.0
    assert rest == "cache"


@every_seeing_family
def test_whether_a_later_word_moves_an_earlier_score(
    name: str, family: Callable[[str], LocalModel], picture: Callable[[int], Image]
) -> None:
    # Same length, another last word: only a model that looks ahead gives other logits before it.
    model = family(name)
    inputs = read(model, [picture(0), Text(" is it left")])
    other = {**inputs, "input_ids": inputs["input_ids"].clone()}
    column = int(positions_of(model.pretrained.anatomy.token_map(inputs), TokenKind.TEXT)[0].nonzero()[-1])
    other["input_ids"][0, column] = model.pretrained.tokenizer(" right", add_special_tokens=False)[
        "input_ids"
    ][0]
    one, two = logits(model, inputs), logits(model, other)
    looks_ahead = not torch.allclose(one[0, :column], two[0, :column], atol=1e-4)
    assert looks_ahead == (name in ("paligemma", "paligemma2"))
    if looks_ahead:
        causal = model.pretrained.anatomy.causal  # the same weights read in one direction
        one, two = logits(model, causal(inputs)), logits(model, causal(other))
        torch.testing.assert_close(one[0, :column], two[0, :column], rtol=1e-5, atol=1e-5)


def test_a_model_that_hears_is_not_shown_pictures(
    family: Callable[[str], LocalModel], picture: Callable[[int], Image]
) -> None:
    model = family("qwen2-audio")
    assert model.modalities == {"text", "audio"}
    ((_, reply),) = model.reply([Query((picture(0), Text("?")), ("left", "right"))])
    assert reply.error == "this model cannot be shown image"


def test_a_sound_that_would_be_cut_off_is_an_error(family: Callable[[str], LocalModel]) -> None:
    model = family("qwen2-audio")
    query = Query((sound(0, seconds=2.5), Text("?")), ("left", "right"))
    replies = dict(model.reply([query, Query((sound(0), Text("?")), ("left", "right"))]))
    assert replies[0].error == (
        "the sound is 2.5 s long and this model listens for 2 s; use a shorter representation"
    )
    assert replies[1].error is None


def test_speech_that_is_too_long_ends_as_an_error(
    family: Callable[[str], LocalModel], tmp_path: Path
) -> None:
    """Spoken problems of 20 s, asked of a model that listens for 2 s: nothing is cut off and answered."""
    pytest.importorskip("espeakng_loader", reason="needs modgap[audio]")
    run = modgap.measure(
        family("qwen2-audio"),
        "isobench",
        n=2,
        tasks=["connectivity"],
        representations=["list", "audio"],
        max_tokens=4,
        out=tmp_path,
    )
    spoken = [record for record in run.records() if record.representation == "audio"]
    assert [record.outcome for record in spoken] == ["error"] * 2
    assert all("this model listens for 2 s" in (record.error or "") for record in spoken)
    written = [record for record in run.records() if record.representation == "list"]
    assert len(written) == 2 and "error" not in {record.outcome for record in written}


def test_a_run_keeps_what_the_model_notes(family: Callable[[str], LocalModel], tmp_path: Path) -> None:
    model = family("gemma3")
    run = modgap.measure(model, "scenes", n=2, tasks=["existence"], modalities=["text"], out=tmp_path)
    (note,) = model.notes
    assert note in run.info.notes
    assert note.endswith(INSTEAD_OF_SHARING["gemma3"])


def test_a_model_that_looks_ahead_is_found_out(
    tiny: Path, asked: Callable[[str], list[Query]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing in the inputs says so, only the numbers: here a text model whose attention is not causal.
    model, apart = local.load(str(tiny)), local.load(str(tiny), share_prefix="off")
    for one in (model, apart):
        one.pretrained.model.config.text_config.is_causal = False
    queries = asked("idefics3")
    replies = dict(model.reply(queries))
    (note,) = model.notes
    assert note.startswith(
        "prompts are read one by one, nothing is shared: it would change log-probabilities by"
    )
    for index, reply in apart.reply(queries):
        np.testing.assert_allclose(replies[index].option_scores, reply.option_scores, rtol=1e-6, atol=2e-5)


def test_a_model_that_cannot_take_the_inputs_is_still_asked(
    tiny: Path, asked: Callable[[str], list[Query]]
) -> None:
    model = local.load(str(tiny))

    def refuse(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs["attention_mask"].ndim == 4:
            raise ValueError("only masks of two axes")

    model.pretrained.model.register_forward_pre_hook(refuse, with_kwargs=True)
    replies = dict(model.reply(asked("idefics3")))
    assert all(reply.error is None for reply in replies.values())
    assert model.notes == [
        "prompts are read one by one, nothing is shared: "
        "the model does not take the inputs for it (only masks of two axes)"
    ]
