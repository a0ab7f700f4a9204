"""``modgap doctor``: is a model what it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modgap._errors import InputError


def doctor(
    model: Annotated[str, typer.Argument(help="bundled, a model folder, or a hub id org/name.")] = "bundled",
    *,
    gates: Annotated[
        bool,
        typer.Option(
            "--gates",
            help="Measure the gates of the bundled model, or of a folder that its recipe made.",
        ),
    ] = False,
    n: Annotated[
        int, typer.Option("-n", min=20, help="With --gates: problems of each task, and scenes captioned.")
    ] = 500,
    seed: Annotated[int, typer.Option(min=0, help="With --gates: of all problems and scenes.")] = 101,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16. Default: as it was saved.")] = "",
    device_map: Annotated[str, typer.Option(help="Spread the model over devices, for example auto.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of a hub id.")] = "",
) -> None:
    """Check that a local model keeps the contracts: batches, hooks, token map; exit status 1 if one fails."""
    options = {"dtype": dtype or None, "device_map": device_map or None, "revision": revision or None}
    if gates:
        if given := [name for name, value in options.items() if value]:
            raise InputError(f"{', '.join(given)}: the gates are always measured in float32; leave it out")
        _gates(model, n, seed)
        return
    from modgap.doctor import check_model

    failed = []
    for check in check_model(model, **options):
        typer.echo(f"{check.verdict:8}  {check.name:17}  {check.found}")
        if check.verdict != "passed" and check.meaning:
            typer.echo(f"{'':29}{check.meaning}")
        if check.verdict == "FAILED":
            failed.append(check.name)
    if failed:
        typer.echo(f"failed: {', '.join(failed)}")
        raise typer.Exit(1)


def _gates(model: str, n: int, seed: int) -> None:
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
