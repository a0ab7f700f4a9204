"""From a folder or hub id to a model and its processor, or to one sentence that says why not.

Three things differ from a plain ``from_pretrained``: weights come from safetensors only (a pickle can run
code while it is read), a parameter without a saved value is an error (transformers fills it with random
numbers and goes on), and pictures are always prepared by the PIL backend, so that the same picture gives
the same pixels whether or not torchvision is installed.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
)

from modgap._errors import FileError, InputError, MissingExtra, ModelError
from modgap.media import Modality
from modgap.models._load import HUB_ID

from ._anatomy import Anatomy, anatomy
from ._processors import load_processor

CONFIG_FILES = ("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken")
"""Everything but the weights."""
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class LoadOptions:
    """How a model is loaded; the fields are those of :func:`modgap.models.local.load`."""

    adapter: str | None = None
    dtype: str = "auto"
    device: str | None = None
    device_map: str | None = None
    load_in_4bit: bool = False
    revision: str | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True)
class Pretrained:
    """A loaded model with everything needed to ask it.

    Args:
        name: short name for folders and tables.
        folder: where its files are.
        revision: commit of a hub model, empty for a folder.
        adapter: folder of its adapter, if any.
        options: how it was loaded.
        model: the transformers model, in evaluation mode.
        processor: its processor, padding on the left.
    """

    name: str
    folder: Path
    revision: str
    adapter: Path | None
    options: LoadOptions
    model: Any
    processor: Any

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of the processor."""
        return self.processor.tokenizer

    @cached_property
    def device(self) -> torch.device:
        """Where inputs go."""
        device: torch.device = self.model.device
        return device

    @cached_property
    def window(self) -> int | None:
        """Longest input the model was made for, in tokens; ``None`` if its configuration does not say."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    @cached_property
    def end_ids(self) -> tuple[int, ...]:
        """Token ids that end a reply."""
        configured = self.model.generation_config.eos_token_id
        ids = {self.tokenizer.eos_token_id}
        ids.update(configured if isinstance(configured, list) else [configured])
        return tuple(sorted(i for i in ids if i is not None))

    @cached_property
    def anatomy(self) -> Anatomy:
        """What is inside: blocks, language part, control tokens; see ``_anatomy.py``."""
        return anatomy(self)

    @cached_property
    def modalities(self) -> frozenset[Modality]:
        """What its processor can prepare; films are shown as pictures."""
        found: set[Modality] = {"text"}
        if getattr(self.processor, "image_processor", None) is not None:
            found |= {"image", "video"}
        if getattr(self.processor, "feature_extractor", None) is not None:
            found |= {"audio"}
        return frozenset(found)

    @cached_property
    def forward_names(self) -> frozenset[str]:
        """Names of the inputs the model takes."""
        return frozenset(signature(self.model.forward).parameters)

    def inputs(self, read: Any) -> dict[str, Any]:
        """The entries of a processor's output that the model takes, on its device and in its dtype."""
        taken = self.forward_names | frozenset(signature(self.model.prepare_inputs_for_generation).parameters)
        taken -= {"labels"}  # one family's processor makes them unasked; the loss would be for nothing
        moved: dict[str, Any] = {}
        for name, value in read.items():
            if name in taken:
                is_tensor = isinstance(value, torch.Tensor)
                dtype = self.model.dtype if is_tensor and value.is_floating_point() else None
                moved[name] = value.to(self.device, dtype=dtype) if is_tensor else value
        return moved


