"""Sound and film: bytes that do not change, limits, and other voices."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from modgap._errors import InputError, MissingExtra
from modgap.media import speech
from modgap.media.drawing import Drawing, Line
from modgap.media.speech import seconds, speak
from modgap.media.video import film


class Tone:
    """Another voice: as many hundredths of a second as the text has characters."""

    def samples(self, text: str) -> tuple[NDArray[np.int16], int]:
        return np.full(320 * len(text), 7, np.int16), 32_000


def test_another_voice_takes_its_place() -> None:
    sound = speak("ten letter", Tone())
    assert seconds(sound) == pytest.approx(0.1)
    assert set(np.frombuffer(sound.data[44:], "<i2")) == {7}


def test_what_was_said_before_changes_nothing() -> None:
    pytest.importorskip("espeakng_loader", reason="needs modgap[audio]")
    first = speak("Node 0 is joined to node 9.")
    speak("Something else.")
    assert speak("Node 0 is joined to node 9.") == first
    assert 1 < seconds(first) < 5
    assert np.frombuffer(first.data[44:], "<i2").std() > 500
    assert speak("<break time='9s'/> & \0 text") != first  # markup is read aloud, nothing more


@pytest.mark.parametrize("text", ["", " \n", "a" * 20_001])
def test_texts_that_are_not_spoken(text: str) -> None:
    with pytest.raises(InputError, match="is not spoken; give 1 to 20,000"):
        speak(text, Tone())


def test_missing_extras_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setitem(sys.modules, "av", None)
    speech.espeak.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'modgap\[audio\]'"):
        speak("words")
    with pytest.raises(MissingExtra, match=r"pip install 'modgap\[video\]'"):
        film(Drawing(32, 32, (0, 0, 0), ()))


def test_films_of_no_steps_are_refused() -> None:
    line = Line(((1, 1), (30, 30)), (255, 0, 0), 2)
    with pytest.raises(InputError, match="0 steps are not accepted; give 1 to 200"):
        film(Drawing(32, 32, (0, 0, 0), (line,)), 0)
