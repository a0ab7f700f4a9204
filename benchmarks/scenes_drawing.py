"""Pictures of scenes per second on one core, against the same pictures drawn without cached sprites.

    python benchmarks/scenes_drawing.py [--seconds 3]

The peers draw the same outlines, fills and colours: Pillow draws every polygon at four times the size and
averages down, matplotlib draws every polygon as a patch. They are compared on scenes without plates, shadows
and background objects. Sampling, text and captions are timed in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import matplotlib
import numpy as np
import PIL.Image
from PIL import ImageDraw

from modgap.scenes import (
    BACKGROUNDS,
    STYLES,
    Scene,
    SceneSettings,
    draw_scene,
    radius_of,
    sample_scene,
    write_caption,
    write_json,
    write_list,
    write_story,
)
from modgap.scenes._palette import LIGHT, PALETTE
from modgap.scenes._shapes import DISC_RADIUS, OUTLINE_RADIUS, OUTLINES

matplotlib.use("agg")

FLAT = SceneSettings()
FULL = SceneSettings(2, 8, perspective=True, plates=2, background_objects=3)


def corners(scene: Scene, i: int, pixels: int, share: float = 1.0) -> list[tuple[float, float]]:
    """The outline of an object in pixels; a circle as a polygon of 48 corners."""
    obj = scene.objects[i]
    radius = radius_of(obj, scene) * pixels * share
    if obj.shape == "circle":
        turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        outline = list(zip(np.cos(turns) * DISC_RADIUS, np.sin(turns) * DISC_RADIUS, strict=True))
    else:
        outline = list(OUTLINES[obj.shape])
    x, y = obj.x / 100 * pixels, obj.y / 100 * pixels
    return [(x + cx * radius / OUTLINE_RADIUS, y + cy * radius / OUTLINE_RADIUS) for cx, cy in outline]


def with_pillow(scene: Scene, pixels: int) -> PIL.Image.Image:
    """Every polygon at four times the size."""
    big = PIL.Image.new("RGB", (4 * pixels, 4 * pixels), "white")
    draw = ImageDraw.Draw(big)
    for i, obj in enumerate(scene.objects):
        draw.polygon(corners(scene, i, 4 * pixels), fill=PALETTE[obj.color])
        if obj.fill != "solid":
            draw.polygon(corners(scene, i, 4 * pixels, 0.6), fill=LIGHT)
    return big.reduce(4)


def with_matplotlib(scene: Scene, pixels: int) -> np.ndarray:
    """Every polygon as a patch of a new figure, as in a script that saves one picture after another."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    figure = Figure(figsize=(pixels / 100, pixels / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, pixels), ylim=(pixels, 0))
    axes.set_axis_off()
    for i, obj in enumerate(scene.objects):
        rgb = [value / 255 for value in PALETTE[obj.color]]
        hatch = "//" if obj.fill == "striped" else None
        axes.add_patch(
            Polygon(
                corners(scene, i, pixels),
                facecolor="white" if obj.fill != "solid" else rgb,
                edgecolor=rgb,
                hatch=hatch,
            )
        )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def rate(action: Callable[[int], object], seconds: float) -> float:
    """How often an action runs in a second of processor time, after as long again to fill caches."""
    done, start, warm = 0, time.process_time(), False
    while True:
        action(done)
        done += 1
        spent = time.process_time() - start
        if spent > seconds and warm:
            return done / spent
        if spent > seconds:
            done, start, warm = 0, time.process_time(), True


def draw_rates(flat: list[Scene], full: list[Scene], pixels: int, seconds: float) -> list[float]:
    """Pictures per second: default scenes, full scenes, and the two peers on default scenes."""

    def draw_full(i: int) -> object:
        look = {"style": STYLES[i % 3], "background": BACKGROUNDS[i // 3 % 6]}
        return draw_scene(full[i % len(full)], pixels=pixels, noise_seed=i, **look)

    return [
        rate(lambda i: draw_scene(flat[i % len(flat)], pixels=pixels), seconds),
        rate(draw_full, seconds),
        rate(lambda i: with_pillow(flat[i % len(flat)], pixels), seconds),
        rate(lambda i: with_matplotlib(flat[i % len(flat)], pixels), seconds),
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each figure")
    seconds = parser.parse_args().seconds
    rng = np.random.default_rng(0)
    flat = [sample_scene(rng, FLAT) for _ in range(512)]
    full = [sample_scene(rng, FULL) for _ in range(512)]
    print("pictures per second of one core, without encoding")
    print("flat: default scenes in one style; full: perspective, plates, background objects, every style")
    print("  pixels     flat     full   Pillow  matplotlib  flat/Pillow  flat/matplotlib")
    for pixels in (64, 224, 448):
        ours, most, pillow, agg = draw_rates(flat, full, pixels, seconds)
        print(
            f"{pixels:>8} {ours:>8,.0f} {most:>8,.0f} {pillow:>8,.0f} {agg:>11,.0f}"
            f" {ours / pillow:>11.1f}x {ours / agg:>15.1f}x"
        )
    print()
    for name, action in (
        ("flat scenes sampled", lambda _: sample_scene(rng, FLAT)),
        ("full scenes sampled", lambda _: sample_scene(rng, FULL)),
        ("lists written", lambda i: write_list(full[i % 512])),
        ("JSON written", lambda i: write_json(full[i % 512])),
        ("stories written", lambda i: write_story(full[i % 512])),
        ("short captions", lambda i: write_caption(full[i % 512], rng, "short")),
        ("dense captions", lambda i: write_caption(full[i % 512], rng, "dense")),
    ):
        print(f"{name:>22}: {rate(action, seconds / 3):>8,.0f} per second")


if __name__ == "__main__":
    main()
