"""Sound and film, decoded: what a local model needs of them. PyAV does the work (extra ``video``).

Bytes from outside are untrusted: what cannot be decoded, is longer than the limits here, or has too many
pixels is refused with a :class:`FileError`.
"""

from __future__ import annotations

import io
import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import FileError, MissingExtra

from ._parts import MAX_PIXELS, Audio, Image, Video

if TYPE_CHECKING:
    from jaxtyping import Float

MAX_SECONDS = 600
"""Longest sound or film that is decoded (our choice: what models listen to is 30 s)."""

MAX_FRAMES = 60 * MAX_SECONDS
"""Most pictures of a film that are decoded: their times may be missing or wrong."""

FRAMES = 8
"""Pictures that a film is shown as."""


def samples(audio: Audio, rate: int) -> Float[np.ndarray, " sample"]:
    """Decode a sound to one channel.

    Args:
        audio: the encoded sound.
        rate: samples per second of the result.

    Returns:
        float32 between -1 and 1.

    Raises:
        FileError: if it cannot be decoded or is longer than ``MAX_SECONDS``.
        MissingExtra: if PyAV is not installed.
    """
    av = _av("sound")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    found: list[np.ndarray] = []
    total = 0
    try:
        with av.open(io.BytesIO(audio.data)) as container:
            for frame in itertools.chain(container.decode(audio=0), [None]):  # None: the rest
                for piece in resampler.resample(frame):
                    found.append(piece.to_ndarray()[0])
                    total += len(found[-1])
                if total > MAX_SECONDS * rate:
                    raise FileError(f"sound: longer than {MAX_SECONDS} s; cut it")
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise FileError("sound: the file cannot be decoded; expected WAV, MP3 or FLAC") from error
    return np.concatenate(found).astype(np.float32) if found else np.zeros(0, np.float32)


@lru_cache(maxsize=16)  # several questions are asked about one film
def frames(video: Video, most: int = FRAMES) -> tuple[Image, ...]:
    """Pictures of a film, evenly spaced from the first to the last.

    Args:
        video: the encoded film.
        most: how many at most; at least 1.

    Raises:
        FileError: if it cannot be decoded, is longer than ``MAX_SECONDS``, or has more than ``MAX_FRAMES``
            pictures or too large ones.
        MissingExtra: if PyAV is not installed.
    """
    av = _av("film")
    try:
        # Twice: the number of frames in the header may be missing or wrong, and all of them may not fit.
        count = sum(1 for _ in _decoded(av, video))
        shown = min(most, count)
        wanted = {round(i * (count - 1) / max(1, shown - 1)) for i in range(shown)}
        found = [
            Image.from_pil(frame.to_image())
            for index, frame in enumerate(_decoded(av, video))
            if index in wanted
        ]
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise FileError("film: the file cannot be decoded; expected MP4 or WebM") from error
    if not found:
        raise FileError("film: there is no picture in it")
    return tuple(found)


def _decoded(av: Any, video: Video) -> Any:
    with av.open(io.BytesIO(video.data)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= MAX_FRAMES:
                raise FileError(f"film: more than {MAX_FRAMES:,} pictures; cut it")
            if frame.width * frame.height > MAX_PIXELS:
                raise FileError(f"film: pictures of more than {MAX_PIXELS:,} pixels")
            if frame.time is not None and frame.time > MAX_SECONDS:
                raise FileError(f"film: longer than {MAX_SECONDS} s; cut it")
            yield frame


def _av(what: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtra(what, "video") from error
    return av
