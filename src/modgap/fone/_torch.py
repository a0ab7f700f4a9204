"""torch for the modules that need it, or one sentence that says how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modgap._errors import MissingExtra

try:
    import torch as torch
    import transformers as transformers
except ImportError as error:
    raise MissingExtra("number embeddings", "hf") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and warnings of transformers while a model is loaded; how it talks otherwise is left alone."""
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
