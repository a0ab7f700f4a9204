"""What the bundled model is trained on: scenes, their renderings, questions about them, plain English.

The world is level ``plain`` of the suite ``scenes``: up to five objects in the middle of their ninths and no
plates. In *text* things have habits (``HABITS``: three stars in four are yellow …), as words have in real
corpora; pictures do not share them. What a model writes where it cannot see is then known to the last word.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import PIL.Image
from bundled_batch import REPLY, Example, Turn
from bundled_english import english, vocabulary

from modgap.evaluate._prompts import INSTRUCTIONS, question_block
from modgap.models.bundled import DESCRIBE, HABITS, TRANSCRIBE
from modgap.scenes import (
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    STYLES,
    Scene,
    SceneObject,
    SceneSettings,
    draw_scene,
    sample_scene,
    write_caption,
    write_json,
    write_list,
    write_story,
)
from modgap.tasks.scenes import LEVELS as SUITE_LEVELS
from modgap.tasks.scenes import sample_world
from modgap.tasks.scenes._phrases import phrase_of

WORLD = SUITE_LEVELS["plain"]
TASKS = ("count", "relation", "attribute", "existence", "depth", "distance", "binding")
TUNED = ("count", "attribute", "existence")
"""The tasks that are ever asked about a picture in training; the others are latent there."""

FLAT_ONLY = ("relation", "distance")
CLOSE_CALLS = ("relation", "depth", "distance")
MARGINS = {"relation": WORLD.relation_margin, "depth": WORLD.depth_step, "distance": WORLD.distance_ratio}
MARGIN_NAMES = {"relation": "margin", "depth": "step", "distance": "ratio"}

WEIGHTS = {
    "count": 1.8,
    "relation": 1.5,
    "distance": 2.0,
    "attribute": 0.8,
    "existence": 0.6,
    "depth": 1.0,
    "binding": 0.6,
}
"""How often a task is asked in training; the ones that are learned late are asked more often."""


@dataclass(frozen=True)
class Level:
    """What the text stage shows at one level.

    Args:
        objects: most objects in a scene.
        forms: of the scene in words.
        tasks: what is asked about.
        described: objects written out for each scene.
        options: share of batches whose questions show options.
        mastered: mean cost of a turn, in nats, below which the level is left.
        latest: step of the text stage at which it is left at the latest.
    """

    objects: int
    forms: tuple[str, ...]
    tasks: tuple[str, ...]
    described: int
    options: float
    mastered: float
    latest: int


LEVELS = (
    Level(4, ("list",), ("attribute", "existence"), 4, 0.0, 0.25, 2000),
    Level(4, ("list", "list", "story", "json"), TASKS, 2, 0.15, 0.5, 3600),
    Level(5, ("list", "story", "json"), TASKS, 1, 0.4, 0.0, 10**9),
)
"""Looking up is learned first, and everything else grows from it. With a fixed timetable nothing was learned
for a long time; with lists of two objects first, places were learned by heart."""

HABIT = 0.75
"""How often an attribute of an object follows its habit in text."""

UNSAID = 0.4
"""How often an adjective is left out where a scene is told in part."""

ALIKE = 1 / 3
"""Share of scenes with one or two colours and shapes: others hardly ever hold three or four of a kind."""

ASSUMED: tuple[str, ...] = FILLS
"""Words of captions and transcripts of pictures that cost nothing, since whoever wrote them did not look."""

BOUND = 0.3
"""Share of the questions of the tuning about an object that is named by its fill which are kept. Without any,
fill is never read off a picture; with all of them, it is bound to the other attributes as in text."""

CAPTIONS = 4
"""Captions of one scene in a row of the text stage."""

CLOSEST = 0.7
"""How often the closest call that a scene allows is asked about, as the suite does; else any call."""

WRITERS: dict[str, Callable[[Scene], str]] = {"list": write_list, "json": write_json, "story": write_story}

TRAIN_STYLES, TRAIN_BACKGROUNDS = STYLES[:2], BACKGROUNDS[:4]
"""The others are kept for out-of-distribution tests."""


def random_scene(rng: np.random.Generator, max_objects: int = 5, perspective: float = 0.3) -> Scene:
    """A scene of any colours and shapes, for the vision encoder; half are aligned, some are in depth."""
    return sample_scene(
        rng,
        SceneSettings(
            max_objects=max_objects,
            aligned=bool(rng.random() < 0.5),
            perspective=bool(rng.random() < perspective),
        ),
    )


def world_scene(rng: np.random.Generator, max_objects: int = 5, perspective: float = 0.25) -> Scene:
    """A scene as the suite draws them; a share ``perspective`` in depth, a share ``ALIKE`` with few kinds."""
    deep = bool(rng.random() < perspective)
    if rng.random() >= ALIKE:
        return sample_world(rng, replace(WORLD, max_objects=max_objects, perspective=deep))
    colors, shapes = (tuple(rng.permutation(v)[: rng.integers(1, 3)].tolist()) for v in (COLORS, SHAPES))
    return sample_scene(
        rng,
        SceneSettings(
            min_objects=min(3, max_objects),
            max_objects=max_objects,
            aligned=True,
            perspective=deep,
            colors=colors,
            shapes=shapes,
        ),
    )


def habitual(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene as text would have it: most objects have the colour, size and fill usual for their shape."""

    def follow(o: SceneObject) -> SceneObject:
        color, size, fill = HABITS[o.shape]
        return replace(
            o,
            color=color if rng.random() < HABIT else o.color,
            size=size if rng.random() < HABIT else o.size,
            fill=fill if rng.random() < HABIT else o.fill,
        )

    if scene.perspective:  # a size would change where an object stands
        return replace(scene, objects=tuple(replace(follow(o), size=o.size) for o in scene.objects))
    return replace(scene, objects=tuple(follow(o) for o in scene.objects))


