"""Abacus: digit tokens that know their place (McLeish et al., "Transformers Can Do Arithmetic", 2024).

Numbers are written with the least significant digit first, and every digit gets a learned vector of its index
in its number. In training all indices of a row are moved on by a random number (published: of a batch), so
that places beyond those of the training rows have been seen. Few rows see the first places then, so outside
training numbers begin at a later one (published: at the first). As in the stronger recipe of that paper, the
embeddings are added again before every block (input injection); there are no other positions.

Three things are not published, and without them sums are hardly longer than those of training (docs/fone.md):
every number, not only the answer, ends with the token of an end, which has the place after its last digit, so
that a digit that has no partner finds that it has none; a row begins with a token without a place, which a
digit can look at that finds nothing; and signs have the place before the first one of numbers, so that the
sign of equality says where the answer begins.

``fourier`` replaces the embeddings of the ten digits by their Fourier features (section 4 of the FoNE paper),
brought to the width of the model by a learned map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._backbone import DIGITS, SYMBOLS
from ._phases import digit_points
from ._torch import torch

if TYPE_CHECKING:
    from torch import Tensor

_PLACES = 512
_FIRST = len(SYMBOLS)  # the token of the digit 0
BEGIN, END = SYMBOLS.index("<unk>"), SYMBOLS.index("<end>")
"""Tokens of the beginning of a row, which means nothing else, and of the end of every number."""


class Abacus(torch.nn.Module):
    """A transformer on tokens of digits with places.

    Args:
        backbone: a Llama whose tokens are ``SYMBOLS`` and ``DIGITS``.
        digits: of the longest operand in training. There, indices are moved on by 0 to five times as many
            places, so that sums of five times as many digits find trained places; elsewhere by as many.
        std: of the first parameters.
        fourier: whether digits are given by their Fourier features.
    """

    backbone: Any

    def __init__(self, backbone: Any, digits: int, *, std: float, fourier: bool) -> None:
        super().__init__()
        object.__setattr__(self, "backbone", backbone)  # whose parameters are those of the arm
        self.number_digits = digits
        hidden = int(backbone.config.hidden_size)
        self.places = torch.nn.Embedding(_PLACES, hidden, padding_idx=0)
        torch.nn.init.normal_(self.places.weight[1:], std=std)
        self.digits = torch.nn.Linear(2, hidden, bias=False) if fourier else None
        if self.digits is not None:
            torch.nn.init.normal_(self.digits.weight, std=std)

    def forward(self, ids: Tensor) -> Tensor:
        """Last states, shape (rows, seq, hidden), of tokens, shape (rows, seq)."""
        is_digit = (ids >= _FIRST) & (ids < _FIRST + len(DIGITS))
        is_part = is_digit | (ids == END)
        moved = torch.full((len(ids), 1), self.number_digits)
        if self.training:
            # From the rows themselves, so that a run that goes on draws what one that was not left drew.
            chance = torch.Generator().manual_seed(int(ids.sum()))
            moved = torch.randint(5 * self.number_digits + 1, moved.shape, generator=chance)
        places = (places_of(is_part) + moved.to(ids.device)) * (ids != BEGIN)
        vectors = self.backbone.get_input_embeddings()(ids)
        if self.digits is not None:
            points = torch.as_tensor(digit_points(), dtype=vectors.dtype, device=ids.device)
            of_digits = self.digits(points[(ids - _FIRST).clamp(0, len(DIGITS) - 1)])
            vectors = torch.where(is_digit[..., None], of_digits, vectors)
        vectors = vectors + self.places(places)
        hooks = [
            layer.register_forward_pre_hook(lambda _, given: (given[0] + vectors, *given[1:]))
            for layer in self.backbone.model.layers[1:]
        ]
        try:
            # Equal positions leave rotary embeddings without effect. Without a mask, transformers would take
            # every token for the beginning of another packed text.
            found = self.backbone.model(
                inputs_embeds=vectors,
                attention_mask=torch.ones_like(ids),
                position_ids=torch.zeros_like(ids),
                use_cache=False,
            )
        finally:
            for hook in hooks:
                hook.remove()
        states: Tensor = found.last_hidden_state
        return states


def places_of(is_part: Tensor) -> Tensor:
    """Index of every token in its number, from 1, and 0 elsewhere; shape as given, (rows, seq)."""
    count = is_part.long().cumsum(dim=1)
    before = (count * ~is_part).cummax(dim=1).values
    return (count - before) * is_part
