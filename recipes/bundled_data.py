"""What the bundled model is trained on: scenes, their renderings, and questions about them."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import PIL.Image
from bundled_batch import Example, Turn

from modgap.evaluate._prompts import INSTRUCTIONS, question_block
from modgap.scenes import (
    BACKGROUNDS,
    STYLES,
    WORDS,
    Scene,
    SceneSettings,
    draw_scene,
    sample_scene,
    write_json,
    write_list,
    write_story,
)
from modgap.tasks.scenes import Dials, sample_world
from modgap.tasks.scenes._phrases import phrase_of

TASKS = ("count", "relation", "attribute", "existence", "depth", "distance", "binding", "reading")
TUNED = ("count", "attribute", "existence")
"""The tasks that are ever asked about a picture in training."""

CLOSE_CALLS = ("relation", "depth", "distance")

WEIGHTS = {"count": 1.5, "relation": 1.5, "distance": 2.0, "attribute": 0.7, "reading": 0.5} | {
    "existence": 1.0,
    "depth": 1.0,
    "binding": 0.8,
}
"""How often a task is asked in training; the ones that are learned late are asked more often."""

LEVELS: tuple[tuple[int, tuple[str, ...], float], ...] = (
    (2, ("list",), 0.3),
    (3, ("list",), 0.3),
    (3, ("list", "story"), 0.3),
    (5, ("list", "list", "story", "json"), 0.5),
)
"""Most objects, forms, and share of batches that show options. A level is left when it is mastered: with a
fixed timetable nothing was learned for a long time, because looking things up in a short list comes first and
everything else grows from it."""

WRITERS: dict[str, Callable[[Scene], str]] = {"list": write_list, "json": write_json, "story": write_story}
TRANSCRIBE = "\n\nWrite the scene as a list."

TRAIN_STYLES, TRAIN_BACKGROUNDS = STYLES[:2], BACKGROUNDS[:4]
"""The others are kept for out-of-distribution tests."""


def random_scene(rng: np.random.Generator, max_objects: int = 5, perspective: float = 0.3) -> Scene:
    """A scene of any colours and shapes, for the vision encoder; a share ``perspective`` of them in depth."""
    return sample_scene(
        rng,
        SceneSettings(
            max_objects=max_objects,
            plates=min(3, max_objects),
            background_objects=2,
            perspective=bool(rng.random() < perspective),
        ),
    )


def world_scene(rng: np.random.Generator, max_objects: int = 5) -> Scene:
    """A scene as the suite ``scenes`` draws them, three in ten in depth.

    With at most two objects it is kept plain: no depth, and nothing in the background.
    """
    plain = max_objects == 2
    return sample_world(
        rng,
        Dials(
            max_objects=max_objects,
            background_objects=0 if plain else 2,
            perspective=not plain and bool(rng.random() < 0.3),
        ),
    )


def picture_of(scene: Scene, rng: np.random.Generator, pixels: int) -> np.ndarray:
    """The scene as the image processor sees it: drawn at 224 px, resized; (pixels, pixels, 3) uint8."""
    drawn = draw_scene(
        scene,
        pixels=224,
        style=TRAIN_STYLES[rng.integers(len(TRAIN_STYLES))],
        background=TRAIN_BACKGROUNDS[rng.integers(len(TRAIN_BACKGROUNDS))],
    )
    return np.asarray(drawn.resize((pixels, pixels), PIL.Image.Resampling.LANCZOS))


def _modules(tasks: tuple[str, ...]) -> dict[str, object]:
    return {name: importlib.import_module(f"modgap.tasks.scenes.{name}") for name in tasks}


class Sampler:
    """Makes examples. All randomness comes from the generator passed to each call.

    Args:
        pixels: side of the pictures.
        questions: turns per scene.
        rows: scenes per batch.
    """

    def __init__(self, pixels: int, questions: int = 7, rows: int = 16) -> None:
        self.pixels, self.questions, self.rows = pixels, questions, rows
        self.modules = _modules(TASKS)

    def _asked(
        self, scene: Scene, rng: np.random.Generator, tasks: tuple[str, ...]
    ) -> tuple[str, str, tuple[str, ...], str] | None:
        weights = np.array([WEIGHTS[name] for name in tasks])
        name = tasks[int(np.searchsorted(weights.cumsum() / weights.sum(), rng.random()))]
        module = self.modules[name]
        # The suite asks about the closest call a scene allows; training sees those and the easy ones.
        closest = {"closest": bool(rng.random() < 0.5)} if name in CLOSE_CALLS else {}
        instance = module.ask(scene, rng, **closest)
        if instance is None:
            return None
        return name, module.question(instance), module.options(instance), module.answer(instance)

    def _turns(
        self, scene: Scene, rng: np.random.Generator, tasks: tuple[str, ...], shown: bool = True
    ) -> tuple[Turn, ...]:
        """Questions with their options ``shown``, or more of them without."""
        turns: list[Turn] = []
        wanted = self.questions if shown else 2 * self.questions
        for _ in range(6 * wanted):  # a scene may not suit a task
            asked = self._asked(scene, rng, tasks)
            if asked is not None:
                _, question, options, answer = asked
                turns.append(Turn(question_block(question, options if shown else ()), f" Answer: {answer}"))
            if len(turns) == wanted:
                break
        return tuple(turns)

    def _descriptions(self, scene: Scene, rng: np.random.Generator, n: int) -> tuple[Turn, ...]:
        """Objects named as questions name them, written out in full: every token of a reply is a look-up."""
        turns = []
        lines = write_list(scene).splitlines()[1:]
        for index in rng.permutation(len(scene.objects))[:n]:
            phrase = phrase_of(scene, int(index))
            if phrase:
                turns.append(Turn(f"\n\nWrite the {phrase}.", lines[index].removeprefix("-")))
        return tuple(turns)

    def _example(
        self,
        scene: Scene,
        rng: np.random.Generator,
        form: str,
        turns: tuple[Turn, ...],
        scene_weight: float = 0.0,
    ) -> Example:
        if form == "image":
            return Example(INSTRUCTIONS["plain"], "", picture_of(scene, rng, self.pixels), turns)
        return Example(INSTRUCTIONS["plain"], WRITERS[form](scene), None, turns, scene_weight)

    def text(self, rng: np.random.Generator, level: int, step: int) -> list[Example]:
        """Written scenes: questions of every task; one batch in eight rewrites the scene as a list.

        Args:
            rng: where all randomness comes from.
            level: index into ``LEVELS``.
            step: the eighth of each eight is a rewriting batch.
        """
        max_objects, forms, options_share = LEVELS[level]
        form = str(rng.choice(forms))
        # Without options a question is shorter and its answer says more: the skill is learned that way.
        shown = bool(rng.random() < options_share)
        examples = []
        while len(examples) < self.rows:
            scene = world_scene(rng, max_objects)
            if step % 8 == 7:
                turns: tuple[Turn, ...] = (Turn(TRANSCRIBE, f"\n{write_list(scene)}"),)
            else:
                turns = self._turns(scene, rng, TASKS, shown) + self._descriptions(scene, rng, 2)
            if turns:
                examples.append(self._example(scene, rng, form, turns, 0.02))
        return examples

    def pictures(self, rng: np.random.Generator, transcribe: bool) -> list[Example]:
        """Drawn scenes: transcripts, or questions of the tuned tasks."""
        examples = []
        while len(examples) < self.rows:
            scene = world_scene(rng)
            if transcribe:
                turns: tuple[Turn, ...] = (Turn(TRANSCRIBE, f"\n{write_list(scene)}"),)
            else:
                turns = self._turns(scene, rng, TUNED)
            if turns:
                examples.append(self._example(scene, rng, "image", turns))
        return examples

    def options(self, rng: np.random.Generator, modality: str) -> tuple[Example, list[tuple[str, int, int]]]:
        """One scene with every option of every question as a turn, for scoring.

        Returns:
            the example; per question (task, number of options, index of the right one).
        """
        while True:
            scene = world_scene(rng)
            turns: list[Turn] = []
            questions = []
            for name in TASKS:
                asked = self._asked(scene, rng, (name,))
                if asked is None:
                    continue
                _, question, options, answer = asked
                questions.append((name, len(options), options.index(answer)))
                turns += [Turn(question_block(question, options), f" Answer: {o}") for o in options]
            if questions:
                form = "image" if modality == "image" else ("list", "story", "json")[rng.integers(3)]
                return self._example(scene, rng, form, tuple(turns)), questions


def corpus(seed: int) -> list[str]:
    """Text to train the tokenizer on: scenes in every form, with questions; every plate word is in it."""
    rng = np.random.default_rng([seed, 7])
    sampler = Sampler(64)
    lines = [f" {word}" for word in WORDS] * 20
    for index in range(3000):
        scene = world_scene(rng)
        form = ("list", "story", "json")[index % 3]
        example = sampler._example(scene, rng, form, sampler._turns(scene, rng, TASKS))
        lines += [example.instruction, example.scene, *(t.question + t.reply for t in example.turns)]
    return lines
