"""What is saved comes back: settings, numbers, adapters, and damage that is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file

from modgap._errors import FileError, ModelError, UnknownName
from modgap.fone import Codec, NumberModel, NumberSettings, Policy, attach
from modgap.fone._settings import settings_from_json

# peft reads names that transformers has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

TEXTS = ["the answer is -34, 1,234.5 kg (12)", "7 of 12"]
CODEC = Codec(4, 2, "both")


def moved(model: NumberModel) -> NumberModel:
    """The same model with parameters that no fresh one has."""
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.number_parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=rng)
    return model


def logits(model: NumberModel) -> torch.Tensor:
    with torch.no_grad():
        found = model(**model.encode_text(TEXTS)).logits
    assert found is not None
    return found


@pytest.mark.parametrize("mode", ["replace", "add"])
def test_a_model_comes_back_with_its_base(make_model: Any, tokenizer: Any, tmp_path: Path, mode: Any) -> None:
    model = moved(attach(make_model(len(tokenizer)), tokenizer, mode=mode, codec=CODEC))
    model.save_pretrained(tmp_path / "saved")
    again = NumberModel.from_pretrained(tmp_path / "saved")
    assert again.settings == model.settings
    assert torch.equal(logits(again), logits(model))
    assert type(again.base) is type(model.base)
    written = model.generate(TEXTS, max_new_tokens=5)
    assert again.generate(TEXTS, max_new_tokens=5) == written
    half = NumberModel.from_pretrained(tmp_path / "saved", dtype="bfloat16")
    assert half.base.dtype == torch.bfloat16
    assert half.embedding.weight is not None
    assert half.embedding.weight.dtype == torch.float32


def test_the_parts_alone_are_small_and_find_their_base(
    make_llama: Any, tokenizer: Any, tmp_path: Path
) -> None:
    base = make_llama(len(tokenizer))
    base.save_pretrained(tmp_path / "base")
    base = type(base).from_pretrained(tmp_path / "base")
    model = moved(attach(base, tokenizer, codec=CODEC))
    model.save_pretrained(tmp_path / "parts", base=False)
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == [
        "number_model.json", "number_model.safetensors", "tokenizer",
    ]  # fmt: skip
    stored = load_file(tmp_path / "parts" / "number_model.safetensors")
    assert sum(tensor.numel() for tensor in stored.values()) == sum(
        p.numel() for p in model.number_parameters()
    )
    for again in (
        NumberModel.from_pretrained(tmp_path / "parts"),  # where the base was loaded from
        NumberModel.from_pretrained(tmp_path / "parts", base=tmp_path / "base"),
        NumberModel.from_pretrained(tmp_path / "parts", base=base),
    ):
        assert torch.equal(logits(again), logits(model))


def with_lora(base: Any) -> Any:
    # GPT-2 keeps its weights the other way round, which LoRA has to be told.
    gpt2 = base.config.model_type == "gpt2"
    config = peft.LoraConfig(
        r=2,
        target_modules=["c_attn"] if gpt2 else ["q_proj", "v_proj"],
        init_lora_weights=False,
        fan_in_fan_out=gpt2,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(0)
    return peft.get_peft_model(base, config)


@pytest.mark.parametrize("mode", ["replace", "add"])
def test_an_adapter_on_the_base_trains_and_comes_back(
    make_model: Any, tokenizer: Any, tmp_path: Path, mode: Any
) -> None:
    base = make_model(len(tokenizer))
    base.save_pretrained(tmp_path / "base")
    wrapped = with_lora(type(base).from_pretrained(tmp_path / "base"))
    model = attach(wrapped, tokenizer, mode=mode, codec=CODEC)
    frozen = {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    trained = [n for n, p in model.named_parameters() if p.requires_grad]
    assert frozen
    assert all("lora_" in n or not n.startswith("base.") for n in trained)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        loss = model(**model.encode_text(TEXTS)).loss
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    for name, parameter in model.named_parameters():
        assert name in trained or torch.equal(parameter, frozen[name])
    model.save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "adapter" / "adapter_model.safetensors").is_file()
    assert not (tmp_path / "saved" / "base").exists()
    model.eval()
    again = NumberModel.from_pretrained(tmp_path / "saved")
    torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=0)
    assert again.generate(TEXTS, max_new_tokens=5) == model.generate(TEXTS, max_new_tokens=5)


def test_an_adapter_may_be_put_on_after_attaching(make_llama: Any, tokenizer: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=CODEC)
    model.base = with_lora(model.base)
    model(**model.encode_text(TEXTS)).loss.backward()
    assert all(p.grad is not None for p in model.number_parameters())
    assert model.generate(TEXTS, max_new_tokens=3)


def test_the_trainer_of_transformers_trains_it(make_llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    import transformers

    model = attach(make_llama(len(tokenizer)), tokenizer, codec=CODEC)
    rows = [{"text": f"{a}+{b}=", "answer": str(a + b)} for a in range(5) for b in range(5)]
    before = float(
        model(**model.encode_text([r["text"] for r in rows], [r["answer"] for r in rows])).loss.detach()
    )
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=8,
            max_steps=8,
            learning_rate=1e-2,
            remove_unused_columns=False,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=rows,
        data_collator=lambda batch: model.encode_text(
            [r["text"] for r in batch], [r["answer"] for r in batch]
        ),
    )
    trainer.train()
    after = float(
        model(**model.encode_text([r["text"] for r in rows], [r["answer"] for r in rows])).loss.detach()
    )
    assert after < 0.8 * before


def test_settings_come_back_from_json() -> None:
    for settings in (
        NumberSettings(),
        NumberSettings(
            "add", Codec.floating(9), Policy(group_marks=(" ", ","), split=("date",)), positions="last"
        ),
        NumberSettings(codec=Codec(7, 3, periods=("0.01", 5, "2e3"), extras=("sign",)), temperature=None),
        NumberSettings(codec=Codec(7, 3, group_places=5), temperature=0.5, label_smoothing=0.1),
    ):
        again = settings_from_json(json.loads(json.dumps(settings.as_json())), "it")
        assert again.as_json() == settings.as_json()
        assert again.codec.encode(["12.5"]).tolist() == settings.codec.encode(["12.5"]).tolist()


@pytest.fixture
def saved(make_llama: Any, tokenizer: Any, tmp_path: Path) -> Path:
    attach(make_llama(len(tokenizer)), tokenizer, codec=CODEC).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def changed(folder: Path, **values: Any) -> None:
    path = folder / "number_model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": 2}, "settings of version 2, and this modgap reads version 1: save the model again"),
        ({"mode": "ad"}, "these are no settings of a number model: mode 'ad' is not one of replace, add"),
        ({"codec": 5}, "these are no settings of a number model"),
        ({"colour": "red"}, "NumberSettings has the fields mode, codec, policy"),
        ({"number_weight": "much"}, "these are no settings of a number model"),
        ({"mark": 7}, "mark of NumberSettings is 7"),
        ({"base": None}, "it does not say which base model it belongs to"),
    ],
)
def test_damaged_settings_are_named(saved: Path, values: dict[str, Any], message: str) -> None:
    changed(saved, **values)
    with pytest.raises(FileError, match=message):
        NumberModel.from_pretrained(saved)


def test_damaged_files_are_named(saved: Path, make_llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nowhere: no number model, number_model.json is missing"):
        NumberModel.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(UnknownName, match="dtype 'float8' is not one of auto, float32, bfloat16, float16"):
        NumberModel.from_pretrained(saved, dtype="float8")
    with pytest.raises(
        ModelError, match="the parameters belong to another base model, of 282 tokens and not 284"
    ):
        NumberModel.from_pretrained(saved, base=make_llama(284))
    with pytest.raises(ModelError, match="of another width: give the one they were trained with"):
        NumberModel.from_pretrained(saved, base=make_llama(282, width=64))
    (saved / "number_model.safetensors").write_bytes(b"broken")
    with pytest.raises(FileError, match=r"number_model.safetensors: damaged"):
        NumberModel.from_pretrained(saved)
    (saved / "number_model.safetensors").unlink()
    with pytest.raises(FileError, match=r"number_model.safetensors is missing"):
        NumberModel.from_pretrained(saved)
    shutil.rmtree(saved / "tokenizer")
    with pytest.raises(FileError, match="the tokenizer cannot be loaded"):
        NumberModel.from_pretrained(saved)
    shutil.rmtree(saved / "base")
    with pytest.raises(
        ModelError, match="the base model was not saved with it: give base=, its folder or hub"
    ):
        NumberModel.from_pretrained(saved)
    (saved / "number_model.json").write_text("{")
    with pytest.raises(FileError, match=r"number_model.json: not readable JSON"):
        NumberModel.from_pretrained(saved)
