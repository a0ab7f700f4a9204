"""``modgap tldr detect DETECTOR --stream PICTURE``: words are judged as a caption is written."""

from __future__ import annotations

import codecs
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from modgap._errors import FileError, InputError, ModelError, UnknownName

if TYPE_CHECKING:
    from modgap.tldr import Detector, Item

ON_FLAG = ("show", "stop", "rewrite")


def stream_words(
    detector: Detector, picture: Path, prompt: str | None, threshold: float, writer: str | None, on_flag: str
) -> None:
    """Print a line of JSON for each word as soon as it is complete.

    Args:
        detector: a trained one.
        picture: that the caption is about.
        prompt: that it answers; by default that of captions of scenes.
        threshold: words above it are flagged.
        writer: model that writes the caption; ``None`` reads it from the standard input.
        on_flag: ``show``; ``stop`` after the first flagged word; or ``rewrite``, take it back and let the
            writer try again.
    """
    from modgap.media import Image
    from modgap.models import load_model
    from modgap.models.local._model import LocalModel
    from modgap.tldr import Item
    from modgap.tldr._detector import TldrDetector
    from modgap.tldr._example import PROMPT
    from modgap.tldr._write import TRIES, write

    if on_flag not in ON_FLAG:
        raise UnknownName("on-flag", on_flag, ON_FLAG)
    if on_flag == "rewrite" and writer is None:
        raise InputError("--on-flag rewrite needs the model that writes: --writer MODEL")
    if not isinstance(detector, TldrDetector):
        raise InputError(
            f"{detector.name} scores finished captions only; give the folder of a trained detector"
        )
    try:
        image = Image.from_bytes(picture.read_bytes(), str(picture))
    except OSError as error:
        raise FileError(f"{picture}: cannot be read ({error.strerror}); give a picture") from error
    item = Item(image, "", prompt or PROMPT)
    if writer is None:
        rows = _read(detector, item, threshold)
    else:
        model = load_model(writer)
        if not isinstance(model, LocalModel):
            raise ModelError(f"{writer}: the writer must be a local model: a folder or hub id")
        tries = TRIES if on_flag == "rewrite" else 0
        rows = (
            {"caption" if e.kind == "end" else e.kind: e.text, "start": e.start, "score": round(e.bad, 6)}
            | ({"flagged": True} if e.flagged else {})
            for e in write(detector, model, item, threshold=threshold, tries=tries)
        )
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False))
        if on_flag == "stop" and row.get("flagged"):
            return


def _read(detector: Any, item: Item, threshold: float) -> Iterator[dict[str, Any]]:
    from modgap.tldr._stream import Stream

    stream = Stream(detector, item)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    going = True
    while going:
        piece = cast(io.BufferedReader, sys.stdin.buffer).read1()  # whatever has come by now
        going = bool(piece)
        found = stream.push(decoder.decode(piece, not going))
        for word in found if going else [*found, *stream.end()]:
            shown = stream.text[word.start : word.end]
            row = {"word": shown, "start": word.start, "score": round(word.bad, 6)}
            yield row | ({"flagged": True} if word.bad > threshold else {})
