"""Wording and resolution as factors: problems keep their ids, so runs that differ in them are paired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import modgap
from modgap.evaluate import compare


@pytest.mark.parametrize("suite", ["scenes/count", "isobench/connectivity"])
def test_runs_of_other_wording_and_resolution_are_paired(suite: str, tmp_path: Path) -> None:
    def measure(name: str, **changes: Any) -> modgap.Run:
        return modgap.measure(
            "oracle", suite, n=3, modalities=["text", "image"], out=tmp_path, name=name, **changes
        )

    pixels = 96 if suite.startswith("scenes") else 256
    runs = [measure("plain"), measure("terse", wording="terse"), measure("small", set={"pixels": pixels})]
    ids = [[record.problem_id for record in run.records()] for run in runs]
    assert ids[0] == ids[1] == ids[2]
    keys = [{record.key for record in run.records()} for run in runs]
    assert not keys[0] & keys[1] and not keys[0] & keys[2]
    comparison = compare([(run.name, run.records()) for run in runs])
    pooled = [one for one in comparison.differences if one.task == "pooled"]
    assert [(one.run, one.modality, one.n) for one in pooled] == [
        ("terse", "text", 3),
        ("terse", "image", 3),
        ("small", "text", 3),
        ("small", "image", 3),
    ]
