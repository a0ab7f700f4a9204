"""Problems on disk: exact round trip, and no trust in what a line says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from modgap._errors import FileError
from modgap.evaluate._stored import decode_problem, encode_problem
from modgap.media import Text
from modgap.tasks import Representation


def test_round_trip(fakes: ModuleType, tmp_path: Path) -> None:
    problem = dataclasses.replace(
        fakes.make_problem(5), instruction="Löök ✓", difficulty={"a": 1, "b": 0.5, "c": "hard"}, chance=None
    )
    part = problem.representations[1].parts[0]
    (tmp_path / part.file_name).write_bytes(part.data)
    line = encode_problem(problem)
    assert b"\n" not in line
    assert decode_problem(line, tmp_path) == problem


def test_without_media_the_texts_are_there(fakes: ModuleType) -> None:
    problem = fakes.make_problem(5)
    mixed = Representation("both", "image", (Text("see"), *problem.representations[1].parts))
    stored = decode_problem(encode_problem(dataclasses.replace(problem, representations=(mixed,))), None)
    assert stored.representations == (Representation("both", "image", (Text("see"),)),)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a.png", "0" * 64 + ".png/../x", ""])
def test_a_file_name_cannot_lead_out_of_the_folder(fakes: ModuleType, tmp_path: Path, name: str) -> None:
    raw = msgspec.json.decode(encode_problem(fakes.make_problem(5)))
    raw["representations"][1]["parts"][0]["file"] = name
    with pytest.raises(msgspec.ValidationError, match=r"is not <sha256>.<extension>"):
        decode_problem(msgspec.json.encode(raw), tmp_path)


def test_media_that_is_not_what_its_name_says(fakes: ModuleType, tmp_path: Path) -> None:
    line = encode_problem(fakes.make_problem(5))
    name = fakes.make_problem(5).representations[1].parts[0].file_name
    with pytest.raises(FileError, match=r"cannot be read .No such file"):
        decode_problem(line, tmp_path)
    (tmp_path / name).write_bytes(fakes.make_problem(6).representations[1].parts[0].data)
    with pytest.raises(FileError, match="content is not what its name says; restore it"):
        decode_problem(line, tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FileError, match="not a readable picture"):
        decode_problem(line, tmp_path)