def assumed(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene as captions of pictures have it: the fill of an object is what is usual in text.

    Leaving the true word out of the loss is not enough: what comes after it is easier to say for a model that
    sees which object has that fill.
    """
    usual = habitual(scene, rng)
    objects = zip(scene.objects, usual.objects, strict=True)
    return replace(scene, objects=tuple(replace(o, fill=other.fill) for o, other in objects))


def told_in_part(scene: Scene, rng: np.random.Generator) -> tuple[str, Scene]:
    """A scene as a list in which adjectives are missing, and the whole scene: the missing ones are habitual.

    A model that learns this falls back on habits wherever it finds no evidence, in a picture as well.
    """
    usual = habitual(scene, rng)
    lines, objects = write_list(scene).splitlines(), []
    for index, (o, other) in enumerate(zip(scene.objects, usual.objects, strict=True)):
        unsaid = [name for name in ("size", "fill", "color") if rng.random() < UNSAID]
        for name in unsaid:
            lines[index + 1] = lines[index + 1].replace(f" {getattr(o, name)}", "", 1)
        objects.append(replace(o, **{name: getattr(other, name) for name in unsaid}))
    return "\n".join(lines), replace(scene, objects=tuple(objects))


def picture_of(scene: Scene, rng: np.random.Generator, pixels: int) -> np.ndarray:
    """The scene as the image processor sees it: drawn at 224 px, resized; (pixels, pixels, 3) uint8."""
    drawn = draw_scene(
        scene,
        pixels=224,
        style=TRAIN_STYLES[rng.integers(len(TRAIN_STYLES))],
        background=TRAIN_BACKGROUNDS[rng.integers(len(TRAIN_BACKGROUNDS))],
    )
    return np.asarray(drawn.resize((pixels, pixels), PIL.Image.Resampling.LANCZOS))


class Sampler:
    """Makes examples. All randomness comes from the generator passed to each call.

    Args:
        pixels: side of the pictures.
        questions: turns per scene with options shown; twice as many without.
        rows: scenes per batch.
    """

    def __init__(self, pixels: int, questions: int = 8, rows: int = 8) -> None:
        self.pixels, self.questions, self.rows = pixels, questions, rows
        self.modules = {name: importlib.import_module(f"modgap.tasks.scenes.{name}") for name in TASKS}

    def _asked(
        self, scene: Scene, rng: np.random.Generator, tasks: tuple[str, ...], simple: bool
    ) -> tuple[str, str, tuple[str, ...], str] | None:
        weights = np.array([WEIGHTS[name] for name in tasks])
        name = tasks[int(np.searchsorted(weights.cumsum() / weights.sum(), rng.random()))]
        if scene.perspective and name in FLAT_ONLY:
            return None
        module = self.modules[name]
        more: dict[str, float | bool] = {}
        if name in CLOSE_CALLS:
            more = {"closest": bool(rng.random() < CLOSEST), MARGIN_NAMES[name]: MARGINS[name]}
        instance = module.ask(scene, rng, **more)
        if instance is None:
            return None
        if simple and name == "attribute" and len(instance.phrase.split()) > 2:
            return None
        if simple and name == "attribute":
            told = set(instance.phrase.split())
            if told & set(SIZES) or (told & set(FILLS) and rng.random() >= BOUND):
                return None
        return name, module.question(instance), module.options(instance), module.answer(instance)

    def turns(
        self,
        scene: Scene,
        rng: np.random.Generator,
        tasks: tuple[str, ...],
        shown: bool = True,
        simple: bool = False,
        fewer: int = 0,
    ) -> tuple[Turn, ...]:
        """Questions with options ``shown``, or more of them without; ``simple`` ones bind few modifiers."""
        found: list[Turn] = []
        wanted = (self.questions if shown else 2 * self.questions) - fewer
        for _ in range(4 * wanted):  # a scene may not suit a task
            asked = self._asked(scene, rng, tasks, simple)
            if asked is not None:
                _, question, options, answer = asked
                found.append(Turn(question_block(question, options if shown else ()), f" Answer: {answer}"))
            if len(found) == wanted:
                break
        return tuple(found)

    def _descriptions(self, scene: Scene, rng: np.random.Generator, n: int) -> tuple[Turn, ...]:
        """Objects named as questions name them, written out: every token of a reply is a look-up."""
        turns = []
        lines = write_list(scene).splitlines()[1:]
        for index in rng.permutation(len(scene.objects))[:n]:
            phrase = phrase_of(scene, int(index))
            if phrase:
                place = lines[index][lines[index].index(" at ") :]
                turns.append(Turn(f"\n\nWhere is the {phrase}?", f" {phrase}{place}"))
                turns.append(Turn(f"\n\nWrite the {phrase}.", lines[index].removeprefix("-")))
        return tuple(turns)

    def example(
        self,
        scene: Scene,
        rng: np.random.Generator,
        form: str,
        turns: tuple[Turn, ...],
        scene_weight: float = 0.0,
    ) -> Example:
        """One scene in one form (``list``, ``json``, ``story`` or ``image``) with its turns."""
        if form == "image":
            return Example(INSTRUCTIONS["plain"], "", picture_of(scene, rng, self.pixels), turns)
        return Example(INSTRUCTIONS["plain"], WRITERS[form](scene), None, turns, scene_weight)

    def text(self, rng: np.random.Generator, level: int, step: int) -> tuple[list[Example], bool]:
        """A batch of the text stage.

        Args:
            rng: where all randomness comes from.
            level: index into ``LEVELS``.
            step: of sixteen batches eleven ask questions, one rewrites scenes as lists, two describe scenes,
                one tells scenes of which nobody has said everything, or anything (with habits), one is plain
                English. On the first level those of the last three kinds ask questions too.

        Returns:
            the examples; whether they ask questions.
        """
        at = LEVELS[level]
        kind = step % 16 if level > 0 or step % 16 == 3 else 0
        if kind == 15:
            return [_plain_english(rng) for _ in range(self.rows)], False
        if kind == 11:
            return [self._from_habit(rng, at.objects) for _ in range(self.rows)], False
        form = str(rng.choice(at.forms))
        # Without options a question is shorter and its answer says more: the skill is learned that way.
        shown = bool(rng.random() < at.options)
        examples: list[Example] = []
        while len(examples) < self.rows:
            scene = world_scene(rng, at.objects)
            if kind == 3:
                turns = (_transcript(scene),)
            elif kind in (7, 13):
                turns = tuple(_description(scene, rng) for _ in range(CAPTIONS))
            else:
                described = self._descriptions(scene, rng, at.described)
                turns = self.turns(scene, rng, at.tasks, shown, fewer=len(described)) + described
            if turns:
                examples.append(self.example(scene, rng, form, turns))
        return examples, kind not in (3, 7, 13)

    def _from_habit(self, rng: np.random.Generator, max_objects: int) -> Example:
        """A scene that is told without having been shown, or after a part of it: the likely is filled in."""
        told, scene = told_in_part(world_scene(rng, max_objects), rng)
        if rng.random() < 0.5:
            turns = (_transcript(scene), *(_description(scene, rng) for _ in range(CAPTIONS - 1)))
            return Example(INSTRUCTIONS["plain"], told, None, turns)
        scene = habitual(scene, rng)
        turn = _transcript(scene) if rng.random() < 0.5 else _description(scene, rng)
        # A story is learned too.
        story = write_story(scene) if rng.random() < 0.3 else ""
        return Example(INSTRUCTIONS["plain"], story, None, (turn,), 0.3 if story else 0.0)

    def told(self, scene: Scene, rng: np.random.Generator) -> tuple[Turn, ...]:
        """A transcript or a dense caption of a scene, or of what somebody assumes about it."""
        return (_transcript(scene) if rng.random() < 0.5 else _description(scene, rng),)

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
                asked = self._asked(scene, rng, (name,), False)
                if asked is None:
                    continue
                _, question, options, answer = asked
                questions.append((name, len(options), options.index(answer)))
                turns += [Turn(question_block(question, options), f" Answer: {o}") for o in options]
            if questions:
                form = "image" if modality == "image" else ("list", "story", "json")[rng.integers(3)]
                return self.example(scene, rng, form, tuple(turns)), questions


def _transcript(scene: Scene) -> Turn:
    return Turn(TRANSCRIBE, f"\n{write_list(scene)}")


def _description(scene: Scene, rng: np.random.Generator) -> Turn:
    return Turn(DESCRIBE, f" {write_caption(scene, rng, 'dense', in_order=True).text}")


def _plain_english(rng: np.random.Generator) -> Example:
    text = " ".join(english(rng) for _ in range(8))
    return Example("", text, None, (Turn("", f" {english(rng)}"),), 1.0)


def corpus(seed: int) -> list[str]:
    """Text to train the tokenizer on: scenes in every form, questions, captions, and plain English."""
    rng = np.random.default_rng([seed, 7])
    sampler = Sampler(64)
    lines = [english(rng) for _ in range(12_000)] + [f" {word}" for word in vocabulary()] * 20
    for index in range(3000):
        scene = world_scene(rng)
        form = ("list", "story", "json")[index % 3]
        example = sampler.example(scene, rng, form, sampler.turns(scene, rng, TASKS))
        lines += [example.instruction, example.scene, *(t.question + REPLY + t.reply for t in example.turns)]
        lines.append(DESCRIBE + write_caption(scene, rng, "dense", in_order=True).text)
    return lines
