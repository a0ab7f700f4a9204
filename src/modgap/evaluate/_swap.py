"""Which other problem stands in for a problem when its picture is swapped.

The choice is a hash of the seed and the problem among those of the same task that are asked together, never
one about the same scene, graph or photo. It does not depend on the order of asking, so a resumed run swaps
alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from modgap.tasks import Problem, Representation

LEAST = 64
"""Problems of a task to choose among, as far as there are so many: a short last part keeps some of the part
before it."""


class Partners:
    """The problems that may stand in for others.

    Args:
        seed: of the choice.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[str, list[Problem]] = {}

    def meet(self, chunk: Sequence[Problem]) -> None:
        """Problems that are asked next; of earlier ones no more than ``LEAST`` of a task are kept."""
        fresh: dict[str, list[Problem]] = {}
        for problem in chunk:
            fresh.setdefault(problem.task, []).append(problem)
        for task, problems in fresh.items():
            missing = max(0, LEAST - len(problems))
            kept = self._known.get(task, [])[-missing:] if missing else []
            self._known[task] = kept + problems

    def other(self, problem: Problem, representation: Representation) -> Representation | None:
        """The rendering of another problem under the same name, or ``None`` if there is no other."""
        known = self._known.get(problem.task, [])
        if not known:
            return None
        text = f"{self._seed}\0{problem.problem_id}\0{representation.name}".encode()
        start = int.from_bytes(hashlib.sha256(text).digest()[:8]) % len(known)
        for other in known[start:] + known[:start]:
            if (other.group or other.problem_id) == (problem.group or problem.problem_id):
                continue
            for rendering in other.representations:
                if rendering.name == representation.name and rendering.parts != representation.parts:
                    return rendering
        return None
