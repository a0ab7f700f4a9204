"""Write the measured figures of README, docs and the bundled model's card: `make figures`.

Runs the commands that the texts name and puts what they print between the markers
``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``. ``--check`` only compares, and fails if one is out of date.

The table of gpt-5-nano needs the stored results of IsoBench/IsoBench-Eval: ``ISOBENCH_RESULTS`` names its
folder ``isobench_results``; without it that block is left as it is, with a line that says so.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CARD = ROOT / "src/modgap/models/weights/bundled/README.md"
BLOCKS = {
    "demo": (ROOT / "README.md", "modgap measure --set level=plain -n 100 --seed 1"),
    "gates": (CARD, "modgap doctor bundled --gates"),
    "families": (ROOT / "docs/families.md", "python scripts/families.py"),
    "gpt-5-nano": (ROOT / "README.md", "modgap import isobench-eval isobench_results/gpt-5-nano"),
}
RESULTS = "ISOBENCH_RESULTS"


def printed(command: str) -> str:
    """What a command prints, without progress, paths and trailing blanks."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        quiet = f" --out {folder} --no-report" if command.startswith("modgap measure") else ""
        imports = command.startswith("modgap import")
        if imports:
            (Path(folder) / "isobench_results").symlink_to(Path(os.environ[RESULTS]).resolve())
        done = subprocess.run(
            command + quiet,
            shell=True,
            env=environment,
            cwd=folder if imports else None,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):  # 1: a gate is missed, and the table says which
        raise SystemExit(f"{command}: exit status {done.returncode}")
    kept = [line.rstrip() for line in done.stdout.splitlines()]
    kept = [
        line
        for line in kept
        if not re.search(r"per second|report:|run:|records\.jsonl|official reading:", line)
    ]
    if imports:  # the reading of replies is a table of docs/published-results.md; here the gaps count
        kept = kept[next(i for i, line in enumerate(kept) if "are read differently" in line) + 1 :]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("names", nargs="*", help=f"blocks to do; all of {', '.join(BLOCKS)} if none is named")
    args = parser.parse_args()
    stale = []
    for name in args.names or BLOCKS:
        path, command = BLOCKS[name]
        if command.startswith("modgap import") and not os.environ.get(RESULTS):
            print(f"{name}: skipped; {RESULTS} does not name the stored results", file=sys.stderr)
            continue
        old = path.read_text()
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if begin not in old or end not in old:
            raise SystemExit(f"{path}: lacks the markers {begin} and {end}; add them where {name} belongs")
        block = f"<!-- {name}:begin -->\n```text\n$ {command}\n\n{printed(command)}\n```\n<!-- {name}:end -->"
        new = old[: old.index(begin)] + block + old[old.index(end) + len(end) :]
        if new != old and args.check:
            stale.append(name)
        elif new != old:
            path.write_text(new)
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make figures`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
