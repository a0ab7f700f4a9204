"""``modgap close``: find the gap, say what causes it, try what could close it, and keep what does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modgap.close import Change, Closed


def close(
    *,
    model: Annotated[str, typer.Argument(help="As for measure: bundled, a folder, a hub id …")] = "bundled",
    suite: Annotated[str, typer.Option("--suite", "-s", help="With words and pictures.")] = "scenes",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="DIAL=VALUE", help="Default: level=plain for scenes; repeatable."),
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Such as count,relation. Default: all.")] = None,
    n: Annotated[int, typer.Option("-n", help="Problems of each task in every set.")] = 60,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    budget: Annotated[float, typer.Option(help="About how many minutes it may take.")] = 5.0,
    train: Annotated[bool, typer.Option("--train/--no-train", help="Whether it may train.")] = True,
    backbone: Annotated[
        str, typer.Option(help="Text-only model for directions. Default: the model's own.")
    ] = "",
    detector: Annotated[
        str, typer.Option(help="Trained detector of this model, whose change is tried. Default: none.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost.")] = False,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Run it on models whose cause is known.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for runs, report and winner.")] = Path("runs/close"),
) -> None:
    """Measure, name the cause, try what could help, keep what does, and score it once on other problems."""
    from modgap.cli._values import dials, listed
    from modgap.close import Plan
    from modgap.close import close as run
    from modgap.close import dry_run as describe

    if selftest:
        from modgap.close._selftest import print_selftest

        print_selftest(out / "selftest", echo=typer.echo)
        return
    given = dials(set_, "--set") or {}
    if not given and suite == "scenes":
        given = {"level": "plain"}
    if model == "bundled":
        backbone, detector = backbone or "bundled", detector or "bundled-causal"
    plan = Plan(n, seed, suite, given, listed(tasks) or (), budget, train, backbone, detector)
    if dry_run:
        from modgap.cli._table import print_rows

        steps = describe(plan)
        print_rows(("step", "calls", "note"), [(s, f"{calls:,}", note) for s, calls, note in steps])
        typer.echo(f"{sum(calls for _, calls, _ in steps):,} calls to the model, about {budget:g} minutes")
        return
    closed = run(model, out, plan, listener=lambda text: typer.echo(text, err=True))
    _print(closed)


def _print(closed: Closed) -> None:
    from modgap.cli._table import print_rows

    if closed.gap:
        pooled = closed.gap[0]
        typer.echo(
            f"in words {100 * pooled.after:.1f} %, in pictures {100 * pooled.before:.1f} %: a gap of "
            f"{pooled.said}, n = {pooled.n:,}\n"
        )
    rows = []
    for one in closed.causes:
        shares = (one.error, one.perception, one.access, one.format, one.reasoning)
        figures = ["–" if share is None else f"{share.points:.1f}" for share in shares]
        rows.append((_short(one.task), f"{one.n}", *figures, one.cause or "–"))
    print_rows(("task", "n", "error", "perception", "access", "format", "reasoning", "main cause"), rows)
    print_rows(
        ("tried", "change on pictures, 95 %", "p (Holm)", "harms"),
        [
            (
                one.name,
                _interval(one.pooled),
                "< 0.001" if one.p_holm < 0.001 else f"{one.p_holm:.3f}",
                ", ".join(_short(task) for task in one.harms) or "nothing",
            )
            for one in closed.tried
        ],
    )
    for title, changes in (("other problems", closed.after), ("pictures drawn otherwise", closed.elsewhere)):
        if changes:
            print_rows(
                (title, "n", "before", "after", "change, 95 %"),
                [
                    (
                        _short(one.task),
                        f"{one.n}",
                        f"{100 * one.before:.1f} %",
                        f"{100 * one.after:.1f} %",
                        _interval(one),
                    )
                    for one in changes
                ],
            )
    typer.echo(closed.verdict)
    for line in closed.lines:
        typer.echo(f"    {line}")
    typer.echo(f"{closed.seconds:.0f} s; {closed.folder / 'close.html'}")


def _short(task: str) -> str:
    return "all tasks" if task == "pooled" else task.rpartition("/")[2]


def _interval(one: Change) -> str:
    return one.said.replace(" points", "")
