"""Stored replies come back as they were stored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from modgap._errors import FileError
from modgap.evaluate._record import Record
from modgap.models import Query, Reply, load_model


def line(problem_id: str = "p1", reply: str | None = "Answer: left", **more: Any) -> str:
    return json.dumps({"problem_id": problem_id, "representation": "image", "reply": reply, **more})


def ask(spec: str, *queries: Query) -> list[Reply]:
    return [reply for _, reply in load_model(f"replay:{spec}").reply(queries)]


def query(problem_id: str = "p1", **more: Any) -> Query:
    return Query((), problem_id=problem_id, representation="image", **more)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "replies.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_replies_are_found_by_problem_representation_strategy_and_sample(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line(),
        line(reply="second", sample=1),
        line(reply="combined", strategy="isocombination"),
        line("p2", reply="\u00fc\u2028", unknown_field=[1]),
        "",
    )
    replies = ask(
        str(path),
        query(),
        query(sample=1),
        query(strategy="isocombination"),
        query("p2"),
        query("p3"),
        query(sample=2),
    )
    assert [reply.text for reply in replies[:4]] == ["Answer: left", "second", "combined", "\u00fc\u2028"]
    assert replies[4].error == "no stored reply to problem 'p3' as 'image' (strategy direct, sample 0)"
    assert replies[5].error == "no stored reply to problem 'p1' as 'image' (strategy direct, sample 2)"


def record(problem_id: str, outcome: Any, **more: Any) -> str:
    fields: dict[str, Any] = {"reply": "Answer: left", "answer": "left", **more}
    stored = Record(
        key=f"k-{problem_id}",
        problem_id=problem_id,
        task="scenes/relation",
        group=problem_id,
        representation="image",
        modality="image",
        strategy="direct",
        sample=0,
        expected="left",
        outcome=outcome,
        **fields,
    )
    return json.dumps(asdict(stored)) + "\n"


def test_a_run_folder(tmp_path: Path) -> None:
    run = tmp_path / "my-run"
    run.mkdir()
    records = run / "records.jsonl"
    failed = record("p3", "error", reply=None, answer=None, error="HTTP 500")
    records.write_text(
        record("p1", "correct", seconds=1.5, option_scores=(-0.1, -2.0), usage={"input_tokens": 9.0})
        + record("p2", "refused", reply="I cannot.", answer=None, declined=True)
        + failed
        + record("p4", "error", reply=None, answer=None, error="HTTP 503")
        + record("p4", "correct")
        + record("p5", "refused", reply="Answer: unknown", answer=None)
        + failed[:40]
    )
    replies = ask(str(run), *(query(f"p{n}") for n in range(1, 6)))
    assert replies[0] == Reply(
        "Answer: left", seconds=1.5, option_scores=(-0.1, -2.0), usage={"input_tokens": 9.0}
    )
    assert replies[1] == Reply("I cannot.", refused=True)
    assert replies[2] == Reply(None, "HTTP 500")
    assert replies[3] == Reply("Answer: left")
    assert replies[4] == Reply("Answer: unknown")  # the parser saw that it declines, not the provider
    model = load_model(f"replay:{run}")
    assert model.name == "replay-my-run"
    assert model.fingerprint() == {
        "adapter": "replay",
        "sha256": hashlib.sha256(records.read_bytes()).hexdigest(),
    }
    assert model.modalities == {"text", "image", "audio", "video"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["{"],
            "line 1: Input data was truncated; expected an object with problem_id, representation and reply",
        ),
        ([line(), "[]"], "line 2: Expected `object`, got `array`; expected an object with problem_id"),
        (['{"problem_id": "p"}'], "line 1: Object missing required field `representation`"),
        ([line(reply=7)], "line 1: Expected `str | null`, got `int` - at `$.reply`"),  # type: ignore[arg-type]
        ([line(sample="0")], "line 1: Expected `int`, got `str` - at `$.sample`"),
        (["[" * 100_000], "line 1: "),
        (
            [line(), line("p2"), line(reply="Answer: right")],
            "line 3 holds a second, different reply to 'p1' as 'image' (strategy direct, sample 0); keep one",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    path = write(tmp_path, *lines)
    with pytest.raises(FileError) as raised:
        load_model(f"replay:{path}")
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_bytes(b'{"problem_id": "\xff"}')
    with pytest.raises(FileError, match="line 1: "):
        load_model(f"replay:{path}")


def test_the_same_reply_twice_is_no_contradiction(tmp_path: Path) -> None:
    (reply,) = ask(str(write(tmp_path, line(), line(), line(reply=None, error="later"))), query())
    assert reply.text == "Answer: left"


def test_what_cannot_be_read_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileError) as raised:
        load_model(f"replay:{tmp_path}")
    assert str(raised.value) == (
        f"{tmp_path / 'records.jsonl'}: cannot be read (No such file or directory); "
        "expected a run folder or a JSONL file of replies"
    )
    with pytest.raises(FileError, match=r"replay needs a path: replay:RUN_FOLDER or replay:FILE\.jsonl"):
        load_model("replay:")
