"""A drawing revealed stroke by stroke, as a film without loss that browsers play.

    film(drawing)             # Video, WebM; PyAV, extra ``video``

The last picture of the film is the whole drawing, pixel by pixel: VP9 without loss and in RGB, which FFmpeg
and Chromium show exactly. (H.264 in RGB plays there in wrong colours; in YUV 4:2:0, even at quantiser 1, thin
lines in colour are lost and problems no longer decode back.) One thread encodes: the same drawing gives the
same bytes for one version of PyAV.
"""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import numpy as np

from modgap._errors import InputError, MissingExtra

from ._parts import Video
from .drawing import Drawing, Line, Stroke

RATE = 4
"""Pictures per second."""

_PIECES = 12  # in which a curve of more points is drawn
_HELD = 4  # pictures for which the whole drawing stays


def film(drawing: Drawing, steps: int = 16) -> Video:
    """Reveal a drawing.

    Args:
        drawing: what is shown at the end; strokes appear in their order, a long curve bit by bit.
        steps: pictures until then, 1 to 200.

    Raises:
        InputError: if the number of steps is not accepted.
        MissingExtra: if PyAV is not installed.
    """
    if not 1 <= steps <= 200:
        raise InputError(f"{steps} steps are not accepted; give 1 to 200")
    try:
        import av
    except ImportError as error:
        raise MissingExtra("film", "video") from error
    buffer = io.BytesIO()
    moments = _moments(drawing.strokes)
    shown = [moments[round(k * len(moments) / steps) - 1] for k in range(1, steps + 1)]
    pictures = [np.asarray(replace(drawing, strokes=strokes).paint()) for strokes in dict.fromkeys(shown)]
    with av.open(buffer, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        options = {"lossless": "1", "deadline": "realtime", "cpu-used": "8", "threads": "1", "g": "250"}
        stream = container.add_stream("libvpx-vp9", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = drawing.width, drawing.height, "gbrp"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, RATE)
        for number, picture in enumerate([*pictures, *[pictures[-1]] * _HELD]):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Video(buffer.getvalue(), "video/webm")


def _moments(strokes: tuple[Stroke, ...]) -> list[tuple[Stroke, ...]]:
    """What is drawn after each stroke, or piece of a curve; axes and grid are there before a curve begins."""
    curves = [i for i, s in enumerate(strokes) if isinstance(s, Line) and len(s.points) > _PIECES]
    first = curves[0] if curves else 0
    found = [strokes[:first]] if first else []
    for number, stroke in enumerate(strokes[first:], first):
        if number in curves and isinstance(stroke, Line):
            for piece in range(1, _PIECES):
                until = max(round(piece * len(stroke.points) / _PIECES), 2)
                found.append((*strokes[:number], replace(stroke, points=stroke.points[:until])))
        found.append(strokes[: number + 1])
    return found or [()]
