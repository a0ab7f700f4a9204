"""Noun phrases that name exactly one object of a scene.

The shortest that will do, with colour and shape first: "red circle", else "small red circle", "striped red
circle", "small striped red circle". With perspective the size of a thing cannot be seen: no phrase uses it.
"""

from __future__ import annotations

from collections.abc import Sequence

from modgap.scenes import Scene, SceneObject

_ORDER = ("size", "fill", "color", "shape")
_NAMING = (("color", "shape"), ("size", "color", "shape"), ("fill", "color", "shape"), _ORDER)
_WITHOUT = {
    "color": (("shape",), ("size", "shape"), ("fill", "shape"), ("size", "fill", "shape")),
    "shape": (("color",), ("size", "color"), ("fill", "color"), ("size", "fill", "color")),
    "size": (("color", "shape"), ("fill", "color", "shape")),
}


def phrase_of(scene: Scene, index: int) -> str | None:
    """A phrase that names one object, without an article.

    Args:
        scene: the scene.
        index: of the object in ``scene.objects``.

    Returns:
        For example ``"small red circle"``; ``None`` if another object looks the same.
    """
    return _first(scene, index, _NAMING)


def phrase_without(scene: Scene, index: int, attribute: str) -> str | None:
    """As :func:`phrase_of`, without saying the object's ``color``, ``shape`` or ``size``."""
    return _first(scene, index, _WITHOUT[attribute])


def _first(scene: Scene, index: int, choices: Sequence[tuple[str, ...]]) -> str | None:
    obj = scene.objects[index]
    for attributes in choices:
        if "size" in attributes and scene.perspective:
            continue
        if names_one(scene, obj, attributes):
            return said(obj, attributes)
    return None


def names_one(scene: Scene, obj: SceneObject, attributes: tuple[str, ...]) -> bool:
    """Whether no other object of the scene shares all of these attributes."""
    same = scene.objects
    for name in attributes:
        value = getattr(obj, name)
        same = tuple(other for other in same if getattr(other, name) == value)
    return len(same) == 1


def said(obj: SceneObject, attributes: tuple[str, ...]) -> str:
    """The attributes in the order of English, "object" standing in for a shape that is not said."""
    words = [getattr(obj, name) for name in _ORDER if name in attributes]
    return " ".join(words if "shape" in attributes else [*words, "object"])


def plural(noun: str) -> str:
    """The plural of a shape or of "object"."""
    return noun + ("es" if noun.endswith("s") else "s")


def a(phrase: str) -> str:
    """The phrase with its indefinite article."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase
