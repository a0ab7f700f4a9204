"""Tasks by name.

    load("scenes/count").problem(seed=0, index=7)
    load("count").parse("Answer: 3", options=("1", "2", "3", "4"))

A task is one file, ``tasks/<suite>/<name>.py``; the file name is the registry, and loading one task imports
that file only. Other packages add tasks by entry points in the group ``modgap.tasks``, named ``suite/name``.

What the file defines (the contract test checks every file in the folder):

- a docstring; ``REPRESENTATIONS`` (name → modality); ``CHANCE`` (expected accuracy of a guess, or ``None``
  where problems have different numbers of options)
- ``Dials``: a settings dataclass of what is asked, and ``LEVELS``: level → ``Dials``
- ``Style``: a settings dataclass of how it is shown
- a frozen dataclass for its problem, and ``sample(rng, dials)`` that draws one
- ``question(p)``, ``options(p)``, ``answer(p)``, ``difficulty(p)``, ``group(p)``
- ``render(p, representation, style)`` → parts; ``content(p)`` and ``decode(representation, parts)``, which
  reads the content back from the parts
- ``parse(text, options)`` → :class:`Answer`
- if the problem can be spoken, ``SPOKEN``; if its picture can be filmed, ``drawing(p, style)``
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from modgap._errors import InputError, UnknownName
from modgap.media import Modality, Part
from modgap.media.speech import speak
from modgap.media.video import film

from ._problem import Answer, Problem, Representation
from ._settings import describe, resolve

MAX_SEED = 2**63 - 1


class TaskModule(Protocol):
    """What a task file defines; its problems are whatever ``sample`` returns."""

    __doc__: str | None
    REPRESENTATIONS: Mapping[str, Modality]
    CHANCE: float | None
    Dials: type
    LEVELS: Mapping[str, Any]
    Style: type

    def sample(self, rng: np.random.Generator, dials: Any) -> Any:
        """Draw one problem."""

    def question(self, p: Any) -> str:
        """What is asked, without the options."""

    def options(self, p: Any) -> tuple[str, ...]:
        """The choices in the order shown."""

    def answer(self, p: Any) -> str:
        """The right one."""

    def difficulty(self, p: Any) -> Mapping[str, float | int | str]:
        """Measures that make it hard."""

    def group(self, p: Any) -> str:
        """Problems over the same content share this."""

    def content(self, p: Any) -> Any:
        """All that a representation must carry."""

    def render(self, p: Any, representation: str, style: Any) -> tuple[Part, ...]:
        """The content in one representation."""

    def decode(self, representation: str, parts: tuple[Part, ...]) -> Any:
        """The content, read back from one representation."""

    def parse(self, text: str, options: Sequence[str]) -> Answer:
        """What a reply says."""


_REQUIRED = tuple(
    name for name in (*TaskModule.__annotations__, *vars(TaskModule)) if not name.startswith("_")
)


@dataclass(frozen=True)
class Task:
    """A task that was loaded.

    Args:
        name: full name, ``suite/name``.
        module: its file.
    """

    name: str
    module: TaskModule = field(repr=False)

    @property
    def chance(self) -> float | None:
        """Expected accuracy of a guess, 0 to 1, where all problems share it."""
        return self.module.CHANCE

    @property
    def representations(self) -> dict[str, Modality]:
        """Representation → modality, in the order of the task."""
        return dict(self.module.REPRESENTATIONS)

    @property
    def on_request(self) -> dict[str, Modality]:
        """Representations made only when asked for by name, by one mechanism each for all tasks.

        ``audio`` where the file defines ``SPOKEN`` (extra ``audio``), ``video`` where it defines
        ``drawing(p, style)`` (extra ``video``).
        """
        made: dict[str, Modality] = {}
        if hasattr(self.module, "SPOKEN"):
            made["audio"] = "audio"
        if hasattr(self.module, "drawing"):
            made["video"] = "video"
        return made

    @property
    def settings(self) -> dict[str, tuple[bool | int | float | str, str]]:
        """Name of every setting → (default, help text)."""
        return describe([self.module.Dials, self.module.Style])

    def resolve(self, settings: Mapping[str, object]) -> tuple[Any, Any]:
        """Check settings.

        Returns:
            (dials, style): what changes the problem, and what changes only how it is shown.

        Raises:
            InputError: naming everything that is not accepted.
        """
        dials, style = resolve([self.module.Dials, self.module.Style], settings, [self.module.LEVELS])
        return dials, style

    def can_ask(self, settings: Mapping[str, object]) -> bool:
        """Whether the task has anything to ask with these settings; a suite leaves it out where it has not.

        A task file says so with ``can_ask(dials)``; without it there is always something to ask.
        """
        dials, _ = self.resolve(settings)
        test = getattr(self.module, "can_ask", None)
        return test is None or bool(test(dials))

    def problem(
        self, seed: int, index: int, representations: Iterable[str] | None = None, **settings: object
    ) -> Problem:
        """Problem number ``index`` of a seed, the same on every machine.

        Args:
            seed: 0 to 2^63 - 1.
            index: 0-based.
            representations: which, in this order; all of the task if ``None``.
            settings: dials and style of the task; ``level`` is a preset of the dials.

        Raises:
            InputError: if a setting, seed or representation is not accepted.
        """
        dials, style = self.resolve(settings)
        return self.make(seed, index, representations, dials, style)

    def make(
        self, seed: int, index: int, representations: Iterable[str] | None, dials: Any, style: Any
    ) -> Problem:
        """:meth:`problem` with settings that are already resolved."""
        check_seed(seed)
        if index < 0:
            raise InputError(f"index {index} is not accepted; give 0 or more")
        m = self.module
        every = self.representations | self.on_request
        names = tuple(m.REPRESENTATIONS) if representations is None else tuple(representations)
        for name in names:
            if name not in every:
                raise UnknownName(f"representation of {self.name}", name, every)
        p = m.sample(np.random.default_rng([seed, index]), dials)
        options, answer = m.options(p), m.answer(p)
        number = answer.removeprefix("-").isdecimal()
        return Problem(
            instruction=getattr(m, "INSTRUCTION", ""),
            problem_id=f"{self.name}-{seed}-{index:06d}{_variant(dials)}",
            task=self.name,
            question=m.question(p),
            answer=answer,
            representations=tuple(
                Representation(name, every[name], self._render(p, name, style)) for name in names
            ),
            options=options,
            answer_kind="choice" if options else "integer" if number else "text",
            group=m.group(p),
            difficulty=dict(m.difficulty(p)),
            chance=1 / len(options) if options else m.CHANCE,
        )

    def _render(self, p: Any, name: str, style: Any) -> tuple[Part, ...]:
        if name in self.module.REPRESENTATIONS:
            return self.module.render(p, name, style)
        own: Any = self.module
        if name == "video":
            return (film(own.drawing(p, style)),)
        return (speak(own.SPOKEN.write("".join(t.text for t in own.render(p, own.SPOKEN.form, style)))),)

    def parse(self, reply: str, options: Sequence[str] = ()) -> Answer:
        """What a reply says, read as this task reads it."""
        return self.module.parse(reply, options)


def check_seed(seed: int) -> None:
    """Refuse a seed that is not 0 to 2^63 - 1."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is not accepted; give a whole number from 0 to 2^63 - 1")


