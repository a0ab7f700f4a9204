"""Facts: what a word of a caption states about a scene, and whether it is true.

:func:`fact_holds` looks at the scene graph only. It knows nothing of how captions are made, so it checks
captions and edits of captions alike.

| kind | states | about |
|---|---|---|
| ``color``, ``shape``, ``size``, ``fill`` | the subject has this value | an object |
| ``word`` | the plate of the subject carries this word | an object |
| ``position`` | the subject lies in this ninth of the picture: ``top left``, ``top`` … | an object |
| ``relation`` | the subject is ``left``, ``right``, ``above``, ``below`` of the object | two objects |
| ``depth`` | the subject is ``nearer`` or ``farther`` than the object | two objects |
| ``depth`` | the subject is the ``nearest`` or ``farthest`` of all | an object |
| ``count`` | exactly this many (digits) answer to the description ``of`` | the scene |
| ``existence`` | something answers to this description | the scene |
| ``absence`` | nothing answers to this description | the scene |

A description is one shape or ``object``, with a size, fill and colour or without; or ``plate``; or the name
of a small background object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from modgap._errors import InputError, UnknownName

from ._geometry import relation_of
from ._scene import BACKGROUND_SHAPES, COLORS, FILLS, RELATIONS, SHAPES, SIZES, Scene, SceneObject

FactKind = Literal[
    "color", "shape", "size", "fill", "word", "position", "relation", "depth", "count", "existence", "absence"
]
FACT_KINDS: tuple[FactKind, ...] = get_args(FactKind)

POSITIONS = (
    "top left",
    "top",
    "top right",
    "left",
    "center",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
)
"""The ninths of a picture in reading order."""

_DEPTHS = ("nearer", "farther", "nearest", "farthest")
_ATTRIBUTES = {"color": COLORS, "shape": SHAPES, "size": SIZES, "fill": FILLS}
_ADJECTIVES = {value: name for name in ("color", "size", "fill") for value in _ATTRIBUTES[name]}


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about a scene.

    Args:
        kind: one of ``FACT_KINDS``.
        value: what is stated; see the table above.
        subject: index of the object it is about, or ``None``.
        object: index of the object it is compared with, or ``None``.
        of: for a count, the description of what is counted.
    """

    kind: FactKind
    value: str
    subject: int | None = None
    object: int | None = None
    of: str = ""


def fact_holds(scene: Scene, fact: Fact) -> bool:
    """Whether a fact is true of a scene.

    Raises:
        InputError: if the fact says nothing: an unknown kind, value or description, or no such object.
    """
    kind, value = fact.kind, fact.value
    if kind == "existence":
        return count_matching(scene, value) > 0
    if kind == "absence":
        return count_matching(scene, value) == 0
    if kind == "count":
        if not value.isdecimal():
            raise InputError(f"count {value!r} is not a number; give digits")
        return count_matching(scene, fact.of) == int(value)
    subject = _object(scene, fact.subject, f"subject of the fact {kind!r}")
    if kind == "word":
        return subject.word == value
    if kind == "position":
        return position_of(subject) == _known("position", value, POSITIONS)
    if kind == "relation":
        other = _object(scene, fact.object, "object of the fact 'relation'")
        return relation_of(subject, other) == _known("relation", value, RELATIONS)
    if kind == "depth":
        return _depth_holds(scene, subject, fact)
    if kind not in _ATTRIBUTES:
        raise UnknownName("kind of fact", kind, FACT_KINDS)
    stated: str = getattr(subject, kind)
    return stated == _known(kind, value, _ATTRIBUTES[kind])


def _depth_holds(scene: Scene, subject: SceneObject, fact: Fact) -> bool:
    value = _known("depth", fact.value, _DEPTHS)
    if not scene.perspective:
        return False
    if value in ("nearer", "farther"):
        other = _object(scene, fact.object, "object of the fact 'depth'")
        return subject.depth < other.depth if value == "nearer" else subject.depth > other.depth
    depths = [o.depth for o in scene.objects]
    extreme = min(depths) if value == "nearest" else max(depths)
    return subject.depth == extreme and depths.count(extreme) == 1


def _object(scene: Scene, index: int | None, what: str) -> SceneObject:
    if index is None or not 0 <= index < len(scene.objects):
        raise InputError(f"{what} is {index}; give the index of one of the {len(scene.objects)} objects")
    return scene.objects[index]


def _known(what: str, value: str, accepted: tuple[str, ...]) -> str:
    if value not in accepted:
        raise UnknownName(what, value, accepted)
    return value


def count_matching(scene: Scene, description: str) -> int:
    """How many things of a scene answer to a description.

    Args:
        scene: the scene.
        description: such as ``"object"``, ``"red star"``, ``"large striped star"``, ``"plate"``, ``"bird"``.

    Raises:
        InputError: if it is not a description.
    """
    if description in BACKGROUND_SHAPES:
        return sum(thing.shape == description for thing in scene.background_objects)
    if description == "plate":
        return sum(bool(o.word) for o in scene.objects)
    wanted: dict[str, str] = {}
    *adjectives, noun = description.split() or [""]
    for word in adjectives:
        name = _ADJECTIVES.get(word)
        if name is None or name in wanted:
            raise InputError(
                f"description {description!r}: {word!r} is no size, fill or color, or one too many"
            )
        wanted[name] = word
    if noun != "object":
        wanted["shape"] = _known("noun", noun, (*SHAPES, "object", "plate", *BACKGROUND_SHAPES))
    if noun in ("plate", *BACKGROUND_SHAPES):
        raise InputError(f"description {description!r}: a {noun} has no size, fill or color")
    return sum(all(getattr(o, name) == value for name, value in wanted.items()) for o in scene.objects)


def position_of(obj: SceneObject) -> str:
    """The ninth of the picture in which the centre of an object lies, one of ``POSITIONS``."""
    return POSITIONS[obj.y * 3 // 100 * 3 + obj.x * 3 // 100]
