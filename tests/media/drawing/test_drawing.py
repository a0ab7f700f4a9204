"""Strokes, letters, places of nodes, and the readers of plots and graphs on drawings made by hand."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import PIL.Image
import pytest

from modgap._errors import FileError, UnknownName
from modgap.media.drawing import (
    Disc,
    Drawing,
    Label,
    Line,
    Polygon,
    SeenGraph,
    draw_graph,
    draw_pair,
    draw_plot,
    lay_out,
    lay_out_labelled,
    read_graph,
    read_pair,
    read_plot,
    read_text,
    text_mask,
)
from modgap.media.drawing._layout import EDGE_GAP, NODE_GAP, heads_apart, near_segment
from modgap.media.drawing._plot import ticks_of
from modgap.media.drawing._png import write_png

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def test_strokes_are_painted_in_order_and_may_be_stopped_at_any() -> None:
    drawing = Drawing(
        60,
        40,
        WHITE,
        (
            Line(((5, 20.5), (55, 20.5)), BLACK, 3),
            Disc(30, 20, 8, RED, BLACK, 2),
            Polygon(((2, 2), (12, 2), (12, 12), (2, 12)), RED),
            Label(40, 2, "7", 12, BLACK, under=RED),
        ),
    )
    pictures = [drawing.paint(count) for count in range(5)]
    assert len({p.tobytes() for p in pictures}) == 5
    assert pictures[4].tobytes() == drawing.paint().tobytes()
    assert pictures[0].getpixel((30, 20)) == WHITE
    assert pictures[1].getpixel((30, 20)) == BLACK
    assert pictures[1].getpixel((30, 18)) == WHITE
    assert pictures[2].getpixel((30, 20)) == RED
    assert pictures[2].getpixel((30, 13)) == BLACK
    assert pictures[3].getpixel((6, 6)) == RED


def test_pictures_are_written_without_loss() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    for pixels in (noise, np.zeros((1, 1, 3), np.uint8), np.tile(noise[:1], (20, 1, 1))):
        data = write_png(PIL.Image.fromarray(pixels))
        with PIL.Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
            opened.load()
            assert (opened.mode, opened.format) == ("RGB", "PNG")
            assert np.array_equal(np.asarray(opened), pixels)


def test_a_line_is_as_wide_in_every_direction() -> None:
    inks = []
    for angle in np.linspace(0, np.pi, 12, endpoint=False):
        dx, dy = 80 * np.cos(angle), 80 * np.sin(angle)
        picture = Drawing(
            200, 200, WHITE, (Line(((100 - dx, 100 - dy), (100 + dx, 100 + dy)), BLACK, 3),)
        ).paint()
        inks.append((255 - np.asarray(picture.convert("L")).astype(float)).sum() / 255 / 160)
    assert min(inks) > 2.5
    assert max(inks) < 3.5


@pytest.mark.parametrize("size", [9, 11, 14, 16, 20, 27, 36])
def test_labels_are_read_back(size: int) -> None:
    for text in ("0", "15", "-2.5", "1e6", "-1800", "0.06", "11111", "98", "-5e14"):
        ink = np.pad(np.asarray(text_mask(text, size), dtype=float) / 255, 6)
        assert read_text(ink, size) == text
    assert read_text(np.zeros((20, 20)), size) is None
    assert read_text(np.ones((40, 40)), size) is None


@pytest.mark.parametrize("n", [8, 12, 15])
@pytest.mark.parametrize("circle", [False, True])
def test_edges_keep_clear_of_nodes(n: int, circle: bool) -> None:
    rng = np.random.default_rng(n)
    for _ in range(5):
        edges = [pair for pair in combinations(range(n), 2) if rng.random() < 0.2]
        places = lay_out(n, edges, rng, circle=circle)
        clear = min(
            near_segment(places[k], places[i], places[j])
            for i, j in edges
            for k in range(n)
            if k not in (i, j)
        )
        assert clear > 0.035  # a node has radius 0.032
        assert min(np.hypot(*np.subtract(places[i], places[j])) for i, j in combinations(range(n), 2)) > 0.12
        assert all(0.045 < v < 0.955 for place in places for v in place)
    assert EDGE_GAP < NODE_GAP


def test_labels_on_edges_keep_clear_of_each_other() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        edges = [pair for pair in combinations(range(6), 2) if rng.random() < 0.7]
        found = lay_out_labelled(6, edges, rng)
        assert found is not None
        places, shares = found
        at = [
            np.add(places[i], np.multiply(share, np.subtract(places[j], places[i])))
            for (i, j), share in zip(edges, shares, strict=True)
        ]
        assert min(np.hypot(*(a - b)) for a, b in combinations(at, 2)) > 0.08
        assert min(np.hypot(*np.subtract(a, place)) for a in at for place in places) > 0.08


def test_a_line_beside_the_head_of_an_arrow_is_refused() -> None:
    """At node 0 the other edge is 12 degrees off the arrow: no head may be there."""
    places = ((0.1, 0.5), (0.9, 0.5), (0.9, 0.5 + 0.8 * np.tan(np.radians(12))))
    assert not heads_apart(places, [(1, 0), (0, 2)])
    assert heads_apart(places, [(0, 1), (0, 2)])
    assert heads_apart(places, [(1, 0)])


def test_graphs_are_read_back_and_pairs_too() -> None:
    places = ((0.2, 0.2), (0.8, 0.3), (0.5, 0.8))
    one = draw_graph(places, [(0, 1)], pixels=300, style="classic", marked={2: 3})
    two = draw_graph(places, [(0, 2), (1, 2)], pixels=300, style="classic")
    assert read_graph(one.paint()) == SeenGraph(3, ((0, 1),))
    assert read_pair(draw_pair(one, two, style="classic").paint()) == (
        SeenGraph(3, ((0, 1),)),
        SeenGraph(3, ((0, 2), (1, 2))),
    )
    flow = draw_graph(
        places, [(1, 0), (2, 1)], pixels=300, style="dark", capacities=[7, 12], labels=[0.5, 0.4]
    )
    assert read_graph(flow.paint(), network=True) == SeenGraph(3, ((1, 0), (2, 1)), (7, 12))


def test_three_nodes_in_a_row_are_not_joined_across() -> None:
    row = ((0.1, 0.5), (0.5, 0.5), (0.9, 0.5))
    drawn = draw_graph(row, [(0, 1), (1, 2)], pixels=300, style="clean")
    assert read_graph(drawn.paint()).edges == ((0, 1), (1, 2))


def test_what_is_no_drawing_of_ours_is_refused() -> None:
    plain = PIL.Image.new("RGB", (300, 300), (1, 2, 3))
    with pytest.raises(FileError, match="the picture is not a plot that modgap drew"):
        read_plot(plain)
    with pytest.raises(FileError, match="the picture is not a graph that modgap drew"):
        read_graph(plain)
    with pytest.raises(FileError, match="not two square graphs side by side"):
        read_pair(plain)
    with pytest.raises(FileError, match="the numbers at the ticks of the plot cannot be read"):
        read_plot(PIL.Image.new("RGB", (300, 300), (255, 255, 255)))
    with pytest.raises(UnknownName, match=r"style 'clasic' is not one of .*; did you mean 'classic'"):
        draw_graph((), [], pixels=300, style="clasic")
    with pytest.raises(UnknownName, match="did you mean 'dark'"):
        draw_plot(np.array([0.0, 1.0]), np.array([0.0, 1.0]), pixels=300, style="drak")


def test_ticks_are_round_numbers() -> None:
    assert [text for _, text in ticks_of(-5.4, 5.4, 4)] == ["-4", "-2", "0", "2", "4"]
    assert [text for _, text in ticks_of(0, 1.1, 5)] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in ticks_of(-1e7, 2.1e7, 5)] == [
        "-10e6",
        "-5e6",
        "0",
        "5e6",
        "10e6",
        "15e6",
        "20e6",
    ]
    for low, high in ((-1e-5, 3e-5), (0, 1e15), (99.9, 100.3)):
        values = [value for value, _ in ticks_of(low, high, 5)]
        assert 5 <= len(values) <= 14
        assert [float(text) for _, text in ticks_of(low, high, 5)] == pytest.approx(values)


def test_the_last_pixel_of_a_curve_is_where_its_domain_ends() -> None:
    xs = np.linspace(-3, 4, 448)
    trace = read_plot(draw_plot(xs, xs**2, pixels=448, style="clean").paint())
    assert trace.fits(lambda x: x**2, -3, 4)
    assert not trace.fits(lambda x: x**2, -3, 4.3)
    assert not trace.fits(lambda x: x**2 + 0.3, -3, 4)
    assert not trace.fits(lambda x: (x - 0.1) ** 2, -3, 4)
