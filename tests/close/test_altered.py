"""What is planted touches what it should and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modgap.close._altered import SHARE, Altered, blurred, cut_off, is_direct
from modgap.evaluate import build_parts
from modgap.media import Image
from modgap.models import Query, Reply
from modgap.tasks import Problem, load_suite

PROBLEMS = list(load_suite("scenes", tasks=("existence",), level="plain").problems(200, 1))


class Saying:
    """Answers with its name."""

    modalities = frozenset({"text", "image"})
    requests = {"transcribe": "Write it down."}  # noqa: RUF012

    def __init__(self, name: str) -> None:
        self.name = name

    def fingerprint(self) -> dict[str, object]:
        return {"name": self.name}

    def close(self) -> None: ...

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        yield from ((i, Reply(self.name)) for i in range(len(queries)))


def query(problem: Problem, form: str, *, options: bool = True) -> Query:
    shown = next(r for r in problem.representations if r.name == form)
    return Query(
        build_parts(problem, shown), problem.options if options else (), problem_id=problem.problem_id
    )


def test_only_direct_questions_about_pictures_go_elsewhere() -> None:
    model = Altered(Saying("eyes"), "deaf", direct=Saying("disturbed"))
    queries = [
        query(PROBLEMS[0], "list"),
        query(PROBLEMS[0], "image"),
        query(PROBLEMS[0], "image", options=False),
    ]
    assert [is_direct(one) for one in queries] == [False, True, False]
    assert [dict(model.reply(queries))[i].text for i in range(3)] == ["eyes", "disturbed", "eyes"]
    assert model.requests == Saying.requests  # it transcribes in the words it was taught
    assert model.fingerprint() != Saying("eyes").fingerprint()


def test_a_known_share_is_cut_off() -> None:
    cut = sum(cut_off(query(p, "image"), Reply("Answer: yes")).text != "Answer: yes" for p in PROBLEMS)
    assert abs(cut / len(PROBLEMS) - SHARE) < 0.1  # three standard errors
    assert all(cut_off(query(p, "list"), Reply("Answer: yes")).text == "Answer: yes" for p in PROBLEMS)


def test_only_pictures_are_blurred() -> None:
    words = query(PROBLEMS[0], "list")
    assert blurred(words) == words
    before, after = query(PROBLEMS[0], "image"), blurred(query(PROBLEMS[0], "image"))
    (old,), (new,) = ([p for p in one.parts if isinstance(p, Image)] for one in (before, after))
    assert old.to_pil().size == new.to_pil().size
    assert old.data != new.data
