"""The local model as a whole: windows, failures and memory, one query at fault at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from modgap.media import Audio, Image, Text
from modgap.models import Query, Reply, Sampling, local
from modgap.models.local._model import LocalModel


@contextmanager
def failing(model: LocalModel, error: Exception, when: Callable[[torch.Tensor], bool]) -> Iterator[None]:
    """Make the network itself fail, as a device does, for inputs of which ``when`` is true."""

    def hook(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if when(kwargs["input_ids"]):
            raise error

    handle = model.pretrained.model.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def texts(replies: dict[int, Reply]) -> dict[int, str | None]:
    return {index: reply.text for index, reply in sorted(replies.items())}


def test_name_and_modalities(model: LocalModel, tiny: Path) -> None:
    assert model.name == tiny.name
    assert model.modalities == {"text", "image", "video"}  # a film is shown as pictures


def test_nothing_asked_nothing_said(model: LocalModel) -> None:
    assert list(model.reply([])) == []


def test_replies_carry_time_and_usage(model: LocalModel, queries: list[Query]) -> None:
    for _, reply in model.reply(queries):
        assert reply.seconds > 0
        assert reply.usage is not None and reply.usage["input_tokens"] > 0


@pytest.mark.parametrize("share", ["auto", "off"])
def test_an_input_longer_than_the_window_is_an_error(
    tiny: Path, queries: list[Query], picture: Callable[[int], Image], share: local.SharePrefix
) -> None:
    model = local.load(str(tiny), share_prefix=share)
    long = Query((Text("word " * 300), Text("Where?")), ("left", "right"))
    long_picture = Query((Text("word " * 300), picture(0), Text("Where?")), ("left", "right"))
    replies = dict(model.reply([long, *queries, long_picture]))
    for index in (0, len(queries) + 1):
        error = replies[index].error or ""
        assert "longer than the model's window of 512; use shorter or fewer representations" in error
        assert replies[index].text is None
    assert all(replies[index].error is None for index in range(1, len(queries) + 1))
    ids = model.pretrained.tokenizer(model._writer.write(long.parts).text)["input_ids"]
    counted = len(ids) + len(model.pretrained.tokenizer(" Answer: left")["input_ids"])
    assert (replies[0].error or "").startswith(f"input of {counted} tokens is")


def test_only_the_question_that_is_too_long_fails(model: LocalModel, picture: Callable[[int], Image]) -> None:
    shown = picture(0)
    asked = [
        Query((Text("Look. "), shown, Text(q)), ("left", "right")) for q in ("Where?", "word " * 300, "How?")
    ]
    replies = dict(model.reply(asked))
    assert [replies[i].error is None for i in range(3)] == [True, False, True]
    alone = [dict(model.reply([asked[i]]))[0] for i in (0, 2)]
    assert [replies[0].text, replies[2].text] == [reply.text for reply in alone]


def test_the_window_is_used_to_the_last_token(tiny: Path) -> None:
    model = local.load(str(tiny), answer="generate")
    tokenizer = model.pretrained.tokenizer
    empty = len(tokenizer(model._writer.write((Text("a"),)).text)["input_ids"]) - 1
    fits = [
        Query((Text("a" * (512 - empty - room)),), sampling=Sampling(max_tokens=9)) for room in (0, 1, 3, 20)
    ]
    replies = dict(model.reply(fits))
    assert "longer than the model's window" in (replies[0].error or "")
    assert [(replies[i].usage or {})["output_tokens"] for i in (1, 2, 3)] == [1, 3, 9]


def test_one_bad_query_does_not_stop_the_others(
    model: LocalModel, queries: list[Query], picture: Callable[[int], Image]
) -> None:
    whole = picture(0)
    cut = Image(whole.data[: len(whole.data) // 2], whole.mime)
    bad = [
        (Query((Text("Look. "), cut, Text("Where?")), ("left", "right")), "damaged or cut off"),
        (Query((Text("Look at <image>."),), ("left", "right")), "contains '<image>', a control token"),
        (
            Query((Audio(b"RIFF", "audio/wav"),), ("left", "right")),
            "this model cannot be shown audio",
        ),
        (Query((Text("Where?"),), ("left", "")), "an option is empty"),
    ]
    mixed = [*queries[:4], *(query for query, _ in bad), *queries[4:]]
    replies = dict(model.reply(mixed))
    for index, (_, message) in enumerate(bad, start=4):
        assert message in (replies[index].error or "")
        assert replies[index].text is None
    good = [i for i in range(len(mixed)) if not 4 <= i < 4 + len(bad)]
    assert [replies[i].text for i in good] == list(texts(dict(model.reply(queries))).values())


def test_options_mode_needs_options(tiny: Path) -> None:
    model = local.load(str(tiny), answer="options")
    reply = dict(model.reply([Query((Text("Where?"),))]))[0]
    assert reply.error == (
        "answer mode 'options' needs options and this query has none; use 'auto' or 'generate'"
    )


def test_generate_mode_ignores_options(tiny: Path, queries: list[Query]) -> None:
    model = local.load(str(tiny), answer="generate")
    query = replace(queries[0], sampling=Sampling(max_tokens=2))
    assert dict(model.reply([query]))[0].option_scores is None


@pytest.mark.parametrize("share", ["auto", "off"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_runs_out_halves_the_batch(
    tiny: Path, queries: list[Query], share: local.SharePrefix, error: Exception
) -> None:
    model = local.load(str(tiny), share_prefix=share)
    expected = texts(dict(model.reply(queries)))
    with failing(model, error, lambda ids: ids.shape[0] > 1):
        assert texts(dict(model.reply(queries))) == expected
    assert any("did not fit in memory; batches are now at most" in note for note in model.notes)
    assert not any("nothing is shared" in note for note in model.notes)


def test_memory_that_is_never_enough_is_an_error(tiny: Path, queries: list[Query]) -> None:
    model = local.load(str(tiny))
    with failing(model, torch.OutOfMemoryError("CUDA out of memory"), lambda ids: True):
        replies = dict(model.reply(queries))
    assert sorted(replies) == list(range(len(queries)))
    assert {reply.error for reply in replies.values()} == {
        "out of memory for this question alone; use a smaller dtype or another device"
    }
    assert all(reply.error is None for reply in dict(model.reply(queries)).values())


def test_a_query_the_network_refuses_is_found(tiny: Path, queries: list[Query]) -> None:
    model = local.load(str(tiny))
    dict(model.reply(queries))
    marked = Query((Text("zzzz"), Text("Where?")), ("left", "right"))
    (token,) = set(model.pretrained.tokenizer("z")["input_ids"])
    with failing(model, RuntimeError("no kernel for this"), lambda ids: bool((ids == token).sum() >= 4)):
        replies = dict(model.reply([*queries, marked]))
    assert replies.pop(len(queries)).error == "no kernel for this"
    assert all(reply.error is None for reply in replies.values())


def test_a_network_without_finite_numbers_is_an_error(tiny: Path, queries: list[Query]) -> None:
    model = local.load(str(tiny))
    with torch.no_grad():
        model.pretrained.model.lm_head.weight.fill_(torch.nan)
    errors = {reply.error for reply in dict(model.reply(queries)).values()}
    assert errors == {"the model gave no number for any option; its arithmetic overflowed, try float32"}


def test_a_closed_model_is_gone(tiny: Path) -> None:
    model = local.load(str(tiny))
    model.close()
    assert model.pretrained.model is None


def test_torch_threads_and_default_dtype_are_left_alone(tiny: Path, queries: list[Query]) -> None:
    before = torch.get_num_threads(), torch.get_default_dtype()
    dict(local.load(str(tiny), dtype="bfloat16").reply(queries[:2]))
    assert (torch.get_num_threads(), torch.get_default_dtype()) == before


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_answers_about_the_same(
    tiny: Path, model: LocalModel, queries: list[Query], dtype: local.Dtype
) -> None:
    half = local.load(str(tiny), dtype=dtype)
    exact = dict(model.reply(queries))
    for index, reply in half.reply(queries):
        assert reply.option_scores == pytest.approx(exact[index].option_scores, rel=0.05)
    assert half.notes == []


def test_a_greedy_reply_to_the_same_prompt_is_written_once(
    tiny: Path, picture: Callable[[int], Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = local.load(str(tiny), answer="generate")
    asked: list[int] = []
    write = model._write

    def counting(batch: list[Any]) -> Any:
        asked.append(sum(len(group.jobs) for group in batch))
        return write(batch)

    monkeypatch.setattr(model, "_write", counting)
    cold = Sampling(max_tokens=4)
    warm = Sampling(temperature=1.0, max_tokens=4)
    same = [Query((picture(0), Text("Describe.")), sampling=cold, problem_id=str(i)) for i in range(3)]
    drawn = [Query((picture(0), Text("Describe.")), sampling=warm, problem_id=str(i)) for i in range(3)]
    replies = dict(model.reply([*same, *drawn]))
    assert sum(asked) == 1 + 3
    assert sorted(replies) == list(range(6))
    assert len({replies[i].text for i in range(3)}) == 1


def test_replies_about_pictures_are_written_in_batches(tiny: Path, picture: Callable[[int], Image]) -> None:
    model = local.load(str(tiny), batch_tokens=256)
    sampling = Sampling(max_tokens=4)
    queries = [Query((picture(i), Text("Describe.")), sampling=sampling) for i in range(5)]
    read: list[int] = []
    write = model.pretrained.model.generate
    model.pretrained.model.generate = lambda **inputs: (
        read.append(len(inputs["input_ids"])),
        write(**inputs),
    )[1]
    try:
        together = texts(dict(model.reply(queries)))
    finally:
        del model.pretrained.model.generate
    assert read == [1, 4]  # how large a picture is, is known after the first
    alone = local.load(str(tiny), batch_size=1)
    assert together == texts(dict(alone.reply(queries)))
