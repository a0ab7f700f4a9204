"""Every task as sound and film: words back to the problem, the last picture back to the problem."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from modgap.media import Audio, Text, Video
from modgap.media._av import frames
from modgap.tasks import load, names

TASKS = [name for name in names() if name.startswith("isobench/")]


@pytest.mark.parametrize("name", TASKS)
def test_the_words_carry_the_problem(name: str) -> None:
    task = load(name)
    module, (dials, style) = task.module, task.resolve({})
    spoken = module.SPOKEN  # type: ignore[attr-defined]
    for index in range(20):
        p = module.sample(np.random.default_rng([5, index]), dials)
        (form,) = module.render(p, spoken.form, style)
        assert isinstance(form, Text)
        script = spoken.write(form.text)
        assert not set(script) & set("*^\\{}<>=[]_")  # nothing that is not said aloud
        assert module.decode(spoken.form, (Text(spoken.read(script)),)) == module.content(p)


@pytest.mark.parametrize("name", TASKS)
def test_the_last_picture_of_the_film_is_the_picture(name: str) -> None:
    pytest.importorskip("av", reason="needs modgap[video]")
    task = load(name)
    module, (dials, _) = task.module, task.resolve({})
    problem = task.problem(5, 0, ["image", "video"])
    image, film = (r.parts[0] for r in problem.representations)
    assert isinstance(film, Video)
    seen = frames(film)
    assert np.array_equal(np.asarray(seen[-1].to_pil()), np.asarray(image.to_pil()))  # type: ignore[union-attr]
    assert seen[0] != seen[-1]
    own = module.sample(np.random.default_rng([5, 0]), dials)
    assert module.decode("image", (seen[-1],)) == module.content(own)
    assert task.problem(5, 0, ["video"]).representations[0].parts[0] == film


@pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs modgap[audio]")
def test_sound_is_made_on_request_only_and_is_the_same_again() -> None:
    task = load("isobench/physics")
    assert "audio" not in {r.name for r in task.problem(5, 0).representations}
    first, again = (task.problem(5, 0, ["audio"]).representations[0].parts[0] for _ in range(2))
    assert isinstance(first, Audio)
    assert first == again
