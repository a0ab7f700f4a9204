"""Data sets written and read back, in parquet and JSON lines; hostile files; the command."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modgap._errors import FileError, InputError
from modgap.cli._group import app
from modgap.scenes import write_json
from modgap.tldr import DataConfig, Example, TypedSpan, build, make_examples, read_examples, write_examples

EXAMPLES = tuple(make_examples(DataConfig(n=32, pixels=32)))
OMISSION = Example(
    "o", "o", "Q", "a cat", (TypedSpan(2, 2, "counterfactual", 1.5, "black "),), "natural", "test"
)
both = pytest.mark.parametrize("parquet", [True, False], ids=["parquet", "lines"])


def by_id(examples):
    return {e.example_id: e for e in examples}


@both
def test_what_is_written_is_read(tmp_path: Path, parquet: bool) -> None:
    written = (*EXAMPLES, OMISSION)
    counts = write_examples(written, tmp_path / "d", card="# Card", notes={"seed": 7}, parquet=parquet)
    assert sum(counts.values()) == len(written)
    assert by_id(read_examples(tmp_path / "d")) == by_id(written)
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    assert manifest["examples"] == counts and manifest["seed"] == 7
    one = next((tmp_path / "d" / "data").glob("train.*"))
    assert {e.split for e in read_examples(one)} == {"train"}
    if not parquet:
        assert len(list((tmp_path / "d" / "media").iterdir())) == len({e.image for e in EXAMPLES})


def test_the_hub_library_loads_it(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    notes = {"blind": {"all": 0.5}}
    write_examples(EXAMPLES, tmp_path / "d", notes=notes)
    loaded = datasets.load_dataset(str(tmp_path / "d"), cache_dir=str(tmp_path / "cache"))
    rows = [row for split in loaded.values() for row in split]
    assert len(rows) == len(EXAMPLES)
    own = by_id(EXAMPLES)
    for row in rows:
        example = own[row["example_id"]]
        assert row["image"].size == (32, 32)
        assert [(s["start"], s["end"], s["type"]) for s in row["spans"]] == [
            (s.start, s.end, s.type) for s in example.spans
        ]
        assert row["types"] == list(example.types)
    import pyarrow.parquet as pq

    metadata = pq.read_schema(tmp_path / "d" / "data" / "train.parquet").metadata
    assert json.loads(metadata[b"modgap"]) == notes


@both
def test_nothing_is_overwritten_and_splits_have_names(tmp_path: Path, parquet: bool) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FileError, match="not empty; choose another folder, nothing is overwritten"):
        write_examples(EXAMPLES, tmp_path, parquet=parquet)
    odd = dataclasses.replace(OMISSION, split="dev")
    with pytest.raises(InputError, match="split 'dev' is not one of train, validation, test"):
        write_examples([odd], tmp_path / "new", parquet=parquet)
    assert not (tmp_path / "new" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: .*; expected JSON with example_id, response, spans"),
        ('{"example_id": 5, "response": "", "spans": []}', r"line 1: Expected `str`, got `int`"),
        (
            '{"example_id": "a", "response": "abc", "spans": [{"start": 2, "end": 9, "type": "x"}]}',
            "span 2 to 9",
        ),
        (
            '{"example_id": "a", "response": "abc", "spans": [{"start": -2, "end": 1, "type": "x"}]}',
            "span -2 to 1",
        ),
        ('{"example_id": "a", "response": "abc", "spans": [], "image": "../x.png"}', "leaves the folder"),
        ('{"example_id": "a", "response": "abc", "spans": [], "image": "/etc/passwd"}', "is not accepted"),
        ('{"example_id": "a", "response": "abc", "spans": [], "scene": "{}"}', "JSON scene: "),
        ("[" * 100_000, "line 1: "),
    ],
)
def test_hostile_lines_are_refused(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "train.jsonl").write_text(line + "\n")
    with pytest.raises(FileError, match=message):
        list(read_examples(tmp_path / "train.jsonl"))


def test_hostile_files_are_refused(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(FileError, match=r"holds no data; expected data/train\.parquet or data/train\.jsonl"):
        list(read_examples(tmp_path))
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(FileError, match=r"a\.parquet, after row 0: not readable parquet"):
        list(read_examples(tmp_path / "a.parquet"))
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"line 1: JSON is malformed.*; expected JSON with example_id"):
        list(read_examples(tmp_path / "a.jsonl"))
    monkeypatch.setattr("modgap.tldr._files.MAX_LINE", 100)
    (tmp_path / "b.jsonl").write_text("x" * 200)
    with pytest.raises(FileError, match="line 1: longer than 100 bytes"):
        list(read_examples(tmp_path / "b.jsonl"))


def test_parquet_with_other_columns_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(FileError, match=r"row 1: .*; expected the columns that write_examples writes"):
        list(read_examples(tmp_path / "x.parquet"))
    table = {
        "example_id": ["a"],
        "response": ["a"],
        "spans": [[]],
        "image": [{"bytes": b"MZ", "path": "a.exe"}],
    }
    schema = pa.schema(
        [
            ("example_id", pa.string()),
            ("response", pa.string()),
            ("spans", pa.list_(pa.string())),
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ]
    )
    pq.write_table(pa.table(table, schema=schema), tmp_path / "y.parquet")
    with pytest.raises(FileError, match="row 1: not a readable picture"):
        list(read_examples(tmp_path / "y.parquet"))


CODE = """
import sys
sys.modules["pyarrow"] = sys.modules["pyarrow.parquet"] = None  # as if it were not installed
from pathlib import Path
from modgap.tldr import DataConfig, make_examples, read_examples, write_examples
folder = Path(sys.argv[1])
examples = list(make_examples(DataConfig(n=4, pixels=32)))
write_examples(examples, folder / "a")
print(sorted(e.example_id for e in read_examples(folder / "a")) == sorted(e.example_id for e in examples))
try:
    write_examples(examples, folder / "b", parquet=True)
