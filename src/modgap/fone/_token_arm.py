"""Arms in which a number is several tokens: digits, digits in reverse, groups of three digits.

``digits-padded`` writes digits in reverse, and as many of them for every number, as the FoNE arms do: then
the digits of a place are equally far apart. ``digits-ntl`` adds the number-token loss (Zausinger et
al., 2024) to that of ``digits``: the squared distance of the mean digit to the right one. ``abacus`` and
``abacus-fone`` know the place of a digit, see :class:`Abacus`.

Answers are generated token by token and end with a token of their own. For validation a shortcut is exact:
greedy decoding gives the right answer if and only if every token is the most likely one after the right ones
before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ._abacus import BEGIN, END, Abacus
from ._arms import Answers, Arm, Batch
from ._backbone import DIGITS, SYMBOLS, build_backbone
from ._draws import Integers
from ._torch import torch
from .tasks import Rows, Task

if TYPE_CHECKING:
    from torch import Tensor

_PAD = SYMBOLS.index("<pad>")
_IGNORED = -100
_NTL_WEIGHT = 0.3

Cut = Callable[[str], list[str]]


def _threes(text: str) -> list[str]:
    """Groups of three from the left, in each run of digits."""
    whole, point, decimals = text.partition(".")
    sign = ["-"] if whole.startswith("-") else []
    whole = whole.removeprefix("-")
    return [*sign, *_every_three(whole, 0), *([point] if point else []), *_every_three(decimals, 0)]


def _threes_from_right(text: str) -> list[str]:
    """Groups of three counted from the point, as people separate thousands."""
    whole, point, decimals = text.partition(".")
    sign = ["-"] if whole.startswith("-") else []
    whole = whole.removeprefix("-")
    first = len(whole) % 3
    return [*sign, *_every_three(whole, first), *([point] if point else []), *_every_three(decimals, 0)]


def _every_three(digits: str, first: int) -> list[str]:
    head = [digits[:first]] if first else []
    return head + [digits[i : i + 3] for i in range(first, len(digits), 3)]


CUTS: dict[str, Cut] = {
    "digits": list,
    "digits-ntl": list,
    "digits-reversed": lambda text: list(reversed(text)),
    "digits-padded": lambda text: list(reversed(text)),
    "abacus": lambda text: list(reversed(text)),
    "abacus-fone": lambda text: list(reversed(text)),
    "subword": _threes,
    "subword-right": _threes_from_right,
}


class TokenArm(Arm):
    """A plain causal language model.

    Args:
        task: what it is for.
        size: one of ``SIZES``.
        seed: of its parameters.
        init: see ``build_arm``.
        cut: one of ``CUTS``.
    """

    def __init__(self, task: Task, size: str, seed: int, init: float, cut: str) -> None:
        super().__init__()
        self.task = task
        self.cut = CUTS[cut]
        self.reversed = cut in ("digits-reversed", "digits-padded", "abacus", "abacus-fone")
        self.whole = task.places[0] if cut == "digits-padded" else 1  # digits before the point, at least
        self.near = cut == "digits-ntl"
        words = [*SYMBOLS, *DIGITS]
        if cut.startswith("subword"):
            words += [f"{i:0{n}d}" for n in (2, 3) for i in range(10**n)]
        self.words = words
        self.index = {word: i for i, word in enumerate(words)}
        self.backbone = build_backbone(size, len(words), seed, init)
        self.abacus: Abacus | None = None
        self.begin, self.end = ([BEGIN], [END]) if cut.startswith("abacus") else ([], [])
        if cut.startswith("abacus"):
            self.abacus = Abacus(self.backbone, task.digits, std=init, fourier=cut == "abacus-fone")
        self.prepare(task)

    def prepare(self, task: Task) -> None:
        """Be asked another task than the one that was trained, such as one with longer numbers."""
        self.task = task
        longest = np.array([task.largest, -task.largest if task.signed else task.largest])
        self.longest = max(map(len, self._pieces(longest))) + 1

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        n, operands = rows.operands.shape
        cut = [self._ids(rows.operands[:, i]) for i in range(operands)]
        answers = self._ids(rows.answers)
        between, equals = self.index[self.task.symbol], self.index["="]
        lines, starts = [], []
        for row in range(n):
            line = list(self.begin)
            for i in range(operands):
                line += [*cut[i][row], *self.end]
                line.append(between if i + 1 < operands else equals)
            starts.append(len(line))
            lines.append([*line, *answers[row], END])
        # Padded on the right: what comes later is not seen by what comes before.
        ids = np.full((n, max(map(len, lines))), _PAD, dtype=np.int64)
        wanted = np.full(ids.shape, _IGNORED, dtype=np.int64)
        for row, line in enumerate(lines):
            ids[row, : len(line)] = line
            wanted[row, starts[row] - 1 : len(line) - 1] = line[starts[row] :]
        return {
            "ids": torch.from_numpy(ids),
            "wanted": torch.from_numpy(wanted),
            "starts": torch.tensor(starts),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the tokens of the answer and its end."""
        logits, wanted = self._logits(batch)
        found = torch.nn.functional.cross_entropy(logits, wanted)
        if self.near:
            first = self.index["0"]
            is_digit = (wanted >= first) & (wanted < first + 10)
            chances = logits[is_digit][:, first : first + 10].softmax(dim=1)
            mean = chances @ torch.arange(10.0, device=logits.device)
            found = found + _NTL_WEIGHT * (mean - (wanted[is_digit] - first)).square().mean()
        return found

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        logits, wanted = self._logits(batch)
        hit = torch.ones(batch["wanted"].shape, dtype=torch.bool, device=logits.device)
        hit[batch["wanted"] != _IGNORED] = logits.argmax(dim=1) == wanted
        return np.asarray(hit.all(dim=1).cpu().numpy())

    def answers(self, batch: Batch) -> Answers:
        """See ``Arm``."""
        ids, starts = batch["ids"], batch["starts"]
        rows = torch.arange(len(ids), device=ids.device)
        # Nothing of the right answer is left.
        line = torch.full((len(ids), int(starts.max()) + self.longest), _PAD, device=ids.device)
        prompt = torch.arange(ids.shape[1], device=ids.device) < starts[:, None]
        line[:, : ids.shape[1]] = torch.where(prompt, ids, _PAD)[:, : line.shape[1]]
        for step in range(self.longest):
            at = starts + step
            states = self._states(line[:, : int(at.max())])
            line[rows, at] = self.backbone.lm_head(states[rows, at - 1]).argmax(dim=1)
        values: Integers = np.zeros(len(ids), dtype=object if self.task.long else np.int64)
        parsed = np.zeros(len(ids), dtype=np.bool_)
        for row, (tokens, start) in enumerate(zip(line.tolist(), starts.tolist(), strict=True)):
            written = tokens[start : start + self.longest]
            if END not in written:
                continue
            words = [self.words[token] for token in written[: written.index(END)]]
            text = "".join(reversed(words) if self.reversed else words)
            value = self.task.value(unpadded(text, self.whole))
            if value is not None:
                values[row], parsed[row] = value, True
        return Answers(values, parsed)

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return sum(len(pieces) + len(self.end) for pieces in self._pieces(values))

    def _pieces(self, values: Integers) -> list[list[str]]:
        return [self.cut(padded(text, self.whole)) for text in self.task.texts(values)]

    def _ids(self, values: Integers) -> list[list[int]]:
        return [[self.index[piece] for piece in pieces] for pieces in self._pieces(values)]

    def _states(self, ids: Tensor) -> Tensor:
        """Last states, shape (rows, seq, hidden)."""
        if self.abacus is not None:
            found: Tensor = self.abacus(ids)
        else:
            found = self.backbone.model(input_ids=ids, use_cache=False).last_hidden_state
        return found

    def _logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits where something is to be predicted, shape (tokens, vocabulary), and what that is."""
        wanted = batch["wanted"]
        states = self._states(batch["ids"])
        chosen = wanted != _IGNORED
        return self.backbone.lm_head(states[chosen]).float(), wanted[chosen]


def padded(text: str, whole: int) -> str:
    """``"-12.5"`` → ``"-0012.5"``: zeros before a number until it has ``whole`` digits before the point."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    before, point, after = digits.partition(".")
    return f"{sign}{before.zfill(whole)}{point}{after}"


def unpadded(text: str, whole: int) -> str:
    """The inverse of ``padded``; empty for a text that has not ``whole`` digits before the point."""
    if whole == 1:
        return text
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    before, point, after = digits.partition(".")
    return f"{sign}{before.lstrip('0') or '0'}{point}{after}" if len(before) == whole else ""
