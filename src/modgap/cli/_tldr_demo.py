"""``modgap tldr demo``: all of it once, on the bundled model, from data to a stronger model."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, TextIO

import typer

from modgap._errors import MissingExtra


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("demo")(demo)


def demo(
    *,
    n: Annotated[
        int, typer.Option("-n", help="Captions that are made, four of a picture, to train and test.")
    ] = 6400,
    steps: Annotated[int, typer.Option(help="Of the training.")] = 250,
    written: Annotated[int, typer.Option(help="Captions that the bundled model writes.")] = 120,
    scenes: Annotated[int, typer.Option(help="Captioned at each strength.")] = 60,
    problems: Annotated[int, typer.Option(help="Of each task at each strength.")] = 20,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder; must be empty.")] = Path("runs/tldr"),
) -> None:
    """Make data, train a detector, hold it against controls, rate, correct and strengthen the bundled model.

    Small on purpose: it shows how everything goes together, and its intervals are wide. The text it prints is
    kept as report.md.
    """
    try:
        import modgap.tldr._train  # noqa: F401
    except ImportError as error:
        raise MissingExtra("the demo", "train") from error
    from modgap.cli import _tldr_correct, _tldr_evaluate, _tldr_rates, _tldr_strengthen, _tldr_train
    from modgap.cli.tldr import make_data
    from modgap.models import load_model
    from modgap.tldr import read_examples, write_examples
    from modgap.tldr._detect import load_detector
    from modgap.tldr._files import check_empty
    from modgap.tldr._measures import best_threshold, pool_words
    from modgap.tldr._measures_report import items_of
    from modgap.tldr._rates_captions import captions_of_scenes

    check_empty(out)
    data, own, detector, causal = out / "data", out / "written", out / "detector", out / "causal"
    report = _Report(out / "report.md")
    with report.step("Captions that are true of a picture or differ from it in up to five ways"):
        make_data(out=data, n=n, seed=seed, design="several", level="plain", pixels=64, parquet=False)
    with report.step("Captions that the bundled model writes"):
        examples = captions_of_scenes(load_model("bundled"), written, seed + 1)
        write_examples(examples, own, parquet=False)
        wrong = sum(len([s for s in e.spans if s.weight > 0]) for e in examples)
        typer.echo(f"{written} captions with {wrong} false words, by the scenes")
    with report.step("Training a detector that sees all of a caption"):
        _tldr_train.train_detector(
            data,
            out=detector,
            reads="bidirectional",
            parts="vision,connector,decoder",
            steps=steps,
            captions=32,
            seed=seed,
        )
    with report.step("The detector and one that needs no training, on captions of other pictures"):
        _tldr_evaluate.evaluate(f"{detector},contrast", data, out=out / "evaluation.json", seed=seed)
    loaded = load_detector(str(detector))
    # In the order of the files, whose first half is corrected below.
    third = list(read_examples(own))[-max(4, len(examples) // 3) :]
    threshold = best_threshold(pool_words(third, loaded.score(items_of(third))))
    with report.step("The rate of false words of the bundled model, corrected with a third of the labels"):
        labelled = len(third)
        _tldr_rates.rates(str(detector), own, labelled=labelled, seed=seed, out=out / "rates.json")
    with report.step("Flagged words written again"):
        _tldr_correct.correct_captions(
            str(detector), own, threshold=threshold, n=written // 2, seed=seed, out=out / "correct"
        )
    with report.step("A part of a detector's change given back to the model, which reads causally"):
        _tldr_train.train_detector(data, out=causal, steps=max(1, steps // 4), captions=32, seed=seed)
        _tldr_strengthen.strengthen_model(
            str(causal), out=out / "model", taus="0.1,0.25", problems=problems, scenes=scenes, seed=seed
        )
    typer.echo(out / "report.md")


class _Report:
    """What is printed, kept in a file as it comes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One heading and what is printed below it."""
        typer.echo(f"\n{title}")
        printed = io.StringIO()
        with redirect_stdout(_Both(sys.stdout, printed)):
            yield
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            seconds = time.monotonic() - self._began
            file.write(
                f"## {title}\n\n```text\n{printed.getvalue().strip()}\n```\n\n{seconds:.0f} s so far\n\n"
            )


class _Both(io.TextIOBase):
    """Writes to two places."""

    def __init__(self, shown: TextIO, kept: io.StringIO) -> None:
        self._writers: tuple[Callable[[str], int], ...] = (shown.write, kept.write)
        self._shown = shown

    def write(self, text: str) -> int:
        for write in self._writers:
            write(text)
        return len(text)

    def flush(self) -> None:
        self._shown.flush()

    def isatty(self) -> bool:
        return False
