"""Problems on disk: exact round trip, and no trust in what a line says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from modgap._errors import FileError
from modgap.evaluate._stored import decode_problem, decode_without_media, encode_problem
from modgap.media import Text
from modgap.tasks import Representation


def test_round_trip(fakes: ModuleType, tmp_path: Path) -> None:
    problem = dataclasses.replace(
        fakes.make_problem(5), instruction="Löök ✓", difficulty={"a": 1, "b": 0.5, "c": "hard"}, chance=0.5
    )
    line, media = encode_problem(problem)
    assert b"\n" not in line
    (tmp_path / "media").mkdir()
    for name, data in media.items():
        (tmp_path / "media" / name).write_bytes(data)
    assert decode_problem(line, tmp_path) == problem
    written = Representation("image", "image", ())
    without = dataclasses.replace(problem, representations=(problem.representations[0], written))
    assert decode_without_media(line) == without


def test_without_media_the_texts_are_there(fakes: ModuleType) -> None:
    problem = fakes.make_problem(5)
    mixed = Representation("both", "image", (Text("see"), *problem.representations[1].parts))
    line, _ = encode_problem(dataclasses.replace(problem, representations=(mixed,)))
    assert decode_without_media(line).representations == (Representation("both", "image", (Text("see"),)),)


@pytest.mark.parametrize(
    "change", [{"problem_id": 1}, {"options": "ab"}, {"representations": {}}, {"chance": "x"}]
)
def test_a_line_of_the_wrong_types(fakes: ModuleType, change: dict[str, object]) -> None:
    raw = msgspec.json.decode(encode_problem(fakes.make_problem(5))[0])
    with pytest.raises(msgspec.ValidationError):
        decode_without_media(msgspec.json.encode({**raw, **change}))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "media/../../x.png", ""])
def test_a_path_cannot_lead_out_of_the_folder(fakes: ModuleType, tmp_path: Path, name: str) -> None:
    raw = msgspec.json.decode(encode_problem(fakes.make_problem(5))[0])
    raw["representations"][1]["parts"][0]["image"] = name
    with pytest.raises(FileError, match=r"path .* (leaves the folder|is not accepted)"):
        decode_problem(msgspec.json.encode(raw), tmp_path)


def test_media_that_is_not_what_its_name_says(fakes: ModuleType, tmp_path: Path) -> None:
    line, media = encode_problem(fakes.make_problem(5))
    (name,) = media
    with pytest.raises(FileError, match=r"is not a file in"):
        decode_problem(line, tmp_path)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / name).write_bytes(fakes.make_problem(6).representations[1].parts[0].data)
    with pytest.raises(FileError, match=r"does not have the contents its name says"):
        decode_problem(line, tmp_path)
