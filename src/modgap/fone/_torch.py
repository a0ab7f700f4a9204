"""torch for the modules that need it, or one sentence that says how to get it."""

from __future__ import annotations

from modgap._errors import MissingExtra

try:
    import torch as torch
    import transformers as transformers
except ImportError as error:
    raise MissingExtra("number embeddings", "hf") from error
