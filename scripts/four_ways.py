"""Ask the same models in every way that modgap can, and hold what came back side by side.

    python scripts/four_ways.py

The bundled model and a tiny PaliGemma 2 with random weights are measured by the same command in this
process, over two Ray workers, and (the bundled model, whose chat template a server needs) behind a real
``transformers serve``. Problem ids, replies, answers and outcomes must be equal, record by record; the
script fails if one is not. Takes about two minutes on two cores; needs the extra ``ray`` and
``transformers[serving]``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _from_tests import from_tests

from modgap.evaluate import Run, open_run
from modgap.models import bundled

MEASURE = ("--suite", "scenes", "--set", "level=plain", "-n", "4", "--seed", "3", "--no-report")
RAY = ("--engine", "ray", "--workers", "2")


def main() -> None:
    families, serving = from_tests("models/local/families.py"), from_tests("models/serving.py")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny = str(families.build("paligemma2", folder / "paligemma2"))
        exact = ("--answer", "generate")
        print("model       way                 problems  records  equal to the first")
        same = _compare(
            "bundled",
            {
                "this process": _measure(folder, "bundled", *exact),
                "two Ray workers": _measure(folder, "bundled", *exact, *RAY),
            }
            | _served(folder, serving),
        )
        exact = ("--dtype", "float32", "--answer", "generate")
        same &= _compare(
            "PaliGemma 2",
            {
                "this process": _measure(folder, tiny, *exact),
                "two Ray workers": _measure(folder, tiny, *exact, *RAY),
            },
        )
    sys.exit(0 if same else 1)


def _served(folder: Path, serving: object) -> dict[str, Run]:
    with serving.served(bundled.FOLDER, folder / "log.txt") as url:  # type: ignore[attr-defined]
        return {"transformers serve": _measure(folder, f"endpoint:{bundled.FOLDER}", "--url", url)}


def _measure(folder: Path, model: str, *options: str) -> Run:
    out = folder / f"run{len(list(folder.iterdir()))}"
    command = [str(Path(sys.executable).with_name("modgap")), "measure", "--model", model, *MEASURE]
    done = subprocess.run(
        [*command, *options, "--out", str(out)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} {' '.join(options)}\n{done.stdout}{done.stderr}")
    (run,) = out.iterdir()
    return open_run(run)


def _compare(model: str, runs: dict[str, Run]) -> bool:
    first: dict[tuple[str, str], tuple[str | None, ...]] | None = None
    same = True
    for way, run in runs.items():
        found = {(r.problem_id, r.representation): (r.reply, r.answer, r.outcome) for r in run.records()}
        first = first or found
        equal = sum(found.get(key) == value for key, value in first.items())
        same &= equal == len(first) == len(found)
        problems = len({problem for problem, _ in found})
        print(f"{model:<12}{way:<20}{problems:>8}{len(found):>9}  {equal} of {len(first)}", flush=True)
    return same


if __name__ == "__main__":
    main()
