"""What ``modgap steer`` prints: doses, and the findings of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from modgap.steering import Dose, Study


def print_doses(doses: list[Dose]) -> None:
    """Doses as a table."""
    from modgap.cli._table import print_rows

    print_rows(
        ("value", "task", "n", "unchanged", "block", "strength", "value, 95 %", "random", "wrong value"),
        [
            (
                one.value,
                one.task,
                f"{one.n}",
                f"{100 * one.base:.0f} %",
                f"{one.chosen[0]}",
                f"{one.chosen[1]:g}",
                "{:.0f} % ({:.0f} to {:.0f})".format(*(100 * x for x in one.held_out["value"])),
                f"{100 * one.held_out['random'][0]:.0f} %",
                f"{100 * one.held_out['wrong'][0]:.0f} % ({one.wrong_value})",
            )
            for one in doses
        ],
    )
    typer.echo("block and strength chosen on one half of the pictures, counted on the other")


def print_study(found: Study) -> None:
    """Findings, the test on other pictures with its rivals, and what may be claimed."""
    from modgap.cli._table import print_rows

    print_rows(
        ("task", "where", "vector", "before", "gain", "controls", "beyond", "p", "at"),
        [
            (
                one.task.rpartition("/")[2],
                one.positions,
                one.vector.partition("/")[0],
                f"{100 * one.base:.1f} %",
                _points(one.gain_points, one.gain_interval),
                f"{one.control_points:+.1f}",
                _points(one.beyond_points, one.beyond_interval),
                f"{one.p_holm:.3f}",
                "none" if one.chosen is None else f"{one.chosen[0]}@{one.chosen[1]:g}",
            )
            for one in found.findings
        ],
    )
    typer.echo(
        f"n = {found.findings[0].n} a task; points with 95 % intervals. gain: of what was chosen on four "
        "fifths of the\nscenes, counted on the fifth; controls: the same search over random, shuffled and "
        "opposite directions;\nbeyond: gain less controls, paired; p: Holm over all rows; at: block@strength."
    )
    if found.elsewhere:
        _print_elsewhere(found)
    print_rows(
        ("task", "its best cell", "other tasks", "perplexity of text"),
        [
            (
                one.task.rpartition("/")[2],
                f"{one.vector.partition('/')[0]}, {one.positions}, {one.cell[0]}@{one.cell[1]:g}",
                _points(one.other_points, one.interval) if one.n else "–",
                "{:.1f} → {:.1f}".format(*one.perplexity),
            )
            for one in found.harm
        ],
    )
    typer.echo("what the cell does to the accuracy of the other tasks together, and to written scenes")
    claimed = [
        one for one in found.findings if one.p_holm < 0.05 and min(one.gain_points, one.beyond_points) > 0
    ]
    for one in claimed:
        typer.echo(f"{one.vector} at {one.positions} helps {one.task} beyond every control.")
    if not claimed:
        typer.echo("No vector helps any task beyond its controls.")


def _print_elsewhere(found: Study) -> None:
    """The test on other pictures, with rivals."""
    from modgap.cli._table import print_rows

    patched = {one.task: one for one in found.back_patched}
    print_rows(
        ("task", "on other pictures", "before", "gain", "control", "words in the prompt", "back-patching"),
        [
            (
                one.task.rpartition("/")[2],
                f"{one.vector.partition('/')[0]}, {one.positions}, {one.cell[0]}@{one.cell[1]:g}",
                f"{100 * one.base:.1f} %",
                _points(one.gain_points, one.interval),
                f"{one.control_points:+.1f}",
                f"{found.prompt_points[one.task]:+.1f}" if found.prompt_points else "–",
                _points(patched[one.task].gain_points, patched[one.task].interval) if patched else "–",
            )
            for one in found.elsewhere
        ],
    )
    typer.echo(
        "other pictures: mixed styles and backgrounds, plates, nothing aligned; on the first pictures: words "
        "in the prompt\n(the best of the concepts) and back-patching (the picture's states of a late block "
        "in an earlier one,\nchosen as above)"
    )


def _points(points: float, interval: tuple[float, float]) -> str:
    return "{:+.1f} [{:+.0f}, {:+.0f}]".format(points, *interval)
