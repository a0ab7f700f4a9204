"""``attach``: numbers with exact values for any causal language model of transformers."""

from __future__ import annotations

import copy
from typing import Any, Literal

from modgap._errors import ModelError

from ._model import NumberModel
from ._policy import Policy
from ._settings import DEFAULT_CODEC, Mode, NumberSettings, Positions, Projection, Read
from ._torch import transformers
from .codec import Codec


def attach(
    model: Any,
    tokenizer: Any,
    *,
    mode: Mode = "replace",
    codec: Codec = DEFAULT_CODEC,
    policy: Policy | None = None,
    mark: str = "[NUM]",
    projection: Projection = "linear",
    read: Read = "linear",
    temperature: float | Literal["learned"] | None = "learned",
    positions: Positions = "each",
    number_weight: float = 1.0,
    label_smoothing: float = 0.0,
) -> NumberModel:
    """Give a model numbers.

    With mode *replace* a number is one token, and the model writes numbers with a head of its own; this is
    the published form, for models that are trained from scratch or at length. With mode *add* the model keeps
    its tokens, and values are added to them through a gate that starts at zero: before any training the model
    is exactly what it was.

    Published are ``projection="pad"``, ``read="slice"``, ``temperature=None`` and a codec with ``extras=()``.

    Args:
        model: a causal language model of transformers, one wrapped by peft, or a multimodal one; it is used
            as it is and not changed.
        tokenizer: its fast tokenizer; a copy gets the number token.
        mode, codec, policy, mark, projection, read, temperature, positions, number_weight, label_smoothing:
            see :class:`NumberSettings`.

    Returns:
        A module with the model inside.

    Raises:
        InputError: settings that are not accepted.
        ModelError: a model or tokenizer that this does not work with.
    """
    settings = NumberSettings(
        mode=mode,
        codec=codec,
        policy=policy or Policy(),
        mark=mark,
        projection=projection,
        read=read,
        temperature=temperature,
        positions=positions,
        number_weight=number_weight,
        label_smoothing=label_smoothing,
    )
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"{type(tokenizer).__name__} is not a fast tokenizer, which knows where tokens are in a text: "
            "load it with AutoTokenizer, or take it out of its processor"
        )
    tokenizer = copy.deepcopy(tokenizer)
    if mode == "replace":
        token = transformers.AddedToken(mark, normalized=False, special=False)
        tokenizer.add_tokens([token])
    return NumberModel(model, tokenizer, settings)
