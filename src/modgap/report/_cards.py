"""One card per problem: what was shown, what was asked, and every reply with how it was read."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import PIL.Image

from modgap.evaluate import OUTCOMES, Record
from modgap.media import MODALITIES, Image, Modality, Text
from modgap.tasks import Problem

LONGEST_TEXT = 6_000
"""Characters of a reply or a text representation that a card shows; the run folder has it whole."""

SMALL_PIXELS = 160
"""Pictures narrower than this are enlarged with sharp pixels, as the model saw them."""


@dataclass(frozen=True)
class Medium:
    """A picture, sound or film as it was sent.

    Args:
        modality: of the piece.
        names: the representations that hold it.
        source: a data URL, or a path relative to the page.
        size: width and height in pixels of a picture, or ``None``.
    """

    modality: Modality
    names: str
    source: str
    size: tuple[int, int] | None

    @property
    def small(self) -> bool:
        """Whether a picture is enlarged."""
        return self.size is not None and self.size[0] < SMALL_PIXELS


@dataclass(frozen=True)
class Line:
    """One reply: of one representation, strategy and sample, and what the model had written down before."""

    representation: str
    modality: Modality
    outcome: str
    answer: str | None
    text: str
    conflicting: bool
    transcript: str | None = None

    @property
    def brief(self) -> str:
        """The last line that says something: replies end in their answer."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        last = lines[-1].strip() if lines else ""
        return last if len(last) <= 120 else f"{last[:119]}…"

    @property
    def long(self) -> bool:
        """Whether the reply is more than its brief form."""
        return self.text.strip() != self.brief


@dataclass(frozen=True)
class Card:
    """All of one problem.

    Args:
        number: 1-based place in the run.
        problem_id: of the problem.
        task: full task name.
        question: what was asked.
        options: the choices, in the order shown.
        answer: the right answer.
        said: how the modalities came out, in words.
        tags: what the filters look for; only words of ours.
        media: pictures, sounds and films.
        texts: representation → text.
        lines: the replies.
        dials: difficulty and chance, in words.
    """

    number: int
    problem_id: str
    task: str
    question: str
    options: tuple[str, ...]
    answer: str
    said: str
    tags: str
    media: tuple[Medium, ...]
    texts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    dials: str

    @property
    def weight(self) -> int:
        """About how many bytes the card adds to a page."""
        sizes = [len(medium.source) for medium in self.media]
        sizes += [4 * len(text) for _, text in self.texts]
        sizes += [4 * (len(line.text) + len(line.transcript or "")) for line in self.lines]
        return 2_000 + sum(sizes)


NOUNS: dict[Modality, str] = {"text": "words", "image": "pictures", "audio": "sound", "video": "video"}
"""How a card names a modality."""


def plain(records: Iterable[Record]) -> list[Record]:
    """The records of ``direct`` where there are any, else all: other strategies are not modalities."""
    records = list(records)
    return [record for record in records if record.strategy == "direct"] or records


def scores(records: Iterable[Record]) -> dict[Modality, float]:
    """Share of right replies of each modality, without errors, words first."""
    found: dict[Modality, list[bool]] = {}
    for record in plain(records):
        if record.outcome != "error":
            found.setdefault(record.modality, []).append(record.outcome == "correct")
    return {m: sum(found[m]) / len(found[m]) for m in MODALITIES if m in found}


def disagree(records: Iterable[Record]) -> bool:
    """Whether two modalities gave different answers to one problem."""
    answers: dict[Modality, set[str | None]] = {}
    for record in plain(records):
        if record.outcome != "error":
            answers.setdefault(record.modality, set()).add(record.answer)
    found = list(answers.values())
    return any(one != found[0] for one in found[1:])


def tags(records: Sequence[Record]) -> list[str]:
    """What the filters of a page look for: outcomes that occur, which modality is right, disagreement."""
    records = plain(records)
    occurring = {record.outcome for record in records}
    found: list[str] = [outcome for outcome in OUTCOMES if outcome in occurring]
    right = {modality: share > 0.5 for modality, share in scores(records).items()}
    for modality, is_right in right.items():
        if modality != "text" and "text" in right and is_right != right["text"]:
            found.append(f"{modality}-not-text" if is_right else f"text-not-{modality}")
    if len(right) > 1:
        found += ["all-right"] if all(right.values()) else ["none-right"] if not any(right.values()) else []
    if disagree(records):
        found.append("disagree")
    return found


def said(records: Iterable[Record]) -> str:
    """How the modalities came out: ``right only in words``."""
    found = scores(records)
    if not found:
        return "every reply ended in an error"
    if any(0 < share < 1 for share in found.values()):
        return ", ".join(f"{NOUNS[m]} {100 * share:.0f} % right" for m, share in found.items())
    right = [NOUNS[m] for m, share in found.items() if share == 1]
    if len(right) == len(found):
        return "right in " + (" and ".join(right) if len(right) < 3 else "every modality")
    if not right:
        return "right in none" if len(found) > 1 else f"not right in {NOUNS[next(iter(found))]}"
    return f"right only in {' and '.join(right)}"


