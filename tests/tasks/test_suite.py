"""Suites of tasks, of files and of written folders."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from modgap._errors import FileError, InputError, UnknownName
from modgap.media import Image
from modgap.tasks import CANARY, Answer, load, load_suite, names, suites, write_suite

pa = pytest.importorskip("pyarrow", reason="needs the extra data")
pq = pytest.importorskip("pyarrow.parquet")

PICTURE = Image.from_pil(PIL.Image.new("RGB", (8, 8), "red"))


def rows(n: int, **more: object) -> list[dict[str, Any]]:
    return [
        {
            "question": f"What is number {i}?",
            "answer": "cat",
            "options": ["cat", "dog"],
            "task": ("mine/a", "mine/b")[i % 2],
            "representations": {"text": f"Number {i} is a cat."},
            **more,
        }
        for i in range(n)
    ]


def jsonl(path: Path, lines: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


# Suites of tasks


def test_a_folder_of_tasks_is_a_suite() -> None:
    suite = load_suite("scenes")
    assert suite.name == "scenes"
    assert suite.tasks == tuple(name for name in names() if name.startswith("scenes/"))
    assert suite.representations == {"list": "text", "json": "text", "story": "text", "image": "image"}
    assert "scenes" in suites()


def test_n_is_per_task_and_one_index_stands_together() -> None:
    suite = load_suite("scenes")
    problems = list(suite.problems(3, 7, ["list"]))
    assert Counter(p.task for p in problems) == dict.fromkeys(suite.tasks, 3)
    assert [p.task for p in problems] == list(suite.tasks) * 3
    assert problems == [
        load(p.task).problem(7, i // len(suite.tasks), ["list"]) for i, p in enumerate(problems)
    ]


def test_offset_goes_on_where_a_shorter_run_stopped() -> None:
    suite = load_suite("count")
    assert list(suite.problems(5, 1, [])) == [*suite.problems(2, 1, []), *suite.problems(3, 1, [], offset=2)]


def test_tasks_and_representations_are_chosen() -> None:
    suite = load_suite("scenes", tasks=["relation", "scenes/count"])
    assert suite.tasks == ("scenes/count", "scenes/relation")
    problem = next(suite.problems(1, 0, ["image", "story"]))
    assert [r.name for r in problem.representations] == ["image", "story"]


def test_one_task_is_a_suite() -> None:
    for spec in ("count", "scenes/count"):
        suite = load_suite(spec)
        assert (suite.name, suite.tasks) == ("scenes-count", ("scenes/count",))


def test_settings_reach_the_tasks_and_are_told() -> None:
    suite = load_suite("scenes", tasks=["count"], max_objects="8", min_objects=8, pixels=64, background="sky")
    problem = next(suite.problems(1))
    assert problem.difficulty["objects"] == 8
    assert problem.representations[-1].parts[0].to_pil().size == (64, 64)  # type: ignore[union-attr]
    told = suite.settings()
    assert json.loads(json.dumps(told)) == told
    assert told["settings"]["max_objects"] == 8
    assert told["settings"]["background"] == "sky"


@pytest.mark.parametrize(
    "name", ["max_objects", "relation_margin", "pixels", "style", "perspective", "level"]
)
def test_every_setting_changes_what_is_told(name: str) -> None:
    value = {"style": "shadow", "perspective": True, "level": "hard"}.get(name, 7 if name != "pixels" else 99)
    assert load_suite("scenes", **{name: value}).settings() != load_suite("scenes").settings()


def test_all_that_is_wrong_with_settings_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        load_suite("scenes", pixls=64, background="skye", max_objects=9)
    for part in ("did you mean 'pixels'?", "did you mean 'sky'?", "give a whole number from 1 to 8"):
        assert str(caught.value).count(part) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: load_suite("scens"),
            r"suite or task 'scens' is not one of isobench, scenes, .*; did you mean 'scenes'\?",
        ),
        (lambda: load_suite("scenes", tasks=["cuont"]), r"task 'cuont' is not one of scenes/attribute"),
        (lambda: load_suite("scenes", tasks=[]), "no task was chosen"),
        (lambda: load_suite("scenes").problems(0), "n 0 is not accepted; give 1 or more"),
        (lambda: load_suite("scenes").problems(None), "has no end; give a number"),
        (lambda: load_suite("scenes").problems(1, -1), "seed -1 is not accepted"),
        (lambda: load_suite("scenes").problems(1, offset=-1), "offset -1 is not accepted"),
        (
            lambda: load_suite("scenes").problems(1, 0, ["imag"]),
            r"representation 'imag' .* did you mean 'image'\?",
        ),
    ],
)
def test_a_wrong_call_says_what_is_accepted(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_problems_are_made_one_by_one() -> None:
    assert len(list(islice(load_suite("scenes").problems(10**9), 3))) == 3


# Files


def test_a_file_of_lines_is_a_suite(tmp_path: Path) -> None:
    suite = load_suite(jsonl(tmp_path / "mine.jsonl", rows(10)))
    assert (suite.name, suite.tasks, suite.representations) == (
        "mine",
        ("mine/a", "mine/b"),
        {"text": "text"},
    )
    assert len(list(suite.problems(None))) == 10
    assert [p.problem_id for p in suite.problems(2)] == [f"mine-{i:06d}" for i in (1, 2, 3, 4)]
    assert [p.problem_id for p in suite.problems(2, offset=1)] == [f"mine-{i:06d}" for i in (3, 4, 5, 6)]
    only = load_suite(str(tmp_path / "mine.jsonl"), tasks=["b"])
    assert {p.task for p in only.problems(None)} == {"mine/b"}
    assert only.settings() != suite.settings()


def test_problems_without_a_chosen_representation_are_left_out(tmp_path: Path) -> None:
    lines = [*rows(2), *rows(2, representations={"text": "a", "text_long": "A"})]
    suite = load_suite(jsonl(tmp_path / "mine.jsonl", lines))
    assert [p.problem_id for p in suite.problems(None, 0, ["text_long"])] == ["mine-000003", "mine-000004"]
    with pytest.raises(UnknownName, match=r"representation 'text_lng' .* did you mean 'text_long'\?"):
        suite.problems(None, 0, ["text_lng"])


def test_one_name_has_one_modality(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PICTURE.data)
    image = {"a": {"modality": "image", "path": "1.png"}}
    lines = rows(1, representations={"a": {"modality": "text", "text": "x"}}) + rows(1, representations=image)
    with pytest.raises(FileError, match="line 2: representation 'a' is image here and text before"):
        load_suite(jsonl(tmp_path / "mine.jsonl", lines)).representations  # noqa: B018


def test_a_change_of_the_file_changes_what_is_told(tmp_path: Path) -> None:
    one = load_suite(jsonl(tmp_path / "mine.jsonl", rows(2))).settings()
    assert load_suite(jsonl(tmp_path / "mine.jsonl", rows(3))).settings() != one


def test_replies_to_ones_own_problems_are_read_by_kind(tmp_path: Path) -> None:
    lines = [
        *rows(1),
        *rows(1, options=None, answer=7),
        *rows(1, options=None, answer="New York"),
        *rows(1, task="scenes/count", options=["1", "2"], answer="2"),
    ]
    suite = load_suite(jsonl(tmp_path / "mine.jsonl", lines))
    choice, integer, text, ours = suite.problems(None)
    assert suite.parse(choice, "(B)") == Answer("dog", "answer")
    assert suite.parse(integer, "Answer: seven") == Answer("7", "answer")
    assert suite.parse(integer, "Answer: 8") == Answer("8", "answer")
    assert suite.parse(text, "Answer: NEW  york.") == Answer("New York", "answer")
    assert suite.parse(text, "Answer: Boston") == Answer("Boston", "answer")
    assert suite.parse(ours, "Answer: two") == Answer("2", "answer")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("none.jsonl", "none.jsonl: there is no such file; expected a .jsonl or .parquet file of problems"),
        ("text.txt", "text.txt: not a suite; expected a .jsonl or .parquet file of problems, or a folder"),
        ("folder", "folder: a folder without manifest.json; expected one that `modgap generate` wrote"),
        ("bad.parquet", "bad.parquet: not a readable parquet file"),
        ("bad/manifest.json", "expected a manifest as `modgap generate` writes it"),
    ],
)
def test_what_is_no_suite_is_said_in_one_line(tmp_path: Path, spec: str, message: str) -> None:
    for name in ("text.txt", "bad.parquet", "bad/manifest.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError) as caught:
        assert load_suite(str(tmp_path / spec)).tasks
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_do_not_apply_to_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"settings level, pixels do not apply: .* is a file"):
        load_suite(jsonl(tmp_path / "mine.jsonl", rows(1)), pixels=64, level="easy")


# Written folders


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "mine"
    suite = load_suite("scenes", pixels=64)
    chosen = ["image", "list"]
    write_suite(suite.problems(3, 5, chosen), folder, suite=suite, seed=5, representations=chosen)
    return folder


def test_a_written_folder_is_the_same_suite(written: Path) -> None:
    suite, again = load_suite("scenes", pixels=64), load_suite(str(written))
    assert (again.name, again.tasks) == (suite.name, suite.tasks)
    assert again.representations == {"image": "image", "list": "text"}
    assert list(again.problems(None)) == list(suite.problems(3, 5, ["image", "list"]))
    assert load_suite(str(written / "manifest.json")).settings() == again.settings()


def test_each_parquet_holds_the_same_problems(written: Path) -> None:
    suite = load_suite("scenes", pixels=64)
    for task in suite.tasks:
        own = load_suite(str(written / "data" / f"{task.replace('/', '-')}.parquet"))
        assert own.tasks == (task,)
        assert list(own.problems(None)) == [
            p for p in suite.problems(3, 5, ["image", "list"]) if p.task == task
        ]


def test_the_manifest_says_what_is_in_the_folder(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    assert (manifest["name"], manifest["seed"], manifest["problems"]) == ("scenes", 5, 24)
    assert manifest["settings"]["settings"]["pixels"] == 64
    assert manifest["canary"] == CANARY
    assert set(manifest["made_with"]) == {"python", "modgap", "numpy", "pillow"}
    files = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert files == {*manifest["sha256"], "manifest.json"} | {f for f in files if f.startswith("media/")}
    assert CANARY in (written / "README.md").read_text()
    assert CANARY.encode() in (written / "data" / "scenes-count.parquet").read_bytes()


@pytest.mark.slow  # importing datasets takes seconds
def test_the_datasets_library_shows_the_pictures(written: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    table = datasets.load_dataset(str(written), split="test", cache_dir=str(tmp_path))
    assert len(table) == 24
    assert isinstance(table[0]["image"], PIL.Image.Image)
    assert table[0]["image"].size == (64, 64)
    one = datasets.load_dataset(str(written), "scenes-count", split="test", cache_dir=str(tmp_path))
    assert one[0]["options"] == list(next(load_suite("count").problems(1, 5, [])).options)


def test_nothing_is_overwritten(written: Path) -> None:
    suite = load_suite("count")
    with pytest.raises(FileError, match="mine: not empty; choose another folder, nothing is overwritten"):
        write_suite(suite.problems(1), written, suite=suite)


def test_a_folder_that_was_cut_short_is_no_suite(tmp_path: Path) -> None:
    suite = load_suite("count", pixels=64)

    def breaks_off() -> Any:
        yield from suite.problems(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_suite(breaks_off(), tmp_path / "out", suite=suite)
    with pytest.raises(FileError, match=r"a folder without manifest\.json"):
        load_suite(str(tmp_path / "out"))


def test_a_changed_folder_is_refused(tmp_path: Path) -> None:
    suite = load_suite("count", pixels=64)
    write_suite(suite.problems(2), tmp_path / "out", suite=suite, parquet=False)
    assert not (tmp_path / "out" / "data").exists()
    with (tmp_path / "out" / "problems.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(FileError, match=r"problems\.jsonl: is not the file that the manifest describes"):
        load_suite(str(tmp_path / "out"))


# Parquet of others


def table(path: Path, metadata: dict[str, str] | None = None, **columns: object) -> str:
    made = pa.table(columns)
    pq.write_table(made.replace_schema_metadata(metadata), str(path))
    return str(path)


def test_a_plain_parquet_is_read(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PICTURE.data)
    spec = table(
        tmp_path / "mine.parquet",
        question=["What?", "Which?"],
        answer=["cat", "dog"],
        options=[["cat", "dog"]] * 2,
        text=["A cat.", None],
        image=["1.png", "1.png"],
        image_2=[{"bytes": PICTURE.data, "path": None}] * 2,
        image_3=[PICTURE.data] * 2,
        source=["a", "b"],
    )
    suite = load_suite(spec)
    assert suite.representations == {"text": "text", "image": "image", "image_2": "image", "image_3": "image"}
    first, second = suite.problems(None)
    assert [r.name for r in first.representations] == ["text", "image", "image_2", "image_3"]
    assert [r.name for r in second.representations] == ["image", "image_2", "image_3"]
    assert {part for r in second.representations for part in r.parts} == {PICTURE}


def test_a_feature_of_the_schema_says_the_modality(tmp_path: Path) -> None:
    noted = {"huggingface": json.dumps({"info": {"features": {"photo": {"_type": "Image"}}}})}
    spec = table(
        tmp_path / "a.parquet",
        noted,
        question=["?"],
        answer=["3"],
        photo=[{"bytes": PICTURE.data, "path": "x"}],
    )
    (problem,) = load_suite(spec).problems(None)
    assert (problem.representations[0].modality, problem.answer_kind) == ("image", "integer")


GOOD = {"question": ["?"], "answer": ["a"], "text": ["b"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": None}, "lack answer; expected question, answer and representations"),
        ({"text": None}, "lack a representation (text, image, audio or video)"),
        ({"answer": None, "anwser": ["a"]}, "field 'anwser' is not known; did you mean 'answer'?"),
        ({"question": [3]}, "row 1: expected string, got integer in 'question'"),
        ({"question": [None]}, "row 1: object missing required field question"),
        ({"answer": [1.5]}, "row 1: expected integer | string, got number in 'answer'"),
        ({"text": [5]}, "row 1, column 'text' is a int; expected text"),
        ({"image": [b"no"]}, "row 1, column 'image': not a readable picture"),
        ({"image": ["../x.png"]}, "row 1: path '../x.png' leaves the folder"),
        ({"image": [{"path": "/etc/passwd"}]}, "is not accepted; give one relative"),
        ({"audio": [b"no"]}, "not a known kind of audio; expected WAV, MP3 or FLAC"),
        ({"video": [b"no"]}, "not a known kind of video; expected MP4 or WebM"),
        (
            {"question": ["?"] * 2, "answer": ["a"] * 2, "text": ["b"] * 2, "problem_id": ["1"] * 2},
            "row 2: probl",
        ),
        ({"difficulty": ["{"]}, "row 1: "),
        ({"chance": [float("nan")]}, "chance nan is not between"),
    ],
)
def test_what_is_wrong_with_a_parquet_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    columns = {name: values for name, values in {**GOOD, **changes}.items() if values is not None}
    with pytest.raises(FileError) as caught:
        list(load_suite(table(tmp_path / "mine.parquet", **columns)).problems(None))
    assert message in str(caught.value).replace(": column", ", column")
    assert str(caught.value).startswith(str(tmp_path / "mine.parquet"))
    assert "\n" not in str(caught.value)


def test_a_damaged_parquet_is_said(tmp_path: Path, written: Path) -> None:
    data = bytearray((written / "data" / "scenes-count.parquet").read_bytes())
    data[200:2000] = bytes(1800)
    (tmp_path / "bad.parquet").write_bytes(data)
    with pytest.raises(FileError, match=r"bad\.parquet.*: "):
        list(load_suite(str(tmp_path / "bad.parquet")).problems(None))


def test_a_representation_that_does_not_fit_in_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PICTURE.data)
    both = {"both": {"modality": "image", "parts": [{"text": "Look: "}, {"image": "1.png"}]}}
    suite = load_suite(jsonl(tmp_path / "mine.jsonl", rows(1, representations=both)))
    with pytest.raises(
        InputError, match=r"'both' of mine-000001 has several parts; .* write it with parquet=False"
    ):
        write_suite(suite.problems(None), tmp_path / "a", suite=suite)
    write_suite(suite.problems(None), tmp_path / "b", suite=suite, parquet=False)
    assert [p.representations for p in load_suite(str(tmp_path / "b")).problems(None)] == [
        p.representations for p in suite.problems(None)
    ]


def test_tasks_of_nearly_the_same_name_get_files_of_their_own(tmp_path: Path) -> None:
    lines = rows(1, task="a/b") + rows(1, task="a-b")
    suite = load_suite(jsonl(tmp_path / "mine.jsonl", lines))
    write_suite(suite.problems(None), tmp_path / "out", suite=suite)
    assert sorted(path.name for path in (tmp_path / "out" / "data").iterdir()) == [
        "a-b-1.parquet",
        "a-b.parquet",
    ]


def test_a_task_with_nothing_to_ask_is_left_out_unless_named() -> None:
    """There are no words to read at level plain."""
    assert "scenes/reading" in load_suite("scenes").tasks
    assert "scenes/reading" not in load_suite("scenes", level="plain").tasks
    named = load_suite("scenes", tasks=["reading"], level="plain")
    with pytest.raises(InputError, match="allow more objects or plates"):
        list(named.problems(1))
