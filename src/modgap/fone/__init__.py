"""Numbers as single tokens with an exact Fourier embedding (FoNE).

Parsing, the codec and the spectrum need numpy alone; the parts of a model are imported, and torch with them,
when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._encode import Encoding as Encoding
from ._encode import decode as decode
from ._encode import encode as encode
from ._find import NumberSpan as NumberSpan
from ._find import SplitText as SplitText
from ._find import find_numbers as find_numbers
from ._find import split_text as split_text
from ._parse import as_number as as_number
from ._parse import parse_number as parse_number
from ._periods import periods_of_bases as periods_of_bases
from ._policy import KINDS as KINDS
from ._policy import Policy as Policy
from .codec import EXTRAS as EXTRAS
from .codec import FEATURES as FEATURES
from .codec import Codec as Codec
from .number import Number as Number

if TYPE_CHECKING:
    from ._attach import attach as attach
    from ._logits import Candidate as Candidate
    from ._logits import NumberLogits as NumberLogits
    from ._model import NumberModel as NumberModel
    from ._model import NumberOutput as NumberOutput
    from ._probe import Probe as Probe
    from ._probe import probe_modulo as probe_modulo
    from ._settings import NumberSettings as NumberSettings
    from ._vectors import NumberVectors as NumberVectors
    from ._vectors import number_vectors as number_vectors
    from ._write import Written as Written
    from ._write import WrittenNumber as WrittenNumber
    from .bands import BandFilter as BandFilter
    from .bands import band_of as band_of
    from .bands import random_band as random_band
    from .embedding import FourierNumberEmbedding as FourierNumberEmbedding
    from .head import NumberHead as NumberHead
    from .modules import Effect as Effect
    from .modules import Modules as Modules
    from .modules import measure_modules as measure_modules
    from .products import SlotProducts as SlotProducts
    from .spectrum import Spectrum as Spectrum
    from .spectrum import fourier_basis as fourier_basis
    from .spectrum import measure_spectrum as measure_spectrum

_LAZY = {
    "BandFilter": "bands",
    "Effect": "modules",
    "Modules": "modules",
    "NumberVectors": "_vectors",
    "Probe": "_probe",
    "SlotProducts": "products",
    "Spectrum": "spectrum",
    "band_of": "bands",
    "fourier_basis": "spectrum",
    "measure_modules": "modules",
    "measure_spectrum": "spectrum",
    "number_vectors": "_vectors",
    "probe_modulo": "_probe",
    "random_band": "bands",
    "Candidate": "_logits",
    "FourierNumberEmbedding": "embedding",
    "NumberHead": "head",
    "NumberLogits": "_logits",
    "NumberModel": "_model",
    "NumberOutput": "_model",
    "NumberSettings": "_settings",
    "Written": "_write",
    "WrittenNumber": "_write",
    "attach": "_attach",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY} - {"Any", "TYPE_CHECKING", "annotations", "importlib"})
