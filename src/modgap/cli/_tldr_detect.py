"""``modgap tldr detect``: which words of captions are likely wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap._errors import FileError, InputError, MissingExtra

if TYPE_CHECKING:
    from modgap.tldr._scores import Detector


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("detect")(detect_words)


def detect_words(
    detector: Annotated[
        str,
        typer.Argument(
            help="Folder that 'modgap tldr train' wrote; or contrast and others, which need no training.",
            show_default=False,
        ),
    ],
    captions: Annotated[
        Path | None,
        typer.Argument(
            help="JSON lines: caption, image (relative to the file), prompt, id.", show_default=False
        ),
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option(help="JSON lines with scores; default: the standard output.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose eyes; default: the one it was trained on, else bundled.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Words above it are flagged. Default: that of the detector.")
    ] = None,
    clean: Annotated[
        Path | None,
        typer.Option(help="Captions without an error, in the same form: the threshold is set on them."),
    ] = None,
    flagged: Annotated[
        float, typer.Option(help="With --clean: at most this fraction of right captions is flagged.")
    ] = 0.1,
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence", help="For each flag its type, where in the picture, and a better word. Slow."
        ),
    ] = False,
    heat: Annotated[
        Path | None,
        typer.Option(help="Folder for a picture of each flag's evidence; with --evidence or alone."),
    ] = None,
    stream: Annotated[
        Path | None,
        typer.Option(
            help="Picture. Its caption comes on the standard input, and each word is scored at its end."
        ),
    ] = None,
    writer: Annotated[
        str | None, typer.Option(help="With --stream: model that writes the caption instead.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="With --stream: that the caption answers.")] = None,
    on_flag: Annotated[
        str, typer.Option(help="With --stream: show, stop, or rewrite the word (with --writer).")
    ] = "show",
    device: Annotated[str | None, typer.Option(help="cpu, cuda …; default: CUDA if there is one.")] = None,
) -> None:
    """Score every token and word of captions of any model, on their characters.

    The output as captions.jsonl of a folder is shown with its flags by 'modgap tldr annotate'.
    """
    try:
        from modgap.tldr._detect import detect, load_detector, threshold_from
    except ImportError as error:
        raise MissingExtra("detectors", "hf") from error

    if threshold is not None and clean is not None:
        raise InputError("--threshold and --clean exclude each other; give one of them")
    if (captions is None) is (stream is None):
        raise InputError("give a file of captions, or a picture with --stream: one of them")
    loaded = load_detector(detector, model, device=device)
    if clean is not None:
        threshold, n = threshold_from(loaded, clean, flagged)
        typer.echo(f"threshold {threshold:.6g} from {n:,} captions of {clean}", err=True)
    elif threshold is None:
        threshold = _own_threshold(loaded)
    if stream is not None:
        from modgap.cli._tldr_stream import stream_words

        stream_words(loaded, stream, prompt, 1.0 if threshold is None else threshold, writer, on_flag)
        return
    assert captions is not None
    rows = (
        json.dumps(row, ensure_ascii=False)
        for row in detect(loaded, captions, threshold, explain=evidence or heat is not None, heat=heat)
    )
    if out is None:
        for row in rows:
            typer.echo(row)
        return
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(row + "\n")
        partial.replace(out)
    except OSError as error:
        raise FileError(f"{out}: cannot be written ({error.strerror}); choose another file") from error
    typer.echo(out)


def _own_threshold(detector: Detector) -> float | None:
    from modgap.tldr._detector import TldrDetector

    return detector.config.calibration.threshold if isinstance(detector, TldrDetector) else None
