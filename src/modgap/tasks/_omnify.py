"""Any question as a picture, as speech and as a film of its own words (Omni×R renders the question itself).

    suite = Omnified(load_suite("mine.jsonl"), ("image", "audio"))
    write_suite(suite.problems(None), Path("mine-omni"), suite=suite)

Whatever was written (what is shown, then the question, then its options) is one text. It stays as the
representation ``text``; ``page``, ``speech`` and ``film`` carry the same words. The question beside all of
them only says that the question is in there, so that a model that cannot read the picture has nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modgap._errors import InputError, UnknownName
from modgap.media import Image, Modality, Part, Text, speech, video
from modgap.media.drawing import draw_page

from ._problem import Answer, Problem, Representation
from ._suite import Suite

QUESTION = "Answer the question that is shown."
NAMES: dict[str, tuple[str, Modality]] = {
    "image": ("page", "image"),
    "audio": ("speech", "audio"),
    "video": ("film", "video"),
}
"""What is asked for → name and modality of the representation."""


@dataclass(frozen=True)
class Omnified:
    """A suite whose texts are rendered.

    Args:
        suite: whose problems have a text form, or ask all in the question.
        to: some of ``image``, ``audio`` and ``video``.

    Raises:
        UnknownName: something else is asked for.
        InputError: nothing is.
    """

    suite: Suite
    to: tuple[str, ...]
    left_out: list[str] = field(default_factory=list, repr=False)
    """Ids and reasons of problems that could not be rendered, as they come."""

    def __post_init__(self) -> None:
        for name in self.to:
            if name not in NAMES:
                raise UnknownName("rendering", name, tuple(NAMES))
        if not self.to:
            raise InputError("nothing to render to: give some of image, audio and video")

    @property
    def name(self) -> str:
        """That of the suite, and what was done."""
        return f"{self.suite.name}-omni"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Those of the suite."""
        return self.suite.tasks

    @property
    def representations(self) -> dict[str, Modality]:
        """``text`` and what was asked for."""
        return {"text": "text", **dict(NAMES[name] for name in self.to)}

    def problems(
        self, n: int | None, seed: int = 0, representations: Iterable[str] | None = None, offset: int = 0
    ) -> Iterator[Problem]:
        """The problems of the suite, rendered; one whose text cannot be is left out and noted."""
        wanted = tuple(self.representations if representations is None else representations)
        for name in wanted:
            if name not in self.representations:
                raise UnknownName("representation", name, self.representations)
        for problem in self.suite.problems(n, seed, None, offset):
            try:
                yield _rendered(problem, wanted)
            except InputError as error:
                self.left_out.append(f"{problem.problem_id}: {error}")

    def parse(self, problem: Problem, reply: str) -> Answer:
        """What a reply says, as the suite reads it."""
        return self.suite.parse(problem, reply)

    def settings(self) -> dict[str, Any]:
        """Those of the suite, and what was rendered."""
        return {**self.suite.settings(), "rendered": list(self.to)}


def written(problem: Problem) -> str:
    """All words of a problem: its first text form, the question and the options.

    Raises:
        InputError: it has media in its first text form only, or no words at all.
    """
    shown = next((r for r in problem.representations if r.modality == "text"), None)
    parts: Sequence[Part] = shown.parts if shown is not None else ()
    if not shown and problem.representations:
        raise InputError("the problem has no text form")
    words = "".join(part.text for part in parts if isinstance(part, Text)).strip()
    question = problem.question.strip()
    options = "".join(f"\n- {option}" for option in problem.options)
    text = "\n\n".join(part for part in (words, question) if part)
    return f"{text}\n{options}" if options else text


def _rendered(problem: Problem, wanted: Sequence[str]) -> Problem:
    text = written(problem)
    made: list[Representation] = []
    for name in wanted:
        if name == "text":
            made.append(Representation(name, "text", (Text(text),)))
        elif name == "page":
            made.append(Representation(name, "image", (Image.from_pil(draw_page(text).paint()),)))
        elif name == "speech":
            made.append(Representation(name, "audio", (speech.speak(text),)))
        else:
            made.append(Representation(name, "video", (video.film(draw_page(text)),)))
    return replace(problem, question=QUESTION, representations=tuple(made))
