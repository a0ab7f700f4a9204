"""Labels of tokens from spans of characters, for any tokenizer.

    encoded = tokenizer(response, return_offsets_mapping=True)
    labels, weights = token_labels(encoded["offset_mapping"], spans)

Labels live on characters, so the same data trains and scores any model. The TLDR paper compares the tokens of
two texts instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import InputError

from ._example import TypedSpan

if TYPE_CHECKING:
    from jaxtyping import Float32, Int64


def token_labels(
    offsets: Any, spans: Sequence[TypedSpan]
) -> tuple[Int64[np.ndarray, " tokens"], Float32[np.ndarray, " tokens"]]:
    """Which tokens of a response are right, and how much each counts.

    A token is wrong if it shares a character with a span that counts. An omission, an empty span, makes the
    token wrong that holds the next character, or the last one at the end of the text. A token that shares
    characters only with spans of weight 0 has weight 0, and so has one without characters, such as padding.

    Args:
        offsets: start and end of each token in the response, in characters, shape (tokens, 2); tokens may
            overlap, as where one character is several tokens.
        spans: what is wrong in the response.

    Returns:
        Labels, 1 right and 0 wrong as in the paper; and weights, 0 or more.

    Raises:
        InputError: if the offsets are not pairs of whole numbers with ``0 ≤ start ≤ end``.
    """
    table = np.asarray(offsets)
    if table.size == 0:
        table = table.reshape(0, 2).astype(np.int64)
    if table.ndim != 2 or table.shape[1] != 2 or not np.issubdtype(table.dtype, np.integer):
        raise InputError(
            f"offsets of shape {table.shape} and type {table.dtype} are not accepted; "
            "give a start and an end for each token, as whole numbers"
        )
    starts, ends = table[:, 0], table[:, 1]
    if ((starts < 0) | (ends < starts)).any():
        raise InputError("offsets with a start below 0 or after their end are not accepted")
    is_text = ends > starts
    wrong = np.zeros(len(table), dtype=np.float32)
    silent = np.zeros(len(table), dtype=np.bool_)
    for span in spans:
        hit = _hit(starts, ends, is_text, span)
        if span.weight > 0:
            wrong[hit] = np.maximum(wrong[hit], span.weight)
        else:
            silent[hit] = True
    labels = np.where(wrong > 0, 0, 1).astype(np.int64)
    weights = np.where(wrong > 0, wrong, (is_text & ~silent).astype(np.float32)).astype(np.float32)
    return labels, weights


def _hit(starts: Any, ends: Any, is_text: Any, span: TypedSpan) -> Any:
    if span.start < span.end:
        return is_text & (starts < span.end) & (ends > span.start)
    after = is_text & (ends > span.start)
    reach = ends[after].min() if after.any() else ends[is_text].max(initial=-1)
    return is_text & (ends == reach)
