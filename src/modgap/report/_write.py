"""``write_report``: one HTML file for a run, which opens from disk with no network.

The first page holds the figures and at most ``MOST_CARDS`` problems with their pictures inside it; the other
problems follow on pages in ``report_files/`` that refer to the media of the run. Only the run folder is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from modgap._errors import RunError
from modgap.evaluate import Record, Run, open_run, summarize, summary_to_json
from modgap.evaluate._lines import replace_file
from modgap.evaluate._verdict import IN_WORDS, short_names
from modgap.evaluate.strategies import CONTROLS
from modgap.report._cards import Card, choose, make_card
from modgap.report._facts import command, facts
from modgap.report._render import render
from modgap.report._views import NOUN, bells, by_modality, chances, charts, failures, matrix
from modgap.tasks import Problem

REPORT_FILE = "report.html"
PAGES_FOLDER = "report_files"
MOST_CARDS = 200
MOST_BYTES = 18_000_000
"""Of the cards on the first page; figures, style and script add less than 1 MB to them."""


def write_report(run_folder: str | Path) -> Path:
    """Write ``report.html`` of a run, and further pages beside it when it has many problems.

    Args:
        run_folder: the run folder; it may still be growing.

    Returns:
        Path of the report.

    Raises:
        RunError: if it is not a run folder, is damaged, or cannot be written to.
        FileError: if a file of media is missing or damaged.
    """
    run = open_run(run_folder)
    records: dict[str, list[Record]] = {}
    everything = run.records()
    for record in everything:
        records.setdefault(record.problem_id, []).append(record)
    asked: dict[str, str] = {}
    summary = summarize(everything, _noting(run.problems(media=False), asked))
    places = {name: number for number, name in enumerate(asked, 1)}
    cards = _first_cards(run, records, choose(asked, records, MOST_CARDS), places)
    first = {card.problem_id for card in cards}
    rest = {name for name in asked if name in records and name not in first}
    pages = [f"cards-{number:03d}.html" for number in range(2, 2 + math.ceil(len(rest) / MOST_CARDS))]
    shared: dict[str, Any] = {"names": short_names(summary.tasks), "summary": summary, "nouns": NOUN}
    target = run.folder / REPORT_FILE
    html = render(
        "report.html",
        pictures="data:",
        run=run.name,
        title=f"{run.name}: {summary.verdict}",
        bells=bells(summary),
        chances=chances(summary),
        matrix=matrix(summary),
        failures=failures,
        in_words=IN_WORDS,
        charts=charts(summary),
        gains=by_modality(summary.gains),
        causes=by_modality(summary.causes),
        controls=CONTROLS,
        facts=facts(run.info),
        command=command(run.info.config),
        created=run.info.created,
        notes=(*summary.notes, *run.info.notes),
        figures=summary_to_json(summary),
        cards=cards,
        rest=len(rest),
        pages=[f"{PAGES_FOLDER}/{name}" for name in pages],
        **shared,
    )
    try:
        further = _further_cards(run, records, rest, places)
        _write_pages(run.folder / PAGES_FOLDER, run.name, pages, further, **shared)
        replace_file(target, html.encode())
    except OSError as error:
        raise RunError(
            f"{target}: cannot be written ({error.strerror}); make room or check its rights"
        ) from error
    return target


def _noting(problems: Iterator[Problem], asked: dict[str, str]) -> Iterator[Problem]:
    """Pass problems on, and note their ids and tasks in ``asked``: they are read from disk only once."""
    for problem in problems:
        asked[problem.problem_id] = problem.task
        yield problem


def _first_cards(
    run: Run, records: dict[str, list[Record]], chosen: list[str], places: dict[str, int]
) -> list[Card]:
    """The cards of the chosen problems in that order, as many as fit into ``MOST_BYTES``."""
    made: dict[str, Card] = {}
    for problem in run.problems(only=set(chosen)):
        name = problem.problem_id
        made[name] = make_card(problem, records[name], places[name])
    cards: list[Card] = []
    weight = 0
    for name in chosen:
        weight += made[name].weight
        if weight > MOST_BYTES and cards:
            break
        cards.append(made[name])
    return cards


def _further_cards(
    run: Run, records: dict[str, list[Record]], rest: set[str], places: dict[str, int]
) -> Iterator[Card]:
    """The cards that are not on the first page, in the order asked; one at a time."""
    for problem in run.problems(only=rest):
        name = problem.problem_id
        yield make_card(problem, records[name], places[name], media_folder="../media")


def _write_pages(folder: Path, run: str, pages: list[str], cards: Iterator[Card], **shared: Any) -> None:
    """Write further pages, ``MOST_CARDS`` cards on each, and remove those of an older report."""
    for stale in folder.glob("cards-*.html"):
        if stale.name not in pages:
            stale.unlink()
    if pages:
        folder.mkdir(exist_ok=True)
    for name in pages:
        html = render(
            "cards.html",
            pictures="'self' file:",
            title=f"{run}: {name}",
            run=run,
            cards=list(islice(cards, MOST_CARDS)),
            here=name,
            pages=pages,
            **shared,
        )
        replace_file(folder / name, html.encode())
