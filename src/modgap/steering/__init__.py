"""Textual steering vectors: directions found in the text-only backbone, added to a multimodal model."""

from __future__ import annotations

from ._concepts import Concept as Concept
from ._concepts import concept_names as concept_names
from ._concepts import load_concept as load_concept
