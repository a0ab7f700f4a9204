"""List, JSON and story are exact inverses of each other's scene, and refuse everything else in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import FileError, InputError
from modgap.scenes import (
    BACKGROUND_SHAPES,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    BackgroundObject,
    Scene,
    SceneObject,
    read_json,
    read_list,
    read_story,
    write_json,
    write_list,
    write_story,
)

Write = Callable[[Scene], str]
Read = Callable[[str], Scene]
FORMATS: list[tuple[Write, Read]] = [
    (write_list, read_list),
    (write_json, read_json),
    (write_story, read_story),
]
each_format = pytest.mark.parametrize(("write", "read"), FORMATS, ids=["list", "json", "story"])

percent = st.integers(0, 99)
words = st.one_of(st.just(""), st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=4))


def objects(perspective: bool) -> st.SearchStrategy[SceneObject]:
    return st.builds(
        SceneObject,
        st.sampled_from(SHAPES),
        st.sampled_from(COLORS),
        st.sampled_from(SIZES),
        st.sampled_from(FILLS),
        percent,
        percent,
        st.integers(0, 9) if perspective else st.just(0),
        words,
    )


@st.composite
def valid_scenes(draw: st.DrawFn) -> Scene:
    perspective = draw(st.booleans())
    things = st.builds(BackgroundObject, st.sampled_from(BACKGROUND_SHAPES), percent, percent)
    return Scene(
        tuple(draw(st.lists(objects(perspective), max_size=10))),
        tuple(draw(st.lists(things, max_size=5))),
        perspective,
    )


FOX = Scene(
    (
        SceneObject("circle", "red", "large", "solid", 21, 40),
        SceneObject("star", "blue", "small", "striped", 70, 55, 0, "fox"),
    )
)
DEEP = Scene(
    (SceneObject("circle", "red", "large", "solid", 21, 40, 3),), (BackgroundObject("sun", 10, 8),), True
)


@each_format
@given(scene=valid_scenes())
@settings(max_examples=300, deadline=None)
def test_reading_inverts_writing_for_every_valid_scene(write: Write, read: Read, scene: Scene) -> None:
    assert read(write(scene)) == scene


@given(scene=valid_scenes())
def test_no_text_has_space_at_its_ends_and_the_list_has_a_line_for_each_thing(scene: Scene) -> None:
    for write, _ in FORMATS:
        assert write(scene) == write(scene).strip()
    things = len(scene.background_objects)
    assert len(write_list(scene).split("\n")) == 1 + max(len(scene.objects), 1) + things + (things > 0)


def test_the_forms_as_published() -> None:
    assert write_list(FOX) == (
        "Objects (x from the left, y from the top):\n"
        "- large solid red circle at x 21, y 40\n"
        '- small striped blue star at x 70, y 55, word "fox"'
    )
    assert write_list(DEEP) == (
        "Objects (x from the left, y from the top, depth 0 is nearest):\n"
        "- large solid red circle at x 21, y 40, depth 3\n"
        "Background:\n"
        "- sun at x 10, y 8"
    )
    assert write_json(FOX) == (
        '{"axes":"x from the left, y from the top","objects":['
        '{"size":"large","fill":"solid","color":"red","shape":"circle","x":21,"y":40},'
        '{"size":"small","fill":"striped","color":"blue","shape":"star","x":70,"y":55,"word":"fox"}]}'
    )
    assert write_story(FOX) == (
        "This is a square picture; places are in percent of its side, across from the left and down from the "
        "top. At 21 across and 40 down is a large solid red circle. You can see a small striped blue star "
        'that carries the word "fox" at 70 across and 55 down.'
    )
    assert write_list(Scene(())).endswith("\n- none")
    assert write_story(Scene(())).endswith(" There is no object.")


def test_the_sentences_of_stories_vary() -> None:
    scenes = [
        Scene((dataclasses.replace(FOX.objects[0], x=x),), (BackgroundObject("bird", x, 9),))
        for x in range(40)
    ]
    sentences = [write_story(scene).split(". ") for scene in scenes]
    assert {sentence[1].split()[0] for sentence in sentences} == {"There", "A", "You", "At"}
    assert {sentence[2].split()[0] for sentence in sentences} == {"In", "Behind"}


@each_format
def test_blank_space_around_is_ignored(write: Write, read: Read) -> None:
    assert read(f"\n  {write(DEEP)} \n\n") == DEEP


@each_format
@given(text=st.one_of(st.text(), st.text('-" {}[]:,.09axy\n', max_size=60)))
def test_foreign_text_is_refused_without_a_crash(write: Write, read: Read, text: str) -> None:
    with pytest.raises(FileError) as caught:
        read(text)
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


@each_format
@given(scene=valid_scenes(), data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_text_is_refused_or_says_exactly_what_is_read(
    write: Write, read: Read, scene: Scene, data: st.DataObject
) -> None:
    text = write(scene)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 5, len(text))))
    damaged = text[:start] + data.draw(st.text(max_size=3)) + text[end:]
    try:
        found = read(damaged)
    except FileError:
        return
    assert read(write(found)) == found


LIST, DEEP_LIST, JSON, DEEP_JSON = write_list(FOX), write_list(DEEP), write_json(FOX), write_json(DEEP)
STORY, DEEP_STORY = write_story(FOX), write_story(DEEP)
REFUSED: list[tuple[Read, str, str]] = [
    (read_list, "", "list, line 1: '' is not the header; expected 'Objects (x from the left"),
    (
        read_list,
        LIST + "\n- a dog",
        "list, line 4: '- a dog' is not like '- large solid red circle at x 21, y 40'",
    ),
    (read_list, LIST.replace("red", "pink"), "list: color 'pink' is not one of red, green"),
    (read_list, LIST.replace("21", "210"), "list, line 2: '- large solid red circle at x 210, y 40' is not"),
    (read_list, LIST + ", depth 3", "list, line 3: "),
    (read_list, LIST.split("\n")[0], "list: expected lines about objects, or '- none' and none of them"),
    (
        read_list,
        LIST.replace(":", ":\n- none"),
        "list: expected lines about objects, or '- none' and none of",
    ),
    (
        read_list,
        DEEP_LIST.replace(", depth 3", ""),
        "is not like '- large solid red circle at x 21, y 40, depth 3'",
    ),
    (read_list, DEEP_LIST.replace("sun", "tree"), "list: background object 'tree' is not one of sun"),
    (read_list, DEEP_LIST + " etc.", "list, line 4: '- sun at x 10, y 8 etc.' is not like '- sun at x 21"),
    (read_json, "{", "JSON scene: Input data was truncated; expected what write_json writes"),
    (read_json, "[]", "JSON scene: Expected `object`, got `array`"),
    (read_json, JSON.replace("21", '"21"'), "Expected `int`, got `str` - at `$.objects[0].x`"),
    (read_json, JSON.replace('"x":21', '"x":21,"z":1'), "Object contains unknown field `z`"),
    (
        read_json,
        JSON.replace('"x":21', '"x":-1'),
        "JSON scene: position -1, 40 of the circle is not accepted",
    ),
    (
        read_json,
        JSON.replace("top", "bottom"),
        "JSON scene: axes 'x from the left, y from the bottom' is not",
    ),
    (read_json, DEEP_JSON.replace(',"depth":3', ""), "JSON scene: an object has no depth under axes"),
    (read_json, JSON.replace('"y":40', '"y":40,"depth":0'), "JSON scene: an object has a depth under axes"),
    (read_json, "[" * 100_000, "JSON scene: "),
    (read_story, "Once upon a time.", "story, sentence 1: 'Once upon a time.' is not the opening; expected"),
    (
        read_story,
        STORY + " The end.",
        "story, sentence 4: 'The end.' is not like 'There is a large solid red",
    ),
    (read_story, STORY.replace("star", "comet"), "story: shape 'comet' is not one of circle"),
    (read_story, STORY + " There is no object.", "story, sentence 4: 'There is no object.' is not like"),
    (read_story, STORY.split(". ")[0], "story: expected sentences about objects, or 'There is no object.'"),
    (read_story, DEEP_STORY.replace(", depth 3", ""), "21 across and 40 down, depth 3.'"),
]


@pytest.mark.parametrize(("read", "text", "message"), REFUSED)
def test_a_refusal_says_where_and_what_is_expected(read: Read, text: str, message: str) -> None:
    with pytest.raises(FileError) as caught:
        read(text)
    assert message in str(caught.value)


@each_format
def test_long_texts_are_refused_and_hostile_ones_take_linear_time(write: Write, read: Read) -> None:
    with pytest.raises(FileError, match=r"100,001 characters is more than the limit of 100,000"):
        read("x" * 100_001)
    head = write(DEEP)
    hostile = [
        head + "\n" + "- large solid red " * 5000,
        head + " " * 90_000 + ".",
        head + " There is a" * 8000,
        head + "\n- " + "a" * 90_000,
        head + "." * 90_000,
        head + " A large solid red circle stands at 1 across and 1 down, depth 1." * 1400,
    ]
    for text in hostile:
        start = time.perf_counter()
        with contextlib.suppress(FileError):
            read(text)
        assert time.perf_counter() - start < 2  # seconds; a quadratic pattern takes minutes


@each_format
def test_a_scene_that_means_nothing_is_not_written(write: Write, read: Read) -> None:
    with pytest.raises(InputError, match="color 'pink' is not one of red"):
        write(Scene((dataclasses.replace(FOX.objects[0], color="pink"),)))
