"""The report of a loop, and what it found as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modgap.evaluate._lines import replace_file
from modgap.report._render import render

if TYPE_CHECKING:
    from ._loop import Closed
    from ._plan import Plan

REPORT_FILE, RESULT_FILE = "close.html", "close.json"


def write(closed: Closed, plan: Plan) -> Path:
    """Write ``close.json`` and ``close.html`` into the folder of the loop.

    Raises:
        RunError: they cannot be written.
    """
    folder = closed.folder
    folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = dataclasses.asdict(closed) | {"verdict": closed.verdict, "folder": "."}
    about["plan"] = dataclasses.asdict(plan)
    about["causes"] = [dataclasses.asdict(one) | {"cause": one.cause} for one in closed.causes]
    replace_file(folder / RESULT_FILE, json.dumps(about, indent=1, default=str).encode())
    changes = [*closed.gap, *closed.after, *closed.elsewhere]
    ends = [abs(x) for one in changes for x in (one.low_points, one.high_points)]
    page = render(
        "close.html",
        pictures="data:",
        title=f"Closing the gap of {closed.model}",
        closed=closed,
        plan=plan,
        reach=max(10, 10 * math.ceil(max(ends, default=10) / 10)),
    )
    replace_file(folder / REPORT_FILE, page.encode())
    return folder / REPORT_FILE
