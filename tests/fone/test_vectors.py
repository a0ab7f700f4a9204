"""Vectors of numbers are those of the right tokens, from whatever a model is stored as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from modgap._errors import FileError, InputError, ModelError
from modgap.fone import Codec, attach, number_vectors
from modgap.fone import _vectors as vectors_module
from modgap.fone._vectors import single_tokens

WIDTH = 32


def numbered_tokenizer(count: int, form: str) -> PreTrainedTokenizerFast:
    """A tokenizer in which the numbers below ``count`` are single tokens, in one of three forms."""
    space = {"bare": "", "space": "Ġ", "mark": ""}[form]
    words = ["<pad>", "<unk>", "<s>", "</s>", *(chr(c) for c in range(33, 127)), "Ġ", "▁"]
    words += [f"{space}{number}" for number in range(10 if form != "space" else 0, count)]
    merges: list[tuple[str, str]] = []
    for number in range(count):
        # A merge for every prefix of every number, in the order of their length.
        text = str(number)
        parts = [space, *text] if space else list(text)
        whole = parts[0]
        for part in parts[1:]:
            if (whole, part) not in merges:
                merges.append((whole, part))
            whole += part
            if whole not in words:
                words.append(whole)
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>"))
    if form == "mark":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


@pytest.mark.parametrize("form", ["bare", "space", "mark"])
def test_single_tokens_are_found_whatever_stands_before_them(form: str) -> None:
    tokenizer = numbered_tokenizer(60, form)
    ids = single_tokens(tokenizer, 1000)
    assert len(ids) == 60
    assert [tokenizer.convert_ids_to_tokens(i).lstrip("Ġ▁") for i in ids] == [str(n) for n in range(60)]
    assert len(single_tokens(tokenizer, 50)) == 50


def saved(folder: Path, model: Any, tokenizer: Any, **options: Any) -> Path:
    model.save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def numbered(make_model: Any, tmp_path: Path) -> tuple[Path, Any, list[int]]:
    """A saved model with the numbers below 60 as tokens, the model, and their ids."""
    tokenizer = numbered_tokenizer(60, "space")
    model = make_model(len(tokenizer))
    return saved(tmp_path / "model", model, tokenizer), model, single_tokens(tokenizer, 60)


def test_embeddings_are_read_from_the_file_that_holds_them(
    numbered: tuple[Path, Any, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, model, ids = numbered
    expected = model.get_input_embeddings().weight[ids].detach().numpy()
    # The whole model is not needed: a part of it may even be missing.
    monkeypatch.setattr(vectors_module, "load_base", lambda *_: pytest.fail("the whole model was loaded"))
    found = number_vectors(str(folder))
    assert np.array_equal(found.vectors, expected)
    assert found.source == "token embeddings of model"
    assert len(number_vectors(str(folder), most=50).vectors) == 50


def test_models_in_several_files(make_llama: Any, tmp_path: Path) -> None:
    tokenizer = numbered_tokenizer(60, "bare")
    model = make_llama(len(tokenizer))
    folder = saved(tmp_path / "model", model, tokenizer, max_shard_size="40KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    ids = single_tokens(tokenizer, 60)
    expected = model.get_input_embeddings().weight[ids].detach().numpy()
    assert np.array_equal(number_vectors(str(folder)).vectors, expected)


def test_a_file_of_unknown_names_is_loaded_whole(numbered: tuple[Path, Any, list[int]]) -> None:
    folder, model, ids = numbered
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "architectures"}))
    expected = model.get_input_embeddings().weight[ids].detach().numpy()
    assert np.array_equal(number_vectors(str(folder)).vectors, expected)


def test_states_of_a_layer_are_those_after_the_number(
    make_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    """A tokenizer of pieces: most numbers are several tokens."""
    model = make_model(len(tokenizer))
    folder = saved(tmp_path / "model", model, tokenizer)
    found = number_vectors(str(folder), layer=2, most=130)
    assert found.source == "layer 2 of model"
    assert found.vectors.shape == (130, WIDTH)
    for number in (0, 12, 123, 129):
        with torch.no_grad():
            ids = torch.tensor([tokenizer(str(number))["input_ids"]])
            states = model(input_ids=ids, output_hidden_states=True).hidden_states[2]
        np.testing.assert_allclose(found.vectors[number], states[0, -1].numpy(), rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="layer 3 does not exist: the model has the layers 0 to 2"):
        number_vectors(str(folder), layer=3)


@pytest.mark.parametrize("mode", ["replace", "add"])
def test_numbers_of_a_number_model(make_llama: Any, tokenizer: Any, tmp_path: Path, mode: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, mode=mode, codec=Codec(2))
    if mode == "add":
        with torch.no_grad():
            model.gate += 0.5
    model.save_pretrained(tmp_path / "numbers")
    found = number_vectors(str(tmp_path / "numbers"))
    assert found.vectors.shape == (100, WIDTH)  # all that the codec holds
    batch = model.encode_text(["7"])
    with torch.no_grad():
        vector = model._embed(batch["input_ids"], batch["number_features"])[0, 0]
        if mode == "add":
            vector -= model.input_embeddings(batch["input_ids"])[0, 0]
    np.testing.assert_allclose(found.vectors[7], vector.numpy(), atol=1e-6)
    with pytest.raises(InputError, match="layers are read from a base model: give the folder 'base'"):
        number_vectors(str(tmp_path / "numbers"), layer=1)


def test_a_tokenizer_of_digits_has_no_spectrum_of_numbers(make_llama: Any, tmp_path: Path) -> None:
    tokenizer = numbered_tokenizer(10, "bare")
    folder = saved(tmp_path / "digits", make_llama(len(tokenizer)), tokenizer)
    with pytest.raises(InputError) as raised:
        number_vectors(str(folder))
    assert str(raised.value) == (
        "digits: its tokenizer has single tokens for 0 to 9 only, and a spectrum needs 0 to 39 at least, "
        "so its embeddings have no spectrum of numbers; "
        "the states of a layer have one: give a layer, such as 2"
    )
    assert number_vectors(str(folder), layer=1, most=50).vectors.shape == (50, WIDTH)


def test_the_bundled_model_and_its_backbone_have_names() -> None:
    """Their tokens are digits: layer 0 has ten different rows, and the note says what that means."""
    found = number_vectors("bundled/text_backbone", layer=0, most=50)
    assert len(np.unique(found.vectors, axis=0)) == 10
    assert found.note.startswith("numbers are made of several tokens here, and the last of them has a period")
    assert number_vectors("bundled", layer=1, most=50).vectors.shape == (50, 128)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nowhere: no such folder; give a model folder or a hub id"):
        number_vectors(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="30 numbers asked for: a spectrum needs 40 at least"):
        number_vectors(str(tmp_path), most=30)
    with pytest.raises(ModelError, match="the tokenizer cannot be loaded"):
        number_vectors(str(tmp_path))
