"""What is loaded, and how long it takes: help at once, no torch unless a local model is asked."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

import modgap

HEAVY = ("torch", "transformers", "numpy", "PIL", "matplotlib", "httpx2", "pyarrow")
MODGAP = str(Path(sys.executable).with_name("modgap"))

BLOCKED = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Refuse())
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def loaded_after(code: str) -> set[str]:
    done = python(f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def fastest(command: list[str], tries: int = 5) -> float:
    """Seconds of processor time of the fastest of several runs: what else the machine does must not count."""
    times = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_importing_modgap_imports_none_of_its_parts() -> None:
    loaded = loaded_after("import modgap")
    assert not loaded.intersection(HEAVY)
    assert {name for name in loaded if name.startswith("modgap")} == {"modgap", "modgap._errors"}


def test_importing_modgap_takes_less_than_50_ms() -> None:
    bare = fastest([sys.executable, "-c", "pass"])
    assert fastest([sys.executable, "-c", "import modgap"]) - bare < 0.05


def test_help_takes_less_than_300_ms() -> None:
    assert fastest([MODGAP, "--help"]) < 0.3


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\nsys.argv = ['modgap', '--help']\nfrom modgap.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass"
    assert not loaded_after(code).intersection(HEAVY)


def test_measuring_loads_no_torch(tmp_path: Path) -> None:
    code = f"import modgap\nmodgap.measure('random', n=1, out={str(tmp_path)!r})"
    assert not loaded_after(code).intersection(("torch", "transformers", "matplotlib", "pyarrow", "scipy"))


def test_the_public_names_are_there() -> None:
    assert modgap.__version__.count(".") == 2
    for name in modgap.__all__:
        assert getattr(modgap, name) is not None
    assert set(modgap.__all__) <= set(dir(modgap))
    with pytest.raises(AttributeError, match="module 'modgap' has no attribute 'mesure'"):
        _ = modgap.mesure


def test_the_command_line_works_without_torch(tmp_path: Path) -> None:
    code = BLOCKED + "from modgap.cli import main\nmain()"
    arguments = (
        "measure",
        "-m",
        "random",
        "-n",
        "2",
        "--tasks",
        "count",
        "--out",
        str(tmp_path),
        "--name",
        "run",
    )
    done = python(code, *arguments)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()
    for verb in (
        ["rescore", str(tmp_path / "run")],
        ["export", str(tmp_path / "run"), "--csv"],
        ["models"],
        ["tasks"],
    ):
        done = python(code, *verb)
        assert done.returncode == 0, done.stderr


def test_a_local_model_without_torch_prints_the_install_line(tmp_path: Path) -> None:
    code = BLOCKED + "from modgap.cli import main\nmain()"
    done = python(code, "measure", "-m", "org/name", "-n", "1", "--out", str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith("install it with: pip install 'modgap[hf]'\n")
    assert done.stderr.startswith("modgap: ")
    assert len(done.stderr.splitlines()) == 1
