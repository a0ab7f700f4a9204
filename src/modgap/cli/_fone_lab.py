"""``modgap fone train``, ``eval`` and ``demo``: arithmetic with numbers in different forms."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modgap._errors import InputError

if TYPE_CHECKING:
    from modgap.fone._compare import Group

_DEFAULT_OUT = Path("runs/fone")
_MOST_STRATA, _WORST = 60, 5  # of a table that is printed whole, and what is printed otherwise


def add_verbs(app: typer.Typer) -> None:
    """Adds the three verbs to ``modgap fone``."""
    app.command("train")(train_arm)
    app.command("eval")(evaluate_runs)
    app.command("demo")(show_demo)


def train_arm(
    *,
    task: Annotated[
        str, typer.Option(help="Such as add, add-decimal, subtract, multiply-4, add-lengths-20.")
    ] = "add",
    arm: Annotated[
        str,
        typer.Option(
            help="fone, fone-products, fone-published, slots, bits, xval, digits, digits-ntl, "
            "digits-reversed, digits-padded, subword, subword-right, abacus or abacus-fone."
        ),
    ] = "fone",
    rows: Annotated[int, typer.Option(help="Training rows.")] = 25_600,
    size: Annotated[str, typer.Option(help="tiny, small, paper, level-1 … level-6.")] = "small",
    steps: Annotated[int, typer.Option(help="Steps of the optimiser.")] = 1_200,
    batch: Annotated[int, typer.Option(help="Rows of a step.")] = 256,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    init: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of the first parameters. Default: 0.02, and where numbers are several "
            "tokens one over the root of the width."
        ),
    ] = None,
    weight_decay: Annotated[float, typer.Option(help="Weight decay of AdamW.")] = 0.01,
    validation: Annotated[int, typer.Option(help="Rows to choose by.")] = 2_000,
    test: Annotated[int, typer.Option(help="Rows to report on, seen once at the end.")] = 4_000,
    every: Annotated[int, typer.Option(help="Steps between two evaluations.")] = 100,
    unseen: Annotated[
        str | None, typer.Option(help="Operands that training never sees, as LOW-HIGH, tested apart.")
    ] = None,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    base: Annotated[
        list[int] | None,
        typer.Option(help="Periods base × 10**k for fone-published; repeat it. Default: 10."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Of parameters, rows and their order.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run. Default: runs/fone/<task>-<arm>-<rows>-<seed>.")
    ] = None,
) -> None:
    """Train one way of giving numbers to a model on one arithmetic task; goes on where it was stopped."""
    from modgap.fone.train import TrainConfig, train

    config = TrainConfig(
        task=task,
        arm=arm,
        rows=rows,
        size=size,
        steps=steps,
        batch=batch,
        rate=rate,
        init=init,
        weight_decay=weight_decay,
        validation=validation,
        test=test,
        every=every,
        seed=seed,
        unseen=_range(unseen),
        precision=precision,
        bases=tuple(base) if base else None,
    )
    folder = out or _DEFAULT_OUT / f"{task}-{arm}-{rows}-{seed}"
    result = train(config, folder, listener=lambda line: typer.echo(_line(line, steps)), device=device)
    count = result["parameters"]
    typer.echo(
        f"{count['total']:,} parameters, {count['transformer']:,} without vocabulary; "
        f"{result['tokens_per_number']:.2f} tokens a number; "
        f"{100 * result['share_of_problems_seen']:.3g} % of all problems seen in training"
    )
    typer.echo(f"test: {_score(result['test'])}")
    if result["unseen"]:
        typer.echo(f"operands never seen: {_score(result['unseen'])}")
    typer.echo(f"run: {folder}")


def evaluate_runs(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or folders that hold them.")],
    *,
    each: Annotated[
        int, typer.Option(help="Test so many rows of every length and chain of carries too. Default: none.")
    ] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw accuracy against rows, parameters and time here (.png or .svg).")
    ] = None,
    lengths: Annotated[
        Path | None, typer.Option(help="Draw a map of --each over pairs of lengths here (.png or .svg).")
    ] = None,
    longest: Annotated[
        int | None, typer.Option(help="Test --each on sums of up to so many digits. Default: as trained.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the rows of --each.")] = 0,
) -> None:
    """Compare runs: means over seeds with intervals, curves, and where each of them fails."""
    import numpy as np

    from modgap.cli._table import print_rows
    from modgap.fone._compare import compare_runs, find_runs, plot_curves
    from modgap.fone._maps import plot_maps
    from modgap.fone.strata import measure_strata

    if not each and (lengths is not None or longest is not None):
        raise InputError("--lengths and --longest are for the rows of --each: give --each too, such as 50")
    folders = find_runs(runs)
    groups = compare_runs(folders)
    for (task, size, n), same in itertools.groupby(
        groups, lambda g: (g.config["task"], g.config["size"], g.n)
    ):
        typer.echo(f"{task}, {size}, {n:,} test rows; 95 % of the mean over seeds")
        print_rows(
            ("arm", "rows", "seeds", "% right", "95 %", "rmse", "R²", "log-sMAPE", "s"),
            [_row(group) for group in same],
        )
    if picture is not None:
        plot_curves(groups, picture)
        typer.echo(f"picture: {picture}")
    found = {}
    for folder in folders if each else []:
        typer.echo(f"\n{folder}, {each} rows each")
        strata = measure_strata(folder, np.random.default_rng(seed), each=each, longest=longest)
        found[str(folder)] = strata
        shown = strata
        if len(strata) > _MOST_STRATA:
            mean = sum(s.score.exact for s in strata) / len(strata)
            typer.echo(f"{len(strata)} strata, mean {100 * mean:.2f} %; the {_WORST} worst:")
            shown = sorted(strata, key=lambda s: s.score.exact)[:_WORST]
        print_rows(
            ("by", "which", "exactly right", "95 % interval", "unparsed"),
            [
                (
                    s.kind,
                    s.name,
                    f"{100 * s.score.exact:.1f} %",
                    f"{100 * s.score.low:.1f} to {100 * s.score.high:.1f}",
                    str(s.score.unparsed),
                )
                for s in shown
            ],
        )
    if lengths is not None:
        plot_maps(found, lengths)
        typer.echo(f"map: {lengths}")


def show_demo(
    *,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    steps: Annotated[int, typer.Option(help="Steps of each model.")] = 500,
    out: Annotated[Path, typer.Option(help="Folder of the runs and the picture.")] = Path("fone-demo"),
) -> None:
    """A number as one token against a number as digits: small models learn to add, and are asked."""
    from modgap.cli._table import print_rows
    from modgap.fone.demo import ARMS, run_demo

    def tell(arm: str, line: dict[str, Any]) -> None:
        typer.echo(f"{ARMS[arm]}: {_line(line, steps)}")

    found = run_demo(out, seed=seed, steps=steps, listener=tell)
    for arm, words in ARMS.items():
        tokens = found.results[arm]["tokens_per_number"]
        typer.echo(f"a number is {words} ({tokens:.1f} tokens): {_score(found.results[arm]['test'])}")
    print_rows(
        ("asked", *ARMS.values()),
        [(prompt, *said) for prompt, said in found.sums],
    )
    typer.echo(f"picture: {out / 'demo.png'}")


def _range(text: str | None) -> tuple[int, int] | None:
    """``"600000-699999"`` → ``(600000, 699999)``."""
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not (dash and low.strip().isdecimal() and high.strip().isdecimal()):
        raise InputError(f"--unseen {text!r} is not LOW-HIGH, such as --unseen 600000-699999")
    return int(low), int(high)


def _line(line: dict[str, Any], steps: int) -> str:
    return (
        f"step {line['step']:,} of {steps:,}, loss {line['loss']:.3f}, "
        f"validation {100 * line['validation']:.2f} %, {line['seconds']:.0f} s"
    )


def _score(score: dict[str, Any]) -> str:
    text = (
        f"{100 * score['exact']:.2f} % exactly right ({100 * score['low']:.2f} to {100 * score['high']:.2f}, "
        f"n = {score['n']:,})"
    )
    if score["unparsed"]:
        text += f", {score['unparsed']:,} unparsed"
    if score["rmse"] is not None:
        text += f", rmse {score['rmse']:.4g}"
    return text if score["r2"] is None else f"{text}, R² {score['r2']:.6f}"


def _row(group: Group) -> tuple[str, ...]:
    config = group.config
    bases = ["base", *map(str, config["bases"])] if config.get("bases") else []
    return (
        " ".join([str(config["arm"]), *bases]),
        f"{config['rows']:,}",
        str(len(group.seeds)),
        f"{100 * group.exact:.2f}",
        "–" if math.isnan(group.low) else f"{100 * group.low:.2f}–{100 * group.high:.2f}",
        f"{group.rmse:.4g}",
        f"{group.r2:.6f}",
        f"{group.log_smape:.3f}",
        f"{group.at['seconds']:.0f}",
    )
