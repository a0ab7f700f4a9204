"""Loading: what is refused, with which words, and that nothing of a model runs before it is trusted."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from modgap._errors import FileError, InputError, MissingExtra, ModelError, UnknownName
from modgap.models import Query, load_model, local
from modgap.models.local._model import LocalModel

MakeAdapter = Callable[[Path, int], Path]


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_path_that_does_not_exist() -> None:
    with pytest.raises(FileError, match=r"^/no/such/model: no such folder; give a model folder or a hub id"):
        load_model("/no/such/model")


def test_a_folder_that_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"not a model folder, config.json is missing; expected a folder written by"
    ):
        load_model(str(tmp_path))


def test_an_adapter_given_as_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(
        FileError, match=r"an adapter, not a model; name its base model and give this as adapter"
    ):
        load_model(str(tmp_path))


def test_pickled_weights_are_refused(own_tiny: Path) -> None:
    weights = load_file(own_tiny / "model.safetensors")
    torch.save(weights, own_tiny / "pytorch_model.bin")
    (own_tiny / "model.safetensors").unlink()
    with pytest.raises(
        FileError, match=r"stored as pickle \(pytorch_model.bin\), which can run code when read"
    ):
        load_model(str(own_tiny))


def test_no_weights(own_tiny: Path) -> None:
    (own_tiny / "model.safetensors").unlink()
    with pytest.raises(FileError, match=r"no weights; expected model.safetensors"):
        load_model(str(own_tiny))


def test_damaged_weights(own_tiny: Path) -> None:
    weights = own_tiny / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cannot load model type 'idefics3' as an image-text model"):
        load_model(str(own_tiny))


def test_a_parameter_without_a_value(own_tiny: Path) -> None:
    # transformers would fill it with random numbers and go on.
    weights = load_file(own_tiny / "model.safetensors")
    name = next(name for name in weights if "q_proj" in name and "text_model" in name)
    del weights[name]
    save_file(weights, own_tiny / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"1 parameters have no saved value of the right shape, the first is .*q_pr"
    ):
        load_model(str(own_tiny))


def test_a_damaged_configuration(own_tiny: Path) -> None:
    (own_tiny / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config.json is not readable JSON"):
        load_model(str(own_tiny))


def test_a_model_of_text_alone(own_tiny: Path) -> None:
    edit_json(own_tiny / "config.json", model_type="gpt2", architectures=["GPT2LMHeadModel"])
    with pytest.raises(ModelError, match=r"cannot load model type 'gpt2' as an image-text model"):
        load_model(str(own_tiny))


def test_a_model_without_processor(own_tiny: Path) -> None:
    for name in ("processor_config.json", "preprocessor_config.json", "chat_template.jinja"):
        (own_tiny / name).unlink(missing_ok=True)
    edit_json(own_tiny / "tokenizer_config.json", processor_class=None)
    with pytest.raises(ModelError, match=r"processor"):
        load_model(str(own_tiny))


def test_code_that_comes_with_a_model_is_not_run(own_tiny: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    (own_tiny / "modeling_own.py").write_text(
        f"from pathlib import Path\nPath({str(trace)!r}).touch()\n"
        "from transformers import LlamaConfig\nclass OwnConfig(LlamaConfig):\n    model_type = 'own'\n"
    )
    edit_json(
        own_tiny / "config.json",
        model_type="own",
        auto_map={
            "AutoConfig": "modeling_own.OwnConfig",
            "AutoModelForImageTextToText": "modeling_own.OwnModel",
        },
    )
    with pytest.raises(
        ModelError, match=r"comes with its own code, which is not run; read that code, and give trust"
    ):
        load_model(str(own_tiny))
    assert not trace.exists()


def test_an_adapter_changes_the_scores(
    own_tiny: Path,
    tmp_path: Path,
    model: LocalModel,
    queries: list[Query],
    make_adapter: MakeAdapter,
) -> None:
    adapter = make_adapter(tmp_path / "lora", 0)
    adapted = load_model(str(own_tiny), adapter=str(adapter))
    assert adapted.name == "model+lora"
    plain = dict(model.reply(queries[:3]))
    for index, reply in adapted.reply(queries[:3]):
        assert reply.error is None
        assert reply.option_scores != pytest.approx(plain[index].option_scores, rel=1e-3)


def test_a_missing_adapter(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no such adapter folder; expected a folder written by PEFT"):
        load_model(str(tiny), adapter=str(tmp_path / "nothing"))
    with pytest.raises(FileError, match=r"not an adapter folder, adapter_config.json is missing"):
        load_model(str(tiny), adapter=str(tmp_path))


def test_a_pickled_adapter_is_refused(tiny: Path, tmp_path: Path, make_adapter: MakeAdapter) -> None:
    adapter = make_adapter(tmp_path / "lora", 0)
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(FileError, match=r"not an adapter folder, adapter_model.safetensors is missing"):
        load_model(str(tiny), adapter=str(adapter))


def test_an_adapter_of_another_model(tiny: Path, tmp_path: Path, make_adapter: MakeAdapter) -> None:
    adapter = make_adapter(tmp_path / "lora", 0)
    edit_json(adapter / "adapter_config.json", target_modules=["no_such_layer"])
    with pytest.raises(ModelError, match=r"the adapter does not fit the model"):
        load_model(str(tiny), adapter=str(adapter))


def test_an_adapter_of_prompt_tokens_is_refused(tiny: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "prompt"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(
        json.dumps({"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 4})
    )
    save_file({"prompt_embeddings": torch.zeros(4, 32)}, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"PROMPT_TUNING add tokens and are not supported; LoRA is"):
        load_model(str(tiny), adapter=str(adapter))


def test_dtypes(own_tiny: Path) -> None:
    assert local.load(str(own_tiny)).pretrained.model.dtype == torch.float32
    assert local.load(str(own_tiny), dtype="bfloat16").pretrained.model.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"dtype": "float31"},
            UnknownName,
            "dtype 'float31' is not one of auto, float32.* did you mean 'float32'",
        ),
        ({"answer": "option"}, UnknownName, "answer mode 'option' is not one of auto, options, generate"),
        ({"share_prefix": "on"}, UnknownName, "share_prefix 'on' is not one of auto, off"),
        ({"batch_size": 0}, InputError, "batch_size is 0; it must be at least 1"),
        ({"batch_tokens": -1}, InputError, "batch_tokens is -1; it must be at least 1"),
        ({"device": "gpu"}, InputError, "device 'gpu' is not known to torch; give cpu, cuda or cuda:N"),
        ({"device": "cpu", "device_map": "auto"}, InputError, "device and device_map exclude each other"),
        ({"revision": "main"}, InputError, "is a folder; a revision is for a hub id"),
        (
            {"quantise": True},
            InputError,
            "'local' does not accept the option quantise; it accepts adapter, ",
        ),
    ],
)
def test_options_that_are_refused(
    tiny: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load_model(str(tiny), **options)


@pytest.mark.skipif("bitsandbytes" in sys.modules, reason="bitsandbytes is installed")
def test_four_bits_without_bitsandbytes(tiny: Path) -> None:
    with pytest.raises(
        ModelError, match=r"4-bit loading needs bitsandbytes, which is not installed; install it with"
    ):
        load_model(str(tiny), load_in_4bit=True)


def test_without_torch_the_install_line_is_printed(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"local models needs .* pip install 'modgap\[hf\]'"):
        load_model(str(tiny))


def test_device_map(tiny: Path, model: LocalModel, queries: list[Query]) -> None:
    mapped = local.load(str(tiny), device_map="cpu")
    expected = {i: reply.text for i, reply in model.reply(queries[:3])}
    assert {i: reply.text for i, reply in mapped.reply(queries[:3])} == expected


def test_a_hub_id_is_read_from_the_cache_when_offline(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--someone--tiny"
    shutil.copytree(tiny, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    loaded = local.load("someone/tiny")
    assert loaded.name == "tiny"
    assert loaded.fingerprint()["revision"] == commit
    with pytest.raises(
        ModelError, match=r"^someone/other: not a folder here, and the hub gave nothing of that name"
    ):
        local.load("someone/other")
    with pytest.raises(ModelError, match=r"^someone/lora: not a folder here, and the hub gave nothing"):
        local.load("someone/tiny", adapter="someone/lora")


def test_loading_prints_nothing(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_model(str(tiny))
    assert capfd.readouterr() == ("", "")
