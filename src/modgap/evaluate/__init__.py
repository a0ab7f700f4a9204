"""Asking, recording and counting: strategies, prompts, the runner, run folders and statistics."""

from ._config import MeasureConfig as MeasureConfig
from ._config import read_config as read_config
from ._measure import measure as measure
from ._measure import run_config as run_config
from ._prompts import INSTRUCTIONS as INSTRUCTIONS
from ._prompts import PROMPT_VERSION as PROMPT_VERSION
from ._prompts import WORDINGS as WORDINGS
from ._prompts import build_parts as build_parts
from ._prompts import instruction_for as instruction_for
from ._prompts import question_block as question_block
from ._record import OUTCOMES as OUTCOMES
from ._record import Outcome as Outcome
from ._record import Record as Record
from ._rescore import Rescore as Rescore
from ._rescore import rescore as rescore
from ._run import ModelInfo as ModelInfo
from ._run import Run as Run
from ._run import RunInfo as RunInfo
from ._run import SuiteInfo as SuiteInfo
from ._run import open_run as open_run
from ._runner import Listener as Listener
from ._summary import Cell as Cell
from ._summary import Summary as Summary
from ._summary import summarize as summarize
from ._summary import summary_to_json as summary_to_json
