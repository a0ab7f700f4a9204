"""Every family, built tiny: real model and processor classes, own tokenizer, random weights; no download.

``BUILDERS[name](folder)`` saves one as a hub-style folder. Where a processor class would build a video
processor, which needs torchvision, it is built without one, as modgap loads it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import GenerationConfig, PreTrainedTokenizerFast

from modgap.models.local._processors import without_video

CORPUS = ["Look at the scene and answer the question. Question: Options: Answer: left, right, above, below"]
SIDE = {"height": 32, "width": 32}
TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    # Large enough that two different prompts give clearly different logits in an untrained model.
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "dtype": "float32",
}
VISION: dict[str, Any] = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "initializer_range": 0.3,
}
GRID = [[32, 64], [64, 32], [64, 64]]
MROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]}


def build_tokenizer(*special: str, **named: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE over one sentence, with a family's control tokens; ``named`` become attributes."""
    control = ["<pad>", "<|im_start|>", "<|im_end|>", *dict.fromkeys([*special, *named.values()])]
    tokenizer = Tokenizer(BPE(unk_token=None))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=380,
        special_tokens=control,
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 50, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        additional_special_tokens=[token for token in special if token not in named.values()],
        extra_special_tokens=named,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def template(image: str, *, other: str = "") -> str:
    """A chat template that writes ``image`` where a picture stands."""
    return (
        "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}: "
        "{% for part in message['content'] %}"
        f"{{% if part['type'] == 'image' %}}{image}"
        + (f"{{% elif part['type'] == 'audio' %}}{other}" if other else "")
        + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}Assistant:{% endif %}"
    )


def _save(folder: Path, model: Any, processor: Any) -> Path:
    model.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _ids(tokenizer: PreTrainedTokenizerFast, **tokens: str) -> dict[str, int]:
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in tokens.items()}


def _paligemma(folder: Path, *, second: bool) -> Path:
    tokenizer = build_tokenizer("<image>")
    images = transformers.SiglipImageProcessorPil(size=SIDE, image_seq_length=16)
    processor = transformers.PaliGemmaProcessor(images, tokenizer)
    common = TEXT | {"vocab_size": len(tokenizer), "head_dim": 8}
    text = (
        transformers.Gemma2Config(**common, sliding_window=1024, query_pre_attn_scalar=8)
        if second
        else transformers.GemmaConfig(**common)
    )
    config = transformers.PaliGemmaConfig(
        text_config=text,
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
        dtype="float32",
    )
    return _save(folder, transformers.PaliGemmaForConditionalGeneration(config), processor)


def _gemma3(folder: Path) -> Path:
    names = {
        "boi_token": "<start_of_image>",
        "image_token": "<image_soft_token>",
        "eoi_token": "<end_of_image>",
    }
    tokenizer = build_tokenizer(**names)
    images = transformers.Gemma3ImageProcessorPil(size=SIDE)
    processor = transformers.Gemma3Processor(
        images, tokenizer, chat_template=template("<start_of_image>"), image_seq_length=4
    )
    text = TEXT | {"vocab_size": len(tokenizer), "head_dim": 8}
    config = transformers.Gemma3Config(
        text_config=transformers.Gemma3TextConfig(**text, sliding_window=1024, query_pre_attn_scalar=8),
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        mm_tokens_per_image=4,
        boi_token_index=tokenizer.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=tokenizer.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image_soft_token>"),
        dtype="float32",
    )
    return _save(folder, transformers.Gemma3ForConditionalGeneration(config), processor)


def _idefics3(folder: Path, *, small: bool, tiles: bool) -> Path:
    grid = [f"<row_{r}_col_{c}>" for r in (1, 2) for c in (1, 2)] if tiles else []
    names = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    tokenizer = build_tokenizer(*grid, **names)
    family = "SmolVLM" if small else "Idefics3"
    images = getattr(transformers, f"{family}ImageProcessorPil")(
        do_image_splitting=tiles,
        size={"longest_edge": 64 if tiles else 32},
        max_image_size={"longest_edge": 32},
    )
    processor_class = without_video(getattr(transformers, f"{family}Processor"))
    extra = {"video_processor": None} if small else {}
    processor = processor_class(
        images, tokenizer, image_seq_len=4, chat_template=template("<image>"), **extra
    )
    config = getattr(transformers, f"{family}Config")(
        text_config=TEXT | {"model_type": "llama", "vocab_size": len(tokenizer)},
        vision_config=VISION,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
        dtype="float32",
    )
    return _save(folder, getattr(transformers, f"{family}ForConditionalGeneration")(config), processor)


def _llava(folder: Path, *, tiles: bool) -> Path:
    tokenizer = build_tokenizer(image_token="<image>")
    family = "LlavaNext" if tiles else "Llava"
    grid: dict[str, Any] = {"image_grid_pinpoints": GRID} if tiles else {}
    pictures = transformers.LlavaNextImageProcessorPil if tiles else transformers.CLIPImageProcessorPil
    processor = getattr(transformers, f"{family}Processor")(
        pictures(size={"shortest_edge": 32}, crop_size=SIDE, **grid),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template("<image>"),
    )
    config = getattr(transformers, f"{family}Config")(
        text_config=transformers.LlamaConfig(**TEXT, vocab_size=len(tokenizer)),
        vision_config=transformers.CLIPVisionConfig(**VISION),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        dtype="float32",
        **grid,
    )
    return _save(folder, getattr(transformers, f"{family}ForConditionalGeneration")(config), processor)


