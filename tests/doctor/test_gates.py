"""The gates run end to end on a model folder; what they find is the model's affair."""

from __future__ import annotations

from pathlib import Path

import pytest

from modgap._errors import FileError
from modgap.doctor import check_gates
from modgap.doctor._gate_probes import _ninth, _positions
from modgap.models import bundled
from modgap.scenes import Scene, SceneObject


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no model here; make it with: python recipes/bundled_model\.py"):
        next(check_gates(tmp_path))


def test_ninths_and_the_positions_over_them() -> None:
    scene = Scene((SceneObject("star", "red", "large", "striped", 50, 83),))
    assert _ninth(scene, 0) == 7
    assert _positions(0, 4) == [0, 1, 4, 5]
    assert _positions(4, 4) == [5, 6, 9, 10]
    assert _positions(8, 6) == [28, 29, 34, 35]


@pytest.mark.slow
@pytest.mark.skipif(
    not (bundled.FOLDER / "sibling" / "config.json").is_file(), reason="the sibling has not been made"
)
def test_every_gate_is_measured() -> None:
    gates = list(check_gates(n=20))
    names = [gate.name for gate in gates]
    assert len(names) == len(set(names)) == 23
    assert all(gate.low <= gate.found <= gate.high for gate in gates if gate.n)
