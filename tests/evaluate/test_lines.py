"""Files of JSON lines: what a kill at any byte leaves can be opened again, other damage is an error."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from modgap._errors import RunError
from modgap.evaluate._lines import LineFile, read_lines, replace_file


def decode(line: bytes) -> dict[str, int]:
    return msgspec.json.decode(line, type=dict[str, int])


def opened(path: Path) -> tuple[LineFile, list[dict[str, int]]]:
    seen: list[dict[str, int]] = []
    return LineFile(path, decode, seen.append), seen


@contextmanager
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 100 bytes, as on a full disk.

    Not a fixture: it would still hold while pytest writes its progress, which may go to a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_come_back_and_are_added_to(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    file, seen = opened(path)
    file.append(b'{"a":1}')
    file.close()
    file.close()
    file, seen = opened(path)
    file.append(b'{"a":2}')
    file.close()
    assert seen == [{"a": 1}]
    assert list(read_lines(path, decode)) == [{"a": 1}, {"a": 2}]


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "x.jsonl", decode)) == []


def test_cut_off_at_every_byte(tmp_path: Path) -> None:
    whole = b'{"a":1}\n{"a":2}\n{"a":3}\n'
    path = tmp_path / "x.jsonl"
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        complete = whole[:size].count(b"\n")
        assert len(list(read_lines(path, decode))) == complete
        file, seen = opened(path)
        assert len(seen) == complete
        assert file.dropped == size - 8 * complete
        file.append(b'{"b":9}')
        file.close()
        assert path.read_bytes() == whole[: 8 * complete] + b'{"b":9}\n'


@pytest.mark.parametrize("tail", [b"\0\0\0\0", b"garbage\n", b'{"a":"text"}\n', b"\xff\xfe\n", b'{"a":3}'])
def test_a_damaged_last_line_is_dropped(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a":1}\n' + tail)
    assert list(read_lines(path, decode)) == [{"a": 1}]
    file, _ = opened(path)
    file.close()
    assert file.dropped == len(tail)
    assert path.read_bytes() == b'{"a":1}\n'


def test_damage_before_the_last_line_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    content = b'{"a":1}\nxx\n{"a":3}\n'
    path.write_bytes(content)
    for read in (lambda: list(read_lines(path, decode)), lambda: opened(path)):
        with pytest.raises(RunError, match=r"x.jsonl: line 2 is damaged .*; only the last line may be"):
            read()
    assert path.read_bytes() == content


def test_a_write_that_fails_leaves_no_half_line(tmp_path: Path) -> None:
    with small_files():
        path = tmp_path / "x.jsonl"
        file, _ = opened(path)
        file.append(b'{"a":1}')
        with pytest.raises(OSError, match="File too large"):
            file.append(b'{"a":' + b"1" * 200 + b"}")
        assert path.read_bytes() == b'{"a":1}\n'
        file.append(b'{"a":2}')
        file.close()
        assert path.read_bytes() == b'{"a":1}\n{"a":2}\n'


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be written .Is a directory"):
        opened(tmp_path)
    with pytest.raises(RunError, match=r"cannot be read .Is a directory"):
        list(read_lines(tmp_path, decode))


def test_replacing_a_file_that_does_not_fit_keeps_the_old(tmp_path: Path) -> None:
    with small_files():
        path = tmp_path / "run.json"
        replace_file(path, b"old")
        with pytest.raises(OSError, match="File too large"):
            replace_file(path, b"n" * 200)
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
