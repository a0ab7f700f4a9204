"""What is asked, and how a reply is read: one file per task, full name ``suite/name``."""

from ._files import problem_from_json as problem_from_json
from ._files import problem_to_json as problem_to_json
from ._files import read_problems as read_problems
from ._media_files import MediaFolder as MediaFolder
from ._parse import read_choice as read_choice
from ._parse import read_integer as read_integer
from ._parse import read_text as read_text
from ._problem import Answer as Answer
from ._problem import AnswerKind as AnswerKind
from ._problem import Problem as Problem
from ._problem import Representation as Representation
from ._problem import Status as Status
from ._read_reply import read_reply as read_reply
from ._suite import Suite as Suite
from ._suite import choose as choose
from ._suite import load_suite as load_suite
from ._suite import suites as suites
from ._task import Task as Task
from ._task import load as load
from ._task import names as names
from ._transcript import rewrite_transcript as rewrite_transcript
from ._transcript import transcript_form as transcript_form
from ._transcript import transcript_request as transcript_request
from ._transcript import transcript_score as transcript_score
from ._write import CANARY as CANARY
from ._write import write_suite as write_suite
