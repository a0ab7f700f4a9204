"""The mask of text as it was released: every text token but the last one of the prompt.

The last token of a prompt is where the reply is decided, so a vector there acts on the answer at once; the
released scripts leave it out (section 3 of the sheet). It is found by the tokens that end every prompt of a
model, such as those of ``Assistant:``, because a pass may read a prompt in pieces or several side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modgap._errors import InputError
from modgap.media import Text
from modgap.models.local._anatomy import TokenKind
from modgap.models.local._model import LocalModel
from modgap.models.local._prompt import unpadded
from modgap.models.local._steer import MaskMaker, mask_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

PUBLISHED = "published"
"""What the mask is called on the shell."""


def published_text(model: LocalModel) -> MaskMaker:
    """All text tokens but the last of the prompt, for ``Change(..., positions=published_text(model))``.

    Args:
        model: whose prompts end alike.

    Raises:
        InputError: they end with the question itself, so their last token is not known by its surroundings.
    """
    first, second = (
        unpadded(model._writer.read([model._writer.write((Text(word),))]))[0] for word in ("one", "two three")
    )
    same = 0
    while same < min(len(first), len(second)) and first[-1 - same] == second[-1 - same]:
        same += 1
    tail = first[len(first) - same :]
    special = model.pretrained.anatomy.special_ids
    back = next((k for k, token in enumerate(reversed(tail)) if token not in special), None)
    if back is None:
        raise InputError(
            "prompts of this model end with the question itself: give a mask of your own that leaves out "
            "their last token"
        )

    def mask(kinds: Int[Tensor, "batch seq"], ids: Int[Tensor, "batch seq"]) -> Bool[Tensor, "batch seq"]:
        wanted = mask_of("text", kinds, ids)
        ends = kinds != TokenKind.PADDING
        for k, token in enumerate(reversed(tail)):  # where the whole tail stands, its last token
            shifted = ids.roll(k, dims=1) == token
            shifted[:, :k] = False
            ends &= shifted
        last = ends.roll(-back, dims=1)
        if back:
            last[:, -back:] = False
        return wanted & ~last

    return mask
