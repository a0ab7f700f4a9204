"""How good predicted numbers are: exact to the last place, and how far off.

Exact means equal as integers of 10**-scale. The published metric for decimals accepts an error below 10**-n
after rounding through floats, which counts three in four answers as right that are off by one in the last
place; it is not used.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modgap.evaluate._statistics import wilson

_MOST_DIGITS = 15.0  # log-sMAPE of an exact answer, in digits: what a float64 holds


@dataclass(frozen=True)
class Score:
    """Figures of predictions.

    Args:
        n: how many.
        exact: share that is right, 0 to 1; what is no number is not.
        low, high: Wilson's 95 % interval of it.
        unparsed: how many are no numbers; the following are over the others, NaN if there are none.
        rmse: root mean square error, in the unit of the task.
        r2: 1 − squared error over the variance of the right answers; may be far below 0.
        log_smape: mean number of digits that are right, −log10(|p − t| / (|p| + |t|)), 15 at most, over 15.
    """

    n: int
    exact: float
    low: float
    high: float
    unparsed: int
    rmse: float
    r2: float
    log_smape: float

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values, None where there is no number."""
        return {
            k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()
        }


def score(
    predicted: npt.NDArray[np.int64],
    parsed: npt.NDArray[np.bool_],
    answers: npt.NDArray[np.int64],
    scale: int = 0,
) -> Score:
    """Compare predictions with right answers.

    Args:
        predicted: shape (n,), in units of 10**-scale.
        parsed: shape (n,), whether there is a number at all.
        answers: shape (n,), likewise in units of 10**-scale.
        scale: of the task.
    """
    n = len(answers)
    right = int((parsed & (predicted == answers)).sum())
    low, high = wilson(right, n)
    p, t = predicted[parsed].astype(np.float64), answers[parsed].astype(np.float64)
    rmse = r2 = log_smape = math.nan
    if len(t):
        squared = float(((p - t) ** 2).mean())
        variance = float(t.var())
        rmse = math.sqrt(squared) / 10**scale
        r2 = 1 - squared / variance if variance else math.nan
        share = np.abs(p - t) / np.maximum(np.abs(p) + np.abs(t), 1)
        digits = np.full(len(t), _MOST_DIGITS)
        wrong = share > 0
        digits[wrong] = np.minimum(-np.log10(share[wrong]), _MOST_DIGITS)
        log_smape = float(digits.mean()) / _MOST_DIGITS
    return Score(n, right / n if n else math.nan, low, high, n - int(parsed.sum()), rmse, r2, log_smape)
