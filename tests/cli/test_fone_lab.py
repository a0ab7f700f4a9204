"""``modgap fone train``, ``eval`` and ``demo``, on models that are trained for a few steps."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
from typer.testing import CliRunner

from modgap.cli._group import app

SHORT = (
    "--task", "add-3", "--size", "tiny", "--rows", "64", "--steps", "4", "--batch", "16", "--every", "2",
    "--validation", "10", "--test", "20",
)  # fmt: skip


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["fone", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_train_then_compare(tmp_path: Path) -> None:
    for arm in ("fone", "subword"):
        code, shown, _ = run(
            "train", *SHORT, "--arm", arm, "--unseen", "600-699", "--out", str(tmp_path / arm)
        )
        assert code == 0
        assert "step 2 of 4, loss " in shown
        assert "% exactly right (" in shown
        assert "n = 20)" in shown
        assert "operands never seen: " in shown
    pictures = ("--picture", str(tmp_path / "curves.png"), "--lengths", str(tmp_path / "lengths.png"))
    code, shown, _ = run("eval", str(tmp_path), "--each", "3", *pictures)
    assert code == 0
    assert (tmp_path / "lengths.png").is_file()
    rows = [line.split() for line in shown.splitlines()]
    assert [row[0] for row in rows if row[1:3] == ["64", "1"]] == ["fone", "subword"]
    assert sum(row[:1] == ["carries"] for row in rows) == 2 * 4
    assert sum(row[:1] == ["lengths"] for row in rows) == 2 * 9
    with PIL.Image.open(tmp_path / "curves.png") as picture:
        assert picture.height == 504


def test_the_demonstration_draws_and_asks(tmp_path: Path) -> None:
    code, shown, _ = run("demo", "--steps", "4", "--out", str(tmp_path / "demo"))
    assert code == 0
    assert "a number is one token (1.0 tokens): " in shown
    rows = [line.split() for line in shown.splitlines()]
    assert sum(bool(row) and row[0].endswith("=") for row in rows) == 6
    assert (tmp_path / "demo" / "demo.png").stat().st_size > 5_000
    assert json.loads((tmp_path / "demo" / "fone" / "result.json").read_text())["config"]["task"] == "add-3"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--arm", "fonee"), "modgap: arm 'fonee' is not one of fone, fone-products"),
        (
            ("train", "--unseen", "a-b"),
            "modgap: --unseen 'a-b' is not LOW-HIGH, such as --unseen 600000-699999",
        ),
        (("eval", ".", "--longest", "9"), "modgap: --lengths and --longest are for the rows of --each: give"),
        (("eval", "nowhere"), "modgap: nowhere: no finished FoNE run: give folders of modgap fone train"),
    ],
)
def test_what_a_user_can_cause_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    code, _, complaint = run(*arguments)
    assert code == 2
    assert complaint.startswith(message)
    assert complaint.count("\n") == 1
