"""Labelled captions of real pictures: edits by a language model, checked and judged.

    made = make_real(read_sources("docci", folder), journal, RealConfig())
    write_real(out, made, journal)

For each caption and each type one edit is asked for (``_prompts.py``), read and checked (``_replies.py``),
and judged by the same model; for each question a wrong answer. Pictures with questions only get a
caption made of them first. The model sees no picture, so an edit may be true of it by accident; the sample
for review is there for that. Follows section 2 of the TLDR paper, with edits instead of comparisons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from modgap._errors import FileError, InputError, UnknownName
from modgap.media import Image
from modgap.tldr._example import Example, TypedSpan

from ._journal import Journal
from ._prompts import EDITS, caption_from, judge_answer, judge_edit, perturb, wrong_answer
from ._replies import Edited, read_edit, read_text, read_verdict
from ._sources import Source

DESCRIBE = "Describe the image in detail."
"""What a caption of a real picture answers."""
ANSWER = "answer"
"""Type of a wrong answer to a question."""
MOST_TOKENS = {"edit": 600, "verdict": 120, "answer": 120, "caption": 800}
_MOST_ANSWER, _MOST_CAPTION = 300, 6000


@dataclass(frozen=True)
class RealConfig:
    """What is made.

    Args:
        types: of edits; all if ``None``.
        questions: most of each picture.
        judged: whether edits are judged by the model; else only checked.
        seed: of the choice of questions and of the sample for review.

    Raises:
        UnknownName: if a type is another.
        InputError: if a number is not accepted.
    """

    types: tuple[str, ...] | None = None
    questions: int = 4
    judged: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.types or ():
            if name not in EDITS:
                raise UnknownName("perturbation type", name, tuple(EDITS))
        if self.questions < 0 or self.seed < 0:
            raise InputError(
                f"questions {self.questions} and seed {self.seed} are not accepted; give 0 or more"
            )


@dataclass
class TypeYield:
    """What became of the requests of one type.

    Args:
        asked: requests that got a reply.
        structured: edits that were kept and taken from the structure of the reply.
        kept: examples.
        lost: reason → how many.
    """

    asked: int = 0
    structured: int = 0
    kept: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass
class Made:
    """What was made.

    Args:
        examples: without pictures, in order of the sources.
        pictures: group → source of its picture.
        yields: type → what became of its requests.
        unanswered: requests without a reply, since calls failed.
    """

    examples: list[Example]
    pictures: dict[str, Source]
    yields: dict[str, TypeYield]
    unanswered: int = 0

    def shown(self) -> Iterator[Example]:
        """The examples with their pictures, each read once in a row.

        Raises:
            FileError: if a picture is not there any more, or damaged.
        """
        group, image = "", None
        for example in self.examples:
            if example.group != group:
                group = example.group
                image = _read(self.pictures[group].image)
            yield replace(example, image=image)


def make_real(sources: Sequence[Source], journal: Journal, config: RealConfig, *, kind: str) -> Made:
    """Ask for everything, and keep what stands.

    Args:
        sources: pictures with captions or questions.
        journal: of the model that edits and judges.
        config: what is made.
        kind: name of the published set; the ``source`` of the examples.
    """
    run = _Run(journal, config, kind)
    captions = run.captions(sources)
    made = Made([], {}, run.yields)
    edits = run.edits(sources, captions)
    answers = run.answers(sources, captions)
    for source in sources:
        group = f"{kind}-{source.id}"
        made.pictures[group] = source
        made.examples += run.examples(source, group, captions[source.id], edits, answers)
    made.unanswered = run.unanswered
    return made


def _read(file: Path) -> Image:
    try:
        return Image.from_bytes(file.read_bytes(), str(file))
    except OSError as error:
        raise FileError(f"{file}: cannot be read ({error.strerror}); unpack the pictures again") from error


class _Run:
    def __init__(self, journal: Journal, config: RealConfig, kind: str) -> None:
        self._journal, self._config, self._kind = journal, config, kind
        self._types = config.types if config.types is not None else tuple(EDITS)
        self.yields: dict[str, TypeYield] = {}
        self.unanswered = 0

    def captions(self, sources: Sequence[Source]) -> dict[str, str]:
        """A true caption for each source; empty where there is none."""
        found = {source.id: source.caption for source in sources}
        bare = [source for source in sources if not source.caption and source.questions]
        replies = self._journal.ask(
            [caption_from(source.questions) for source in bare], max_tokens=MOST_TOKENS["caption"]
        )
        for source, reply in zip(bare, replies, strict=True):
            tally = self._asked("caption", reply)
            if reply is not None:
                found[source.id] = read_text(reply, "caption", _MOST_CAPTION)
                tally.kept += bool(found[source.id])
                tally.lost["unreadable"] += not found[source.id]
        return found

    def edits(self, sources: Sequence[Source], captions: dict[str, str]) -> dict[tuple[str, str], Edited]:
        """Edits that stand, by source and type."""
        wanted = [(source.id, type_) for source in sources if captions[source.id] for type_ in self._types]
        replies = self._journal.ask(
            [perturb(captions[name], type_) for name, type_ in wanted], max_tokens=MOST_TOKENS["edit"]
        )
        found: dict[tuple[str, str], Edited] = {}
        for (name, type_), reply in zip(wanted, replies, strict=True):
            tally = self._asked(type_, reply)
            if reply is not None:
                edit = read_edit(reply, captions[name], type_)
                if isinstance(edit, str):
                    tally.lost[edit] += 1
                else:
                    found[name, type_] = edit
        verdicts = self._judged(
            [judge_edit(captions[name], edit.text, type_) for (name, type_), edit in found.items()],
            ("false", "type", "natural"),
        )
        for (name, type_), why in zip(list(found), verdicts, strict=True):
            if why:
                self.yields[type_].lost[why] += 1
                del found[name, type_]
            else:
                self.yields[type_].kept += 1
                self.yields[type_].structured += found[name, type_].structured
        return found

    def answers(self, sources: Sequence[Source], captions: dict[str, str]) -> dict[tuple[str, int], str]:
        """Wrong answers that stand, by source and number of the question."""
        wanted = [(source, i) for source in sources for i in self._chosen(source)]
        replies = self._journal.ask(
            [wrong_answer(*source.questions[i]) for source, i in wanted], max_tokens=MOST_TOKENS["answer"]
        )
        found: list[tuple[Source, int, str]] = []
        for (source, i), reply in zip(wanted, replies, strict=True):
            tally = self._asked(ANSWER, reply)
            if reply is not None:
                wrong = read_text(reply, "answer", _MOST_ANSWER)
                if not wrong:
                    tally.lost["unreadable"] += 1
                elif _plain(wrong) == _plain(source.questions[i][1]):
                    tally.lost["no change"] += 1
                else:
                    found.append((source, i, wrong))
        verdicts = self._judged(
            [judge_answer(captions[s.id], *s.questions[i], wrong) for s, i, wrong in found], ("false",)
        )
        kept = {}
        for (source, i, wrong), why in zip(found, verdicts, strict=True):
            self.yields[ANSWER].lost[why] += bool(why)
            self.yields[ANSWER].kept += not why
            self.yields[ANSWER].structured += not why
            if not why:
                kept[source.id, i] = wrong
        return kept

    def examples(
        self,
        source: Source,
        group: str,
        caption: str,
        edits: dict[tuple[str, str], Edited],
        answers: dict[tuple[str, int], str],
    ) -> Iterator[Example]:
        """The examples of one picture: the true caption and its edits, right answers and wrong ones."""

        def example(name: str, prompt: str, response: str, spans: tuple[TypedSpan, ...]) -> Example:
            return Example(
                f"{group}-{name}", group, prompt, response, spans, self._kind, source.split, None, None
            )

        if caption:
            yield example("true", DESCRIBE, caption, ())
        for type_ in self._types:
            edit = edits.get((source.id, type_))
            if edit is not None:
                yield example(type_, DESCRIBE, edit.text, edit.spans)
        for i in self._chosen(source):
            question, right = source.questions[i]
            yield example(f"question-{i}", question, right, ())
            wrong = answers.get((source.id, i))
            if wrong is not None:
                span = TypedSpan(0, len(wrong), ANSWER, 1.0, right)
                yield example(f"question-{i}-wrong", question, wrong, (span,))

    def _chosen(self, source: Source) -> list[int]:
        fine = [i for i, pair in enumerate(source.questions) if all(text.strip() for text in pair)]
        rng = np.random.default_rng([self._config.seed, *source.id.encode()])
        return sorted(fine[i] for i in rng.permutation(len(fine))[: self._config.questions])

    def _judged(self, prompts: Sequence[str], keys: tuple[str, ...]) -> list[str]:
        """Why each does not stand, or empty."""
        if not self._config.judged:
            return [""] * len(prompts)
        replies = self._journal.ask(prompts, max_tokens=MOST_TOKENS["verdict"])
        self.unanswered += sum(reply is None for reply in replies)
        return ["unanswered" if reply is None else read_verdict(reply, keys) for reply in replies]

    def _asked(self, type_: str, reply: str | None) -> TypeYield:
        tally = self.yields.setdefault(type_, TypeYield())
        tally.asked += reply is not None
        self.unanswered += reply is None
        return tally


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
