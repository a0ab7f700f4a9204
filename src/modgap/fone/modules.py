"""What attention and MLP of each block do to the numbers while a model adds: logit maps and band filters.

    found = measure_modules("gpt2", np.random.default_rng(0), template="{a}+{b}=")
    found.attention, found.mlp          # (blocks, components): which periods each writes
    found.effects                       # accuracy without a band, beside random bands of the same size

At the last token of a prompt such as ``15+93=`` the output of a module, times the rows of the numbers in the
output embeddings, is a curve over the numbers; its Fourier components say whether the module writes size
(long periods) or a class modulo ten (short ones) (Zhou et al., 2024, sections 3 and 4). The gain of the last
norm is part of the rows; the published maps leave it out. Of a number model the rows are those of its head.

A map is a correlation. The filter takes a band out of the outputs of attention, MLP or both, in all blocks,
and asks again. Taking directions out harms by itself, so every band stands beside random bands of as many
components; where there are not that many others, as for all short periods at once, there is no control.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._modules import Block, blocks_of, number_rows, number_rows_of_head
from ._saved import SETTINGS, load_base
from ._torch import torch
from ._vectors import find_folder, load_tokenizer, single_tokens
from .bands import BandFilter, band_of, random_band
from .spectrum import MIN_NUMBERS, component_norms, usable_count

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]

LONG = 10.0
"""Periods above this many numbers are long. The published bound is 520/50 = 10.4; period 10 is short there
and here."""

_WHERE = ("attention", "mlp", "both")
_CONTROLS = 5
_BATCH = 128
_VERSION = 1


@dataclass(frozen=True)
class Effect:
    """Accuracy with a band taken out.

    Args:
        band: ``"none"``, ``"long"`` (periods above 10), ``"short"`` (the others) or ``"decimal"`` (10, 5,
            3.33, 2.5 and 2).
        where: ``"attention"``, ``"mlp"`` or ``"both"``, in all blocks.
        components: how many were taken out.
        accuracy: 0 to 1.
        error: median distance from the right answer, in numbers.
        control: mean accuracy with random bands of the same size; None where there are too few others.
        control_low: the least of them, likewise.
    """

    band: str
    where: str
    components: int
    accuracy: float
    error: float
    control: float | None = None
    control_low: float | None = None


@dataclass(frozen=True)
class Modules:
    """What ``measure_modules`` found.

    Args:
        numbers: 0 to numbers - 1 were compared.
        prompts: how many sums were asked.
        template: how.
        attention: mean length of each component of the logits, shape (blocks, numbers // 2).
        mlp: likewise.
        effects: of taking bands out; the first is without a filter.
    """

    numbers: int
    prompts: int
    template: str
    attention: Floats
    mlp: Floats
    effects: tuple[Effect, ...]

    def as_json(self) -> dict[str, Any]:
        """All figures as JSON values; maps row by row, a block each."""
        return {
            "version": _VERSION,
            "numbers": self.numbers,
            "prompts": self.prompts,
            "template": self.template,
            "attention": [[float(f"{x:.5g}") for x in row] for row in self.attention.tolist()],
            "mlp": [[float(f"{x:.5g}") for x in row] for row in self.mlp.tolist()],
            "effects": [
                {name: getattr(effect, name) for name in Effect.__dataclass_fields__}
                for effect in self.effects
            ],
        }


def measure_modules(
    model: str,
    rng: np.random.Generator,
    *,
    template: str = "{a}+{b}=",
    prompts: int = 200,
    most: int = 1000,
) -> Modules:
    """Ask a model sums whose answer is one token, and see which module writes which period.

    Args:
        model: a model folder, a folder of ``NumberModel.save_pretrained``, or a hub id.
        rng: of the sums and the random bands.
        template: of a prompt; ``{a}`` and ``{b}`` are the summands, and the answer is its next token.
        prompts: how many; the summands are below half of the numbers.
        most: numbers are 0 to most - 1 at most.

    Raises:
        InputError: a template without both summands, no prompts, or numbers that are not single tokens.
        FileError, ModelError: a model that cannot be loaded, or whose modules are not found.
    """
    if "{a}" not in template or "{b}" not in template:
        raise InputError(f"template {template!r} has no {{a}} and {{b}}: give one such as '{{a}}+{{b}}='")
    if prompts < 1:
        raise InputError(f"{prompts} prompts asked for: give 1 or more")
    if most < MIN_NUMBERS:
        raise InputError(f"{most} numbers asked for: a map needs {MIN_NUMBERS} at least")
    asked = _asked(model, most)
    n = asked.numbers
    pairs = rng.integers(0, (n + 1) // 2, (prompts, 2))
    texts = [template.replace("{a}", str(a)).replace("{b}", str(b)) for a, b in pairs.tolist()]
    answers = pairs.sum(axis=1)
    blocks = asked.blocks
    with _outputs(blocks) as outputs:
        found = asked.answer(texts)
    maps = {}
    for where in ("attention", "mlp"):
        curves = [torch.cat(outputs[where, i]) @ asked.rows.T for i in range(len(blocks))]
        maps[where] = np.stack([_mean_norms(curve) for curve in curves])
    effects = [_effect("none", "both", 0, found, answers)]
    bands = {
        "long": band_of(n, shortest=np.nextafter(LONG, np.inf)),
        "short": band_of(n, longest=LONG),
        "decimal": tuple(n // 10 * i for i in range(1, 6)),
    }
    for name, band in bands.items():
        controls = []
        if 2 * len(band) <= n // 2:
            controls = [random_band(n, band, rng) for _ in range(_CONTROLS)]
        for where in _WHERE:
            cut = _filter(asked.rows, band)
            if cut is None:
                continue
            with _filtered(blocks, where, cut):
                found = asked.answer(texts)
            others = []
            for control in controls:
                other = _filter(asked.rows, control)
                if other is not None:
                    with _filtered(blocks, where, other):
                        others.append(float((asked.answer(texts) == answers).mean()))
            effects.append(_effect(name, where, len(band), found, answers, others))
    return Modules(n, prompts, template, maps["attention"], maps["mlp"], tuple(effects))


class _Asked:
    """A model that answers prompts with one number.

    Args:
        blocks: of it.
        rows: shape (numbers, width), see ``number_rows``.
        answer: from texts to numbers, shape (texts,).
    """

    def __init__(self, blocks: list[Block], rows: Tensor, answer: Any) -> None:
        self.blocks = blocks
        self.rows = rows
        self.numbers = len(rows)
        self._answer = answer

    def answer(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """What the model says, a batch at a time."""
        parts = [self._answer(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
        return np.concatenate(parts)


def _asked(model: str, most: int) -> _Asked:
    folder = find_folder(model)
    if folder is not None and (folder / SETTINGS).is_file():
        return _asked_number_model(folder, most)
    source = str(folder) if folder is not None else model
    tokenizer = load_tokenizer(source)
    ids = single_tokens(tokenizer, most)
    if len(ids) < MIN_NUMBERS:
        raise InputError(
            f"{Path(model).name or model}: a map of modules needs the numbers 0 to {MIN_NUMBERS - 1} as "
            f"single tokens at least, and its tokenizer has {len(ids)} of them"
        )
    ids = ids[: usable_count(len(ids))]
    base = load_base(source).eval()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token

    def answer(texts: Sequence[str]) -> npt.NDArray[np.int64]:
        batch = tokenizer(list(texts), return_tensors="pt", padding=True, padding_side="left")
        mask = batch["attention_mask"]
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        inputs = {"input_ids": batch["input_ids"], "attention_mask": mask, "position_ids": positions}
        with torch.no_grad():
            logits = base(**inputs).logits[:, -1, ids]
        found: npt.NDArray[np.int64] = logits.float().argmax(dim=1).cpu().numpy()
        return found

    return _Asked(blocks_of(base), number_rows(base, ids), answer)


def _asked_number_model(folder: Path, most: int) -> _Asked:
    from ._model import NumberModel

    model: NumberModel = NumberModel.from_pretrained(folder)
    head = model.head
    codec = model.settings.codec
    if head is None or codec.exponent_places:
        raise InputError(
            f"{folder}: a map of modules needs a number head of a fixed codec; this model adds values to its "
            "own tokens or is floating, so give its base model"
        )
    if codec.integer_places < len(str(most - 1)):
        most = 10**codec.integer_places
    scale = 10**codec.decimal_places

    def answer(texts: Sequence[str]) -> npt.NDArray[np.int64]:
        batch = model.encode_text(texts, padding_side="left")
        mask = batch["attention_mask"]
        with torch.no_grad():
            states = model(
                input_ids=batch["input_ids"],
                attention_mask=mask,
                number_features=batch["number_features"],
                position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
            ).states
            digits = head(states[:, -1]).labels()[:, head.slots.ten_way["digits"]]
        powers = np.array([10**i for i in range(codec.places)], dtype=np.int64)
        found: npt.NDArray[np.int64] = digits.cpu().numpy() @ powers // scale
        return found

    rows = number_rows_of_head(model.inner, head, usable_count(most))
    return _Asked(blocks_of(model.inner), rows, answer)


def _mean_norms(curves: Tensor) -> Floats:
    """Mean length of each component over curves of shape (prompts, numbers)."""
    norms = [component_norms(curve[:, None]) for curve in curves.double().numpy()]
    mean: Floats = np.mean(norms, axis=0)
    return mean


def _effect(
    band: str,
    where: str,
    components: int,
    found: npt.NDArray[np.int64],
    answers: npt.NDArray[np.int64],
    controls: Sequence[float] = (),
) -> Effect:
    return Effect(
        band=band,
        where=where,
        components=components,
        accuracy=float((found == answers).mean()),
        error=float(np.median(np.abs(found - answers))),
        control=float(np.mean(controls)) if controls else None,
        control_low=min(controls) if controls else None,
    )


def _filter(rows: Tensor, band: Sequence[int]) -> BandFilter | None:
    """A filter for the last position; None if the band spans all directions that a state has."""
    try:
        return BandFilter(rows, band, positions=slice(-1, None))
    except InputError:
        return None


@contextmanager
def _filtered(blocks: Sequence[Block], where: str, cut: BandFilter) -> Iterator[None]:
    """The filter on attention, MLP or both, in all blocks."""
    handles = []
    for block in blocks:
        if where != "mlp":
            handles.append(block.attention.register_forward_hook(cut.hook))
        if where != "attention":
            handles.append(block.mlp.register_forward_hook(cut.hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _outputs(blocks: Sequence[Block]) -> Iterator[dict[tuple[str, int], list[Tensor]]]:
    """Collects the outputs of all modules at the last position, in batches."""
    kept: dict[tuple[str, int], list[Tensor]] = {}
    handles = []
    for i, block in enumerate(blocks):
        for where, module in (("attention", block.attention), ("mlp", block.mlp)):
            at = kept.setdefault((where, i), [])

            def keep(_: Any, __: Any, output: Any, at: list[Tensor] = at) -> None:
                states = output[0] if isinstance(output, tuple) else output
                at.append(states.detach()[:, -1].float().cpu())

            handles.append(module.register_forward_hook(keep))
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()
