"""The result of a run in one sentence of plain words, and what a reader must know beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modgap.evaluate._record import Outcome
from modgap.media import Modality

if TYPE_CHECKING:
    from modgap.evaluate._gaps import Gap
    from modgap.evaluate._summary import Summary

IN_WORDS: dict[Modality, str] = {
    "text": "in words",
    "image": "in pictures",
    "audio": "in sound",
    "video": "in video",
}
"""How a sentence names a modality."""

_NOUNS: dict[Modality, str] = {"text": "words", "image": "pictures", "audio": "sound", "video": "video"}


def short_names(names: Sequence[str]) -> dict[str, str]:
    """``suite/name`` → ``name`` where that is unique, else the full name."""
    tails = [name.rsplit("/", 1)[-1] for name in names]
    return {
        name: tail if tails.count(tail) == 1 and tail else name
        for name, tail in zip(names, tails, strict=True)
    }


def percent(fraction: float) -> str:
    """A fraction as ``96.3 %``."""
    return f"{100 * fraction:.1f} %"


def signed(points: float) -> str:
    """Points with one decimal and a true minus sign; never −0.0."""
    text = f"{points:.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def verdict(summary: Summary) -> str:
    """The result in plain words: the gap of each modality, or why there is none."""
    if not summary.cells:
        return "Nothing was measured: the run has no records."
    if not summary.pooled:
        return _without_gap(summary)
    return " ".join(_of_modality(summary, gap) for gap in summary.pooled)


def _of_modality(summary: Summary, gap: Gap) -> str:
    here = IN_WORDS[gap.modality]
    both = f"in words {percent(gap.text_accuracy)}, {here} {percent(gap.modality_accuracy)}"
    mine = [one for one in summary.gaps if one.modality == gap.modality]
    names = short_names(summary.tasks)
    counted = f"n = {gap.n:,} problems"
    if not gap.claimed:
        text = (
            f"No gap can be claimed: {both}, a difference of {signed(gap.gap_points)} points "
            f"({_level(summary)} interval {signed(gap.low_points)} to {signed(gap.high_points)}, {counted}); "
            f"with this n a gap below {gap.detectable_points:.1f} points could go unseen"
        )
        alone = [one for one in mine if one.claimed] if len(mine) > 1 else []
        if alone:
            listed = ", ".join(f"{names[one.task]} ({signed(one.gap_points)} points)" for one in alone)
            text += f". Taken by itself, a task does differ: {listed}"
        return f"{text}."
    if gap.gap_points < 0:
        verb = "are" if gap.modality == "image" else "is"
        found = f"{_NOUNS[gap.modality]} {verb} ahead by {signed(-gap.gap_points)} points"
        low, high, sign = -gap.high_points, -gap.low_points, -1
    else:
        found = f"a gap of {signed(gap.gap_points)} points"
        low, high, sign = gap.low_points, gap.high_points, 1
    interval = f"{_level(summary)} interval {signed(low)} to {signed(high)}"
    text = f"{both[0].upper()}{both[1:]}: {found} ({interval}, {counted})"
    largest = max(mine, key=lambda one: sign * one.gap_points)
    if len(mine) > 1 and largest.claimed:
        text += f"; largest on {names[largest.task]} ({signed(sign * largest.gap_points)} points)"
    return f"{text}."


def _without_gap(summary: Summary) -> str:
    modalities = tuple(dict.fromkeys(summary.representations.values()))
    if not any(cell.n for cell in summary.cells):
        return "Nothing was answered: every record ended in an error."
    shares = []
    for modality in modalities:
        cells = [cell for cell in summary.cells if cell.modality == modality]
        n = sum(cell.n for cell in cells)
        if n:
            share = percent(sum(cell.correct for cell in cells) / n)
            shares.append(f"{IN_WORDS[modality]} {share} (n = {n:,} answers)")
    text = ", ".join(shares)
    text = text[0].upper() + text[1:]
    if len(modalities) == 1:
        return f"{text}. Only one modality was measured, so there is no gap to state."
    if "text" not in modalities:
        return f"{text}. Nothing was asked in words, so there is no gap to state."
    return f"{text}. No problem was answered on both sides, so there is no gap to state."


def _level(summary: Summary) -> str:
    return f"{100 * summary.level:g} %"


def notes(summary: Summary) -> tuple[str, ...]:
    """What a reader of the figures must know, most important first."""
    found = []
    total = sum(summary.outcomes.values())
    names = short_names(summary.tasks)
    meanings: tuple[tuple[Outcome, str], ...] = (
        ("error", "Ended in an error, and left out of every accuracy"),
        ("unparsed", "Without an answer that could be read, counted as not correct"),
        ("refused", "Declined, counted as not correct"),
    )
    for outcome, meaning in meanings:
        count = summary.outcomes[outcome]
        if count:
            found.append(f"{meaning}: {count:,} of {total:,} replies.")
    at_chance = [gap.task for gap in _first_modality(summary) if _at_chance(summary, gap)]
    if at_chance:
        listed = ", ".join(names[task] for task in at_chance)
        found.append(
            f"Not above chance in words: {listed}. A skill that is absent in words cannot show a gap."
        )
    return tuple(found)


def _first_modality(summary: Summary) -> list[Gap]:
    if not summary.pooled:
        return []
    return [gap for gap in summary.gaps if gap.modality == summary.pooled[0].modality]


def _at_chance(summary: Summary, gap: Gap) -> bool:
    chances = [cell.chance for cell in summary.cells if cell.task == gap.task]
    return bool(chances) and chances[0] is not None and gap.text_low <= chances[0]
