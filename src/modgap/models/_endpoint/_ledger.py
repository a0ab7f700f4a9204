"""Calls made and money spent, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping

from modgap._errors import ModelError

from ._settings import Settings


class Ledger:
    """Counts calls and cost against the limits of an endpoint.

    Args:
        settings: ``budget``, ``max_cost`` and the prices.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._under_way = 0
        self._largest = 0.0
        self.calls = 0
        self.spent = 0.0

    def begin(self) -> str | None:
        """Count a call that is about to be made.

        Returns:
            ``None``, or why it must not be made.
        """
        budget, max_cost = self._settings.budget, self._settings.max_cost
        again = "run again to go on with the rest"
        if budget is not None and self.calls >= budget:
            return f"budget of {budget} calls reached; {again}"
        # Every call under way is taken to cost as much as the dearest one so far.
        if max_cost is not None and self.spent + self._under_way * self._largest >= max_cost:
            return f"budget of {max_cost:g} reached ({self.spent:.4g} spent); {again}"
        self.calls += 1
        self._under_way += 1
        return None

    def end(self) -> None:
        """The call is over, whatever came of it."""
        self._under_way -= 1

    def charge(self, usage: Mapping[str, float] | None) -> Mapping[str, float] | None:
        """Add the cost of a call.

        Args:
            usage: tokens as the server counted them, or ``None``.

        Returns:
            ``usage``, with ``cost`` when prices are known.

        Raises:
            ModelError: if there is a limit on cost and no way to tell the cost.
        """
        settings = self._settings
        if usage is not None and (settings.input_price is not None or settings.output_price is not None):
            cost = usage.get("input_tokens", 0.0) * (settings.input_price or 0.0)
            cost += usage.get("output_tokens", 0.0) * (settings.output_price or 0.0)
            usage = {**usage, "cost": cost / 1e6}
        if usage is not None and "cost" in usage:
            self.spent += usage["cost"]
            self._largest = max(self._largest, usage["cost"])
        elif settings.max_cost is not None:
            raise ModelError(
                f"max_cost is {settings.max_cost:g}, but {settings.host} does not report what a call costs; "
                "give input_price and output_price, or limit the number of calls with budget"
            )
        return usage
