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
    from ._settings import NumberSettings as NumberSettings
    from ._write import Written as Written
    from ._write import WrittenNumber as WrittenNumber
    from .embedding import FourierNumberEmbedding as FourierNumberEmbedding
    from .head import NumberHead as NumberHead

_LAZY = {
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
