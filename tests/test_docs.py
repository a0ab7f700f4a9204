"""Every ``python`` and ``sh`` block of README and docs runs in order, one folder per page.

Blocks that cannot run here say so in their fence: ``sh setup`` (for scripts/acceptance.sh), ``sh elsewhere``
(a GPU, a key or a server is needed), ``sh slow`` and ``python slow`` (`make test-all` runs them).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(sh|python)(?: (setup|elsewhere|slow))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CASES = [
    pytest.param(
        page, mark, id=f"{page.stem}{'-' * bool(mark)}{mark}", marks=[pytest.mark.slow] if mark else []
    )
    for page in PAGES
    for mark in ("", "slow")
    if any(found == mark for _, found, _ in FENCE.findall(page.read_text()))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_are_finished_and_their_pictures_are_there(page: Path) -> None:
    text = page.read_text()
    assert "@@" not in text
    for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert target.startswith("http") or (page.parent / target).is_file(), target


@pytest.mark.parametrize(("page", "wanted"), CASES)
def test_blocks_run(page: Path, wanted: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "110",
    }
    for language, mark, code in FENCE.findall(page.read_text()):
        # A slow run repeats the fast blocks of its page, because later blocks may use what they made.
        if mark not in ("", wanted):
            continue
        command = (
            ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        )
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{page.name}:\n{code}\n--- printed\n{done.stdout}\n{done.stderr}"
