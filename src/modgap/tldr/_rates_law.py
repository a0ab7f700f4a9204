"""Does accuracy follow −log of the rate of false words? Three forms, each judged on models left out.

    fits = compare_laws(rates, accuracies)

The paper conjectures that performance is linear in −log H, H the rate of false words, and fits ten models.
Any monotone curve fits well if one model is far from the rest. So each form is fitted to all models but one
and asked for that one; what counts is the error there, beside that of the plain mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError

_LEAST = 1e-4  # rates and accuracies are kept this far from 0 and 1, where logarithms end


@dataclass(frozen=True)
class LawFit:
    """One form of the law.

    Args:
        form: ``log``, accuracy = a − b·ln H, as published; ``linear``, a + b·H; ``logit``, logit accuracy =
            a + b·logit H; or ``mean``, a.
        a: intercept.
        b: slope; 0 for ``mean``.
        r: correlation of fit and accuracy; ``nan`` for ``mean``.
        left_out_error: root mean squared error on models that were left out, as a fraction of 1.
        n: models.
    """

    form: str
    a: float
    b: float
    r: float
    left_out_error: float
    n: int


def _logit(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p) - np.log1p(-p))


def _expit(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _same(x: np.ndarray) -> np.ndarray:
    return x


_Form = tuple[
    Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray], Callable[..., np.ndarray]
]
FORMS: dict[str, _Form] = {
    "log": (lambda h: -np.log(h), _same, _same),
    "linear": (_same, _same, _same),
    "logit": (_logit, _logit, _expit),
    "mean": (np.zeros_like, _same, _same),
}
"""Form → what is done to the rate, to the accuracy, and back."""


def compare_laws(rates: Sequence[float], accuracies: Sequence[float]) -> list[LawFit]:
    """Fit every form.

    Args:
        rates: of false words of each model, fractions.
        accuracies: of each model, fractions.

    Returns:
        A fit for each form, the smallest error on left-out models first.

    Raises:
        InputError: if there are fewer than four models, not as many of both, or one is not a fraction.
    """
    h, y = np.array(rates, dtype=float), np.array(accuracies, dtype=float)
    if len(h) != len(y) or len(h) < 4:
        raise InputError(f"{len(h)} rates and {len(y)} accuracies; give as many of both, of 4 models or more")
    if not ((h >= 0) & (h <= 1) & (y >= 0) & (y <= 1)).all():
        raise InputError("rates and accuracies are fractions from 0 to 1; divide what is in percent by 100")
    h, y = (np.clip(values, _LEAST, 1 - _LEAST) for values in (h, y))
    return sorted((_fit_form(name, h, y) for name in FORMS), key=lambda fit: fit.left_out_error)


def _fit_form(name: str, h: np.ndarray, y: np.ndarray) -> LawFit:
    of_rate, of_accuracy, back = FORMS[name]
    x, z = of_rate(h), of_accuracy(y)
    a, b = _line(x, z)
    missed = []
    for i in range(len(h)):
        others = np.arange(len(h)) != i
        intercept, slope = _line(x[others], z[others])
        missed.append(float(back(intercept + slope * x[i]) - y[i]))
    fitted = back(a + b * x)
    r = float(np.corrcoef(fitted, y)[0, 1]) if fitted.std() > 0 and y.std() > 0 else float("nan")
    return LawFit(name, a, b, r, math.sqrt(float(np.mean(np.square(missed)))), len(h))


def _line(x: np.ndarray, z: np.ndarray) -> tuple[float, float]:
    spread = float(((x - x.mean()) ** 2).sum())
    slope = 0.0 if spread == 0 else float(((x - x.mean()) * (z - z.mean())).sum()) / spread
    return float(z.mean() - slope * x.mean()), slope
