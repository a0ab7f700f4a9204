"""How a detector is trained: the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modgap._errors import FileError, InputError, UnknownName

from ._detector_files import BUNDLED, DETECTOR, read_config, shipped_or
from ._network import LoraSettings
from ._reading import CAUSAL, READS

OBJECTIVES = ("token", "response")
_LORA = LoraSettings()


@dataclass(frozen=True)
class TrainConfig:
    """How a detector is trained.

    Args:
        model: ``bundled``, ``sibling``, a folder or a hub id.
        objective: ``token``, or ``response`` for the baseline of the paper.
        reads: ``causal``, so that captions can be judged while they are written; or ``bidirectional``, each
            word knowing what follows.
        lora: the low-rank change.
        start: detector to go on from, a folder or one that ships; see :func:`going_on`. Empty: none.
        steps: of the optimiser; ``None`` for one pass over the data.
        captions: of a step, about; 64 is the smaller reading of the paper.
        learning_rate: peak, cosine from there; 1e-3 as published.
        warmup: fraction of the steps, 0 to 1.
        wrong_weight: how much a wrong token counts in the loss; a right one counts 1.
        focal: exponent of the focal loss; 0 is none.
        prior_bias: whether the head begins at the log-odds of a right token (ours), or at 0, as new layers
            mostly do.
        alpha: see :class:`Calibration`.
        seed: of everything.
        checkpoint_every: steps.
        bf16: arithmetic in bfloat16; worth it on a GPU, and on processors that have it.

    Raises:
        InputError: if a value is not accepted.
    """

    model: str = BUNDLED
    objective: str = "token"
    reads: str = CAUSAL
    lora: LoraSettings = _LORA
    start: str = ""
    steps: int | None = None
    captions: int = 64
    learning_rate: float = 1e-3
    warmup: float = 0.05
    wrong_weight: float = 1.0
    focal: float = 0.0
    prior_bias: bool = True
    alpha: float = 0.1
    seed: int = 0
    checkpoint_every: int = 100
    bf16: bool = False

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise UnknownName("objective", self.objective, OBJECTIVES)
        if self.reads not in READS:
            raise UnknownName("way of reading", self.reads, READS)
        for name in ("captions", "checkpoint_every", "learning_rate", "wrong_weight"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must be above 0")
        if not self.focal >= 0:
            raise InputError(f"focal is {self.focal}; it must be 0 or above")
        if self.steps is not None and self.steps < 1:
            raise InputError(f"steps is {self.steps}; it must be at least 1")
        if not 0 <= self.warmup <= 1 or not 0 < self.alpha < 1 or self.seed < 0:
            raise InputError(
                f"warmup {self.warmup}, alpha {self.alpha} and seed {self.seed} are not accepted; give a "
                "warmup from 0 to 1, an alpha between 0 and 1, and a seed of 0 or more"
            )


def going_on(config: TrainConfig, start: str) -> TrainConfig:
    """Settings with which a training goes on from a detector, on other data.

    Args:
        config: steps, rate and so on; the model, how it reads and the low-rank change are taken from the
            detector.
        start: a folder, or the name of a detector that ships.

    Raises:
        FileError: if it is not a detector.
    """
    before = read_config(shipped_or(start))
    lora = before.training.get("lora") or {}
    try:
        settings = LoraSettings(**{**lora, "parts": tuple(lora.get("parts", ()))})
    except TypeError as error:
        raise FileError(f"{start}: {error} in {DETECTOR}; make or get the detector again") from error
    return replace(
        config, model=before.base, objective=before.objective, reads=before.way, lora=settings, start=start
    )
