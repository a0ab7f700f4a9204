"""The fingerprint: equal for equal models wherever they are, different when any one thing differs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from modgap.models import JSON, local
from modgap.models.local import _fingerprint

MakeAdapter = Callable[[Path, int], Path]


def changed(one: dict[str, JSON], other: dict[str, JSON]) -> set[str]:
    assert one.keys() == other.keys()
    return {field for field in one if one[field] != other[field]}


@pytest.fixture(scope="module")
def base(tiny: Path) -> dict[str, JSON]:
    return local.load(str(tiny)).fingerprint()


def test_it_is_plain_data(base: dict[str, JSON]) -> None:
    assert json.loads(json.dumps(base)) == base


def test_a_copy_elsewhere_is_the_same_model(own_tiny: Path, base: dict[str, JSON]) -> None:
    assert changed(base, local.load(str(own_tiny)).fingerprint()) == set()


def test_one_bit_of_the_weights(own_tiny: Path, base: dict[str, JSON]) -> None:
    weights = load_file(own_tiny / "model.safetensors")
    name = sorted(weights)[0]
    weights[name].view(torch.int32).view(-1)[0] ^= 1
    save_file(weights, own_tiny / "model.safetensors", metadata={"format": "pt"})
    assert changed(base, local.load(str(own_tiny)).fingerprint()) == {"weights"}


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rope(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["rope_parameters"]["rope_theta"] = 5000.0
    (folder / "config.json").write_text(json.dumps(config))


def image_mean(folder: Path) -> None:
    config = json.loads((folder / "processor_config.json").read_text())
    config["image_processor"]["image_mean"] = [0.1, 0.1, 0.1]
    (folder / "processor_config.json").write_text(json.dumps(config))


def template(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("Assistant:", "Answerer:"))


def vocabulary(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"].pop()
    path.write_text(json.dumps(tokenizer))


def end_of_reply(folder: Path) -> None:
    edit(folder / "generation_config.json", eos_token_id=[2, 7])


@pytest.mark.parametrize(
    ("edited", "field"),
    [
        (rope, "config"),
        (image_mean, "processor"),
        (template, "chat_template"),
        (vocabulary, "tokenizer"),
        (end_of_reply, "generation"),
    ],
)
def test_one_file_of_the_model(
    own_tiny: Path, base: dict[str, JSON], edited: Callable[[Path], None], field: str
) -> None:
    edited(own_tiny)
    assert changed(base, local.load(str(own_tiny)).fingerprint()) == {field}


def test_options_of_loading(tiny: Path, base: dict[str, JSON]) -> None:
    assert changed(base, local.load(str(tiny), answer="generate").fingerprint()) == {"answer_mode"}
    half = local.load(str(tiny), dtype="bfloat16").fingerprint()
    assert {"dtype"} <= changed(base, half) <= {"dtype", "config"}


def test_how_fast_is_not_what(tiny: Path, base: dict[str, JSON]) -> None:
    same = local.load(str(tiny), batch_size=3, batch_tokens=100, share_prefix="off")
    assert changed(base, same.fingerprint()) == set()


def test_adapters(tiny: Path, tmp_path: Path, base: dict[str, JSON], make_adapter: MakeAdapter) -> None:
    one, other = (
        local.load(str(tiny), adapter=str(make_adapter(tmp_path / name, seed))).fingerprint()
        for name, seed in (("a", 0), ("b", 1))
    )
    assert changed(base, one) == {"adapter"}
    assert changed(one, other) == {"adapter"}


def test_attention_and_versions(tiny: Path, base: dict[str, JSON], monkeypatch: pytest.MonkeyPatch) -> None:
    model = local.load(str(tiny))
    model.pretrained.model.set_attn_implementation("eager")
    assert changed(base, model.fingerprint()) == {"attention"}
    monkeypatch.setattr(torch, "__version__", "0.0")
    monkeypatch.setattr(transformers, "__version__", "0.0")
    assert changed(base, model.fingerprint()) == {"attention", "torch", "transformers"}


def test_own_code_counts_when_it_is_trusted(own_tiny: Path) -> None:
    (own_tiny / "helper.py").write_text("x = 1\n")
    one = local.load(str(own_tiny), trust_remote_code=True).fingerprint()
    (own_tiny / "helper.py").write_text("x = 2\n")
    assert changed(one, local.load(str(own_tiny), trust_remote_code=True).fingerprint()) == {"own_code"}


def test_a_changed_file_is_hashed_again(own_tiny: Path) -> None:
    weights = own_tiny / "model.safetensors"
    before = _fingerprint._file_hash(weights)
    stamp = weights.stat().st_mtime_ns
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    os.utime(weights, ns=(stamp + 1, stamp + 1))
    assert _fingerprint._file_hash(weights) != before


def test_large_files_are_remembered_across_runs(
    own_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_fingerprint, "LARGE", 1000)
    weights = own_tiny / "model.safetensors"
    before = _fingerprint._file_hash(weights)
    (stored,) = json.loads((tmp_path / "cache" / "modgap" / "hashes.json").read_text()).values()
    assert stored == before
    # Another run knows it from there; a damaged or unwritable store only costs time.
    monkeypatch.setattr(_fingerprint, "_known", {})
    (tmp_path / "cache" / "modgap" / "hashes.json").write_text("{")
    assert _fingerprint._file_hash(weights) == before
    monkeypatch.setattr(_fingerprint, "_known", {})
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("a file in the way")
    assert _fingerprint._file_hash(weights) == before