@cache
def _variant(dials: Any) -> str:
    """A suffix that tells problems of other dials apart; the style does not change a problem's id."""
    if dials == type(dials)():
        return ""
    text = repr(sorted(dataclasses.asdict(dials).items()))
    return "-" + hashlib.sha256(text.encode()).hexdigest()[:6]


_FOLDER = Path(__file__).parent


@cache
def _own() -> tuple[str, ...]:
    """Full names of the files in the folder."""
    return tuple(
        sorted(
            f"{path.parent.name}/{path.stem}"
            for path in _FOLDER.glob("*/*.py")
            if not path.name.startswith("_") and path.parent.name != "datasets"
        )
    )


@cache
def _added() -> dict[str, EntryPoint]:
    """Full names that other packages add."""
    return {point.name: point for point in entry_points(group="modgap.tasks")}


def names() -> tuple[str, ...]:
    """Full names of all tasks, sorted; nothing is imported."""
    return tuple(sorted({*_own(), *_added()}))


def load(name: str) -> Task:
    """Import one task.

    Args:
        name: full name, or the part after the slash while it is unique.

    Raises:
        UnknownName: if there is no such task.
        InputError: if a short name is not unique, or the file does not define what a task must.
    """
    full = name
    if name not in _own():
        matches = [known for known in names() if known == name or known.split("/")[-1] == name]
        if not matches:
            short = {known.split("/")[-1]: known for known in names()}
            raise UnknownName("task", name, short if "/" not in name else names())
        if len(matches) > 1 and name not in matches:
            raise InputError(f"task {name!r} is in several suites; give one of {', '.join(matches)}")
        full = name if name in matches else matches[0]
    if full in _own():
        module: object = importlib.import_module(f"{__package__}.{full.replace('/', '.')}")
    else:
        module = _added()[full].load()
    missing = [required for required in _REQUIRED if not hasattr(module, required)]
    if missing:
        raise InputError(
            f"task {full!r} does not define {', '.join(missing)}; a task file defines all of these"
        )
    return Task(full, cast(TaskModule, module))
