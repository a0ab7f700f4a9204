"""Sound and film from bytes; what is not sound or film is refused."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from modgap._errors import FileError
from modgap.media import Audio, Video
from modgap.media import _av as decoded

av = pytest.importorskip("av")


def tone(rate: int, seconds: float = 0.25, channels: int = 1) -> Audio:
    times = np.arange(round(rate * seconds)) / rate
    pressure = (16_000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").repeat(channels)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(pressure.tobytes())
    return Audio(buffer.getvalue(), "audio/wav")


def film(count: int) -> Video:
    """Pictures that get brighter one by one."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(count):
            pixels = np.full((64, 64, 3), 10 + 200 * index // count, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return Video(buffer.getvalue(), "video/mp4")


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
def test_a_sound_keeps_its_length_and_pitch_at_another_rate(rate: int, channels: int) -> None:
    heard = decoded.samples(tone(rate, channels=channels), 16_000)
    assert heard.dtype == np.float32
    assert abs(len(heard) - 4000) <= 64
    assert np.abs(heard).max() <= 1.0
    assert abs(int(np.abs(np.fft.rfft(heard)).argmax()) / 0.25 - 440) <= 8


def test_a_film_is_shown_from_its_first_to_its_last_picture() -> None:
    shown = [int(np.asarray(image.to_pil()).mean()) for image in decoded.frames(film(20), 5)]
    assert len(shown) == 5
    assert shown == sorted(shown)
    assert shown[0] < 20
    assert shown[-1] > 190
    assert len(decoded.frames(film(3))) == 3
    assert len(decoded.frames(film(3), 1)) == 1


@pytest.mark.parametrize("data", [b"", b"RIFF", b"<svg/>", bytes(1000)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FileError, match="the file cannot be decoded; expected WAV, MP3 or FLAC"):
        decoded.samples(Audio(data, "audio/wav"), 16_000)
    with pytest.raises(FileError, match="the file cannot be decoded; expected MP4 or WebM"):
        decoded.frames(Video(data, "video/mp4"))


def test_what_goes_on_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "MAX_SECONDS", 0)
    with pytest.raises(FileError, match="sound: longer than 0 s; cut it"):
        decoded.samples(tone(16_000), 16_000)
    with pytest.raises(FileError, match="film: longer than 0 s; cut it"):
        decoded.frames(film(21))


def test_a_film_of_too_many_pictures_is_refused_whatever_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "MAX_FRAMES", 5)
    assert decoded.frames(film(5))
    with pytest.raises(FileError, match="film: more than 5 pictures; cut it"):
        decoded.frames(film(6))


def test_a_film_is_decoded_once_for_all_its_questions() -> None:
    assert decoded.frames(film(4)) is decoded.frames(film(4))


def test_a_sound_that_is_too_long_is_not_decoded_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "MAX_SECONDS", 1)
    opened, heard = av.open, []

    @contextmanager
    def counted(file: Any) -> Iterator[Any]:
        with opened(file) as container:
            yield SimpleNamespace(
                decode=lambda audio: (heard.append(frame) or frame for frame in container.decode(audio=audio))
            )

    monkeypatch.setattr(av, "open", counted)
    with pytest.raises(FileError, match="sound: longer than 1 s; cut it"):
        decoded.samples(tone(16_000, seconds=60.0), 16_000)
    assert sum(frame.samples for frame in heard) < 3 * 16_000
