"""CV-Bench, What'sUp, BLINK and CLEVR: small files of the published schema, and files that are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modgap._errors import FileError, InputError, UnknownName
from modgap.evaluate import measure
from modgap.media import Image
from modgap.tasks import Problem, load_suite
from modgap.tasks._datasets import datasets


def png(shade: int = 0) -> bytes:
    return Image.from_pil(PIL.Image.new("RGB", (6, 6), (shade, shade, shade))).data


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def every(spec: str) -> list[Problem]:
    return list(load_suite(spec).problems(None))


def cv_bench(folder: Path, **changes: Any) -> Path:
    row = {
        "idx": 0,
        "type": "2D",
        "task": "Count",
        "image": {"bytes": png(), "path": None},
        "question": "How many organs are in the image?",
        "choices": ["3", "2", "1", "0"],
        "answer": "(C)",
        "prompt": "How many organs are in the image? Select from the following choices.\n(A) 3\n(B) 2",
        "source": "ADE20K",
    }
    table(folder / "test_2d.parquet", [row | changes])
    return table(
        folder / "test_3d.parquet",
        [row | {"type": "3D", "task": "Depth", "choices": ["a b", "c d"], "answer": "(A)"}],
    ).parent


def test_readers_are_found_by_listing() -> None:
    assert datasets() == ("blink", "clevr", "cv_bench", "isobench", "whats_up")


def test_cv_bench(tmp_path: Path) -> None:
    suite = load_suite(f"cv_bench:{cv_bench(tmp_path)}")
    assert suite.tasks == ("cv_bench/count", "cv_bench/depth")
    count, depth = suite.problems(None)
    assert (count.problem_id, count.options, count.answer) == ("2D-0", ("3", "2", "1", "0"), "1")
    assert count.difficulty == {"source": "ADE20K"}
    assert count.group == depth.group  # the same picture
    assert suite.parse(count, "The answer is (C).").value == "1"
    assert suite.parse(count, "Answer: 1").value == "1"
    (only,) = load_suite(f"cv_bench:{tmp_path}", tasks=["depth"]).problems(None)
    assert only.task == "cv_bench/depth"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "(E)"}, r"answer '\(E\)' is not a letter of the 4 choices"),
        ({"answer": ""}, r"answer '' is not a letter"),
        ({"choices": ["1", "1"], "answer": "(A)"}, r"are not two or more different ones"),
        ({"choices": "A"}, r"choices 'A' are not a list of texts"),
        ({"image": {"bytes": b"GIF", "path": None}}, r"not a readable picture"),
        ({"image": {"bytes": None, "path": "../x.png"}}, r"leaves the folder"),
        ({"question": " "}, r"'question' is empty"),
    ],
)
def test_rows_that_are_wrong_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FileError, match=message):
        every(f"cv_bench:{cv_bench(tmp_path, **changes)}")


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = cv_bench(tmp_path, type="3D")
    with pytest.raises(FileError, match=r"problem_id '3D-0' is also in line 1; expected each id once"):
        every(f"cv_bench:{folder}")


def whats_up(folder: Path, paths: list[str], options: list[list[str]]) -> Path:
    items = [{"image_path": p, "caption_options": o} for p, o in zip(paths, options, strict=True)]
    (folder / "controlled_images_dataset.json").write_text(json.dumps(items))
    (folder / "controlled_images").mkdir()
    for i, path in enumerate(paths):
        (folder / "controlled_images" / Path(path).name).write_bytes(png(i))
    return folder


CAPTIONS = [f"A mug {where} a table" for where in ("on", "under", "to the left of", "to the right of")]


def test_whats_up_rotates_options_and_answer_together(tmp_path: Path) -> None:
    """As released with steering code, letters turn and captions do not; then a caption is a wrong letter."""
    words = ("on", "under", "left_of", "right_of")
    paths = [f"data/controlled_images/mug_{word}_table.jpeg" for word in words]
    options = [[CAPTIONS[i], *(c for c in CAPTIONS if c != CAPTIONS[i])] for i in range(4)]
    suite = load_suite(f"whats_up:{whats_up(tmp_path, paths, options)}")
    problems = list(suite.problems(None))
    assert [p.options.index(p.answer) for p in problems] == [0, 3, 2, 1]
    for p, right in zip(problems, CAPTIONS, strict=True):
        assert p.answer == right
        letter = "ABCD"[p.options.index(right)]
        assert suite.parse(p, f"Answer: {right}").value == suite.parse(p, f"({letter})").value == right
    assert {p.group for p in problems} == {"a-mug-table"}
    assert [p.difficulty["relation"] for p in problems] == ["on", "under", "left", "right"]


def test_whats_up_pictures_stay_in_the_folder(tmp_path: Path) -> None:
    folder = whats_up(tmp_path, ["x/mug_on_table.jpeg"], [CAPTIONS])
    with pytest.raises(FileError, match=r"picture 'x/mug_on_table\.jpeg' is not there; expected"):
        every(f"whats_up:{folder}")
    (folder / "controlled_images_dataset.json").write_text(
        '[{"image_path": "../../etc/passwd", "caption_options": ["a", "b"]}]'
    )
    with pytest.raises(FileError, match=r"is not there"):
        every(f"whats_up:{folder}")
    (folder / "controlled_images_dataset.json").write_text(
        json.dumps([{"image_path": "x" * 5000, "caption_options": ["a", "b"]}])
    )
    with pytest.raises(FileError, match=r"is not there"):
        every(f"whats_up:{folder}")
    (folder / "controlled_images_dataset.json").write_text("[" * 100_000)
    with pytest.raises(FileError, match=r"expected image_path and caption_options"):
        every(f"whats_up:{folder}")
    (folder / "controlled_images_dataset.json").rename(folder / "other.json")
    with pytest.raises(
        FileError, match=r"holds no list of the set; expected controlled_images_dataset\.json"
    ):
        every(f"whats_up:{folder}")


def blink(folder: Path, **changes: Any) -> Path:
    row: dict[str, Any] = {
        "idx": "val_Jigsaw_1",
        "sub_task": "Jigsaw",
        "question": "Which image is the missing part in the first image?",
        "prompt": "Given the first image with one part missing, which of the others fits?\n"
        "Select from the following choices.\n(A) the second image\n(B) the third image",
        "choices": ["the second image", "the third image"],
        "answer": "(B)",
        "image_1": {"bytes": png(1), "path": None},
        "image_2": {"bytes": png(2), "path": None},
        "image_3": {"bytes": png(3), "path": None},
        "image_4": None,
    }
    return table(folder / "Jigsaw" / "val-00000-of-00001.parquet", [row | changes]).parent.parent


def test_blink_has_several_pictures_and_the_whole_prompt(tmp_path: Path) -> None:
    suite = load_suite(f"blink:{blink(tmp_path)}")
    (p,) = suite.problems(None)
    assert (p.task, p.answer) == ("blink/jigsaw", "the third image")
    assert p.question == "Given the first image with one part missing, which of the others fits?"
    assert len(p.representations[0].parts) == p.difficulty["pictures"] == 3
    assert suite.parse(p, "Answer: (B)").value == suite.parse(p, "It is the third image.").value == p.answer


def test_blink_answers_that_are_hidden_are_not_scored(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"every answer is hidden, as in the test split; expected files of split"
    ):
        every(f"blink:{blink(tmp_path, answer='(hidden)')}")


def clevr(folder: Path, *questions: dict[str, Any]) -> Path:
    (folder / "questions").mkdir(parents=True)
    (folder / "images/val").mkdir(parents=True)
    (folder / "images/val/CLEVR_val_000000.png").write_bytes(png())
    (folder / "questions/CLEVR_val_questions.json").write_text(
        json.dumps({"info": {}, "questions": questions})
    )
    return folder


QUESTION = {
    "image_index": 0,
    "image_filename": "CLEVR_val_000000.png",
    "split": "val",
    "question": "What number of cubes are there?",
    "answer": "3",
    "question_family_index": 7,
    "program": [
        {"inputs": [], "function": "scene", "value_inputs": []},
        {"inputs": [0], "function": "filter_shape", "value_inputs": ["cube"]},
        {"inputs": [1], "function": "count", "value_inputs": []},
    ],
}


def test_clevr_takes_the_questions_that_count(tmp_path: Path) -> None:
    other = QUESTION | {
        "answer": "yes",
        "program": [{"function": "exist", "inputs": [0], "value_inputs": []}],
    }
    suite = load_suite(f"clevr:{clevr(tmp_path, other, QUESTION)}")
    (p,) = suite.problems(None)
    assert (p.problem_id, p.task, p.answer, p.options) == ("val-000001", "clevr/count", "3", ())
    assert suite.parse(p, "There are three cubes.").value == "3"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"answer": None},
            r"question 0: has no answer or program, as in the test split; expected train or val",
        ),
        ({"image_filename": "../../../x.png"}, r"question 0: path .* leaves the folder"),
        ({"image_filename": "y.png"}, r"question 0: path 'images/val/y\.png' is not a file"),
        ({"answer": "many"}, r"answer 'many' is not a whole number"),
        ({"answer": "9" * 5000}, r"question 0: "),
        ({"program": 3}, r"expected the questions of CLEVR"),
    ],
)
def test_clevr_files_that_are_wrong_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FileError, match=message):
        every(f"clevr:{clevr(tmp_path, QUESTION | changes)}")


def test_a_published_set_is_measured(tmp_path: Path) -> None:
    run = measure(model="oracle", suite=f"cv_bench:{cv_bench(tmp_path / 'set')}", out=str(tmp_path / "runs"))
    assert [r.outcome for r in run.records()] == ["correct", "correct"]
    assert set(run.info.suite.settings["sha256"]) == {"test_2d.parquet", "test_3d.parquet"}


def test_names_and_settings_are_checked(tmp_path: Path) -> None:
    folder = cv_bench(tmp_path)
    with pytest.raises(InputError, match=r"settings level do not apply: cv_bench is read as it is published"):
        load_suite(f"cv_bench:{folder}", level="hard")
    with pytest.raises(UnknownName, match=r"task 'counts' is not one of cv_bench/count"):
        load_suite(f"cv_bench:{folder}", tasks=["counts"])
    with pytest.raises(InputError, match=r"cv_bench: is followed by nothing; give the folder"):
        load_suite("cv_bench:")
