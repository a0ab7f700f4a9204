"""Drawings as lists of strokes, painted fast and read back from their pixels."""

from ._board import BOARD_LOOKS as BOARD_LOOKS
from ._board import draw_board as draw_board
from ._board import read_board as read_board
from ._graph import GRAPH_LOOKS as GRAPH_LOOKS
from ._graph import draw_graph as draw_graph
from ._graph import draw_pair as draw_pair
from ._layout import lay_out as lay_out
from ._layout import lay_out_labelled as lay_out_labelled
from ._letters import read_text as read_text
from ._letters import text_mask as text_mask
from ._plot import PLOT_LOOKS as PLOT_LOOKS
from ._plot import draw_plot as draw_plot
from ._read_graph import SeenGraph as SeenGraph
from ._read_graph import read_graph as read_graph
from ._read_graph import read_pair as read_pair
from ._read_plot import Trace as Trace
from ._read_plot import read_plot as read_plot
from ._strokes import Color as Color
from ._strokes import Disc as Disc
from ._strokes import Drawing as Drawing
from ._strokes import Label as Label
from ._strokes import Line as Line
from ._strokes import Point as Point
from ._strokes import Polygon as Polygon
from ._strokes import Stroke as Stroke
