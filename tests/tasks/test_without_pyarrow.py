"""Without the extra, parquet says how to install it and everything else works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
sys.modules["pyarrow"] = None  # as if it were not installed
from pathlib import Path
from modgap.tasks import load_suite, write_suite
suite = load_suite("count", pixels=64)
folder = Path(sys.argv[1])
write_suite(suite.problems(2), folder / "a", suite=suite, parquet=False)
print(list(load_suite(str(folder / "a")).problems(None)) == list(suite.problems(2)))
(folder / "x.parquet").write_bytes(b"")
for call in (lambda: write_suite(suite.problems(2), folder / "b", suite=suite),
             lambda: load_suite(str(folder / "x.parquet")).tasks):
    try:
        call()
    except ImportError as error:
        print(error)
"""


def test_parquet_names_its_extra(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    line = "parquet needs an optional dependency; install it with: pip install 'modgap[data]'"
    assert done.stdout.splitlines() == ["True", line, line]
