"""A tiny random Idefics3 with its own tokenizer and processor, built in code: no download, 0.1 s."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import (
    GenerationConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlamaConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

from modgap.media import Image, Part, Text
from modgap.models import Query, local
from modgap.models.local._model import LocalModel

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
SPECIAL = (
    "<pad>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
)
# "left", "right", "above" and "below" become single tokens; "north" and "south-east" stay in pieces.
CORPUS = [
    "Look at the scene and answer the question. Question: Options: Answer: left, right, above, below"
] * 50
WINDOW = 512
INSTRUCTION = "Look at the scene and answer the question. Finish with one line: Answer: <option>\n\n"


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE over one sentence: any text can be written, few words are one token."""
    tokenizer = Tokenizer(BPE(unk_token=None))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    alphabet = ByteLevel.alphabet()
    trainer = BpeTrainer(
        vocab_size=360, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<end_of_utterance>",
        additional_special_tokens=[
            "<|im_start|>",
            "<fake_token_around_image>",
            "<image>",
            "<global-img>",
        ],
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build_tiny(folder: Path, *, seed: int = 0, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    """Save a tiny model, tokenizer and processor as a hub-style folder.

    Args:
        folder: where to; created.
        seed: of the weights.
        chat_template: of the processor; ``None`` for a model without one.

    Returns:
        The folder.
    """
    tokenizer = build_tokenizer()
    image_processor = Idefics3ImageProcessorPil(
        do_image_splitting=False, size={"longest_edge": 48}, max_image_size={"longest_edge": 48}
    )
    processor = Idefics3Processor(image_processor, tokenizer, image_seq_len=9, chat_template=chat_template)
    end = tokenizer.convert_tokens_to_ids("<end_of_utterance>")
    config = Idefics3Config(
        text_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=WINDOW,
            # Large enough that two different prompts give clearly different logits in an untrained model.
            initializer_range=0.3,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=end,
            dtype="float32",
        ),
        vision_config=Idefics3VisionConfig(
            hidden_size=24,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=48,
            patch_size=8,
            initializer_range=0.3,
        ),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Idefics3ForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[], PreTrainedTokenizerFast]:
    """Makes the tokenizer of the tiny model, for other families."""
    return build_tokenizer


@pytest.fixture(scope="session")
def chat_template() -> str:
    """The chat template of the tiny model."""
    return CHAT_TEMPLATE


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model. Tests do not write into it; they copy it."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def own_tiny(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may change."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


@pytest.fixture(scope="session")
def model(tiny: Path) -> LocalModel:
    """The tiny model, loaded as users do."""
    return local.load(str(tiny))


@pytest.fixture(scope="session")
def apart(tiny: Path) -> LocalModel:
    """The tiny model that reads every prompt in full."""
    return local.load(str(tiny), share_prefix="off")


@pytest.fixture(scope="session")
def picture() -> Callable[[int], Image]:
    """Number → a picture of coloured fields."""

    def make(seed: int) -> Image:
        fields = np.random.default_rng(seed).integers(0, 256, (2, 3, 3), dtype=np.uint8)
        pixels = fields.repeat(20, axis=0).repeat(20, axis=1)
        return Image.from_pil(PIL.Image.fromarray(pixels))

    return make


OPTIONS = (
    ("left", "right", "above", "below"),  # one token each
    ("north", "south-east"),  # several tokens, of different number
    ("left", "north"),  # mixed
    ("1", "12", "3"),  # one begins another
)


@pytest.fixture(scope="session")
def queries(picture: Callable[[int], Image]) -> list[Query]:
    """Questions of all kinds on scenes of different length, written and drawn; some share their beginning."""
    made: list[Query] = []
    for scene in range(6):
        shown: Part = (
            picture(scene) if scene % 2 else Text("A red circle is left of a blue square. " * (scene + 1))
        )
        for number in range(1 + scene):
            options = OPTIONS[(number + scene) % len(OPTIONS)]
            question = f"\n\nQuestion: Where is thing {10 ** (number * 2)}?\nOptions: {', '.join(options)}"
            made.append(
                Query((Text(INSTRUCTION), shown, Text(question)), options, problem_id=f"{scene}/{number}")
            )
    return made


@pytest.fixture
def make_adapter(tiny: Path) -> Callable[[Path, int], Path]:
    """(folder, seed) → a LoRA adapter of the tiny model with random weights, saved there."""
    peft = pytest.importorskip("peft")

    def make(folder: Path, seed: int) -> Path:
        network = Idefics3ForConditionalGeneration.from_pretrained(tiny)
        config = peft.LoraConfig(
            r=4, target_modules=r".*text_model.*\.(q_proj|v_proj)", init_lora_weights=False
        )
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses a name transformers is about to drop
            torch.manual_seed(seed)
            peft.get_peft_model(network, config).save_pretrained(folder)
        return folder

    return make
