"""What the local web pages share: who may reach a server, and what is let in. Needs the extra ``ui``."""

from ._guard import Guard as Guard
from ._serve import serve as serve
