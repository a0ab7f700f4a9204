"""One more or one less of something in a scene, and what a description says of it."""

from __future__ import annotations

from modgap.scenes import BACKGROUND_SHAPES, COLORS, FILLS, SHAPES, SIZES, WORDS, Scene, SceneObject
from modgap.scenes._draws import Draws
from modgap.scenes._edits import (
    add_background,
    add_object,
    change_object,
    remove_background,
)

_VALUES = {"size": SIZES, "fill": FILLS, "color": COLORS, "shape": SHAPES}


def one_more(scene: Scene, description: str, draws: Draws) -> Scene | None:
    """A scene in which one more thing answers to a description: another object changes, or one is added."""
    if description in BACKGROUND_SHAPES:
        return add_background(scene, description, draws)
    if description == "plate":
        word = draws.pick(WORDS)
        return change_object(scene, draws.below(len(scene.objects)), word=word) if scene.objects else None
    look = _look(description)
    others = [i for i, obj in enumerate(scene.objects) if not _answers(obj, look)]
    if others:
        return change_object(scene, draws.pick(others), **look)
    any_look = {name: draws.pick(values) for name, values in _VALUES.items()}
    return add_object(scene, draws, any_look | look)


def one_less(scene: Scene, description: str, draws: Draws) -> Scene | None:
    """A scene in which one thing less answers to a description, since it looks different."""
    if description in BACKGROUND_SHAPES:
        return remove_background(scene, description)
    if description == "plate":
        return next((change_object(scene, i, word="") for i, o in enumerate(scene.objects) if o.word), None)
    look = _look(description)
    own = [i for i, obj in enumerate(scene.objects) if _answers(obj, look)]
    if not look or not own:
        return None
    name = draws.pick(list(look))
    value = draws.pick([other for other in _VALUES[name] if other != look[name]])
    return change_object(scene, draws.pick(own), **{name: value})


def _look(description: str) -> dict[str, str]:
    """ "red star" → color red and shape star; "object" → nothing."""
    words = description.split()
    return {name: word for name, values in _VALUES.items() for word in words if word in values}


def _answers(obj: SceneObject, look: dict[str, str]) -> bool:
    return all(getattr(obj, name) == value for name, value in look.items())
