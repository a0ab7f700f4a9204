"""Labelled captions of real pictures, with a language model behind an address; see ``_pipeline.py``."""

from ._journal import Journal as Journal
from ._pipeline import RealConfig as RealConfig
from ._pipeline import make_real as make_real
from ._sources import Source as Source
from ._sources import read_sources as read_sources
from ._write import write_real as write_real
