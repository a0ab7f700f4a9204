"""Promises about the repository: the floors hold, the environment is sound, the docs speak the truth."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import modgap

ROOT = Path(__file__).parents[1]


def test_no_import_goes_up_a_floor():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_torchvision_is_kept_out():
    """Beside a CPU build of torch it breaks every image processor of transformers."""
    assert importlib.util.find_spec("torchvision") is None
    assert "torchvision<0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_torch_is_pinned_where_the_set_up_installs_it():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()
    assert "torch==2.13.0" in (ROOT / "Makefile").read_text()


def test_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == modgap.__version__


def test_base_install_needs_no_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {line.split(">")[0].split("[")[0] for line in project["dependencies"]}
    assert names.isdisjoint({"torch", "transformers", "datasets", "pyarrow"})


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.stem
)
def test_links_lead_somewhere(page: Path):
    import re

    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_in_the_site():
    import re

    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_the_references_are_up_to_date():
    """What is public, and every option: a change of either is a change of these pages."""
    command = [sys.executable, "scripts/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_shipped_weights_are_small():
    folder = ROOT / "src/modgap/models/weights/bundled"
    total = sum(f.stat().st_size for f in folder.glob("*.*") if f.is_file())
    assert 0 < total <= 12 * 2**20
