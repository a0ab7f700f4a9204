"""``modgap fone encode``: features and numbers read back, negative numbers included."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modgap.cli._group import app


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["fone", "encode", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_shows_places_digits_phases_and_the_number_read_back() -> None:
    code, shown, _ = run("12.5", "-3", "1,234.56")
    assert code == 0
    assert re.findall(r"(\S+)  read back as  (\S+)", shown) == [
        ("12.5", "12.5"), ("-3", "-3"), ("1,234.56", "1234.56"),
    ]  # fmt: skip
    rows = [line.split() for line in shown.splitlines()]
    assert ["place", "digit", "period", "cos", "sin"] in rows
    angle = 2 * math.pi * 1234.56 / 10_000
    assert ["1000", "1", "10000", f"{math.cos(angle):+.6f}", f"{math.sin(angle):+.6f}"] in rows
    assert ["sign", "-1"] in rows


@pytest.mark.parametrize("number", ["-3", "-.5", "-12345.6789", "-1e5", "−7", "-" + "9" * 60])
def test_a_negative_number_is_no_option(number: str) -> None:
    code, shown, _ = run(number)
    assert code == 0
    assert f"{number}  read back as  -" in shown


def test_digit_angles_own_periods_and_powers_of_ten() -> None:
    _, shown, _ = run("407", "--features", "both")
    angle = 2 * math.pi * 0.407
    phase = [f"{math.cos(angle):+.6f}", f"{math.sin(angle):+.6f}"]
    rows = [line.split() for line in shown.splitlines()]
    assert ["100", "4", "1000", *phase, "-0.809017", "+0.587785"] in rows
    _, shown, _ = run("41", "--period", "2", "--period", "3", "--period", "5", "--period", "7")
    assert ["5", "+0.309017", "+0.951057"] in [line.split() for line in shown.splitlines()]
    assert "41  read back as  41" in shown
    _, shown, _ = run("1.5e-30", "--floating", "--decimal-places", "3")
    assert f"read back as  0.{'0' * 29}15" in shown
    assert "places 4" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nan",), "modgap: 'nan' is not finite"),
        (("--featurs", "5"), "modgap: '--featurs' is not a number"),
        (("5", "--features", "digit"), "modgap: features 'digit' is not one of continuous, digits, both"),
        (("55", "--integer-places", "1"), "modgap: number 55 has 2 integer places and this codec 1"),
        (("99", "--period", "2"), "modgap: these periods do not determine numbers of 2 integer"),
    ],
)
def test_what_a_user_can_cause_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    code, _, complaint = run(*arguments)
    assert code == 2
    assert complaint.startswith(message)
    assert complaint.count("\n") == 1


def test_attached_numbers_are_saved_and_loaded_again(tmp_path: Path) -> None:
    from modgap.fone import NumberModel

    out = tmp_path / "numbers"
    done = CliRunner().invoke(
        app, ["fone", "attach", "bundled/text_backbone", "--text", "12345 pens", "--out", str(out)]
    )
    assert done.exit_code == 0
    found = re.search(r"'12345 pens': (\d+) tokens before, (\d+) now", done.stdout)
    assert found is not None
    assert int(found[2]) < int(found[1])
    assert NumberModel.from_pretrained(out).settings.mode == "replace"
    done = CliRunner().invoke(app, ["fone", "attach", "bundled/text_backbone", "--mode", "plus"])
    assert done.exit_code != 0
    assert "mode 'plus' is not one of replace, add" in done.stderr
