"""TLDR: which words of a caption are wrong. Data with exact labels of every token.

    from modgap.tldr import DataConfig, make_examples, token_labels

Labels are characters of the response (:class:`TypedSpan`), so that any tokenizer can use them.
"""

from ._blind import BlindScore as BlindScore
from ._blind import blind_score as blind_score
from ._build import TypeRow as TypeRow
from ._build import build as build
from ._detect import detect as detect
from ._detect import load_detector as load_detector
from ._diff import diff_spans as diff_spans
from ._edit import Edit as Edit
from ._edit import Perturbation as Perturbation
from ._edit import Piece as Piece
from ._edit import apply_edit as apply_edit
from ._edit import verify_edit as verify_edit
from ._evidence import Evidence as Evidence
from ._evidence import evidence as evidence
from ._example import AGREEMENT as AGREEMENT
from ._example import PROMPT as PROMPT
from ._example import UNREAD as UNREAD
from ._example import Example as Example
from ._example import TypedSpan as TypedSpan
from ._files import read_examples as read_examples
from ._files import write_examples as write_examples
from ._labels import token_labels as token_labels
from ._make import DataConfig as DataConfig
from ._make import Tally as Tally
from ._make import make_examples as make_examples
from ._natural import natural as natural
from ._natural import read_captions as read_captions
from ._readers import read_detail_verify as read_detail_verify
from ._readers import read_rlhf_v as read_rlhf_v
from ._readers import read_winoground as read_winoground
from ._scores import Detector as Detector
from ._scores import Item as Item
from ._scores import TokenScores as TokenScores
from ._scores import Word as Word
from ._scores import words as words
from ._twins import Twins as Twins
from ._twins import make_twins as make_twins
