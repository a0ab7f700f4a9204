"""Write docs/gallery.md: every task in every representation, and the pictures in docs/pictures/gallery.

    python scripts/gallery.py            # all tasks
    python scripts/gallery.py --check    # writes nothing; fails if a page or picture is out of date

One problem of each task, drawn from a fixed seed at the default level. Pictures are shown in all drawing
styles, a sound as its words and its wave, a film as some of its pictures. Needs the extras ``audio`` and
``video``.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import sys
import textwrap
from pathlib import Path

import numpy as np
import PIL.Image
from PIL import ImageDraw

from modgap.media import Audio, Image, Text, Video
from modgap.media._av import frames, samples
from modgap.media.speech import RATE
from modgap.tasks import Problem, Task, load, names

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/gallery.md"
PICTURES = ROOT / "docs/pictures/gallery"
SEED, INDEX = 4, 5
PIXELS = 320  # of a picture in three styles, so that a row of them fits a page
COLORS = 64
GAP = 12
LONGEST = 700  # characters of a text
WAVE = (720, 72)
STILLS, STILL = 6, 150  # of a film: how many pictures are shown, and how high

HEAD = f"""# Every task, in every representation

Each section is one problem (`--seed {SEED}`, the default level): what is asked, and the ways to show it.
A test reads each of them back. Pictures are shown in all styles: `classic`, `clean` and `dark` of `isobench`,
`flat`, `contour` and `shadow` of `scenes`, chosen by `--set style=dark`.

Sound and film are made where they are asked for (`--modalities text,image,audio,video`; extras `audio` and
`video`). Of a sound the words and the wave are shown here, of a film some of its pictures;
`modgap generate isobench --modalities audio,video -n {INDEX + 1} --seed {SEED} --out spoken` makes the files.
`python scripts/gallery.py` makes this page.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args()
    pictures: dict[str, bytes] = {}
    page = HEAD + "".join(section(load(name), pictures) for name in names())
    made = {PAGE: page.encode()} | {PICTURES / name: data for name, data in pictures.items()}
    gone = [path for path in PICTURES.glob("*.png") if path not in made]
    stale = [path for path, data in made.items() if not path.is_file() or path.read_bytes() != data]
    if args.check:
        for path in (*stale, *gone):
            print(f"{path.relative_to(ROOT)}: out of date; run python scripts/gallery.py", file=sys.stderr)
        return 1 if stale or gone else 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_bytes(made[path])
    for path in gone:
        path.unlink()
    print(f"{len(pictures)} pictures, {sum(map(len, pictures.values())) / 1000:,.0f} kB")
    return 0


def section(task: Task, pictures: dict[str, bytes]) -> str:
    """The part of the page on one task; its pictures are added to ``pictures``, file name → PNG."""
    problem = task.problem(seed=SEED, index=INDEX)
    lines = [f"\n## {task.name}\n", f"{asked(problem)}\n"]
    for representation in problem.representations:
        lines.append(f"**{representation.name}** ({representation.modality})\n")
        if representation.modality == "text":
            text = "".join(part.text for part in representation.parts if isinstance(part, Text))
            cut = text if len(text) <= LONGEST else text[:LONGEST] + " …"
            lines.append(f"```text\n{cut}\n```\n")
            continue
        lines.append(added(task, representation.name, shown(task, representation.name), pictures))
    for name in task.on_request:
        (part,) = task.problem(SEED, INDEX, [name]).representations[0].parts
        if isinstance(part, Audio):
            heard = samples(part, RATE)
            lines.append(f"**{name}**, {len(heard) / RATE:.0f} s of speech\n")
            lines.append(f"```text\n{words(task)}\n```\n")
            lines.append(added(task, name, [wave(heard)], pictures))
        elif isinstance(part, Video):
            seen = [frame.to_pil() for frame in frames(part, STILLS)]
            small = [
                p.resize((p.width * STILL // p.height, STILL), PIL.Image.Resampling.LANCZOS) for p in seen
            ]
            lines.append(f"**{name}**, {STILLS} of its pictures\n")
            lines.append(added(task, name, small, pictures))
    return "\n".join(lines)


def added(task: Task, name: str, row: list[PIL.Image.Image], pictures: dict[str, bytes]) -> str:
    """The line that shows a row of pictures, which is kept under its file name."""
    file = f"{task.name.replace('/', '-')}-{name}.png"
    pictures[file] = encoded(row)
    return f"![{task.name} as {name}](pictures/gallery/{file})\n"


def words(task: Task) -> str:
    """What is said, in lines of at most a hundred characters."""
    spoken = task.module.SPOKEN
    (form,) = task.problem(SEED, INDEX, [spoken.form]).representations
    return textwrap.fill(spoken.write("".join(part.text for part in form.parts)), 100)


def wave(heard: np.ndarray) -> PIL.Image.Image:
    """How loud a sound is from beginning to end: one stroke for each column, from least to most."""
    width, height = WAVE
    picture = PIL.Image.new("RGB", WAVE, "white")
    draw = ImageDraw.Draw(picture)
    for x, piece in enumerate(np.array_split(heard / max(np.abs(heard).max(), 1e-9), width)):
        low, high = (height / 2 * (1 - value) for value in (piece.max(), piece.min()))
        draw.line((x, low, x, max(high, low + 1)), fill=(60, 90, 150))
    return picture


def asked(problem: Problem) -> str:
    """Question, options and answer in a line."""
    options = f" Options: {', '.join(problem.options)}." if problem.options else ""
    return f"> {problem.question}{options} Answer: **{problem.answer}**"


def shown(task: Task, name: str) -> list[PIL.Image.Image]:
    """A representation that is a picture, in every style."""
    drawn = [task.problem(SEED, INDEX, [name], style=style, pixels=PIXELS) for style in styles(task)]
    parts = [part for problem in drawn for part in problem.representations[0].parts]
    return [part.to_pil() for part in parts if isinstance(part, Image)]


def styles(task: Task) -> list[str]:
    """The drawing styles of a task, each once."""
    (style,) = (field for field in dataclasses.fields(task.module.Style) if field.name == "style")
    return [name for name in style.metadata["one_of"] if name != "mixed"]


def encoded(row: list[PIL.Image.Image]) -> bytes:
    """Pictures side by side as one small PNG."""
    height = max(picture.height for picture in row)
    width = sum(picture.width for picture in row) + GAP * (len(row) - 1)
    sheet = PIL.Image.new("RGB", (width, height), "white")
    x = 0
    for picture in row:
        sheet.paste(picture, (x, 0))
        x += picture.width + GAP
    buffer = io.BytesIO()
    few = sheet.quantize(COLORS, method=PIL.Image.Quantize.MEDIANCUT, dither=PIL.Image.Dither.NONE)
    few.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
