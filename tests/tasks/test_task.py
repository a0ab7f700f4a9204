"""Tasks by name: short names, other packages, what a wrong name or setting says, and what is not imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from modgap._errors import InputError, UnknownName
from modgap.tasks import _task, load, names


def test_names_are_full_and_short_names_work() -> None:
    assert "scenes/count" in names()
    assert load("count").name == load("scenes/count").name == "scenes/count"


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match=r"task 'cuont' is not one of .*; did you mean 'count'\?"):
        load("cuont")
    with pytest.raises(UnknownName, match=r"did you mean 'scenes/count'\?"):
        load("scenes/cout")


def test_loading_one_task_imports_no_other() -> None:
    code = (
        "import sys; from modgap.tasks import load; load('scenes/count');"
        "print([m for m in sys.modules if m.startswith('modgap.tasks.scenes.') and '._' not in m]);"
        "print(sorted({'torch', 'pyarrow', 'datasets', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["['modgap.tasks.scenes.count']", "[]"]


def test_all_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        load("count").problem(0, 0, (), pixels=7, max_objcts=3, style="flaty", level="medum", plates="two")
    text = str(caught.value)
    assert "pixels 7 is not accepted; give a whole number from 32 to 2048" in text
    assert "setting 'max_objcts' is not one of" in text
    assert "did you mean 'max_objects'?" in text
    assert "style 'flaty' is not one of flat, contour, shadow, mixed; did you mean 'flat'?" in text
    assert "level 'medum' is not one of easy, hard, medium, plain; did you mean 'medium'?" in text
    assert "plates 'two' is not accepted; give a whole number from 0 to 8" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((("max_objects", value)) for value in (3.5, True, None, "9" * 5000)),
        *((("distance_ratio", value)) for value in ("nan", float("inf"))),
        ("perspective", "maybe"),
        ("pixels", [224]),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{name} .* is not accepted; give "):
        load("count").problem(0, 0, (), **{name: value})


def test_settings_may_be_text_as_from_a_command_line() -> None:
    task = load("relation")
    assert task.problem(0, 3, max_objects="4", perspective="no", pixels="64") == task.problem(
        0, 3, max_objects=4, perspective=False, pixels=64
    )


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="min_objects 6 is more than max_objects 5"):
        load("count").problem(0, 0, (), min_objects=6)


def test_settings_that_leave_nothing_to_ask_say_so() -> None:
    with pytest.raises(InputError, match="task scenes/reading found nothing to ask in 3,000 scenes"):
        load("reading").problem(0, 0, (), plates=0)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=f"seed {seed} is not accepted"):
        load("count").problem(seed, 0)


def test_the_largest_seed_works() -> None:
    assert load("count").problem(2**63 - 1, 10**9, ()).options


def test_a_representation_that_a_task_lacks_is_refused() -> None:
    with pytest.raises(
        UnknownName, match=r"representation of scenes/count 'storry' .* did you mean 'story'\?"
    ):
        load("count").problem(0, 0, ["storry"])


def test_an_id_changes_with_the_dials_and_not_with_the_style() -> None:
    task = load("count")
    plain = task.problem(0, 0, ()).problem_id
    assert plain == "scenes/count-0-000000"
    assert task.problem(0, 0, (), pixels=64, background="sky").problem_id == plain
    assert task.problem(0, 0, (), max_objects=8).problem_id != plain


def test_mixed_styles_change_with_the_scene_only() -> None:
    task = load("count")
    pictures = [
        [task.problem(0, index, ["image"], style=style, pixels=64).representations for index in range(12)]
        for style in ("mixed", "mixed", "flat")
    ]
    assert pictures[0] == pictures[1]
    assert 0 < sum(a == b for a, b in zip(pictures[0], pictures[2], strict=True)) < 12


def _install(monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    """As if another package were installed."""
    point = EntryPoint(name, target, "modgap.tasks")
    monkeypatch.setattr(_task, "entry_points", lambda **_: [point])
    _task._added.cache_clear()


@pytest.fixture(autouse=True)
def _forget_added_tasks() -> object:
    yield
    _task._added.cache_clear()


def test_another_package_adds_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "other/tally", "modgap.tasks.scenes.count")
    assert "other/tally" in names()
    problem = load("tally").problem(0, 0, ["list"])
    assert problem.task == "other/tally"


def test_a_short_name_in_two_suites_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "other/count", "modgap.tasks.scenes.count")
    with pytest.raises(
        InputError, match="task 'count' is in several suites; give one of other/count, scenes/count"
    ):
        load("count")


def test_an_incomplete_task_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "other/broken", "modgap.tasks.scenes._phrases")
    with pytest.raises(InputError, match="task 'other/broken' does not define REPRESENTATIONS, CHANCE, "):
        load("other/broken")
