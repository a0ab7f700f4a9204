"""``modgap doctor``: is a model what it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    model: Annotated[
        str, typer.Argument(help="bundled, or a folder made by recipes/bundled_model.py.")
    ] = "bundled",
    *,
    gates: Annotated[
        bool, typer.Option("--gates", help="Measure what the bundled model must be able to do, and must not.")
    ] = False,
    n: Annotated[int, typer.Option("-n", min=20, help="Problems of each task, and scenes captioned.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of all problems and scenes.")] = 101,
) -> None:
    """Check the bundled model against its gates; exit status 1 if one is missed."""
    from modgap._errors import InputError

    if not gates:
        raise InputError(
            "doctor can check the gates of the bundled model; write: modgap doctor bundled --gates"
        )
    from modgap.cli._table import print_rows
    from modgap.doctor import check_gates
    from modgap.models import bundled

    found = []
    for gate in check_gates(
        bundled.FOLDER if model == "bundled" else Path(model),
        n=n,
        seed=seed,
        say=lambda words: typer.echo(f"measuring: {words} …", err=True),
    ):
        found.append(gate)
    print_rows(
        ("gate", "wanted", "found", "95 % interval", "n", ""),
        [
            (
                gate.name,
                gate.wanted,
                f"{gate.found:.1f} {gate.unit}",
                f"{gate.low:.1f} to {gate.high:.1f}",
                f"{gate.n:,}",
                "passed" if gate.passed else "MISSED",
            )
            for gate in found
        ],
    )
    for gate in found:
        if gate.note:
            typer.echo(f"{gate.name}: {gate.note}")
    missed = [gate.name for gate in found if not gate.passed]
    typer.echo(f"\n{len(found) - len(missed)} of {len(found)} gates passed")
    if missed:
        typer.echo(f"missed: {'; '.join(missed)}")
        raise typer.Exit(1)