def load_pretrained(spec: str, options: LoadOptions) -> Pretrained:
    """Load a model folder or hub id.

    Args:
        spec: a folder, or a hub id ``org/name``.
        options: how.

    Returns:
        The model in evaluation mode, with its processor.

    Raises:
        InputError, FileError, ModelError, MissingExtra: see :func:`modgap.models.local.load`.
    """
    if options.device is not None and options.device_map is not None:
        raise InputError("device and device_map exclude each other; give one of them")
    if options.load_in_4bit and importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "4-bit loading needs bitsandbytes, which is not installed; install it with: "
            "pip install bitsandbytes (CUDA only), or leave 4-bit loading out"
        )
    adapter = None if options.adapter is None else _find_adapter(options.adapter)
    folder, revision = find_folder(spec, options, (*CONFIG_FILES, "*.safetensors"))
    _check_folder(spec, folder)
    name = Path(spec.rstrip("/")).name or folder.resolve().name
    if adapter is not None:
        name += f"+{Path(str(options.adapter).rstrip('/')).name}"
    with quiet():
        model = _load_model(spec, folder, options)
        processor = _load_processor(spec, folder, options)
        if adapter is not None:
            _add_adapter(model, adapter)
    model.eval()
    # Only what ends a reply is kept: a repetition penalty or a temperature saved with a model would change
    # replies without being asked for.
    saved = model.generation_config
    tokenizer = processor.tokenizer
    model.generation_config = transformers.GenerationConfig(
        bos_token_id=saved.bos_token_id,
        eos_token_id=saved.eos_token_id if saved.eos_token_id is not None else tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Pretrained(name, folder, revision, adapter, options, model, processor)


def find_folder(spec: str, options: LoadOptions, files: Sequence[str]) -> tuple[Path, str]:
    """Folder with the files of the model, and the commit if it came from the hub.

    Args:
        spec: a folder, or a hub id ``org/name``.
        options: its revision and whether its own code may be run count.
        files: patterns of the files that are fetched from the hub.
    """
    folder = Path(spec).expanduser()
    if folder.is_dir():
        if options.revision is not None:
            raise InputError(f"{spec} is a folder; a revision is for a hub id such as org/name")
        return folder, ""
    if not HUB_ID.fullmatch(spec):
        raise FileError(f"{spec}: no such folder; give a model folder or a hub id such as org/name")
    patterns = [*files, *(["*.py"] if options.trust_remote_code else [])]
    path = _download(spec, options.revision, patterns)
    return path, path.name


def _download(spec: str, revision: str | None, patterns: list[str]) -> Path:
    """Folder of a hub repository in the local cache, fetched if need be; its name is the commit."""
    import huggingface_hub

    try:
        # Folders inside a repository hold other formats of the same weights.
        return Path(
            huggingface_hub.snapshot_download(
                spec, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*", "consolidated*"]
            )
        )
    except Exception as error:  # any of a dozen kinds, from a missing repository to a broken connection
        raise ModelError(
            f"{spec}: not a folder here, and the hub gave nothing of that name: {first_line(error)}"
        ) from error


def _check_folder(spec: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise FileError(f"{spec}: an adapter, not a model; name its base model and give this as adapter")
        raise FileError(
            f"{spec}: not a model folder, config.json is missing; "
            "expected a folder written by save_pretrained"
        )
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickles:
            raise FileError(
                f"{spec}: the weights are stored as pickle ({pickles[0]}), which can run code when read; "
                "save the model again with safetensors"
            )
        raise FileError(f"{spec}: no weights; expected model.safetensors")


def _find_adapter(spec: str) -> Path:
    folder = Path(spec).expanduser()
    if not folder.is_dir():
        if not HUB_ID.fullmatch(spec):
            raise FileError(
                f"{spec}: no such adapter folder; expected a folder written by PEFT's save_pretrained"
            )
        folder = _download(spec, None, ["adapter_config.json", "adapter_model.safetensors"])
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise FileError(f"{spec}: not an adapter folder, {name} is missing")
    return folder


def _load_model(spec: str, folder: Path, options: LoadOptions) -> Any:
    arguments: dict[str, Any] = {}
    dtype = "auto" if options.dtype == "auto" else getattr(torch, options.dtype)
    if options.load_in_4bit:
        compute = torch.bfloat16 if dtype == "auto" else dtype
        arguments["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute
        )
    if options.device_map is not None:
        arguments["device_map"] = options.device_map
    elif options.load_in_4bit:
        arguments["device_map"] = {"": _device(options.device)}
    try:
        model, report = auto_class(folder).from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=options.trust_remote_code,
            output_loading_info=True,
            **arguments,
        )
    except Exception as error:  # transformers raises many kinds for a damaged or foreign folder
        raise ModelError(_why_not(spec, folder, error, options)) from error
    lacking = sorted(str(key) for key in {*report["missing_keys"], *report["mismatched_keys"]})
    if lacking:
        raise ModelError(
            f"{spec}: {len(lacking)} parameters have no saved value of the right shape, "
            f"the first is {lacking[0]}; the weights do not belong to this config.json"
        )
    return model if "device_map" in arguments else model.to(_device(options.device))


def model_type(folder: Path) -> str:
    """What ``config.json`` says it is; empty if it does not say so in readable words."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return ""
    kind = config.get("model_type") if isinstance(config, dict) else None
    return kind if isinstance(kind, str) else ""


def auto_class(folder: Path) -> Any:
    """Models that hear but do not see are in a list of their own."""
    kind = model_type(folder)
    hears = kind in MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES
    sees = kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    if hears and not sees:
        return transformers.AutoModelForMultimodalLM
    return transformers.AutoModelForImageTextToText


def _why_not(spec: str, folder: Path, error: Exception, options: LoadOptions) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = config.get("model_type", "?")
    except (ValueError, OSError, AttributeError):
        return f"{spec}: config.json is not readable JSON; download or save the model again"
    if "auto_map" in config and not options.trust_remote_code:
        return (
            f"{spec}: the model comes with its own code, which is not run; "
            "read that code, and give trust_remote_code if you trust it"
        )
    return (
        f"{spec}: transformers {transformers.__version__} cannot load model type {kind!r} "
        f"as an image-text model: {first_line(error)}"
    )


def _load_processor(spec: str, folder: Path, options: LoadOptions) -> Any:
    try:
        processor = load_processor(folder, model_type(folder), trust_remote_code=options.trust_remote_code)
    except Exception as error:  # as for the model
        raise ModelError(f"{spec}: the processor cannot be loaded: {first_line(error)}") from error
    shows = (getattr(processor, name, None) for name in ("image_processor", "feature_extractor"))
    if not any(part is not None for part in shows) or getattr(processor, "tokenizer", None) is None:
        raise ModelError(
            f"{spec}: there is no processor for pictures or sound, and text; "
            "expected processor_config.json or preprocessor_config.json, and a tokenizer"
        )
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def _add_adapter(model: Any, adapter: Path) -> None:
    """Inject the adapter's layers into ``model``, in place."""
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("adapters", "train") from error
    try:
        config = peft.PeftConfig.from_pretrained(str(adapter))
        if not config.is_prompt_learning:
            peft.PeftModel.from_pretrained(model, str(adapter), is_trainable=False)
            return
    except Exception as error:  # peft raises many kinds for an adapter of another model
        raise ModelError(f"{adapter}: the adapter does not fit the model: {first_line(error)}") from error
    raise ModelError(
        f"{adapter}: adapters of type {config.peft_type} add tokens and are not supported; LoRA is"
    )


def _device(device: str | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device {device!r} is not known to torch; give cpu, cuda or cuda:N") from error


def first_line(error: Exception) -> str:
    """The beginning of what an error says, for a sentence of our own."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep loading bars and notices of transformers off the terminal.

    Warnings about deprecated names are ignored too: they are for those who write peft and transformers.
    """
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
