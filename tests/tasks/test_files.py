"""Problems as lines: the full form comes back as it was, the short form is read, bad lines are explained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap._errors import FileError
from modgap.media import Image, Text
from modgap.tasks import (
    MediaFolder,
    Problem,
    Representation,
    load,
    problem_from_json,
    problem_to_json,
    read_problems,
)

PICTURE = Image.from_pil(PIL.Image.new("RGB", (8, 8), "red"))
SHORT: dict[str, Any] = {
    "question": "What is it?",
    "answer": "cat",
    "options": ["cat", "dog"],
    "representations": {"text": "A cat sleeps.", "image": "pictures/1.png"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "mine"
    (inside / "pictures").mkdir(parents=True)
    (inside / "pictures" / "1.png").write_bytes(PICTURE.data)
    (tmp_path / "secret.png").write_bytes(PICTURE.data)
    return inside


def read(folder: Path, *lines: object) -> list[Problem]:
    path = folder / "data.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return list(read_problems(path))


def refused(folder: Path, line: object) -> str:
    with pytest.raises(FileError) as caught:
        read(folder, line)
    text = str(caught.value)
    assert text.startswith(f"{folder / 'data.jsonl'}, line 1: ")
    assert "\n" not in text
    return text.split("line 1: ")[1]


def changed(**changes: object) -> dict[str, object]:
    return {name: value for name, value in {**SHORT, **changes}.items() if value is not ...}


@pytest.mark.parametrize("task", ["count", "depth", "reading"])
def test_the_full_form_comes_back_as_it_was(task: str, tmp_path: Path) -> None:
    problems = [load(task).problem(0, index) for index in range(5)]
    media = MediaFolder(tmp_path)
    (tmp_path / "problems.jsonl").write_bytes(b"\n".join(problem_to_json(p, media.write) for p in problems))
    assert list(read_problems(tmp_path / "problems.jsonl")) == problems
    assert all(
        path.stem == Image(path.read_bytes(), "image/png").sha256 for path in (tmp_path / "media").iterdir()
    )


TEXTS = st.text(min_size=1, max_size=30).filter(str.strip)
PARTS = st.lists(st.builds(Text, st.text(max_size=30)), min_size=1, max_size=3).map(tuple)
WRITTEN = st.builds(Representation, TEXTS, st.just("text"), PARTS)


@given(
    st.builds(
        Problem,
        problem_id=TEXTS,
        task=TEXTS,
        question=TEXTS,
        answer=st.just("a"),
        representations=st.lists(
            WRITTEN,
            min_size=1,
            max_size=3,
            unique_by=lambda r: r.name,
        ).map(tuple),
        options=st.sampled_from([(), ("a", "b"), ("\n", "a", "\u2028")]),
        answer_kind=st.just("text"),
        group=st.text(max_size=9),
        difficulty=st.dictionaries(st.text(), st.one_of(st.integers(-9, 9), st.text(), st.floats(-1, 1))),
        chance=st.one_of(st.none(), st.floats(0, 1)),
        instruction=st.text(),
    )
)
def test_any_problem_comes_back_as_it_was(problem: Problem) -> None:
    line = problem_to_json(problem, lambda part: "unused")
    assert b"\n" not in line
    back = problem_from_json(line, Path(), "line")
    if problem.options and problem.chance is None:  # filled in: a guess among the options
        assert back.chance == 1 / len(problem.options)
    else:
        assert back == problem


def test_the_short_form_is_read(folder: Path) -> None:
    (problem,) = read(folder, SHORT)
    assert problem == Problem(
        problem_id="data-000001",
        task="data/all",
        question="What is it?",
        answer="cat",
        representations=(
            Representation("text", "text", (Text("A cat sleeps."),)),
            Representation("image", "image", (PICTURE,)),
        ),
        options=("cat", "dog"),
        chance=0.5,
    )


def test_the_short_form_takes_names_of_ones_own_and_numbers(folder: Path) -> None:
    (first, second) = read(
        folder,
        changed(
            answer=3,
            options=[1, 2, 3],
            problem_id=7,
            task="mine/number",
            representations={
                "caption": {"modality": "text", "text": "Three."},
                "photo": {"modality": "image", "path": "pictures/1.png"},
                "image_small": "pictures/1.png",
                "both": {"modality": "image", "parts": [{"text": "Look: "}, {"image": "pictures/1.png"}]},
            },
        ),
        changed(answer=12, options=...),
    )
    assert (first.problem_id, first.task, first.answer, first.options) == (
        "7",
        "mine/number",
        "3",
        ("1", "2", "3"),
    )
    assert [(r.name, r.modality) for r in first.representations] == [
        ("caption", "text"),
        ("photo", "image"),
        ("image_small", "image"),
        ("both", "image"),
    ]
    assert first.representations[3].parts == (Text("Look: "), PICTURE)
    assert (second.answer, second.answer_kind, second.chance) == ("12", "integer", None)


def test_a_byte_order_mark_blank_lines_and_unknown_fields_do_no_harm(folder: Path) -> None:
    assert len(read(folder, "\ufeff" + json.dumps(changed(source="my camera")), "", "  ", SHORT)) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "expected one problem as a JSON object"),
        ("[1]", "expected object, got list"),
        ("null", "expected object, got null"),
        ('{"question": "\xff', "expected one problem as a JSON object"),
        ("[" * 100_000, "expected one problem as a JSON object"),
        (changed(question=...), "object missing required field question"),
        (changed(answer=...), "object missing required field answer"),
        (changed(representations=...), "object missing required field representations"),
        (changed(question=3), "expected string, got integer in 'question'"),
        (changed(question="  "), "'question' is empty; expected what is asked"),
        (changed(answer=["cat"]), "expected integer | string, got list in 'answer'"),
        (changed(options="cat"), "expected list | null, got string in 'options'"),
        (changed(options=["cat", 1.5]), "in 'options[1]'"),
        (changed(options=["dog", "cow"]), "answer 'cat' is not one of the options ('dog', 'cow')"),
        (changed(options=["cat", "cat"]), "options ('cat', 'cat') are not two or more different ones"),
        (changed(options=["cat"]), "options ('cat',) are not two or more different ones"),
        (changed(option=["cat"], options=...), "field 'option' is not known; did you mean 'options'?"),
        (changed(anwser="cat"), "field 'anwser' is not known; did you mean 'answer'?"),
        (changed(answer_kind="number"), "answer_kind 'number' is not one of choice, integer, text"),
        (changed(answer_kind="choice", options=...), "answer_kind 'choice' needs options"),
        (changed(answer_kind="integer"), "answer 'cat' is not a whole number, as answer_kind 'integer' says"),
        (changed(chance=2), "chance 2.0 is not between 0 and 1"),
        (changed(version=2), "version 2 is not known; expected 1"),
        (changed(problem_id=" "), "'problem_id' is empty"),
        (changed(difficulty={"level": [1]}), "in 'difficulty[...]'"),
        (changed(representations={}), "no representations; expected at least one"),
        (
            changed(representations={"imgae": "x"}),
            "the name of representation 'imgae' does not say its modality",
        ),
        (changed(representations={"a": {"modality": "vidoe", "path": "x"}}), "did you mean 'video'?"),
        (
            changed(representations={"a": {"modality": "image"}}),
            "has 0 of text, path and parts; expected one",
        ),
        (
            changed(representations={"a": {"modality": "image", "text": "x"}}),
            "has parts of text; expected image",
        ),
        (changed(representations=[{"name": "a", "modality": "text", "parts": []}]), "parts of nothing"),
        (
            changed(
                representations=[{"name": "a", "modality": "text", "parts": [{"image": "pictures/1.png"}]}]
            ),
            "representation 'a' has parts of image; expected text",
        ),
        (
            changed(
                representations=[{"name": "a", "modality": "text", "parts": [{"text": "x", "image": "y"}]}]
            ),
            "a part of 'a' has 2 keys; expected one, its modality",
        ),
        (
            changed(representations=[{"name": "a", "modality": "text", "parts": [{"text": "x"}]}] * 2),
            "representation 'a' is there 2 times; expected different names",
        ),
        (changed(representations={"image": "pictures/2.png"}), "path 'pictures/2.png' is not a file in"),
        (changed(representations={"image": ""}), "path '' is not accepted; give one relative to"),
        (changed(representations={"image": "pictures"}), "path 'pictures' is not a file in"),
        (changed(representations={"image": "../secret.png"}), "path '../secret.png' leaves the folder"),
        (changed(representations={"image": "pictures/../../secret.png"}), "leaves the folder"),
        (
            changed(representations={"image": "/etc/passwd"}),
            "path '/etc/passwd' is not accepted; give one relative",
        ),
        (changed(representations={"image": "..\\secret.png"}), "with forward slashes"),
        (changed(representations={"image": "a\0b"}), "is not accepted; give one relative"),
        (changed(representations={"image": "x" * 100_000}), "cannot be followed"),
        (changed(representations={"audio": "pictures/1.png"}), "not a file of audio"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder: Path, line: object, message: str) -> None:
    assert message in refused(folder, line)


def test_a_link_may_not_leave_the_folder(folder: Path) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    (folder / "all").symlink_to("/")
    (folder / "loop").symlink_to(folder / "loop")
    assert "leaves the folder" in refused(folder, changed(representations={"image": "link.png"}))
    assert "leaves the folder" in refused(folder, changed(representations={"image": "all/etc/hostname"}))
    assert refused(folder, changed(representations={"image": "loop"}))
    (folder / "fine.png").symlink_to(folder / "pictures" / "1.png")
    assert read(folder, changed(representations={"image": "fine.png"}))


def test_a_pipe_is_not_read(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert "is not a file in" in refused(folder, changed(representations={"image": "pipe.png"}))


def test_a_picture_that_is_none_is_refused(folder: Path) -> None:
    (folder / "text.png").write_text("not a picture")
    with pytest.raises(
        FileError, match=r"line 1: .*text\.png: not a readable picture; expected PNG, JPEG, WebP or GIF"
    ):
        read(folder, changed(representations={"image": "text.png"}))


def test_media_named_by_their_hash_must_have_it(folder: Path) -> None:
    name = MediaFolder(folder).write(PICTURE)
    other = Image.from_pil(PIL.Image.new("RGB", (8, 8), "blue"))
    (folder / name).write_bytes(other.data)
    text = refused(folder, changed(representations={"image": name}))
    assert "does not have the contents its name says" in text


def test_media_are_written_once_and_repaired_when_cut_short(tmp_path: Path) -> None:
    name = MediaFolder(tmp_path).write(PICTURE)
    (tmp_path / name).write_bytes(PICTURE.data[:10])
    assert MediaFolder(tmp_path).write(PICTURE) == name
    assert (tmp_path / name).read_bytes() == PICTURE.data
    assert [path.name for path in (tmp_path / "media").iterdir()] == [PICTURE.file_name]


def test_an_id_may_occur_once(folder: Path) -> None:
    with pytest.raises(
        FileError, match=r"data\.jsonl, line 3: problem_id 'a' is also in line 1; expected each id once"
    ):
        read(folder, changed(problem_id="a"), changed(problem_id="b"), changed(problem_id="a"))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.jsonl: cannot be read \(No such file or directory\)"):
        list(read_problems(tmp_path / "none.jsonl"))


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    with pytest.raises(FileError, match=r"cannot be written \(File exists\)"):
        MediaFolder(tmp_path).write(PICTURE)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys((*SHORT, "problem_id", "difficulty", "chance"), JSON))
)
def test_no_json_crashes_the_reader(row: dict[str, Any]) -> None:
    try:
        problem_from_json(json.dumps(row), Path("/nowhere"), "line")
    except FileError as error:
        assert str(error).startswith("line: ")


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(line: bytes) -> None:
    with pytest.raises(FileError):
        problem_from_json(line, Path("/nowhere"), "line")