def _llava_onevision(folder: Path) -> Path:
    tokenizer = build_tokenizer(image_token="<image>", video_token="<video>")
    images = transformers.LlavaOnevisionImageProcessorPil(size=SIDE, image_grid_pinpoints=GRID)
    processor = without_video(transformers.LlavaOnevisionProcessor)(
        images,
        tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=template("<image>"),
    )
    config = transformers.LlavaOnevisionConfig(
        text_config=transformers.Qwen2Config(**TEXT, vocab_size=len(tokenizer)),
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False),
        vision_feature_select_strategy="full",
        image_grid_pinpoints=GRID,
        **_ids(tokenizer, image_token_index="<image>", video_token_index="<video>"),
        dtype="float32",
    )
    return _save(folder, transformers.LlavaOnevisionForConditionalGeneration(config), processor)


def _qwen(folder: Path, *, family: str) -> Path:
    around = "<|vision_start|>", "<|vision_end|>"
    tokenizer = build_tokenizer("<|image_pad|>", "<|video_pad|>", *around)
    patch = 16 if family == "Qwen3VL" else 14
    images = transformers.Qwen2VLImageProcessorPil(
        patch_size=patch, merge_size=2, min_pixels=(2 * patch) ** 2, max_pixels=(6 * patch) ** 2
    )
    processor = without_video(getattr(transformers, f"{family}Processor"))(
        images, tokenizer, chat_template=template("<|image_pad|>".join(around))
    )
    vision: dict[str, Any] = {"depth": 2, "num_heads": 2, "patch_size": patch, "spatial_merge_size": 2}
    if family == "Qwen2VL":
        vision |= {"embed_dim": 24, "hidden_size": 32, "mlp_ratio": 2}
    else:
        vision |= {"hidden_size": 24, "out_hidden_size": 32, "intermediate_size": 48}
    if family == "Qwen2_5_VL":
        vision |= {"window_size": 4 * patch, "fullatt_block_indexes": [1]}
    if family == "Qwen3VL":
        vision |= {"deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    config = getattr(transformers, f"{family}Config")(
        text_config=TEXT | {"vocab_size": len(tokenizer), "head_dim": 8, "rope_parameters": MROPE},
        vision_config=vision,
        **_ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id=around[0],
            vision_end_token_id=around[1],
        ),
        dtype="float32",
    )
    return _save(folder, getattr(transformers, f"{family}ForConditionalGeneration")(config), processor)


def _internvl(folder: Path) -> Path:
    names = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = build_tokenizer(**names)
    images = transformers.GotOcr2ImageProcessorPil(
        size=SIDE, crop_to_patches=True, min_patches=1, max_patches=3
    )
    processor = without_video(transformers.InternVLProcessor)(
        images, tokenizer, image_seq_length=4, chat_template=template("<IMG_CONTEXT>")
    )
    config = transformers.InternVLConfig(
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": len(tokenizer)},
        vision_config=VISION | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        dtype="float32",
    )
    return _save(folder, transformers.InternVLForConditionalGeneration(config), processor)


def _mllama(folder: Path) -> Path:
    tokenizer = build_tokenizer("<|python_tag|>", image_token="<|image|>")
    images = transformers.MllamaImageProcessorPil(size=SIDE, max_image_tiles=2)
    processor = transformers.MllamaProcessor(images, tokenizer, chat_template=template("<|image|>"))
    image = tokenizer.convert_tokens_to_ids("<|image|>")
    config = transformers.MllamaConfig(
        # The table of embeddings is longer than the vocabulary: the image token has no logit.
        text_config=TEXT | {"vocab_size": len(tokenizer), "cross_attention_layers": [1]},
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
            "max_num_tiles": 2,
            "vision_output_dim": 72,
            "intermediate_layers_indices": [0, 1],
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
            "initializer_range": 0.3,
        },
        image_token_index=image,
        dtype="float32",
    )
    model = transformers.MllamaForConditionalGeneration(config)
    for name, parameter in model.named_parameters():
        if name.endswith(("cross_attn_attn_gate", "cross_attn_mlp_gate")):
            torch.nn.init.ones_(parameter)  # closed at the start: pictures would change nothing
    return _save(folder, model, processor)


def _qwen2_audio(folder: Path) -> Path:
    around = "<|audio_bos|>", "<|audio_eos|>"
    tokenizer = build_tokenizer("<|AUDIO|>", *around)
    sounds = transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=2)
    processor = transformers.Qwen2AudioProcessor(
        sounds, tokenizer, chat_template=template("", other="<|AUDIO|>".join(around))
    )
    config = transformers.Qwen2AudioConfig(
        audio_config={
            "num_mel_bins": 16,
            "d_model": 24,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 48,
            "max_source_positions": 100,
            "initializer_range": 0.3,
        },
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": len(tokenizer)},
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
        dtype="float32",
    )
    return _save(folder, transformers.Qwen2AudioForConditionalGeneration(config), processor)


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "paligemma": partial(_paligemma, second=False),
    "paligemma2": partial(_paligemma, second=True),
    "gemma3": _gemma3,
    "idefics3": partial(_idefics3, small=False, tiles=False),
    "idefics3-tiles": partial(_idefics3, small=False, tiles=True),
    "smolvlm": partial(_idefics3, small=True, tiles=True),
    "llava": partial(_llava, tiles=False),
    "llava-next": partial(_llava, tiles=True),
    "llava-onevision": _llava_onevision,
    "qwen2-vl": partial(_qwen, family="Qwen2VL"),
    "qwen2.5-vl": partial(_qwen, family="Qwen2_5_VL"),
    "qwen3-vl": partial(_qwen, family="Qwen3VL"),
    "internvl": _internvl,
    "mllama": _mllama,
    "qwen2-audio": _qwen2_audio,
}


def build(name: str, folder: Path, seed: int = 0) -> Path:
    """Save a tiny model of a family; the same seed gives the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BUILDERS[name](folder)
