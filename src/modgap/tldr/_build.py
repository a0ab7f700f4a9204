"""``modgap tldr data``: make a data set, score it blindly, refuse it if its text gives errors away, write."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import modgap
from modgap._errors import InputError

from ._blind import MOST_RESPONSES, BlindScore, blind_score
from ._example import Example
from ._files import check_empty, write_examples
from ._make import DataConfig, Tally, make_examples

MAX_BLIND = 0.6
"""How well a text-only classifier may tell wrong from right, responses or words; 0.5 is chance (our choice:
twins have 0.5)."""


@dataclass(frozen=True)
class TypeRow:
    """What was made of one type.

    Args:
        type: of the errors, or ``natural``, or ``all``.
        n: examples.
        yield_: fraction of the scenes to which it applied, 0 to 1; ``None`` where that makes no sense.
        blind: what text alone tells, or ``None`` if it was not scored.
    """

    type: str
    n: int
    yield_: float | None
    blind: BlindScore | None


def build(
    folder: Path,
    config: DataConfig,
    *,
    natural: Sequence[Example] = (),
    max_blind: float = MAX_BLIND,
    parquet: bool | None = None,
) -> list[TypeRow]:
    """Make a data set of rendered scenes and write it.

    Args:
        folder: where to; must be empty or not there.
        config: what to make.
        natural: examples that are written with it. Errors that a model made follow its habits, so they are
            scored, but not held to the limits.
        max_blind: largest ``auroc`` and ``choice`` of :class:`BlindScore`, 0 to 1; a score is above it if
            that is so by more than twice its standard error.
        parquet: as for :func:`write_examples`.

    Returns:
        A row for each type, one for ``natural`` if there are such, and one for ``all`` that was made.

    Raises:
        InputError: if a blind score is above its limit; nothing is written then. Or as for
            :func:`make_examples`.
        FileError: if the folder is not empty or cannot be written.
    """
    check_empty(folder)  # before the work, not after it
    tally = Tally()
    made = make_examples(config, tally)
    first = list(islice(made, MOST_RESPONSES))
    blind = blind_score(first)
    _check(blind["all"], max_blind)
    own = blind_score(natural) if natural else {}
    notes = {
        "modgap": modgap.__version__,
        "settings": asdict(config),
        "blind": {name: _plain(score) for name, score in blind.items()},
        "blind_natural": {name: _plain(score) for name, score in own.items()},
    }
    examples = chain(first, made, natural)
    write_examples(examples, folder, card=_card(config, blind, own), notes=notes, parquet=parquet)
    counts = {name: config.group_size * groups for name, groups in sorted(tally.found.items())}
    rows = [TypeRow(name, n, tally.yield_of(name), blind.get(name)) for name, n in counts.items()]
    if natural:
        rows.append(TypeRow("natural", len(natural), None, own["all"]))
    return [*rows, TypeRow("all", sum(counts.values()), None, blind["all"])]


def _check(score: BlindScore, max_blind: float) -> None:
    found = []
    if score.auroc - 2 * score.auroc_error > max_blind:
        found.append(f"AUROC {score.auroc:.3f} for responses")
    if score.choice - 2 * score.choice_error > max_blind:
        found.append(f"choice {score.choice:.3f} between wrong and right words")
    if found:
        raise InputError(
            f"the text alone gives errors away: {' and '.join(found)}, above {max_blind}; take the design "
            "'twins', leave out the type that leaks, or raise the limit if that is what you want"
        )


def _plain(score: BlindScore) -> dict[str, Any]:
    """For JSON, which has no ``nan``."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(score).items()
    }


def _card(config: DataConfig, blind: dict[str, BlindScore], own: dict[str, BlindScore]) -> str:
    lines = [
        "# Captions of rendered scenes with their errors",
        "",
        f"Made by modgap {modgap.__version__} from seed {config.seed}, design `{config.design}`, scenes of "
        f"level `{config.level}`. "
        + (
            "Captions tell a scene that differs; each word was held against the scene graph of the picture."
            if config.design == "several"
            else "Every error was put there by an edit, and the scene graph says that just the edited words "
            "are false."
        )
        + (" Captions of source `natural` are a model's, held against the scene graph." if own else ""),
        "",
        "`spans` are characters of `response`, from 0: what is wrong, of which type, and what would be true. "
        "An empty span marks an omission. A span of weight 0 is neither right nor wrong: a word that only "
        "agrees with an edited one, or a sentence that could not be read. All else is right.",
        "",
    ]
    if config.design == "twins":
        lines += [
            "Groups of four: two pictures and two captions, each caption true of one picture and wrong about "
            "the other. No model that sees the text only can tell the one from the other.",
            "",
        ]
    lines += [
        "What a text-only classifier finds, trained on half of the groups and scored on the other:",
        "",
        "| type | responses | AUROC of responses | choice of words | AP of wrong words | prevalence |",
        "|---|---|---|---|---|---|",
    ]
    scores = blind | ({"natural": own["all"]} if own else {})
    for name, s in scores.items():
        figures = " | ".join(f"{x:.3f}" for x in (s.auroc, s.choice, s.ap, s.prevalence))
        lines.append(f"| {name} | {s.responses} | {figures} |")
    lines += [
        "",
        "Chance is 0.5 for AUROC and choice (the wrong word against the right one in its place), and the "
        "prevalence for AP, which is higher where some kinds of words are edited more often than others.",
    ]
    return "\n".join([*lines, ""])
