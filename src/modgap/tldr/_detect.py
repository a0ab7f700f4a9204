"""``modgap tldr detect``: score captions of any model, line by line.

Input, JSON lines: ``caption``, and as far as there are such ``image`` (relative to the file), ``prompt`` and
``id``. Output, the same with

    tokens   [start, end, score] of each token of the detector, in characters of the caption
    words    the same of each word: the highest score of its tokens
    spans    words above the threshold, neighbours together: start, end, type, score; with evidence also the
             type, heat (rows of the picture, from the top), suggestion and suggested_score, or an error
    error    instead of these, where a caption could not be scored

so that ``modgap tldr annotate`` shows a folder with the output as ``captions.jsonl`` with its flags.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError, InputError, ModelError, ModgapError
from modgap.media import Image
from modgap.tasks._media_files import media_part

from . import detectors
from ._calibrate import conformal_threshold
from ._evidence import Evidence, draw_heat, evidence
from ._example import PROMPT
from ._files import json_lines
from ._scores import Detector, Item, TokenScores, Word, words

CHUNK = 512
"""Captions that are read, scored and written at a time; those of one picture share its reading within one."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A caption of the input."""

    caption: str
    image: str | None = None
    prompt: str = PROMPT
    id: str | int = ""


def load_detector(spec: str, model: str | None = None, *, device: str | None = None) -> Detector:
    """Load a detector.

    Args:
        spec: a folder that ``modgap tldr train`` wrote; ``bundled``, the one that ships; or the name of one
            that needs no training, such as ``contrast``.
        model: whose eyes it uses, as for ``modgap measure``; by default the one it was trained on, and the
            bundled model for those that need no training.
        device: of a trained detector: ``cpu``, ``cuda`` …

    Raises:
        UnknownName: if it is neither a folder nor a name.
        FileError, ModelError, MissingExtra: as for loading a model.
    """
    if spec in detectors.names():
        from modgap.models import load_model
        from modgap.models.local._model import LocalModel

        loaded = load_model(model or "bundled")
        if not isinstance(loaded, LocalModel):
            raise ModelError(f"{model}: detectors look into a model, so it must be local: a folder or hub id")
        return detectors.load(spec, loaded)
    from ._detector_files import SHIPPED, load_trained, shipped_or

    folder = shipped_or(spec)
    if not folder.is_dir():
        raise FileError(
            f"{spec}: no such folder; give a folder that 'modgap tldr train' wrote, or one of "
            f"{', '.join((*SHIPPED, *detectors.names()))}"
        )
    return load_trained(folder, model=model, device=device, name=spec if spec in SHIPPED else None)


