"""Textual steering vectors: directions found in the text-only backbone, added to a multimodal model."""

from __future__ import annotations

from modgap.models.local._gate import Gate as Gate
from modgap.models.local._steer import Change as Change
from modgap.models.local._steer import steering as steering
from modgap.models.local._vector import SteeringVector as SteeringVector
from modgap.models.local._vector import load_vector as load_vector

from ._back_patch import BackPatched as BackPatched
from ._back_patch import back_patch as back_patch
from ._budget import strength_within as strength_within
from ._concepts import Concept as Concept
from ._concepts import concept_names as concept_names
from ._concepts import load_concept as load_concept
from ._condition import fit_gate as fit_gate
from ._dose import Dose as Dose
from ._dose import dose as dose
from ._dose import value_vectors as value_vectors
from ._export_adapter import export_adapter as export_adapter
from ._export_gguf import read_gguf as read_gguf
from ._export_gguf import write_gguf as write_gguf
from ._extract import extract as extract
from ._extract import random_like as random_like
from ._first_order import Slopes as Slopes
from ._first_order import screen as screen
from ._first_order import slopes as slopes
from ._harm import Harm as Harm
from ._harm import harm as harm
from ._merge import Merged as Merged
from ._merge import judge_merged as judge_merged
from ._merge import merge as merge
from ._plot import draw_curves as draw_curves
from ._plot import draw_doses as draw_doses
from ._plot import draw_sweep as draw_sweep
from ._published import published_text as published_text
from ._readiness import Readiness as Readiness
from ._readiness import readiness as readiness
from ._reading import Patch as Patch
from ._replay import replay as replay
from ._sae import SAE as SAE
from ._sae import load_sae as load_sae
from ._sae_train import train_sae as train_sae
from ._select import Finding as Finding
from ._select import find as find
from ._study import Study as Study
from ._study import study as study
from ._sweep import SweepResult as SweepResult
from ._sweep import cells_of as cells_of
from ._sweep import load_sweep as load_sweep
from ._sweep import sweep as sweep
from ._text_states import text_model as text_model
