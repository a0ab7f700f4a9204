"""Numbers as single tokens with an exact Fourier embedding (FoNE)."""

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
