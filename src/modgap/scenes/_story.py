"""A scene as prose, and back.

    This is a square picture; places are in percent of its side, across from the left and down from the top.
    There is a large solid red circle at 21 across and 40 down. At 70 across and 55 down is a small striped
    blue star that carries the word "fox".

Each sentence takes one of several forms. The form follows from what the sentence says, so a scene has one
story on every machine; reading accepts every form. What is not a story is refused as in the list.
"""

from __future__ import annotations

import re
import zlib

from modgap._errors import FileError

from ._check import check_scene
from ._scene import BackgroundObject, Scene, SceneObject
from ._text import check_length, checked, shorten

_OPENING = (
    "This is a square picture; places are in percent of its side, across from the left and down from the top."
)
_DEPTH = "Depth runs from 0, the nearest, to 9, the farthest."
_NOTHING = "There is no object."

# "thing" is the object with its word and "place" is where it stands; a comma closes a place with a depth.
_FORMS = (
    "There is a {thing} at {place}.",
    "A {thing} stands at {place}.",
    "You can see a {thing} at {place}.",
    "At {place}{comma} is a {thing}.",
)
_THING_FORMS = (
    "In the background there is a {thing} at {place}.",
    "Behind everything is a {thing} at {place}.",
)

_WORD = r"[a-z]{1,12}"
_PLACE = r"(?P<x>\d{1,2}) across and (?P<y>\d{1,2}) down(?:, depth (?P<depth>\d))?"
_THING = (
    rf"(?P<size>{_WORD}) (?P<fill>{_WORD}) (?P<color>{_WORD}) (?P<shape>{_WORD})"
    r"(?: that carries the word \"(?P<word>[a-z]{2,4})\")?"
)


def _pattern(form: str, thing: str, place: str) -> re.Pattern[str]:
    return re.compile(form.replace(".", r"\.").format(thing=thing, place=place, comma=",?"), re.ASCII)


_PATTERNS = tuple(_pattern(form, _THING, _PLACE) for form in _FORMS)
_THING_PATTERNS = tuple(
    _pattern(form, rf"(?P<shape>{_WORD})", r"(?P<x>\d{1,2}) across and (?P<y>\d{1,2}) down")
    for form in _THING_FORMS
)


def write_story(scene: Scene) -> str:
    """The scene as one paragraph of prose.

    Raises:
        InputError: if the scene has an unknown name or a number out of range.
    """
    check_scene(scene)
    sentences = [_OPENING]
    if scene.perspective:
        sentences.append(_DEPTH)
    for o in scene.objects:
        word = f' that carries the word "{o.word}"' if o.word else ""
        place = f"{o.x} across and {o.y} down" + (f", depth {o.depth}" if scene.perspective else "")
        comma = "," if scene.perspective else ""
        sentences.append(_fill(_FORMS, f"{o.size} {o.fill} {o.color} {o.shape}{word}", place, comma))
    if not scene.objects:
        sentences.append(_NOTHING)
    for thing in scene.background_objects:
        sentences.append(_fill(_THING_FORMS, thing.shape, f"{thing.x} across and {thing.y} down", ""))
    return " ".join(sentences)


def _fill(forms: tuple[str, ...], thing: str, place: str, comma: str) -> str:
    form = forms[zlib.crc32(f"{thing} {place}".encode()) % len(forms)]
    return form.format(thing=thing, place=place, comma=comma)


def read_story(text: str) -> Scene:
    """Read what :func:`write_story` wrote; blank space between sentences does not matter.

    Args:
        text: untrusted.

    Raises:
        FileError: if it is not such a story; the message names the sentence.
    """
    check_length(text, "story")
    words = " ".join(text.split())
    sentences = [f"{part}." for part in words.removesuffix(".").split(". ")]
    if sentences[0] != _OPENING:
        raise FileError(
            f"story, sentence 1: {shorten(sentences[0])} is not the opening; expected {_OPENING!r}"
        )
    perspective = _DEPTH in sentences[1:2]
    start = 2 if perspective else 1
    objects: list[SceneObject] = []
    things: list[BackgroundObject] = []
    for number, sentence in enumerate(sentences[start:], start=start + 1):
        if sentence == _NOTHING and number == start + 1:
            continue
        thing = _first(_THING_PATTERNS, sentence)
        if thing is not None:
            things.append(BackgroundObject(thing["shape"] or "", int(thing["x"] or 0), int(thing["y"] or 0)))
            continue
        m = _first(_PATTERNS, sentence)
        if m is None or (m["depth"] is None) == perspective:
            example = "There is a large solid red circle at 21 across and 40 down" + (
                ", depth 3." if perspective else "."
            )
            raise FileError(f"story, sentence {number}: {shorten(sentence)} is not like {example!r}")
        objects.append(
            SceneObject(
                m["shape"] or "",
                m["color"] or "",
                m["size"] or "",
                m["fill"] or "",
                int(m["x"] or 0),
                int(m["y"] or 0),
                int(m["depth"] or 0),
                m["word"] or "",
            )
        )
    if bool(objects) == (sentences[start : start + 1] == [_NOTHING]):
        raise FileError(f"story: expected sentences about objects, or {_NOTHING!r} and none of them")
    return checked(Scene(tuple(objects), tuple(things), perspective), "story")


def _first(patterns: tuple[re.Pattern[str], ...], sentence: str) -> dict[str, str | None] | None:
    for pattern in patterns:
        match = pattern.fullmatch(sentence)
        if match is not None:
            return match.groupdict()
    return None
