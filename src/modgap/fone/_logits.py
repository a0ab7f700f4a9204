"""What the number head says: a distribution over numbers, and what can be read from it.

The slots are independent given the state, so probabilities of whole numbers are products, and the best
numbers, the entropy and the mean are computed exactly and without drawing. Only what is printed counts: a
digit beyond the written places, the integer length and the zero flag do not change the number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modgap._errors import InputError, ModelError

from ._slots import Slots
from ._torch import torch

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


@dataclass(frozen=True)
class Candidate:
    """A number that a model may mean.

    Args:
        text: in canonical form.
        probability: 0 to 1.
    """

    text: str
    probability: float


@dataclass(frozen=True)
class NumberLogits:
    """Logits of the slots of numbers; the methods see the leading axes as one, ``numbers``.

    Args:
        slots: what they are logits of.
        ten_way: shape (..., tens, 10), float32.
        flags: shape (..., flags), float32, of the answer yes.
    """

    slots: Slots
    ten_way: Float[Tensor, "*rows tens ten"]
    flags: Float[Tensor, "*rows flags"]

    def labels(self) -> Int[Tensor, "numbers slots"]:
        """The most likely choice of every slot by itself, as published; shape (numbers, slots).

        Raises:
            ModelError: a logit is not finite.
        """
        ten_way, flags = self._flat()
        return torch.cat([ten_way.argmax(dim=-1), (flags > 0).long()], dim=1)

    def numbers(self) -> list[str]:
        """The numbers of ``labels``, in canonical form. Digits become integers at once, so they are exact.

        Raises:
            ModelError: a logit is not finite.
        """
        return [str(text) for text in self.slots.numbers(self.labels().cpu().numpy())]

    def draw(self, rng: np.random.Generator, temperature: float = 1.0) -> Int[Tensor, "numbers slots"]:
        """Draw one number per row, each slot from its own distribution.

        Args:
            rng: where chance comes from.
            temperature: above 0; the logits are divided by it.

        Returns:
            Labels, shape (numbers, slots); ``slots.numbers`` prints them.

        Raises:
            InputError: temperature is not positive.
            ModelError: a logit is not finite.
        """
        if not temperature > 0:
            raise InputError(f"temperature {temperature} is not positive: use labels() for the most likely")
        ten_way, flags = (logits.double().cpu().numpy() / temperature for logits in self._flat())
        # The largest of logits plus Gumbel noise is a draw from their softmax.
        digits = (ten_way + rng.gumbel(size=ten_way.shape)).argmax(axis=-1)
        yes = flags + rng.logistic(size=flags.shape) > 0
        return torch.from_numpy(np.concatenate([digits, yes], axis=1))

    def chances(self, labels: Int[Tensor, "numbers slots"]) -> Float[Tensor, " numbers"]:
        """Probabilities of numbers, one per row.

        Args:
            labels: shape (numbers, slots), of ``labels``, ``draw`` or ``slots.labels``.

        Returns:
            Shape (numbers,), float32, of the number as it is printed.
        """
        slots, codec = self.slots, self.slots.codec
        ten_way, flags = self._flat()
        labels = labels.to(ten_way.device).long()
        log = ten_way.log_softmax(dim=-1).gather(2, labels[:, : slots.tens, None])[:, :, 0]
        possible = self._written()
        at = torch.zeros(len(labels), dtype=torch.int64, device=labels.device)
        if (part := slots.ten_way.get("written_length")) is not None:
            powers = 10 ** torch.arange(part.stop - part.start, device=labels.device)
            counts = torch.tensor([count for count, _ in possible], device=labels.device)
            at = ((labels[:, part] * powers).sum(dim=1) - counts[0]).clamp(0, len(counts) - 1)
        total = torch.stack([chance for _, chance in possible], dim=1).gather(1, at[:, None])[:, 0]
        finest = torch.tensor([codec.places - self._digits(count) for count, _ in possible]).to(at.device)[at]
        printed = torch.arange(codec.places, device=at.device) >= finest[:, None]
        total = total + (log[:, slots.ten_way["digits"]] * printed).sum(dim=1)
        total = total + log[:, slots.ten_way.get("exponent", slice(0, 0))].sum(dim=1)
        for i, name in enumerate(slots.flags):
            if name != "zero":
                yes, no = _log_flag(flags[:, i])
                total = total + torch.where(labels[:, slots.tens + i] > 0, yes, no)
        return total.exp()

    def probabilities(self) -> Float[Tensor, "numbers places ten"]:
        """Probability of every digit at every place of the number, finest place first.

        Returns:
            Shape (numbers, places, 10), float32.
        """
        ten_way, _ = self._flat()
        return ten_way[:, self.slots.ten_way["digits"]].softmax(dim=-1)

    def entropy(self) -> Float[Tensor, " numbers"]:
        """Entropy of the number, in nats, 0 for certain; a digit counts as often as it is written.

        Returns:
            Shape (numbers,), float32.
        """
        slots = self.slots
        ten_way, flags = self._flat()
        written = torch.stack([log for _, log in self._written()], dim=1)
        total = _entropy(written)
        digits = _entropy(ten_way[:, slots.ten_way["digits"]].log_softmax(dim=-1))
        total = total + (digits * self._printed()).sum(dim=1)
        if "exponent" in slots.ten_way:
            total = total + _entropy(ten_way[:, slots.ten_way["exponent"]].log_softmax(dim=-1)).sum(dim=1)
        for i, name in enumerate(slots.flags):
            if name != "zero":
                total = total + _entropy(torch.stack(_log_flag(flags[:, i]), dim=1))
        return total

    def expected(self) -> Float[Tensor, " numbers"]:
        """The mean of the distribution; of possible answers, it has the least mean squared error.

        Returns:
            Shape (numbers,), float64, rounded as floats are.

        Raises:
            InputError: a floating codec, whose mean is ruled by huge numbers of tiny probability, or more
                than 308 integer places, which no float holds.
        """
        codec = self.slots.codec
        if codec.exponent_places or codec.integer_places > 308:
            raise InputError(
                "the mean of a floating codec, or of more than 308 integer places, is ruled by huge numbers "
                "of tiny probability: use top instead"
            )
        _, flags = self._flat()
        digits = self.probabilities().double() @ torch.arange(10.0, device=flags.device, dtype=torch.float64)
        powers = [10.0 ** (i - codec.decimal_places) for i in range(codec.places)]
        terms = digits * torch.tensor(powers, device=flags.device, dtype=torch.float64)
        total = (terms * self._printed()).sum(dim=1)
        if "sign" in self.slots.flags:
            yes, no = _log_flag(flags[:, self.slots.flags.index("sign")].double())
            total = total * (no.exp() - yes.exp())
        return total

    def top(self, k: int = 5) -> list[list[Candidate]]:
        """The most likely numbers with their probabilities, best first.

        The first may differ from ``numbers()``, which chooses every slot by itself, the number of decimal
        places included. Ways of writing the same number are added up where they are among the candidates.

        Args:
            k: most numbers per row, 1 or more.

        Returns:
            For every row, up to k candidates.

        Raises:
            InputError: k is less than 1.
            ModelError: a logit is not finite.
        """
        if k < 1:
            raise InputError(f"k {k} is not a number of candidates: give 1 or more")
        found = list(self._best(max(4 * k, 16)))
        score = torch.cat([s for s, _ in found], dim=1)
        labels = torch.cat([rows for _, rows in found], dim=1)
        score, order = score.topk(min(max(4 * k, 16), score.shape[1]), dim=1)
        labels = labels.gather(1, order[:, :, None].expand(-1, -1, labels.shape[2]))
        texts = self.slots.numbers(labels.flatten(0, 1).cpu().numpy())
        chances = score.double().exp().tolist()
        out = []
        for i, row in enumerate(chances):
            merged: dict[str, float] = {}
            for text, chance in zip(texts[i * len(row) : (i + 1) * len(row)], row, strict=True):
                merged[str(text)] = merged.get(str(text), 0.0) + chance
            best = sorted(merged.items(), key=lambda item: -item[1])[:k]
            out.append([Candidate(text, min(chance, 1.0)) for text, chance in best])
        return out

    def _flat(self) -> tuple[Tensor, Tensor]:
        """Both logits with one leading axis."""
        slots = self.slots
        ten_way = self.ten_way.detach().reshape(-1, slots.tens, 10)
        flags = self.flags.detach().reshape(len(ten_way), len(slots.flags))
        if not (torch.isfinite(ten_way).all() and torch.isfinite(flags).all()):
            raise ModelError(
                "the model's numbers are not finite: its states overflowed; use bfloat16 or float32"
            )
        return ten_way, flags

    def _written(self) -> list[tuple[int, Tensor]]:
        """Possible numbers of written places (floating: of significant digits) with log-probabilities,
        shape (numbers,), ascending. All of them if the codec does not keep how many are written."""
        codec, ten_way = self.slots.codec, self._flat()[0]
        limit = codec.places if codec.exponent_places else codec.decimal_places
        if "written_length" not in self.slots.ten_way:
            return [(limit, ten_way.new_zeros(len(ten_way)))]
        log = ten_way[:, self.slots.ten_way["written_length"]].log_softmax(dim=-1)
        joint = log[:, 0]
        for digit in range(1, log.shape[1]):
            joint = (log[:, digit, :, None] + joint[:, None, :]).flatten(1)
        # More than the limit is read as the limit; a floating codec writes at least one digit.
        out = [(count, joint[:, count]) for count in range(limit)]
        out.append((limit, joint[:, limit:].logsumexp(dim=1)))
        if codec.exponent_places:
            out[:2] = [(1, torch.logaddexp(out[0][1], out[1][1]))]
        return out

    def _printed(self) -> Tensor:
        """Probability of every digit of the number that it is written; shape (numbers, places)."""
        codec, found = self.slots.codec, self._written()
        chance = torch.stack([log.exp() for _, log in found], dim=1)
        finest = torch.tensor([codec.places - self._digits(count) for count, _ in found])
        place = torch.arange(codec.places)
        return chance @ (place >= finest[:, None]).to(chance)

    def _digits(self, written: int) -> int:
        """How many digits, from the highest place down, a number of so many written places has."""
        codec = self.slots.codec
        return written if codec.exponent_places else codec.integer_places + written

    def _best(self, k: int) -> Iterator[tuple[Tensor, Tensor]]:
        """For each number of written places, the k most likely numbers of that many: log-probabilities,
        shape (numbers, k), and labels, shape (numbers, k, slots).

        Slots are independent, so the best k of a row of slots extend the best k of that row without its last.
        Digits are added from the highest place down; those below the written ones stay zero.
        """
        slots, codec = self.slots, self.slots.codec
        ten_way, flags = self._flat()
        log = ten_way.log_softmax(dim=-1)
        score = log.new_zeros((len(log), 1))
        labels = torch.zeros((len(log), 1, slots.count), dtype=torch.int64, device=log.device)

        def extend(at: int, choices: Tensor) -> None:
            nonlocal score, labels
            sums = score[:, :, None] + choices[:, None, :]
            score, order = sums.flatten(1).topk(min(k, sums.shape[1] * sums.shape[2]), dim=1)
            kept = (order // choices.shape[1])[:, :, None].expand(-1, -1, slots.count)
            labels = labels.gather(1, kept).clone()
            labels[:, :, at] = order % choices.shape[1]

        for i, name in enumerate(slots.flags):
            if name != "zero":
                yes, no = _log_flag(flags[:, i])
                extend(slots.tens + i, torch.stack([no, yes], dim=1))
        exponent = slots.ten_way.get("exponent", slice(0, 0))
        for at in range(exponent.start, exponent.stop):
            extend(at, log[:, at])
        below = codec.places
        for written, chance in self._written():
            while below > codec.places - self._digits(written):
                below -= 1
                extend(below, log[:, below])
            found = labels.clone()
            if (part := slots.ten_way.get("written_length")) is not None:
                for i in range(part.stop - part.start):
                    found[:, :, part.start + i] = written // 10**i % 10
            yield score + chance[:, None], found


def _log_flag(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of yes and no."""
    logsigmoid = torch.nn.functional.logsigmoid
    return logsigmoid(logits), logsigmoid(-logits)


def _entropy(log: Tensor) -> Tensor:
    """Entropy over the last axis of log-probabilities, in nats."""
    return -(log.exp() * log).sum(dim=-1)
