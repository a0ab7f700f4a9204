"""``modgap models``: what can be asked."""

from __future__ import annotations


def models() -> None:
    """List the kinds of model that --model accepts."""
    from modgap.cli._table import print_rows
    from modgap.models import names

    print_rows(("--model", "what it is"), list(names().items()))