except ImportError as error:
    print(error)
print("torch" in sys.modules, "sklearn" in sys.modules)
"""


def test_without_pyarrow_there_are_lines(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    line = "parquet needs an optional dependency; install it with: pip install 'modgap[data]'"
    assert done.stdout.splitlines() == ["True", line, "False False"]


def test_a_built_set_says_its_blind_score(tmp_path: Path) -> None:
    rows = build(tmp_path / "d", DataConfig(n=64, pixels=0), natural=[OMISSION])
    assert [row.type for row in rows[-2:]] == ["natural", "all"] and rows[-1].n == 64
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    assert manifest["blind"]["all"]["auroc"] == 0.5
    assert manifest["blind_natural"]["all"]["auroc"] is None  # all of one kind
    assert manifest["settings"]["design"] == "twins"
    card = (tmp_path / "d" / "README.md").read_text()
    assert "| all | 64 | 0.500 | 0.500 |" in card and card.startswith("---\n")
    assert OMISSION in list(read_examples(tmp_path / "d"))


def test_the_command_prints_a_row_for_each_type(tmp_path: Path, monkeypatch) -> None:
    captions = tmp_path / "captions.jsonl"
    scene = EXAMPLES[0].scene
    assert scene is not None
    lines = [{"caption": "There is a moon. Hm.", "scene": json.loads(write_json(scene))} for _ in range(3)]
    captions.write_text("\n".join(json.dumps(line) for line in lines))
    arguments = [
        "tldr",
        "data",
        str(tmp_path / "out"),
        "--n",
        "16",
        "--types",
        "counting,text",
        "--pixels",
        "32",
    ]
    done = CliRunner().invoke(app, [*arguments, "--natural", str(captions)])
    assert done.exit_code == 0, done.output
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    assert rows["counting"][1] == rows["text"][1] == "8"
    assert rows["natural"][1] == "3" and rows["all"][-1] == "0.500"
    assert sum(1 for _ in read_examples(tmp_path / "out")) == 19
    # Refused before anything is made.
    monkeypatch.setattr("modgap.tldr._build.make_examples", None)
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "not empty" in again.stderr and again.stderr.count("\n") == 1


def test_what_a_user_can_cause_is_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (["--types", "color"], "modgap: perturbation type 'color' is not one of"),
        (["--n", "0"], "modgap: n 0 and seed 0 are not accepted"),
        (["--natural", str(tmp_path / "none.jsonl")], "cannot be read"),
    ):
        done = CliRunner().invoke(app, ["tldr", "data", str(tmp_path / "x"), *arguments])
        assert done.exit_code == 2
        assert message in done.stderr and done.stderr.count("\n") == 1
