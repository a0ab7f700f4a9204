"""Any Hugging Face multimodal model: a model folder, or a hub id such as org/name.

``load_model("org/name")`` loads through ``AutoModelForImageTextToText`` and ``AutoProcessor``; the bundled
model takes the same path. Weights are read from safetensors only, and code that a model brings along is not
run unless ``trust_remote_code`` is given.

torch and transformers are imported when a model is loaded, not when this package is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from modgap._errors import InputError, MissingExtra, UnknownName
from modgap.models._query import AnswerMode

if TYPE_CHECKING:
    from ._model import LocalModel
    from ._steer import Change

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
SharePrefix = Literal["auto", "off"]

BATCH_SIZE = 128
"""Most questions in one batch (our choice; `benchmarks/local_speed.py` on the bundled model)."""

BATCH_TOKENS = {"cpu": 2048, "other": 16_384}
"""Most tokens in one batch, padding included, by device (our choice: on a CPU what fits its caches, a tenth
faster than 16,384 in `benchmarks/local_speed.py`; elsewhere about 2 GB of cache in a model of 8 billion)."""


def load(
    argument: str,
    *,
    adapter: str | None = None,
    dtype: Dtype = "auto",
    device: str | None = None,
    device_map: str | None = None,
    load_in_4bit: bool = False,
    revision: str | None = None,
    trust_remote_code: bool = False,
    answer: AnswerMode = "auto",
    batch_size: int = BATCH_SIZE,
    batch_tokens: int | None = None,
    share_prefix: SharePrefix = "auto",
    vector: str | None = None,
    block: int | None = None,
    strength: float = 1.0,
    positions: str = "image",
    phase: str = "prefill",
) -> LocalModel:
    """Load a model folder or hub id.

    Args:
        argument: a folder, or a hub id ``org/name``. With ``HF_HUB_OFFLINE=1`` only the
            local hub cache is read.
        adapter: folder or hub id of a PEFT adapter that is added to the model.
        dtype: of the weights; ``auto`` takes what the model was saved in.
        device: ``cpu``, ``cuda``, ``cuda:1`` …; by default CUDA if there is one.
        device_map: spread the model over devices, for example ``auto``; excludes ``device``.
        load_in_4bit: quantise to 4 bits while loading; needs bitsandbytes and CUDA.
        revision: branch, tag or commit of a hub id.
        trust_remote_code: run code that comes with the model.
        answer: ``options`` scores the options of a query, ``generate`` writes a reply, ``auto`` scores where
            there are options and generates where there are none.
        batch_size: most questions in one batch.
        batch_tokens: most tokens in one batch, padding included; by default ``BATCH_TOKENS``.
        share_prefix: ``auto`` reads what several questions have in common once, where that gives the same
            result; ``off`` reads every prompt in full.
        vector: folder of a steering vector (``modgap steer extract``) that is added whenever it answers.
        block: whose output it is added to, 0-based; without one, a merged vector (``modgap steer merge``) is
            added at every block, and any other is refused.
        strength: what it is multiplied by.
        positions: where: ``image``, ``text`` or ``both``.
        phase: ``prefill`` (what is read), ``decode`` (each token that is written) or ``both``.

    Returns:
        The model.

    Raises:
        InputError: if an option has a value that is not accepted.
        FileError: if the folder or adapter is missing, damaged, or has no safetensors weights.
        ModelError: if transformers cannot load it as an image-text model.
        MissingExtra: if torch and transformers, or peft for an adapter, are not installed.
    """
    for what, given, accepted in (
        ("dtype", dtype, get_args(Dtype)),
        ("answer mode", answer, get_args(AnswerMode)),
        ("share_prefix", share_prefix, get_args(SharePrefix)),
    ):
        if given not in accepted:
            raise UnknownName(what, str(given), accepted)
    for what, number in (("batch_size", batch_size), ("batch_tokens", batch_tokens)):
        if number is not None and number < 1:
            raise InputError(f"{what} is {number}; it must be at least 1")
    if not argument:
        raise InputError("no model was named; give a model folder or a hub id such as org/name")
    _need_torch()
    from ._load import LoadOptions, load_pretrained
    from ._model import LocalModel

    if vector is None and block is not None:
        raise InputError(f"block {block} was given and no steering vector to add there: give both")
    options = LoadOptions(
        adapter=adapter,
        dtype=dtype,
        device=device,
        device_map=device_map,
        load_in_4bit=load_in_4bit,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    pretrained = load_pretrained(argument, options)
    if batch_tokens is None:
        batch_tokens = BATCH_TOKENS.get(pretrained.device.type, BATCH_TOKENS["other"])
    return LocalModel(
        pretrained,
        answer=answer,
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        share_prefix=share_prefix,
        changes=_changes(vector, block, strength, positions, phase),
    )


def _changes(
    vector: str | None, block: int | None, strength: float, positions: str, phase: str
) -> tuple[Change, ...]:
    if vector is None:
        return ()
    from ._steer import Change
    from ._vector import load_vector

    loaded = load_vector(vector)
    directions = loaded.directions
    if block is None and loaded.method != "merged":
        raise InputError(f"{vector} needs a block to be added to: give one of 0 to {len(directions) - 1}")
    if block is not None and not 0 <= block < len(directions):
        raise InputError(f"block {block} is not in {vector}, which has blocks 0 to {len(directions) - 1}")
    blocks = range(len(directions)) if block is None else (block,)
    return tuple(
        Change(directions[at], at, strength, positions, phase)  # type: ignore[arg-type]
        for at in blocks
    )


def describe(
    argument: str, *, revision: str | None = None, trust_remote_code: bool = False
) -> dict[str, str]:
    """Say what a model is without reading its weights: family, blocks, image token, what is supported.

    Args:
        argument: a folder, a hub id ``org/name``, or ``bundled``.
        revision: branch, tag or commit of a hub id.
        trust_remote_code: run code that comes with the model.

    Returns:
        Field → words.

    Raises:
        FileError, ModelError: if there is no such model, or transformers does not know its kind.
        MissingExtra: if torch and transformers are not installed.
    """
    _need_torch()
    from modgap.models import bundled

    from ._describe import describe as read
    from ._load import LoadOptions

    folder = str(bundled.FOLDER) if argument == "bundled" else argument
    return read(folder, LoadOptions(revision=revision, trust_remote_code=trust_remote_code))


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtra("local models", "hf") from error
