"""Text spoken by a voice, as WAV of 16 bits, mono, 16,000 samples per second.

    speak("Node 0 is joined to node 9.")          # Audio; espeak-ng, extra ``audio``
    speak("Node 0 is joined to node 9.", voice=mine)

The same text gives the same bytes for one version of espeak-ng. A :class:`Voice` is anything that turns a
text into samples, so that another engine takes its place. espeak-ng (GPL) is only in the extra.
"""

from __future__ import annotations

import _ctypes
import ctypes
import io
import math
import wave
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from modgap._errors import InputError, MissingExtra, ModelError

from ._parts import Audio

RATE = 16_000
"""Samples per second, which is what models that listen are trained on."""

MOST_CHARACTERS = 20_000
"""Longest text that is spoken (our choice: about twenty minutes)."""

_SYNCHRONOUS, _UTF8 = 2, 1
_PER_MINUTE = 170  # words; espeak-ng's own 175 is hardly slower


class Voice(Protocol):
    """What speaks."""

    def samples(self, text: str) -> tuple[NDArray[np.int16], int]:
        """One channel of sound, and how many samples a second has."""


def speak(text: str, voice: Voice | None = None) -> Audio:
    """Say a text.

    Args:
        text: of at most ``MOST_CHARACTERS``; markup in it is read aloud, not obeyed.
        voice: what says it; espeak-ng if ``None``.

    Returns:
        The sound. It is never cut: a model whose window is shorter has to refuse it.

    Raises:
        InputError: if there is nothing to say, or too much.
        MissingExtra: if espeak-ng is needed and not installed.
        ModelError: if espeak-ng cannot be started.
    """
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise InputError(
            f"a text of {len(text):,} characters is not spoken; give 1 to {MOST_CHARACTERS:,}, not all blank"
        )
    sound, rate = (voice or espeak()).samples(text)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(_resampled(sound, rate).astype("<i2").tobytes())
    return Audio(buffer.getvalue(), "audio/wav")


def seconds(audio: Audio) -> float:
    """How long a sound of :func:`speak` is."""
    with wave.open(io.BytesIO(audio.data)) as file:
        return float(file.getnframes() / file.getframerate())


def _resampled(sound: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
    """Other samples per second, each the mean of the stretch that it stands for.

    Both rates share a period, in which every new sample has the same place among the old ones: the sound is
    laid out in rows of one period, and each column of the result is a weighted sum of a few columns.
    """
    if rate == RATE or not len(sound):
        return sound
    common = math.gcd(rate, RATE)
    old, new = rate // common, RATE // common  # samples of a period
    count = -(-len(sound) * RATE // rate)
    rows = np.zeros((-(-len(sound) // old), old + 1), np.float32)
    rows[:, :old].flat[: len(sound)] = sound
    edges = np.arange(new + 1) * old / new
    result = np.zeros((len(rows), new), np.float32)
    for step in range(old // new + 2):
        column = np.minimum(np.floor(edges[:-1]).astype(int) + step, old)
        overlap = np.minimum(edges[1:], column + 1) - np.maximum(edges[:-1], column)
        result += rows[:, column] * (np.maximum(overlap, 0) * new / old).astype(np.float32)
    return np.rint(result.ravel()[:count]).astype(np.int16)


@cache
def espeak() -> Voice:
    """The voice of espeak-ng, English, as it comes.

    Raises:
        MissingExtra: if ``espeakng-loader`` is not installed.
    """
    try:
        import espeakng_loader  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("speech", "audio") from error
    return _Espeak(espeakng_loader.get_library_path(), str(espeakng_loader.get_data_path()).encode())


_BUFFER = 1000  # milliseconds that the library says at a time; shorter ones call back more often
_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Espeak:
    """The library is loaded anew for every text (6 ms): what it said before would change the samples."""

    def __init__(self, library: str, data: bytes) -> None:
        self._library, self._data = library, data

    def samples(self, text: str) -> tuple[NDArray[np.int16], int]:
        """Speak at once, into memory."""
        pieces: list[NDArray[np.int16]] = []

        def hear(sound: Any, count: int, _events: Any) -> int:
            if sound and count > 0:
                pieces.append(np.frombuffer(ctypes.string_at(sound, 2 * count), np.int16))
            return 0

        heard = _Heard(hear)  # kept until the end: the library holds only its address
        library = ctypes.CDLL(self._library)
        try:
            rate = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER, self._data, 0)
            if rate <= 0 or library.espeak_SetVoiceByName(b"en") != 0:
                raise ModelError("espeak-ng cannot be started; install espeakng-loader again")
            library.espeak_SetParameter(1, _PER_MINUTE, 0)
            library.espeak_SetSynthCallback(heard)
            ctypes.CDLL(None).srand(1)  # its noise comes from the C library
            words = " ".join(text.replace("\0", " ").split()).encode() + b"\0"
            library.espeak_Synth(words, len(words), 0, 1, 0, _UTF8, None, None)
            library.espeak_Synchronize()
            library.espeak_Terminate()
        finally:
            _ctypes.dlclose(library._handle)
        return np.concatenate(pieces or [np.zeros(0, np.int16)]), int(rate)
