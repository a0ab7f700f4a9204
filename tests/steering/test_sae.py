"""Sparse autoencoders: the published layouts, training, and directions from features."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from modgap._errors import FileError, InputError
from modgap.steering import SAE, extract, load_concept, load_sae, text_model, train_sae, value_vectors
from modgap.steering._extract import anchored
from modgap.steering._sae_directions import contexts, features_of
from modgap.steering._text_states import TextModel

D, F = 4, 6


@pytest.fixture(scope="module")
def backbone() -> TextModel:
    return text_model("bundled")


def parts() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    shapes = {"W_enc": (D, F), "b_enc": (F,), "W_dec": (F, D), "b_dec": (D,), "threshold": (F,)}
    return {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}


def gemma_scope(folder: Path, made: dict[str, torch.Tensor]) -> Path:
    folder.mkdir(parents=True)
    np.savez(folder / "params.npz", **{name: part.numpy() for name, part in made.items()})
    return folder


def saelens(folder: Path, made: dict[str, torch.Tensor], **about: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(made, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"hook_name": "blocks.3.hook_resid_post", **about}))
    return folder


def llama_scope(folder: Path, made: dict[str, torch.Tensor], **about: Any) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    names = {"encoder.weight": made["W_enc"].T, "decoder.weight": made["W_dec"].T}
    names |= {"encoder.bias": made["b_enc"], "decoder.bias": made["b_dec"]}
    save_file({k: v.contiguous() for k, v in names.items()}, folder / "checkpoints" / "final.safetensors")
    (folder / "hyperparams.json").write_text(json.dumps(about))
    return folder


def test_gemma_scope(tmp_path: Path) -> None:
    """JumpReLU without a shift, as the Gemma Scope tutorial computes it."""
    made = parts()
    sae = load_sae(gemma_scope(tmp_path / "layer_12" / "width_16k" / "average_l0_82", made))
    x = torch.randn(5, D, generator=torch.Generator().manual_seed(1))
    before = x @ made["W_enc"] + made["b_enc"]
    by_hand = (before > made["threshold"]) * before.relu()
    assert sae.block == 12
    assert torch.allclose(sae.encode(x), by_hand)
    assert torch.allclose(sae.decode(by_hand), by_hand @ made["W_dec"] + made["b_dec"])


@pytest.mark.parametrize("kind", ["standard", "jumprelu", "topk"])
def test_saelens(kind: str, tmp_path: Path) -> None:
    made = parts()
    about = {"architecture": kind, "apply_b_dec_to_input": True, **({"k": 2} if kind == "topk" else {})}
    sae = load_sae(saelens(tmp_path / "a", made, **about))
    x = torch.randn(5, D, generator=torch.Generator().manual_seed(1))
    before = (x - made["b_dec"]) @ made["W_enc"] + made["b_enc"]
    if kind == "standard":
        by_hand = before.relu()
    elif kind == "jumprelu":
        by_hand = before.relu() * (before > made["threshold"])
    else:
        by_hand = before.relu() * (before >= before.topk(2, dim=1).values[:, 1:])
    assert sae.block == 3
    assert torch.allclose(sae.encode(x), by_hand)
    again = load_sae(sae.save(tmp_path / "b", {"model_name": "m"}))
    assert again.block == 3
    assert torch.allclose(again.decode(again.encode(x)), sae.decode(by_hand), atol=1e-5)


def test_saelens_before_a_block_is_after_the_one_before(tmp_path: Path) -> None:
    assert load_sae(saelens(tmp_path / "a", parts(), hook_name="blocks.3.hook_resid_pre")).block == 2
    with pytest.raises(FileError, match="not of the output of a block"):
        load_sae(saelens(tmp_path / "b", parts(), hook_name="blocks.3.attn.hook_z"))
    with pytest.raises(FileError, match="normalize_activations 'layer_norm'"):
        load_sae(saelens(tmp_path / "c", parts(), normalize_activations="layer_norm"))
    with pytest.raises(FileError, match="architecture 'gated' is not one of"):
        load_sae(saelens(tmp_path / "d", parts(), architecture="gated"))


def test_saelens_with_activations_by_decoder_length(tmp_path: Path) -> None:
    made = parts()
    plain = load_sae(saelens(tmp_path / "a", made, architecture="standard"))
    scaled = load_sae(
        saelens(tmp_path / "b", made, architecture="standard", rescale_acts_by_decoder_norm=True)
    )
    x = torch.randn(5, D, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(scaled.encode(x), plain.encode(x) * made["W_dec"].norm(dim=1), atol=1e-5)
    assert torch.allclose(scaled.decode(scaled.encode(x)), plain.decode(plain.encode(x)), atol=1e-5)


def test_llama_scope(tmp_path: Path) -> None:
    """States are brought to length √d on average; one threshold for all."""
    made = parts()
    about = {"hook_point_in": "blocks.15.hook_resid_post", "jump_relu_threshold": 0.3, "act_fn": "jumprelu"}
    about |= {"dataset_average_activation_norm": {"in": 8.0}, "top_k": 50}
    sae = load_sae(llama_scope(tmp_path / "a", made, **about))
    x = torch.randn(5, D, generator=torch.Generator().manual_seed(1))
    before = x * 2 / 8 @ made["W_enc"] + made["b_enc"]
    by_hand = before * (before > 0.3)
    assert sae.block == 15
    assert torch.allclose(sae.encode(x), by_hand)
    assert torch.allclose(sae.decode(by_hand), (by_hand @ made["W_dec"] + made["b_dec"]) * 4, atol=1e-5)
    with pytest.raises(FileError, match="a transcoder"):
        load_sae(llama_scope(tmp_path / "b", made, **about, hook_point_out="blocks.15.hook_mlp_out"))


def test_what_is_no_autoencoder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"expected params\.npz"):
        load_sae(tmp_path)
    (tmp_path / "params.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(FileError, match="damaged"):
        load_sae(tmp_path)
    np.savez(tmp_path / "params.npz", W_enc=np.array([{}], dtype=object))  # a pickle could run code
    with pytest.raises(FileError, match="damaged"):
        load_sae(tmp_path)
    made = parts()
    with pytest.raises(FileError, match="'b_enc'"):
        load_sae(saelens(tmp_path / "a", {k: v for k, v in made.items() if k != "b_enc"}))
    with pytest.raises(FileError, match="do not fit together"):
        load_sae(gemma_scope(tmp_path / "b", made | {"b_dec": torch.zeros(D + 1)}))
    with pytest.raises(FileError, match="not finite"):
        load_sae(gemma_scope(tmp_path / "c", made | {"b_dec": torch.full((D,), torch.nan)}))
    (tmp_path / "a" / "cfg.json").write_text("[" * 100_000)
    with pytest.raises(FileError, match="damaged"):
        load_sae(tmp_path / "a")


def test_training_and_directions(backbone: TextModel, tmp_path: Path) -> None:
    made = train_sae(backbone, 3, features=96, texts=30, steps=300)
    assert made.explained > 0.6
    assert made.active <= 8.01
    same = train_sae(backbone, 3, features=96, texts=30, steps=300)
    assert torch.equal(made.sae.decoder, same.sae.decoder)
    sae = load_sae(made.sae.save(tmp_path / "sae", {}))
    concept = load_concept("counting")
    vector = extract(backbone, concept, "sae", saes=[sae])
    lengths = vector.directions.norm(dim=1)
    assert (lengths > 0).tolist() == [False] * 3 + [True] + [False] * 4
    assert lengths[3] == pytest.approx(float(extract(backbone, concept).directions[3].norm()), rel=1e-4)
    assert str(vector.facts["features_3"])
    released = extract(backbone, concept, "sae-published", saes=[sae])
    assert float(released.directions[3].norm()) == pytest.approx(1, rel=1e-5)
    chosen = features_of(anchored(backbone, concept), sae, 3)
    assert all(one.sentences >= 2 for one in chosen)
    assert [one.weight for one in chosen] == sorted((one.weight for one in chosen), reverse=True)
    (where,) = contexts(backbone, sae, [chosen[0].number], [text for _, text in concept.sentences])
    assert where
    assert [value for *_, value in where] == sorted((value for *_, value in where), reverse=True)


def test_what_does_not_fit(backbone: TextModel) -> None:
    with pytest.raises(InputError, match="needs a sparse autoencoder"):
        extract(backbone, load_concept("spatial"), "sae")
    made = parts()
    small = SAE(made["W_enc"], made["b_enc"], made["W_dec"], made["b_dec"], made["threshold"], block=3)
    with pytest.raises(InputError, match="block 3 and width 4 does not fit"):
        extract(backbone, load_concept("spatial"), "sae", saes=[small])
    with pytest.raises(InputError, match="block 8 does not exist"):
        train_sae(backbone, 8)
    with pytest.raises(InputError, match="k is 9"):
        train_sae(backbone, 1, features=8, k=9)


def test_a_feature_of_a_word(backbone: TextModel) -> None:
    """One feature stands for the word: the decoder row most active there, as long as the mean difference."""
    sae = train_sae(backbone, 0, texts=60, steps=60).sae
    plain = value_vectors(backbone, "color", texts=60)
    found = value_vectors(backbone, "color", saes=[sae], texts=60)
    assert list(found) == list(plain)
    for word, vector in found.items():
        row = sae.decoder[int(vector.facts["feature_0"] or 0)]
        assert torch.cosine_similarity(vector.directions[0], row, dim=0) == pytest.approx(1, abs=1e-4)
        assert vector.directions[0].norm() == pytest.approx(float(plain[word].directions[0].norm()), rel=1e-3)
        assert not vector.directions[1:].any()
    alike = [torch.cosine_similarity(found[w].directions[0], plain[w].directions[0], dim=0) for w in found]
    assert torch.stack(alike).median() > 0.2
    with pytest.raises(InputError, match="does not fit"):
        value_vectors(backbone, "color", saes=[dataclasses.replace(sae, block=99)], texts=20)
