"""Training on two processes: the same program under ``accelerate launch``, gloo between them, on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

PROGRAM = str(Path(__file__).with_name("train_sums.py"))
# ``--cpu --num_processes 2`` starts one process (accelerate 1.15). ``--multi_gpu`` starts two as it does with
# GPUs, and the program's own ``use_cpu`` keeps them on the CPU, where they talk by gloo.
LAUNCH = [str(Path(sys.executable).with_name("accelerate")), "launch", "--multi_gpu", "--num_processes", "2"]
LAUNCH += [
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
    "--main_process_port",
    "0",
]


def trained(
    out: Path, command: list[str], rows_per_process: int, processes: int
) -> list[dict[str, torch.Tensor]]:
    """Weights after training, of each process."""
    out.mkdir()
    done = subprocess.run(
        [*command, PROGRAM, str(out), str(rows_per_process)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*.safetensors"))) == processes
    return [load_file(out / f"process-{rank}.safetensors") for rank in range(processes)]


def test_two_processes_with_half_a_batch_each_train_as_one_with_the_whole(tmp_path: Path) -> None:
    (alone,) = trained(tmp_path / "one", [sys.executable], 8, 1)
    first, second = trained(tmp_path / "two", LAUNCH, 4, 2)
    (other,) = trained(tmp_path / "half", [sys.executable], 4, 1)
    assert alone.keys() == first.keys() == second.keys()
    for name, value in alone.items():
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)
        torch.testing.assert_close(first[name], value, rtol=1e-4, atol=1e-5)
    # Had each process trained on its half alone, the weights would be as far apart as these are.
    assert max(float((other[name] - value).abs().max()) for name, value in alone.items()) > 1e-3
