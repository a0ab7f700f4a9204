"""What is asked, and how a reply is read: one file per task, full name ``suite/name``."""

from ._parse import read_choice as read_choice
from ._parse import read_integer as read_integer
from ._parse import read_text as read_text
from ._problem import Answer as Answer
from ._problem import AnswerKind as AnswerKind
from ._problem import Problem as Problem
from ._problem import Representation as Representation
from ._problem import Status as Status
from ._task import Task as Task
from ._task import load as load
from ._task import names as names
