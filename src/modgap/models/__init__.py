"""Who is asked: the bundled model, local Hugging Face models, HTTP endpoints, stored replies and baselines.

``load_model("bundled")``, ``load_model("org/name")``, ``load_model("endpoint:gpt-x", url=...)``.
Models know nothing of tasks: they see a :class:`Query` and return a :class:`Reply`.
"""

from ._load import load_model as load_model
from ._load import names as names
from ._query import JSON as JSON
from ._query import AnswerMode as AnswerMode
from ._query import Model as Model
from ._query import Query as Query
from ._query import Reply as Reply
from ._query import Sampling as Sampling
