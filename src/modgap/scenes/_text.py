"""A scene as a list and as JSON, and back.

The list costs few tokens and reads as a person would write it down:

    Objects (x from the left, y from the top):
    - large solid red circle at x 21, y 40
    - small striped blue star at x 70, y 55, word "fox"

Reading inverts writing exactly. What is read may come from a model or a file: anything else than a written
scene is refused with the line at fault, in time that grows with the length of the text only.
"""

from __future__ import annotations

import re

import msgspec

from modgap._errors import FileError, ModgapError

from ._check import check_scene
from ._scene import BackgroundObject, Scene, SceneObject

MAX_TEXT = 100_000
"""Longest text that is read, in characters (our choice: a scene of 8 objects has about 600)."""

_HEADER = "Objects (x from the left, y from the top):"
_HEADER_DEPTH = "Objects (x from the left, y from the top, depth 0 is nearest):"
_NOTHING = "- none"
_BACKGROUND = "Background:"
_LINE = re.compile(
    r"- (?P<size>[a-z]{1,12}) (?P<fill>[a-z]{1,12}) (?P<color>[a-z]{1,12}) (?P<shape>[a-z]{1,12})"
    r" at x (?P<x>\d{1,2}), y (?P<y>\d{1,2})(?:, depth (?P<depth>\d))?(?:, word \"(?P<word>[a-z]{2,4})\")?",
    re.ASCII,
)
_THING = re.compile(r"- (?P<shape>[a-z]{1,12}) at x (?P<x>\d{1,2}), y (?P<y>\d{1,2})", re.ASCII)


def write_list(scene: Scene) -> str:
    """The scene as a list, one object a line, without a final line break.

    Raises:
        InputError: if the scene has an unknown name or a number out of range.
    """
    check_scene(scene)
    lines = [_HEADER_DEPTH if scene.perspective else _HEADER]
    for o in scene.objects:
        depth = f", depth {o.depth}" if scene.perspective else ""
        word = f', word "{o.word}"' if o.word else ""
        lines.append(f"- {o.size} {o.fill} {o.color} {o.shape} at x {o.x}, y {o.y}{depth}{word}")
    if not scene.objects:
        lines.append(_NOTHING)
    if scene.background_objects:
        lines.append(_BACKGROUND)
        lines += [f"- {thing.shape} at x {thing.x}, y {thing.y}" for thing in scene.background_objects]
    return "\n".join(lines)


def read_list(text: str) -> Scene:
    """Read what :func:`write_list` wrote; blank space around lines does not matter.

    Args:
        text: untrusted.

    Raises:
        FileError: if it is not such a list; the message names the line.
    """
    check_length(text, "list")
    lines = [line.strip() for line in text.strip().split("\n")]
    if lines[0] not in (_HEADER, _HEADER_DEPTH):
        raise FileError(f"list, line 1: {shorten(lines[0])} is not the header; expected {_HEADER!r}")
    perspective = lines[0] == _HEADER_DEPTH
    objects: list[SceneObject] = []
    things: list[BackgroundObject] = []
    in_background = False
    for number, line in enumerate(lines[1:], start=2):
        if line == _BACKGROUND and not in_background:
            in_background = True
        elif in_background:
            match = _THING.fullmatch(line)
            if match is None:
                raise FileError(f"list, line {number}: {shorten(line)} is not like '- sun at x 21, y 8'")
            things.append(BackgroundObject(match["shape"], int(match["x"]), int(match["y"])))
        elif line != _NOTHING or number != 2:
            match = _LINE.fullmatch(line)
            if match is None or (match["depth"] is None) == perspective:
                example = "- large solid red circle at x 21, y 40" + (", depth 3" if perspective else "")
                raise FileError(f"list, line {number}: {shorten(line)} is not like {example!r}")
            m = match.groupdict()
            objects.append(
                SceneObject(
                    m["shape"],
                    m["color"],
                    m["size"],
                    m["fill"],
                    int(m["x"]),
                    int(m["y"]),
                    int(m["depth"] or 0),
                    m["word"] or "",
                )
            )
    if bool(objects) == (lines[1:2] == [_NOTHING]):
        raise FileError(f"list: expected lines about objects, or {_NOTHING!r} and none of them")
    return checked(Scene(tuple(objects), tuple(things), perspective), "list")


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    size: str
    fill: str
    color: str
    shape: str
    x: int
    y: int
    depth: int | None = None
    word: str = ""


class _Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: str
    x: int
    y: int


class _Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    axes: str
    objects: list[_Object]
    background: list[_Thing] = []


_AXES = "x from the left, y from the top"
_AXES_DEPTH = "x from the left, y from the top, depth 0 is nearest"


def write_json(scene: Scene) -> str:
    """The scene as one line of JSON; a depth is given in scenes with perspective, a word where there is one.

    Raises:
        InputError: if the scene has an unknown name or a number out of range.
    """
    check_scene(scene)
    objects = [
        _Object(o.size, o.fill, o.color, o.shape, o.x, o.y, o.depth if scene.perspective else None, o.word)
        for o in scene.objects
    ]
    things = [_Thing(thing.shape, thing.x, thing.y) for thing in scene.background_objects]
    return msgspec.json.encode(_Scene(_AXES_DEPTH if scene.perspective else _AXES, objects, things)).decode()


def read_json(text: str) -> Scene:
    """Read what :func:`write_json` wrote.

    Args:
        text: untrusted.

    Raises:
        FileError: if it is not JSON of that form; the message names the field.
    """
    check_length(text, "JSON scene")
    try:
        read = msgspec.json.decode(text, type=_Scene)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"JSON scene: {error}; expected what write_json writes") from error
    if read.axes not in (_AXES, _AXES_DEPTH):
        raise FileError(f"JSON scene: axes {shorten(read.axes)} is not known; expected {_AXES!r}")
    perspective = read.axes == _AXES_DEPTH
    for o in read.objects:
        if (o.depth is None) == perspective:
            raise FileError(
                "JSON scene: an object has "
                + ("no depth" if perspective else "a depth")
                + f" under axes {read.axes!r}"
            )
    objects = tuple(
        SceneObject(o.shape, o.color, o.size, o.fill, o.x, o.y, o.depth or 0, o.word) for o in read.objects
    )
    things = tuple(BackgroundObject(thing.shape, thing.x, thing.y) for thing in read.background)
    return checked(Scene(objects, things, perspective), "JSON scene")


def check_length(text: str, what: str) -> None:
    """Refuse a text too long to be a scene."""
    if len(text) > MAX_TEXT:
        raise FileError(f"{what}: {len(text):,} characters is more than the limit of {MAX_TEXT:,}")


def checked(scene: Scene, what: str) -> Scene:
    """The scene, if it is one that could have been written."""
    try:
        check_scene(scene)
    except ModgapError as error:
        raise FileError(f"{what}: {error}") from error
    return scene


def shorten(text: str) -> str:
    """A piece of untrusted text, quoted and cut for an error message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
