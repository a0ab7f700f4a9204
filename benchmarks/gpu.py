"""Prefill and option scoring on a large model, against one-at-a-time ``generate`` and the limit of the card.

    python benchmarks/gpu.py                       # on a GPU: tiny and 3B-shaped models, bfloat16
    python benchmarks/gpu.py --shapes tiny         # anywhere; float32 on a CPU

PaliGemma 2 and Idefics3 with random weights (nothing is downloaded) are built in the shapes of released 3B
models. "Limit" is 2 × parameters × tokens, divided by what a square matrix product reaches on the same card
in the same type and run: what a prefill without attention, vision and Python would give.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from local_speed import QUESTIONS, make_queries

from modgap.models import local

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from _from_tests import from_tests

VISION = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2},
    "3B": {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
    },
}
GEMMA = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "head_dim": 32},
    "3B": {"hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26, "head_dim": 256},
}
LLAMA = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4},
    "3B": {
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 28,
        "num_attention_heads": 24,
    },
}


def paligemma2(folder: Path, shape: str, families: Any) -> Path:
    """A PaliGemma 2 of this shape with 256 image tokens."""
    tokenizer = families.build_tokenizer("<image>")
    images = transformers.SiglipImageProcessorPil(size={"height": 224, "width": 224}, image_seq_length=256)
    heads = (
        {"num_attention_heads": 8, "num_key_value_heads": 4}
        if shape == "3B"
        else {
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
        }
    )
    text = transformers.Gemma2Config(
        **GEMMA[shape],
        **heads,
        vocab_size=len(tokenizer),
        query_pre_attn_scalar=GEMMA[shape]["head_dim"],
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    config = transformers.PaliGemmaConfig(
        text_config=text,
        vision_config=transformers.SiglipVisionConfig(
            **VISION[shape], image_size=224, patch_size=14, vision_use_head=False
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=GEMMA[shape]["hidden_size"],
        hidden_size=GEMMA[shape]["hidden_size"],
    )
    processor = transformers.PaliGemmaProcessor(images, tokenizer)
    return _save(folder, transformers.PaliGemmaForConditionalGeneration, config, processor)


def idefics3(folder: Path, shape: str, families: Any) -> Path:
    """An Idefics3 of this shape with 169 image tokens."""
    names = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    tokenizer = families.build_tokenizer(**names)
    side = {"longest_edge": 364}
    images = transformers.Idefics3ImageProcessorPil(do_image_splitting=False, size=side, max_image_size=side)
    template = families.template("<image>")
    processor = transformers.Idefics3Processor(images, tokenizer, image_seq_len=169, chat_template=template)
    config = transformers.Idefics3Config(
        text_config=LLAMA[shape]
        | {
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 4096,
            "num_key_value_heads": LLAMA[shape]["num_attention_heads"] // (3 if shape == "3B" else 2),
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config=VISION[shape] | {"image_size": 364, "patch_size": 14},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    return _save(folder, transformers.Idefics3ForConditionalGeneration, config, processor)


def _save(folder: Path, kind: Any, config: Any, processor: Any) -> Path:
    config.dtype = torch.bfloat16
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.set_default_dtype(torch.bfloat16)
        model = kind(config)
        torch.set_default_dtype(torch.float32)
    model.generation_config = transformers.GenerationConfig(eos_token_id=2, pad_token_id=0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def seconds_of(work: Callable[[], object], repeats: int = 3) -> float:
    """Best of some runs, the first of which does not count."""
    work()
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return best


def flops_reached(dtype: torch.dtype, device: torch.device) -> float:
    """Floating point operations per second of a square matrix product."""
    side = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / seconds_of(lambda: a @ b, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=("tiny", "3B"))
    parser.add_argument("--batch", type=int, default=32, help="prompts in one prefill")
    args = parser.parse_args()
    gpu = torch.cuda.is_available()
    families = from_tests("models/local/families.py")
    card = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads"
    print(f"{card}, torch {torch.__version__}, transformers {transformers.__version__}")
    for shape in args.shapes or (("tiny", "3B") if gpu else ("tiny",)):
        for build in (paligemma2, idefics3):
            with tempfile.TemporaryDirectory() as folder:
                measure(
                    build(Path(folder) / "model", shape, families), f"{build.__name__} {shape}", args.batch
                )


def measure(folder: Path, name: str, batch: int) -> None:
    """Print one line for one model."""
    dtype = "bfloat16" if torch.cuda.is_available() else "float32"
    model = local.load(str(folder), dtype=dtype)  # type: ignore[arg-type]
    whole = model.pretrained.model
    size = sum(p.numel() for p in whole.parameters())
    queries = make_queries("image")
    read = model.pretrained.processor(
        text=[f"{model.pretrained.processor.image_token} What color is it?"] * batch,
        images=[[query.parts[1].to_pil()] for query in queries[:batch]],  # type: ignore[union-attr]
        return_tensors="pt",
        padding=True,
    ).to(whole.device)
    read.pop("labels", None)
    read["pixel_values"] = read["pixel_values"].to(whole.dtype)
    with torch.inference_mode():
        prefill = read["input_ids"].numel() / seconds_of(lambda: whole(**read, logits_to_keep=1))
    limit = flops_reached(whole.dtype, whole.device) / (2 * size)
    scoring = len(queries) / seconds_of(lambda: dict(model.reply(queries)), 1)
    few = queries[:QUESTIONS]
    writer = local.load(str(folder), dtype=dtype, answer="generate", batch_size=1, share_prefix="off")  # type: ignore[arg-type]
    written = len(few) / seconds_of(lambda: dict(writer.reply(few)), 1)
    print(
        f"{name:16} {size / 1e6:7.0f} M   prefill {prefill:10,.0f} tokens/s "
        f"({100 * prefill / limit:.0f} % of the limit)   options {scoring:8.1f} questions/s   "
        f"generate one at a time {written:6.2f}/s   ratio {scoring / written:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
