"""The parts of the bundled model before training: tokenizer, processor, configuration.

Everything is a plain Hugging Face class, so that the trained folder loads through
``AutoModelForImageTextToText`` and ``AutoProcessor`` with no code of ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    PreTrainedTokenizerFast,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

SPECIALS = (
    "<|pad|>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)

# What every prompt, list and JSON scene repeats may become one piece: a third fewer positions. Besides, one
# digit is one piece, with or without the space before it, and words keep their leading space.
_REPEATED = (
    r"\n\nQuestion:| Answer:|\nOptions:|\nAssistant:|\n-|, y| at x|, depth|"
    r"(?:\[|\},|\{|\",|,)*\{?\"[a-z]+\":(?:\"|\[)?|"
)
_PIECES = _REPEATED + r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class Size:
    """Widths and depths of one size of the model.

    Args:
        width: of the text model.
        blocks: decoder blocks of the text model.
        mlp: inner width of a text MLP.
        vision_width: of the vision encoder.
        vision_blocks: of the vision encoder.
        pixels: side of the picture it sees.
        context: longest input, in tokens.
    """

    width: int = 128
    blocks: int = 8
    mlp: int = 352
    vision_width: int = 128
    vision_blocks: int = 4
    pixels: int = 64
    context: int = 1024
    patch: int = 8
    shuffle: int = 2

    @property
    def image_tokens(self) -> int:
        """Positions one picture takes in the text model."""
        return (self.pixels // self.patch // self.shuffle) ** 2


MODEL_SIZES = {
    "small": Size(blocks=4, vision_width=96, vision_blocks=3),
    "cpu": Size(),
    "gpu": Size(width=192, blocks=9, mlp=512, vision_width=128, vision_blocks=6, pixels=96),
    "tiny": Size(width=64, blocks=2, mlp=128, vision_width=64, vision_blocks=2),
}


def build_tokenizer(corpus: Iterable[str], vocabulary: int = 2000) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer of ``vocabulary`` pieces with single digits."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        extra_special_tokens={
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
            "end_of_utterance_token": "<end_of_utterance>",
        },
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_processor(tokenizer: PreTrainedTokenizerFast, size: Size) -> Idefics3Processor:
    """The real Idefics3 processor, one tile per picture."""
    side = {"longest_edge": size.pixels}
    images = Idefics3ImageProcessorPil(do_image_splitting=False, size=side, max_image_size=side)
    return Idefics3Processor(images, tokenizer, image_seq_len=size.image_tokens, chat_template=CHAT_TEMPLATE)


_OFFSETS = ((1, 2, 3, 4), (1, 2, 5))
"""How far back heads of the first two trained blocks look at the start."""


@torch.no_grad()
def _look_back(model: Idefics3ForConditionalGeneration) -> None:
    """Let heads of the first trained blocks attend to the tokens a few places back from the start.

    Looking things up in a list needs the words of an object gathered in one place first. Without biases a
    rotary head finds a fixed distance only through something that all states share, and nothing is shared at
    the start: a model this small then stays for thousands of steps at guessing among the objects. So all
    embeddings get a common part (which changes no prediction: it adds the same to every logit), and the
    heads a query and a key for it whose phases meet at the distance.
    """
    text = model.model.text_model
    width, size = text.config.hidden_size, text.layers[0].self_attn.head_dim
    common = torch.full((width,), width**-0.5)
    table = text.embed_tokens.weight
    table += table.norm(dim=1).mean() * common
    ids = torch.arange(len(table))[None, :512]
    every = text.layers
    text.layers = every[::2]  # the blocks that are trained first
    for number, offsets in enumerate(_OFFSETS[: len(text.layers)]):
        block = text.layers[number]
        states = text(input_ids=ids, output_hidden_states=True).hidden_states[number]
        shared = block.input_layernorm(states)[0].mean(dim=0)
        # Long enough that a neighbour of the right place gets a tenth of its weight or less.
        length, shared = 5.5 / shared.norm(), shared / shared.norm()
        query, key = block.self_attn.q_proj.weight, block.self_attn.k_proj.weight
        for head, offset in enumerate(offsets[: text.config.num_attention_heads]):
            first = head * size
            for weight in (query, key):
                rows = weight[first : first + size]
                rows -= torch.outer(rows @ shared, shared)
            for pair in range(4):  # the faster rotations; the others hardly tell neighbours apart
                angle = offset * text.config.rope_parameters["rope_theta"] ** (-2 * pair / size)
                key[first + pair] += length * shared
                query[first + pair] += length * math.cos(angle) * shared
                query[first + pair + size // 2] -= length * math.sin(angle) * shared
    text.layers = every


def build_model(
    tokenizer: PreTrainedTokenizerFast, size: Size, seed: int
) -> Idefics3ForConditionalGeneration:
    """A freshly initialised model in float32.

    The spread of the initial weights is about 1/√width: with the library's 0.02 a model this narrow does
    not learn relations at all (measured in docs/lab-notes.md, "initialisation").
    """
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIALS}
    special = {
        "pad_token_id": ids["<|pad|>"],
        "bos_token_id": ids["<|im_start|>"],
        "eos_token_id": ids["<end_of_utterance>"],
    }
    config = Idefics3Config(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": size.width,
            "intermediate_size": size.mlp,
            "num_hidden_layers": size.blocks,
            "num_attention_heads": size.width // 32,
            "num_key_value_heads": size.width // 32,
            "max_position_embeddings": size.context,
            "initializer_range": 0.08,
            "tie_word_embeddings": True,
            "rms_norm_eps": 1e-5,
            **special,
        },
        vision_config={
            "hidden_size": size.vision_width,
            "intermediate_size": 2 * size.vision_width,
            "num_hidden_layers": size.vision_blocks,
            "num_attention_heads": size.vision_width // 32,
            "image_size": size.pixels,
            "patch_size": size.patch,
            "initializer_range": 0.08,
        },
        scale_factor=size.shuffle,
        image_token_id=ids["<image>"],
        tie_word_embeddings=True,
        dtype="float32",
        **special,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Idefics3ForConditionalGeneration(config)
        _look_back(model)
    model.generation_config.eos_token_id = special["eos_token_id"]
    model.generation_config.pad_token_id = special["pad_token_id"]
    return model.float()
