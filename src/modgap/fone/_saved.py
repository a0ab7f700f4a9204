"""Folders of number models.

number_model.json           version, settings, and which base model they belong to
number_model.safetensors    parameters that ``attach`` added
tokenizer/                  the tokenizer, with the number token
base/  or  adapter/         the base model, or the adapter that peft put on it, if they were saved too
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modgap._errors import FileError, InputError, MissingExtra, ModelError, UnknownName

from ._settings import settings_from_json
from ._torch import quiet, torch, transformers

if TYPE_CHECKING:
    from ._model import NumberModel

SETTINGS = "number_model.json"
WEIGHTS = "number_model.safetensors"
DTYPES = ("auto", "float32", "bfloat16", "float16")


def save(model: NumberModel, folder: Path, base: bool) -> None:
    """See ``NumberModel.save_pretrained``."""
    from safetensors.torch import save_file

    wrapped = model.base is not model.inner
    saved = ("adapter" if wrapped else "base") if base else None
    name = str(getattr(model.config, "_name_or_path", "") or "")
    content = {
        **model.settings.as_json(),
        "base": {"saved": saved, "name": name, "vocabulary": model.vocabulary},
    }
    own = {
        key: value.detach().cpu().contiguous()
        for key, value in model.state_dict().items()
        if not key.startswith("base.")
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SETTINGS).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        save_file(own, folder / WEIGHTS, metadata={"format": "pt"})
        model.tokenizer.save_pretrained(folder / "tokenizer")
        if saved is not None:
            with quiet():
                model.base.save_pretrained(folder / saved)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {error}") from error


def load(folder: Path, base: Any, dtype: str, device: str | None) -> NumberModel:
    """See ``NumberModel.from_pretrained``."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ._model import NumberModel

    try:
        content = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(f"{folder}: no number model, {SETTINGS} is missing") from error
    except (ValueError, OSError) as error:
        raise FileError(f"{folder / SETTINGS}: not readable JSON: {error}") from error
    about = content.pop("base", None) if isinstance(content, dict) else None
    settings = settings_from_json(content, str(folder / SETTINGS))
    if not isinstance(about, dict):
        raise FileError(f"{folder / SETTINGS}: it does not say which base model it belongs to")
    if base is None or isinstance(base, (str, Path)):
        base = load_base(_source(folder, base, about), dtype)
    if (folder / "adapter").is_dir() and not hasattr(base, "get_base_model"):
        base = _with_adapter(base, folder / "adapter")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "tokenizer")
    except Exception as error:  # any of many kinds, from a missing to a damaged file
        raise FileError(f"{folder / 'tokenizer'}: the tokenizer cannot be loaded: {error}") from error
    model = NumberModel(base, tokenizer, settings)
    try:
        own = load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise FileError(f"{folder}: {WEIGHTS} is missing") from error
    except (SafetensorError, OSError) as error:
        raise FileError(f"{folder / WEIGHTS}: damaged: {error}") from error
    expected = {k: v.shape for k, v in model.state_dict().items() if not k.startswith("base.")}
    if {k: v.shape for k, v in own.items()} != expected or about.get("vocabulary") != model.vocabulary:
        raise ModelError(
            f"{folder}: the parameters belong to another base model, of {about.get('vocabulary')} tokens "
            f"and not {model.vocabulary}, or of another width: give the one they were trained with"
        )
    model.load_state_dict(own, strict=False)
    if device is not None:
        try:
            model.to(device)
        except RuntimeError as error:
            raise InputError(f"device {device!r} is not known to torch; give cpu, cuda or cuda:N") from error
    return model.eval()


def load_base(source: str, dtype: str = "auto") -> Any:
    """A language model by folder or hub id, of the class that its configuration names.

    Raises:
        UnknownName: no such dtype.
        ModelError: it cannot be loaded.
    """
    if dtype not in DTYPES:
        raise UnknownName("dtype", dtype, DTYPES)
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        named = (getattr(config, "architectures", None) or ["AutoModelForCausalLM"])[0]
        kind = getattr(transformers, named, transformers.AutoModelForCausalLM)
        with quiet():
            return kind.from_pretrained(
                source, dtype="auto" if dtype == "auto" else getattr(torch, dtype), use_safetensors=True
            )
    except Exception as error:  # transformers raises many kinds for a missing or damaged folder
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ModelError(f"{source}: the base model cannot be loaded: {reason}") from error


def _source(folder: Path, given: str | Path | None, about: dict[str, Any]) -> str:
    """Where the base model is."""
    if given is not None:
        return str(given)
    if (folder / "base").is_dir():
        return str(folder / "base")
    name = about.get("name")
    if not isinstance(name, str) or not name:
        raise ModelError(f"{folder}: the base model was not saved with it: give base=, its folder or hub id")
    return name


def _with_adapter(base: Any, adapter: Path) -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("adapters", "train") from error
    try:
        with warnings.catch_warnings():
            # Of names that transformers has renamed: they are for those who write peft.
            warnings.simplefilter("ignore", FutureWarning)
            return peft.PeftModel.from_pretrained(base, str(adapter))
    except Exception as error:  # peft raises many kinds for an adapter of another model
        raise ModelError(f"{adapter}: the adapter does not fit the base model: {error}") from error