def make_card(
    problem: Problem, records: Sequence[Record], number: int, media_folder: str | None = None
) -> Card:
    """The card of one problem.

    Args:
        problem: with its media.
        records: all records about it.
        number: 1-based place in the run.
        media_folder: path of the media folder relative to the page, which then refers to its files; ``None``
            puts media into the page as data URLs.

    Returns:
        The card.
    """
    order = {representation.name: i for i, representation in enumerate(problem.representations)}
    lines = [
        Line(
            _label(record),
            record.modality,
            record.outcome,
            record.answer,
            _cut((record.error if record.outcome == "error" else record.reply) or ""),
            record.conflicting,
            None if record.transcript is None else _cut(record.transcript),
        )
        for record in sorted(
            records,
            key=lambda r: (
                order.get(r.representation, 99),
                r.representation,
                r.strategy != "direct",
                r.strategy,
                r.sample,
            ),
        )
    ]
    dials = [f"{dial} {value}" for dial, value in problem.difficulty.items()]
    if problem.chance is not None:
        dials.append(f"chance {100 * problem.chance:.0f} %")
    shown = {record.representation for record in records}
    return Card(
        number=number,
        problem_id=problem.problem_id,
        task=problem.task,
        question=problem.question,
        options=problem.options,
        answer=problem.answer,
        said=said(records),
        tags=" ".join(tags(records)),
        media=tuple(_media(problem, shown, media_folder)),
        texts=tuple(
            (r.name, _cut("".join(part.text for part in r.parts if isinstance(part, Text))))
            for r in problem.representations
            if r.name in shown and any(isinstance(part, Text) for part in r.parts)
        ),
        lines=tuple(lines),
        dials=", ".join(dials),
    )


def _label(record: Record) -> str:
    """``image``, ``image · isoscratchpad``, ``image · 2`` for the second sample."""
    parts = [record.representation]
    parts += [record.strategy] if record.strategy != "direct" else []
    parts += [str(record.sample + 1)] if record.sample else []
    return " · ".join(parts)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n… {len(text) - LONGEST_TEXT:,} more characters are in the run folder"


def _media(problem: Problem, shown: set[str], folder: str | None) -> Iterable[Medium]:
    found: dict[str, tuple[Medium, list[str]]] = {}
    for representation in problem.representations:
        for part in representation.parts:
            if isinstance(part, Text) or representation.name not in shown:
                continue
            if part.file_name not in found:
                source = f"{folder}/{part.file_name}"
                if folder is None:
                    source = f"data:{part.mime};base64,{base64.b64encode(part.data).decode()}"
                size = _size(part) if isinstance(part, Image) else None
                found[part.file_name] = (Medium(part.modality, "", source, size), [])
            names = found[part.file_name][1]
            if representation.name not in names:
                names.append(representation.name)
    for medium, names in found.values():
        yield Medium(medium.modality, ", ".join(names), medium.source, medium.size)


def _size(picture: Image) -> tuple[int, int]:
    with PIL.Image.open(io.BytesIO(picture.data)) as opened:
        return opened.size


def rank(records: Sequence[Record]) -> int:
    """Place of a problem among those worth reading.

    Right in words and not in another modality, other disagreement, failures, wrong everywhere, the rest: 0
    to 4.
    """
    found = set(tags(records))
    if any(tag.startswith("text-not-") for tag in found):
        return 0
    if "disagree" in found:
        return 1
    if {"unparsed", "refused", "error"} & found:
        return 2
    return 3 if "correct" not in found else 4


def choose(asked: Mapping[str, str], records: Mapping[str, Sequence[Record]], most: int) -> list[str]:
    """The problems shown on the first page, most telling first.

    Tasks take turns, and within a task the ranks take turns, so that each is represented.

    Args:
        asked: problem id → task, in the order asked.
        records: problem id → its records; a problem without any is not shown.
        most: number of problems.

    Returns:
        Problem ids: by rank, then in the order asked.
    """
    ranks = {name: rank(records[name]) for name in asked if name in records}
    queues: dict[tuple[int, str], list[str]] = {}
    for name, place in ranks.items():
        queues.setdefault((place, asked[name]), []).append(name)
    for queue in queues.values():
        queue.reverse()
    chosen: list[str] = []
    turns = sorted(queues)
    while turns and len(chosen) < most:
        for turn in turns[: most - len(chosen)]:
            chosen.append(queues[turn].pop())
        turns = [turn for turn in turns if queues[turn]]
    order = {name: i for i, name in enumerate(asked)}
    return sorted(chosen, key=lambda name: (ranks[name], order[name]))