def detect(
    detector: Detector,
    path: Path,
    threshold: float | None,
    *,
    explain: bool = False,
    heat: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Score the captions of a file.

    Args:
        detector: any.
        path: JSON lines, untrusted.
        threshold: words with a higher score are flagged; ``None`` flags nothing.
        explain: whether flagged spans have evidence, see ``_evidence.py``; it takes about 80 readings of each
            caption with one.
        heat: folder for a picture of the heat of each flagged span, whose name it then has as ``heat_image``.

    Yields:
        A row for each line, in order, as written to the output.

    Raises:
        FileError: at the first line that is not as described, or whose picture cannot be read.
    """
    for lines, items, scored in _scored(detector, path):
        for line, item, scores in zip(lines, items, scored, strict=True):
            row = msgspec.to_builtins(line)
            if isinstance(scores, str):
                yield row | {"error": scores}
                continue
            found = words(scores, line.caption)
            tokens = [
                [int(a), int(b), round(float(bad), 6)]
                for (a, b), bad in zip(scores.offsets, scores.bad, strict=True)
            ]
            flagged = [] if threshold is None else spans(found, line.caption, threshold)
            yield row | {
                "tokens": tokens,
                "words": [[word.start, word.end, round(word.bad, 6)] for word in found],
                "spans": _explained(detector, item, flagged, heat) if explain else flagged,
            }


def _explained(
    detector: Detector, item: Item, flagged: list[dict[str, Any]], folder: Path | None
) -> list[dict[str, Any]]:
    try:
        found = evidence(detector, item, [(span["start"], span["end"]) for span in flagged])
    except ModgapError as error:  # such as another word that makes the caption too long
        return [span | {"error": str(error)} for span in flagged]
    return [
        span
        | {"type": one.type}
        | ({} if one.heat is None else {"heat": one.heat.round(4).tolist()})
        | (
            {"suggestion": one.suggestion, "suggested_score": round(one.suggested_score, 6)}
            if one.suggested_score is not None
            else {}
        )
        | ({} if folder is None else _drawn(item, one, folder))
        for span, one in zip(flagged, found, strict=True)
    ]


def _drawn(item: Item, found: Evidence, folder: Path) -> dict[str, str]:
    if item.image is None or found.heat is None:
        return {}
    key = f"{item.image.file_name}\0{item.caption}\0{found.start}".encode()
    name = f"{hashlib.sha256(key).hexdigest()[:16]}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw_heat(item.image, found.heat).save(folder / name)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return {"heat_image": name}


def threshold_from(detector: Detector, path: Path, alpha: float) -> tuple[float, int]:
    """Threshold that flags at most a fraction ``alpha`` of captions like those of a file.

    Args:
        detector: any.
        path: captions without an error, as for :func:`detect`; one of each picture is used.
        alpha: above 0 and below 1.

    Returns:
        The threshold, and the number of captions it is from.

    Raises:
        InputError: if none could be scored, or there are too few for ``alpha``.
    """
    highest: list[float] = []
    seen: set[str | None] = set()
    for lines, _, scored in _scored(detector, path):
        for line, scores in zip(lines, scored, strict=True):
            if isinstance(scores, str) or (line.image is not None and line.image in seen):
                continue
            seen.add(line.image)
            highest.append(float(scores.bad.max()))
    if (len(highest) + 1) * alpha < 1:
        raise InputError(
            f"{path}: {len(highest)} clean captions about different pictures are too few for alpha {alpha}; "
            f"give {int(1 / alpha)} or more, or a larger alpha"
        )
    return conformal_threshold(highest, alpha), len(highest)


def spans(found: Sequence[Word], caption: str, threshold: float) -> list[dict[str, Any]]:
    """Flagged words, those with only white space between them together."""
    merged: list[dict[str, Any]] = []
    for word in found:
        if word.bad <= threshold:
            continue
        if merged and not caption[merged[-1]["end"] : word.start].strip():
            merged[-1]["end"] = word.end
            merged[-1]["score"] = max(merged[-1]["score"], round(word.bad, 6))
        else:
            merged.append({"start": word.start, "end": word.end, "type": "", "score": round(word.bad, 6)})
    return merged


def _scored(
    detector: Detector, path: Path
) -> Iterator[tuple[list[Line], list[Item], list[TokenScores | str]]]:
    """Chunks of lines with their scores, or with the reason why there are none."""
    lines = json_lines(path, Line)
    while chunk := list(islice(lines, CHUNK)):
        pictures: dict[str, Image] = {}
        items = []
        for where, line in chunk:
            if line.image is not None and line.image not in pictures:
                part = media_part(line.image, "image", path.parent, where)
                if isinstance(part, Image):
                    pictures[line.image] = part
            image = None if line.image is None else pictures[line.image]
            try:
                items.append(Item(image, line.caption, line.prompt))
            except InputError as error:
                raise FileError(f"{where}: {error}") from error
        yield [line for _, line in chunk], items, score_each(detector, items)


def score_each(detector: Detector, items: Sequence[Item]) -> list[TokenScores | str]:
    """Scores, or why a caption has none.

    All at once; where that fails, in halves, so that one caption does not cost the others theirs.
    """
    try:
        return [*detector.score(items)]
    except ModgapError as error:
        if len(items) == 1:
            return [str(error)]
    middle = len(items) // 2
    return score_each(detector, items[:middle]) + score_each(detector, items[middle:])
