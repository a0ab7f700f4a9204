"""Run the benchmarks and put what they print, with the hardware, into docs/benchmarks.md: `make bench`.

    python scripts/bench.py [NAME ...]     # files of benchmarks/, without their ending; all by default

Each runs in a process of its own, one after the other; a block of the page is replaced when its benchmark
has ended well, so a run that was stopped loses nothing. The table at the top of the page is written by hand
from these blocks.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/benchmarks.md"


def processor() -> str:
    """Its name, where the system tells it."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def hardware() -> str:
    """One line: processor, cores that may be used, threads of torch, load, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return (
        f"{processor()}, {cores} of {os.cpu_count()} cores, OMP_NUM_THREADS {threads}, load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, torch {version('torch')}"
    )


def put(page: str, name: str, text: str) -> str:
    """The page with a block replaced, or added at its end."""
    begin, end = f"<!-- bench {name}:begin -->", f"<!-- bench {name}:end -->"
    block = f"{begin}\n```text\n{text}\n```\n{end}"
    if begin in page:
        before, _, rest = page.partition(begin)
        return before + block + rest.partition(end)[2]
    return f"{page.rstrip()}\n\n### {name}\n\n{block}\n"


def main() -> None:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.name[0] != "_")
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    given = parser.parse_args().names
    unknown = sorted(set(given) - set(names))
    if unknown:
        sys.exit(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    failed = []
    for name in given or names:
        print(f"== {name}", flush=True)
        about, began = hardware(), time.monotonic()
        command = [sys.executable, f"benchmarks/{name}.py"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        if done.returncode:
            failed.append(name)
            continue
        printed = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
        head = f"$ python benchmarks/{name}.py\n{about}; {time.monotonic() - began:.0f} s"
        PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), name, f"{head}\n\n{printed}"), encoding="utf-8")
    if failed:
        sys.exit(f"bench: {', '.join(failed)} failed or missed an aim; their blocks are left as they were")


if __name__ == "__main__":
    main()
